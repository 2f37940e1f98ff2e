//! From a test issuer to a server that trusts it.

use super::TestIssuer;
use crate::config::{Builder, Issuer};
use crate::keys::JwkSet;
use crate::server::ResourceServer;

impl TestIssuer {
    /// The public keys, as a server is given them.
    ///
    /// # Panics
    ///
    /// Never: the kit writes key sets that parse.
    #[must_use]
    pub fn jwks(&self) -> JwkSet {
        JwkSet::from_json(&self.jwks_bytes()).expect("the kit writes key sets that parse")
    }

    /// This issuer, to be trusted with its present keys.
    #[must_use]
    pub fn trusted(&self) -> Issuer {
        Issuer::jwks(self.issuer(), self.jwks())
    }

    /// A builder for a server that trusts this issuer; the tokens of [`token`](Self::token) are
    /// meant for `https://api.example.com`.
    ///
    /// ```
    /// use tower_resource_server::testing::TestIssuer;
    ///
    /// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
    /// let issuer = TestIssuer::new("https://as.example.com");
    /// let server = issuer.resource_server("https://api.example.com").build()?;
    /// # Ok::<(), tower_resource_server::ConfigError>(())
    /// ```
    pub fn resource_server(&self, resource: impl Into<String>) -> Builder {
        ResourceServer::builder(resource).issuer(self.trusted())
    }
}
