//! Who may ask (RFC 7662 §2.1, RFC 6749 §2.3.1).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::form::{Form, decoded};

/// A client and its secret.
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: String,
}

/// What is wrong with the authentication of a request.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Unauthenticated {
    /// Of another client, or with another secret, or none at all.
    InvalidClient,
    /// In two ways at once (RFC 6749 §2.3).
    InvalidRequest,
}

impl Client {
    /// Whether the request comes from this client, by `client_secret_basic` or by
    /// `client_secret_post`.
    pub(super) fn check(&self, headers: &HeaderMap, form: &Form) -> Result<(), Unauthenticated> {
        let header = headers.contains_key(AUTHORIZATION);
        let sent = match (header, form.get("client_secret")) {
            (true, Some(_)) => return Err(Unauthenticated::InvalidRequest),
            (true, None) => basic(headers),
            (false, Some(secret)) => form.get("client_id").map(|id| (id.into(), secret.into())),
            (false, None) => None,
        };
        match sent {
            Some((id, secret)) if id == self.id && secret == self.secret => Ok(()),
            _ => Err(Unauthenticated::InvalidClient),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Identifier and secret, each encoded as in a form before they are joined (RFC 6749 §2.3.1).
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let (field, None) = (fields.next()?, fields.next()) else { return None };
    let (scheme, credentials) = field.to_str().ok()?.split_once(' ')?;
    let joined = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
    let (id, secret) = joined.split_once(':')?;
    scheme.eq_ignore_ascii_case("Basic").then_some(())?;
    Some((decoded(id)?, decoded(secret)?))
}
