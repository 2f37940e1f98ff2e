//! The tokens it issues, and what it says of them.

use serde_json::Value;

use super::TestAuthorizationServer;
use super::client::Client;
use super::introspection::members_of;
use crate::testing::private::random;
use crate::testing::{TokenBuilder, base64url};

#[expect(
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "the clone returned is a convenience; the server is changed either way"
)]
impl TestAuthorizationServer {
    /// A JWT that is valid from now on for five minutes; change it before building it.
    pub fn token(&self) -> TokenBuilder {
        self.state().issuer.token()
    }

    /// Makes an opaque token that stands for the claims of `token`, of which the flaws and the
    /// header do not count.
    ///
    /// ```
    /// use tower_resource_server::testing::TestAuthorizationServer;
    ///
    /// let server = TestAuthorizationServer::new("https://as.example.com");
    /// let token = server.opaque(&server.token().subject("alice").scope("read"));
    /// assert!(!token.contains('.'));
    /// ```
    #[must_use]
    pub fn opaque(&self, token: &TokenBuilder) -> String {
        let name = base64url(random::<32>());
        self.change(|state| {
            state.introspection.register(name.clone(), members_of(token.claims()));
        });
        name
    }

    /// Answers introspection of `token`, which may be any text, with these members and `active` of
    /// true, unless they have another.
    ///
    /// # Panics
    ///
    /// When `members` is not an object.
    pub fn register(&self, token: impl Into<String>, members: impl Into<Value>) -> Self {
        let Value::Object(members) = members.into() else { panic!("`members` is an object") };
        self.change(|state| state.introspection.register(token.into(), members))
    }

    /// Answers introspection of `token` with `{"active":false}` from now on, as of tokens it has
    /// never heard of.
    pub fn revoke(&self, token: &str) -> Self {
        self.change(|state| state.introspection.revoke(token))
    }

    /// Answers introspection to that client alone, by `client_secret_basic` or
    /// `client_secret_post`; to others 401 (RFC 7662 §2.3).
    pub fn client(&self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        let client = Client { id: id.into(), secret: secret.into() };
        self.change(|state| state.introspection.client = Some(client))
    }
}
