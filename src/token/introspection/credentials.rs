//! How this server authenticates to the endpoint (RFC 7662 §2.1).

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

use super::assertion::Assertion;
use super::form::{self, Form};
use super::{Failure, IntrospectionError};
use crate::charset;
use crate::clock::Timestamp;

/// Where a bearer token for the endpoint comes from.
pub(crate) type TokenSource = Arc<dyn Fn() -> Option<String> + Send + Sync>;

/// Credentials that can be sent.
pub(crate) enum Credentials {
    /// `Authorization`, the same for all calls: `client_secret_basic`, or a bearer token.
    Fixed(HeaderValue),
    /// `client_secret_post` (RFC 6749 §2.3.1); without a secret, who calls is told by other means.
    Post { client_id: String, secret: Option<String> },
    /// One of those two: the second where the metadata names it and not the first.
    Secret { basic: HeaderValue, client_id: String, secret: String },
    /// `private_key_jwt` (RFC 7523 §2.2).
    Assertion(Assertion),
    /// A bearer token that may be another each time.
    Bearer(TokenSource),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fixed(_) => "Fixed",
            Self::Post { .. } => "Post",
            Self::Secret { .. } => "Secret",
            Self::Assertion(_) => "Assertion",
            Self::Bearer(_) => "Bearer",
        })
    }
}

impl Credentials {
    pub(crate) fn basic(client_id: &str, secret: &str) -> Option<Self> {
        user_and_password(client_id, secret).map(Self::Fixed)
    }

    pub(crate) fn secret(client_id: &str, secret: &str) -> Option<Self> {
        let basic = user_and_password(client_id, secret)?;
        Some(Self::Secret { basic, client_id: client_id.to_owned(), secret: secret.to_owned() })
    }

    pub(crate) fn bearer(token: &str) -> Option<Self> {
        authorization(token).map(Self::Fixed)
    }

    /// Writes them into the form, or gives them back as a field. `methods` are those of the
    /// metadata, where it was looked up and lists any.
    pub(super) fn write(
        &self,
        form: &mut Form,
        methods: Option<&[String]>,
        now: Timestamp,
    ) -> Result<Option<HeaderValue>, Failure> {
        let failed = |cause| Failure::with_cause(IntrospectionError::Credentials, cause);
        match self {
            Self::Fixed(value) => return Ok(Some(value.clone())),
            Self::Post { client_id, secret } => {
                form.add("client_id", client_id);
                if let Some(secret) = secret {
                    form.add("client_secret", secret);
                }
            }
            Self::Secret { basic, client_id, secret } => {
                let lists = |name| methods.is_some_and(|all| all.iter().any(|one| one == name));
                if lists("client_secret_basic") || !lists("client_secret_post") {
                    return Ok(Some(basic.clone()));
                }
                form.add("client_id", client_id);
                form.add("client_secret", secret);
            }
            Self::Assertion(assertion) => {
                let unsigned = || failed("the assertion could not be signed");
                let signed = assertion.sign(now).ok_or_else(unsigned)?;
                form.add("client_assertion_type", Assertion::TYPE);
                form.add("client_assertion", &signed);
            }
            Self::Bearer(source) => {
                let token = source().ok_or_else(|| failed("the source gives no token"))?;
                let unsendable = || failed("the source gives a token that cannot be sent");
                return authorization(&token).map(Some).ok_or_else(unsendable);
            }
        }
        Ok(None)
    }
}

/// RFC 6749 §2.3.1: id and secret are form-encoded before they become user and password.
fn user_and_password(client_id: &str, secret: &str) -> Option<HeaderValue> {
    let mut pair = String::new();
    form::encode(client_id, &mut pair);
    pair.push(':');
    form::encode(secret, &mut pair);
    sensitive(&format!("Basic {}", STANDARD.encode(pair)))
}

fn authorization(token: &str) -> Option<HeaderValue> {
    let visible = charset::is_scope_token(token);
    visible.then(|| sensitive(&format!("Bearer {token}"))).flatten()
}

/// A field value that is not shown, and not indexed by HTTP/2.
fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
