//! Scope demands (RFC 6749 §3.3).

use super::Grant;
use crate::charset;
use crate::config::Fault;

/// Scopes that a request needs: all of some, or any of some.
///
/// Names are compared case-sensitively (RFC 6749 §3.3), with the server's scope hierarchy taken
/// into account.
///
/// ```
/// use tower_resource_server::Scopes;
///
/// let both = Scopes::all(["read", "write"]);
/// let either = Scopes::any(["reports/read", "admin"]);
/// let combined = both.or(either);
/// # let _ = combined;
/// ```
///
/// # Checked
///
/// Each name consists of visible ASCII without quote and backslash (RFC 6749 §3.3), so one name per
/// string; and there is at least one. `["read write"]` and `[]` are faults. A layer with a fault
/// refuses every request; [`try_require`](crate::ResourceServer::try_require) reports it instead.
///
/// ```
/// use tower_resource_server::{Scopes, testing::TestIssuer};
///
/// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
/// let server = TestIssuer::new("https://as.example.com")
///     .resource_server("https://api.example.com")
///     .build()?;
/// assert!(server.try_require(Scopes::all(["read", "write"])).is_ok());
/// assert!(server.try_require(Scopes::all(["read write"])).is_err());
/// assert!(server.try_require(Scopes::any([""; 0])).is_err());
/// # Ok::<(), tower_resource_server::ConfigError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Scopes {
    tokens: Vec<String>,
    mode: Mode,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mode {
    All,
    Any,
}

impl Scopes {
    /// Every one of these scopes. A challenge lists them all, not only those that are missing.
    ///
    /// `offline_access` may be demanded but is never named to a client: it asks an authorization
    /// server for a refresh token and means nothing to a resource.
    pub fn all<S: Into<String>>(scopes: impl IntoIterator<Item = S>) -> Self {
        Self::new(scopes, Mode::All)
    }

    /// At least one of these scopes. Put the one that grants least first: a challenge asks for
    /// that one, since a client that is told several requests them all.
    ///
    /// The metadata document lists them all, though.
    pub fn any<S: Into<String>>(scopes: impl IntoIterator<Item = S>) -> Self {
        Self::new(scopes, Mode::Any)
    }

    fn new<S: Into<String>>(scopes: impl IntoIterator<Item = S>, mode: Mode) -> Self {
        Self { tokens: scopes.into_iter().map(Into::into).collect(), mode }
    }

    pub(super) fn are_met_by(&self, grant: &Grant) -> bool {
        let mut tokens = self.tokens.iter();
        match self.mode {
            Mode::All => tokens.all(|scope| grant.has_scope(scope)),
            Mode::Any => tokens.any(|scope| grant.has_scope(scope)),
        }
    }

    /// What a challenge asks for.
    pub(super) fn challenged(&self) -> &[String] {
        match self.mode {
            Mode::All => &self.tokens,
            Mode::Any => self.tokens.get(..1).unwrap_or_default(),
        }
    }

    pub(super) fn named(&self) -> &[String] {
        &self.tokens
    }

    pub(super) fn faults(&self, faults: &mut Vec<Fault>) {
        if self.tokens.is_empty() {
            let mend = "name at least one scope, or leave the requirement out";
            faults.push(Fault::new("require", "no scope is named", mend));
        }
        for scope in self.tokens.iter().filter(|scope| !charset::is_scope_token(scope)) {
            faults.push(Fault::scope("require", scope));
        }
    }
}
