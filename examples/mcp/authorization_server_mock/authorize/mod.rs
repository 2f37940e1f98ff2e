//! The authorization endpoint (RFC 6749 §3.1, OpenID Connect Core §3.1.2).

mod consent;
mod cookie;
mod page;
mod recipient;
mod request;
mod sign_in;

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::http::{Method, Uri};
use axum::response::Response;

pub(super) use self::consent::{Question, decide};
use self::recipient::Recipient;
use self::request::AuthorizationRequest;
use super::MAX_BYTES;
use super::account::Session;
use super::answer::{Refusal, form};
use super::mock::{Mock, State};
use super::options::Consent;
use super::parameters::Parameters;

/// What comes of a request that may be answered by redirect.
enum Outcome {
    Code(String),
    /// The ticket of a question for the person.
    Question(String),
}

/// The request is in the query, or in a form (§3.1: both are supported).
pub(super) async fn answer(Shared(mock): Shared<Arc<Mock>>, request: Request) -> Response {
    let cookie = cookie::read(request.headers());
    let parameters = match *request.method() {
        Method::POST => form(request).await.ok().map(|(_, form)| form),
        _ => query(request.uri()),
    };
    match parameters {
        Some(parameters) => authorize(&mock, &parameters, cookie),
        None => page::error("The request cannot be read."),
    }
}

fn query(uri: &Uri) -> Option<Parameters> {
    let query = uri.query().unwrap_or_default();
    (query.len() <= MAX_BYTES).then(|| Parameters::parse(query.as_bytes())).flatten()
}

/// Errors go to the client by redirect, but for those that leave in doubt who that is (§4.1.2.1).
fn authorize(mock: &Mock, parameters: &Parameters, cookie: Option<String>) -> Response {
    let mut state = mock.state();
    let (client, recipient) = match recipient::find(mock, &state, parameters) {
        Ok(found) => found,
        Err(text) => return page::error(text),
    };
    let now = mock.now();
    let known = cookie.as_deref().and_then(|cookie| state.sessions.get(cookie, now)).cloned();
    let mut session = known.unwrap_or_default();
    let outcome = request::read(mock, client, parameters)
        .and_then(|request| proceed(mock, &mut state, &mut session, request, &recipient));
    let mut response = match outcome {
        Ok(Outcome::Code(code)) => recipient.respond(&[("code", &code)]),
        Ok(Outcome::Question(ticket)) => consent::ask(&state, &ticket, now),
        Err(refusal) => recipient.refuse(&refusal),
    };
    cookie::keep(mock, &mut state, cookie, session, &mut response);
    response
}

fn proceed(
    mock: &Mock,
    state: &mut State,
    session: &mut Session,
    request: AuthorizationRequest,
    recipient: &Recipient,
) -> Result<Outcome, Refusal> {
    let now = mock.now();
    let mut account = sign_in::account(mock, session, &request, now)?;
    let consented = account.has_consented(&request.client.id, &request.scope);
    if mock.options.consent == Consent::Page && (request.asks_again || !consented) {
        let question = Question::new(request, account, recipient.clone());
        return Ok(Outcome::Question(consent::pose(state, question, now)?));
    }
    let granted = mock.options.limited(&request.scope);
    if granted.is_empty() && !request.scope.is_empty() {
        return Err(Refusal::new("access_denied", "none of it is granted"));
    }
    account.consent(&request.client.id, &request.scope);
    session.put(account.clone());
    consent::code(state, &request, &account, granted, recipient, now).map(Outcome::Code)
}
