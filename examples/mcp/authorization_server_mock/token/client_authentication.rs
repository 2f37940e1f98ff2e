//! Who asks (RFC 6749 §2.3).

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::answer::Refusal;
use super::super::client::Client;
use super::super::mock::{Mock, State};
use super::super::parameters::{Parameters, decoded};

/// The client, which has authenticated itself in one way if it can, and else has named itself.
///
/// A client with a secret may send it in either way, whichever it registered for.
pub(super) fn client(
    mock: &Mock,
    state: &State,
    headers: &HeaderMap,
    form: &Parameters,
) -> Result<Client, Refusal> {
    let mut fields = headers.get_all(header::AUTHORIZATION).iter();
    let in_body = form.get("client_secret").is_some() || form.get("client_assertion").is_some();
    match (fields.next(), fields.next()) {
        (Some(_), Some(_)) => Err(twice()),
        (Some(_), None) if in_body => Err(twice()),
        (Some(field), None) => by_header(mock, state, field, form),
        (None, _) => by_body(mock, state, form),
    }
}

/// §5.2: who came with `Authorization` is told what belongs in there.
fn by_header(
    mock: &Mock,
    state: &State,
    field: &HeaderValue,
    form: &Parameters,
) -> Result<Client, Refusal> {
    let client = basic(field).and_then(|(id, secret)| {
        mock.client(state, &id).filter(|client| client.has_secret(&secret))
    });
    let challenge = "Basic realm=\"token\", charset=\"UTF-8\"";
    let client = client.ok_or_else(|| {
        unknown().with(StatusCode::UNAUTHORIZED, header::WWW_AUTHENTICATE, challenge)
    })?;
    match form.get("client_id") {
        Some(other) if other != client.id => Err(twice()),
        _ => Ok(client),
    }
}

/// Whoever has a secret has to send it.
fn by_body(mock: &Mock, state: &State, form: &Parameters) -> Result<Client, Refusal> {
    let client = form.get("client_id").and_then(|id| mock.client(state, id)).ok_or_else(unknown)?;
    let good = match (&client.secret, form.get("client_secret")) {
        (Some(_), Some(sent)) => client.has_secret(sent),
        (None, None) => true,
        _ => false,
    };
    if good { Ok(client) } else { Err(unknown()) }
}

/// Identifier and secret, each form-encoded before they are joined (§2.3.1).
fn basic(field: &HeaderValue) -> Option<(String, String)> {
    let (scheme, credentials) = field.to_str().ok()?.split_once(' ')?;
    let joined = STANDARD.decode(credentials.trim()).ok()?;
    let colon = joined.iter().position(|byte| *byte == b':')?;
    scheme.eq_ignore_ascii_case("Basic").then_some(())?;
    Some((decoded(&joined[..colon])?, decoded(&joined[colon + 1..])?))
}

const fn twice() -> Refusal {
    Refusal::new("invalid_request", "the client is to authenticate itself in one way")
}

/// Whether the client or its secret is wrong is told to nobody.
const fn unknown() -> Refusal {
    Refusal::new("invalid_client", "the client is unknown, or has not authenticated itself")
}
