//! What an accepted request carries on to the application.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::Method;
use http::uri::PathAndQuery;
use serde::de::DeserializeOwned;

use super::{Demand, Requirement};
use crate::clock::Timestamp;
use crate::config::Settings;
use crate::json::Object;
use crate::proof::{Binding, BoundToken};
use crate::rejection::Rejection;
use crate::token::{Signed, VerifiedToken};

/// The rights a request has shown: a verified access token and the server that verified it.
///
/// The [`authenticate`](crate::ResourceServer::authenticate) layer puts it into the request's
/// extensions. To hold one is to have passed every check of the server. What it does **not** say
/// is that the token suffices for the operation: that is what [`require`](Self::require) and the
/// `require` layer ask.
#[derive(Clone)]
pub struct Grant {
    token: BoundToken,
    settings: Arc<Settings>,
    label: Label,
}

/// Which request it was, for the log: method and path as the client sent them.
#[derive(Clone)]
pub(crate) struct Label {
    pub(crate) method: Method,
    pub(crate) target: Option<PathAndQuery>,
}

/// In the extensions of requests that an optional layer let through without credentials.
#[derive(Clone)]
pub(crate) struct Anonymous {
    pub(crate) settings: Arc<Settings>,
    pub(crate) label: Label,
}

impl Grant {
    pub(crate) const fn new(token: BoundToken, settings: Arc<Settings>, label: Label) -> Self {
        Self { token, settings, label }
    }

    pub(crate) const fn token(&self) -> &VerifiedToken {
        self.token.token()
    }

    fn signed(&self) -> &Signed {
        self.token().signed()
    }

    pub(crate) const fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    pub(crate) const fn label(&self) -> &Label {
        &self.label
    }

    /// `iss`: the issuer, exactly as configured.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.settings.issuer(self.signed().issuer)
    }

    /// `sub`: the user, or the client itself in a client-credentials token. Always present under
    /// RFC 9068. Unique only together with [`issuer`](Self::issuer): see [`principal`](Self::principal).
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.signed().subject()
    }

    /// The pair that identifies a subject across issuers (RFC 8725 §3.8).
    #[must_use]
    pub fn principal(&self) -> Option<(&str, &str)> {
        self.subject().map(|subject| (self.issuer(), subject))
    }

    /// `client_id`: the client the token was issued to. Always present under RFC 9068.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.signed().client_id()
    }

    /// Whether the subject is the client itself: no user stands behind the token (RFC 9068 §5).
    #[must_use]
    pub fn is_client_itself(&self) -> bool {
        self.subject().is_some() && self.subject() == self.client_id()
    }

    /// `aud`: all audiences of the token; one of them is this server.
    pub fn audience(&self) -> impl Iterator<Item = &str> {
        self.signed().audience()
    }

    /// `jti`, where the token has one.
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.signed().token_id()
    }

    /// `scope`: the scopes the token names, without those they include by hierarchy.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        let scope = self.signed().scope().unwrap_or_default();
        scope.split(' ').filter(|scope| !scope.is_empty())
    }

    /// Whether the token has that scope, itself or through one that includes it.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        let wider = self.settings.hierarchy.including(scope);
        self.scopes().any(|held| held == scope || wider.iter().any(|wider| wider == held))
    }

    /// `exp`, without leeway.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.signed().claims.expires.to_system_time()
    }

    /// How the token is tied to its sender.
    #[must_use]
    pub const fn binding(&self) -> &Binding {
        self.token.binding()
    }

    pub(crate) fn authentication(&self) -> (Option<&str>, Option<Timestamp>) {
        (self.signed().acr(), self.signed().claims.authenticated)
    }

    pub(crate) fn now_and_leeway(&self) -> (Timestamp, Duration) {
        (self.settings.now(), self.settings.tokens.leeway)
    }

    /// All claims, as a type of the application's.
    ///
    /// # Errors
    ///
    /// [`ClaimsError`] when the claims do not fit the type.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, ClaimsError> {
        serde_json::from_str(&self.signed().payload).map_err(|_| ClaimsError)
    }

    /// One claim; `None` when it is absent or does not fit the type.
    #[must_use]
    pub fn claim<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let members = Object::parse(&self.signed().payload).ok()?;
        serde_json::from_str(members.raw(name)?).ok()
    }

    /// Demands more of the token from within a handler.
    ///
    /// The refusal renders through the server's own envelope, as a layer's does. Under the `axum`
    /// feature it is a response, so that `grant.require(..)?` suffices.
    ///
    /// # Errors
    ///
    /// [`Rejection`] of kind `insufficient-scope`, `insufficient-authentication` or
    /// `requirement-not-met`; of kind `invalid-requirement` when the requirement itself is faulty.
    pub fn require(&self, requirement: impl Into<Requirement>) -> Result<(), Rejection> {
        let demand = Arc::new(Demand::new(requirement.into()));
        if !demand.faults().is_empty() {
            return Err(Rejection::unusable(self, demand));
        }
        demand.check(self).map_err(|short| short.into_rejection(self, &demand))
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("issuer", &self.issuer())
            .field("subject", &self.subject())
            .field("client_id", &self.client_id())
            .finish_non_exhaustive()
    }
}

/// The claims of a token do not fit the type asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ClaimsError;

impl fmt::Display for ClaimsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the claims of the access token do not fit the type asked for")
    }
}

impl std::error::Error for ClaimsError {}
