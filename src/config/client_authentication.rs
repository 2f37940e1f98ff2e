//! How this server authenticates to an authorization server.

use std::fmt;
use std::sync::Arc;

use crate::algorithm::Algorithm;
use crate::keys::PrivateKey;
use crate::token::introspection::TokenSource;

/// How this server authenticates where it asks about tokens (RFC 7662 §2.1).
///
/// The credentials are those of the resource server as a client of the authorization server, never
/// those of its own clients. `Debug` shows the method and the client id alone.
///
/// ```
/// use tower_resource_server::ClientAuthentication;
///
/// let secret = ClientAuthentication::client_secret_basic("api-1", "s3cr3t");
/// assert_eq!(format!("{secret:?}"), "client_secret_basic(\"api-1\")");
/// ```
///
/// For mutual TLS (RFC 8705 §2) give a client with [`fetch`](crate::Builder::fetch) that has the
/// certificate, and [`client_id_only`](Self::client_id_only).
#[derive(Clone, PartialEq)]
#[must_use]
pub struct ClientAuthentication {
    pub(super) method: Method,
    pub(super) assertion_audience: Option<String>,
}

#[derive(Clone)]
pub(super) enum Method {
    Basic {
        client_id: String,
        secret: String,
    },
    Post {
        client_id: String,
        secret: String,
    },
    /// By whichever way the metadata names.
    Secret {
        client_id: String,
        secret: String,
    },
    ClientId(String),
    PrivateKeyJwt {
        client_id: String,
        key: PrivateKey,
    },
    Bearer(String),
    BearerFrom(TokenSource),
}

impl PartialEq for Method {
    fn eq(&self, other: &Self) -> bool {
        let credentials = |method: &Self| match method {
            Self::Basic { secret, .. }
            | Self::Post { secret, .. }
            | Self::Secret { secret, .. }
            | Self::Bearer(secret) => Some(secret.clone()),
            Self::ClientId(_) | Self::PrivateKeyJwt { .. } | Self::BearerFrom(_) => None,
        };
        let same = match (self, other) {
            (Self::PrivateKeyJwt { key, .. }, Self::PrivateKeyJwt { key: other, .. }) => {
                key == other
            }
            (Self::BearerFrom(source), Self::BearerFrom(other)) => Arc::ptr_eq(source, other),
            _ => credentials(self) == credentials(other),
        };
        same && self.name() == other.name() && self.client_id() == other.client_id()
    }
}

impl Method {
    pub(super) fn client_id(&self) -> Option<&str> {
        match self {
            Self::Basic { client_id, .. }
            | Self::Post { client_id, .. }
            | Self::Secret { client_id, .. }
            | Self::PrivateKeyJwt { client_id, .. }
            | Self::ClientId(client_id) => Some(client_id),
            Self::Bearer(_) | Self::BearerFrom(_) => None,
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Basic { .. } => "client_secret_basic",
            Self::Post { .. } => "client_secret_post",
            Self::Secret { .. } => "client_secret",
            Self::ClientId(_) => "client_id_only",
            Self::PrivateKeyJwt { .. } => "private_key_jwt",
            Self::Bearer(_) => "bearer",
            Self::BearerFrom(_) => "bearer_from",
        }
    }
}

impl ClientAuthentication {
    /// That of its assertions, where it makes any.
    pub(super) const fn signing_algorithm(&self) -> Option<Algorithm> {
        match &self.method {
            Method::PrivateKeyJwt { key, .. } => Some(key.signing_algorithm()),
            _ => None,
        }
    }

    const fn new(method: Method) -> Self {
        Self { method, assertion_audience: None }
    }

    /// Id and secret as user and password of HTTP Basic, form-encoded before (RFC 6749 §2.3.1).
    pub fn client_secret_basic(client_id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self::new(Method::Basic { client_id: client_id.into(), secret: secret.into() })
    }

    /// Id and secret in the form (RFC 6749 §2.3.1), for servers that do not take
    /// [`client_secret_basic`](Self::client_secret_basic).
    pub fn client_secret_post(client_id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self::new(Method::Post { client_id: client_id.into(), secret: secret.into() })
    }

    /// Id and secret by the way that the issuer's metadata names, with
    /// [`Introspection::discovered`](crate::Introspection::discovered): as
    /// [`client_secret_post`](Self::client_secret_post) where it lists that one and not
    /// [`client_secret_basic`](Self::client_secret_basic), else as the latter.
    pub fn client_secret(client_id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self::new(Method::Secret { client_id: client_id.into(), secret: secret.into() })
    }

    /// The id alone, in the form: for a [`Fetch`](crate::fetch::Fetch) of yours that authenticates
    /// by a client certificate (RFC 8705 §2), or for an endpoint that knows its callers otherwise.
    pub fn client_id_only(client_id: impl Into<String>) -> Self {
        Self::new(Method::ClientId(client_id.into()))
    }

    /// A JWT signed with a key of this server, a new one for each call (RFC 7523 §2.2).
    ///
    /// `iss` and `sub` are the client id, `aud` is the issuer identifier, unless
    /// [`assertion_audience`](Self::assertion_audience) says otherwise. It is good for 60 s.
    ///
    /// ```
    /// use tower_resource_server::{ClientAuthentication, PrivateKey};
    ///
    /// # fn read() -> Result<ClientAuthentication, Box<dyn std::error::Error>> {
    /// let key = PrivateKey::from_pem(&std::fs::read_to_string("api-1.pem")?)?.kid("2026-01");
    /// let credentials = ClientAuthentication::private_key_jwt("api-1", key);
    /// # Ok(credentials)
    /// # }
    /// ```
    pub fn private_key_jwt(client_id: impl Into<String>, key: PrivateKey) -> Self {
        Self::new(Method::PrivateKeyJwt { client_id: client_id.into(), key })
    }

    /// A bearer token that the endpoint takes (RFC 7662 §2.1).
    pub fn bearer(token: impl Into<String>) -> Self {
        Self::new(Method::Bearer(token.into()))
    }

    /// A bearer token that is asked for at each call, for tokens that are renewed.
    ///
    /// The closure must not block: it reads what something else keeps up to date. While it gives
    /// none, the tokens of clients cannot be looked up, and their requests are answered 503.
    pub fn bearer_from(source: impl Fn() -> Option<String> + Send + Sync + 'static) -> Self {
        Self::new(Method::BearerFrom(Arc::new(source)))
    }

    /// `aud` of the assertion, for servers that want the URL of an endpoint there. Only for
    /// [`private_key_jwt`](Self::private_key_jwt).
    pub fn assertion_audience(mut self, audience: impl Into<String>) -> Self {
        self.assertion_audience = Some(audience.into());
        self
    }
}

impl fmt::Debug for ClientAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.method.client_id() {
            Some(client_id) => write!(f, "{}({client_id:?})", self.method.name()),
            None => f.write_str(self.method.name()),
        }
    }
}
