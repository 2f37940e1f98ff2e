//! Clients, registered by themselves or beforehand.

use super::random::is_same;
use super::redirect_uri;
use super::scope::Scope;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum GrantType {
    AuthorizationCode,
    ClientCredentials,
    RefreshToken,
}

impl GrantType {
    pub(super) const ALL: [Self; 3] =
        [Self::AuthorizationCode, Self::ClientCredentials, Self::RefreshToken];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::ClientCredentials => "client_credentials",
            Self::RefreshToken => "refresh_token",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.name() == name)
    }
}

#[derive(Clone)]
pub(crate) struct Client {
    pub(super) id: String,
    /// None for a public client, which has nothing to authenticate itself with.
    pub(super) secret: Option<String>,
    /// For people, who see it escaped.
    pub(super) name: String,
    pub(super) redirect_uris: Vec<String>,
    pub(super) grant_types: Vec<GrantType>,
    /// What is meant where it asks for no scope in particular (RFC 6749 §3.3).
    pub(super) default_scope: Scope,
    /// Whether it gets no token without a proof (RFC 9449 §5.2).
    pub(super) dpop_bound: bool,
}

impl Client {
    /// A client that acts for itself.
    pub(crate) fn service(id: impl Into<String>, secret: impl Into<String>) -> Self {
        let id = id.into();
        Self {
            name: id.clone(),
            id,
            secret: Some(secret.into()),
            redirect_uris: Vec::new(),
            grant_types: vec![GrantType::ClientCredentials],
            default_scope: Scope::default(),
            dpop_bound: false,
        }
    }

    pub(super) fn may(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }

    pub(super) fn is_redirected_to(&self, uri: &str) -> bool {
        self.redirect_uris.iter().any(|own| redirect_uri::matches(own, uri))
    }

    pub(super) fn has_secret(&self, sent: &str) -> bool {
        self.secret.as_deref().is_some_and(|secret| is_same(secret, sent))
    }
}
