//! From an authorization server in memory to a resource server that trusts it.

use super::{Endpoint, TestAuthorizationServer};
use crate::config::{Builder, ClientAuthentication, Introspection, Issuer};
use crate::server::ResourceServer;

impl TestAuthorizationServer {
    /// This server, to be trusted with the keys that its metadata leads to.
    #[must_use]
    pub fn trusted(&self) -> Issuer {
        Issuer::discover(&self.shared.identifier)
    }

    /// A builder for a resource server that trusts this server and reaches no other; the tokens
    /// of [`token`](Self::token) are meant for `https://api.example.com`.
    pub fn resource_server(&self, resource: impl Into<String>) -> Builder {
        ResourceServer::builder(resource).issuer(self.trusted()).fetch(self.clone())
    }

    /// How to ask this server about tokens, as the [`client`](Self::client) it answers, or as
    /// anybody where it has none.
    ///
    /// ```
    /// use tower_resource_server::testing::TestAuthorizationServer;
    ///
    /// let server = TestAuthorizationServer::new("https://as.example.com").client("api", "secret");
    /// let issuer = server.trusted().introspect(server.introspection());
    /// # let _ = issuer;
    /// ```
    pub fn introspection(&self) -> Introspection {
        let state = self.state();
        let credentials = match &state.introspection.client {
            Some(client) => ClientAuthentication::client_secret_basic(&client.id, &client.secret),
            None => ClientAuthentication::client_id_only("resource-server"),
        };
        Introspection::at(self.url(Endpoint::Introspection), credentials)
    }
}
