//! The token endpoint (RFC 6749 §3.2).

mod client_authentication;
mod client_credentials;
mod code;
mod issue;
mod proof;
mod refresh;

use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use self::proof::Proven;
use super::answer::{DPOP_NONCE, Refusal, form, uncached};
use super::client::{Client, GrantType};
use super::mock::Mock;
use super::parameters::Parameters;

/// A request whose client is known and whose proof, if there is one, is good.
struct Ask<'a> {
    mock: &'a Mock,
    form: &'a Parameters,
    client: Client,
    proven: Option<Proven>,
    now: SystemTime,
}

pub(super) async fn answer(Shared(mock): Shared<Arc<Mock>>, request: Request) -> Response {
    let answered = match form(request).await {
        Ok((headers, form)) => token(&mock, &headers, &form),
        Err(refusal) => Err(refusal),
    };
    answered.unwrap_or_else(Refusal::into_response)
}

fn token(mock: &Mock, headers: &HeaderMap, form: &Parameters) -> Result<Response, Refusal> {
    let (mut state, now) = (mock.state(), mock.now());
    if form.repeat() {
        return Err(Refusal::new("invalid_request", "a parameter is there twice"));
    }
    let client = client_authentication::client(mock, &state, headers, form)?;
    let grant_type = grant_type(form, &client)?;
    let proven = proof::proven(mock, &mut state, headers, now)?;
    if client.dpop_bound && proven.is_none() {
        return Err(Refusal::new("invalid_dpop_proof", "this client needs a proof"));
    }
    let ask = Ask { mock, form, client, proven, now };
    let body = match grant_type {
        GrantType::AuthorizationCode => code::redeem(&ask, &mut state),
        GrantType::ClientCredentials => client_credentials::grant(&ask, &mut state),
        GrantType::RefreshToken => refresh::renew(&ask, &mut state),
    }?;
    Ok(granted(&body, ask.proven))
}

fn grant_type(form: &Parameters, client: &Client) -> Result<GrantType, Refusal> {
    let name = form.get("grant_type");
    let name = name.ok_or(Refusal::new("invalid_request", "grant_type is missing"))?;
    let known = GrantType::named(name);
    let grant_type = known.ok_or(Refusal::new("unsupported_grant_type", "no such grant type"))?;
    if !client.may(grant_type) {
        return Err(Refusal::new("unauthorized_client", "the client may not use that grant type"));
    }
    Ok(grant_type)
}

/// The next nonce comes with the tokens, before the old one has ended (RFC 9449 §8.2).
fn granted(body: &Value, proven: Option<Proven>) -> Response {
    let mut response = uncached(StatusCode::OK, body);
    let nonce = proven.and_then(|proven| HeaderValue::try_from(proven.next_nonce?).ok());
    response.headers_mut().extend(nonce.map(|nonce| (DPOP_NONCE, nonce)));
    response
}
