//! Who gets the answer: the client, by redirect of the browser.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::super::answer::Refusal;
use super::super::client::Client;
use super::super::mock::{Mock, State};
use super::super::parameters::{Parameters, encoded};
use super::page;

/// A client that is known, at a place that it has registered.
#[derive(Clone)]
pub(crate) struct Recipient {
    pub(super) redirect_uri: String,
    /// As it came; it goes back the same.
    state: Option<String>,
    issuer: String,
}

/// RFC 6749 §4.1.2.1: as long as it is not certain where the answer belongs, it is a page, and the
/// browser is sent nowhere.
pub(super) fn find(
    mock: &Mock,
    state: &State,
    parameters: &Parameters,
) -> Result<(Client, Recipient), &'static str> {
    let client = parameters.get("client_id").and_then(|id| mock.client(state, id));
    let client = client.ok_or("There is no such client.")?;
    let uri = parameters.get("redirect_uri").ok_or("It is not said where to return to.")?;
    if !client.is_redirected_to(uri) {
        return Err("The client has not registered the address to return to.");
    }
    let recipient = Recipient {
        redirect_uri: uri.to_owned(),
        state: parameters.get("state").map(str::to_owned),
        issuer: mock.issuer.issuer().to_owned(),
    };
    Ok((client, recipient))
}

impl Recipient {
    pub(super) fn refuse(&self, refusal: &Refusal) -> Response {
        refusal.log();
        self.respond(&[("error", refusal.error), ("error_description", refusal.description)])
    }

    /// By 303, after which no browser sends the form again that it came with, as it would after 307
    /// (OAuth 2.1 §7.5.3).
    pub(super) fn respond(&self, parameters: &[(&str, &str)]) -> Response {
        let Ok(location) = HeaderValue::try_from(self.location(parameters)) else {
            return page::error("The address to return to is none.");
        };
        let fields = [
            (header::LOCATION, location),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        ];
        (StatusCode::SEE_OTHER, fields).into_response()
    }

    /// The query that the address has stays (RFC 6749 §3.1.2). `iss` is in every answer, so that a
    /// client of several servers knows which one has answered (RFC 9207 §2).
    fn location(&self, parameters: &[(&str, &str)]) -> String {
        let mut location = self.redirect_uri.clone();
        let state = self.state.iter().map(|state| ("state", state.as_str()));
        let rest = state.chain([("iss", self.issuer.as_str())]);
        for (name, value) in parameters.iter().copied().chain(rest) {
            location.push(if location.contains('?') { '&' } else { '?' });
            location.push_str(&format!("{name}={}", encoded(value)));
        }
        location
    }
}
