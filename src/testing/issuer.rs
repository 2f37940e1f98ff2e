//! An authorization server as far as a resource server sees one.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::key::SigningKey;
use super::token::TokenBuilder;
use crate::algorithm::Algorithm;
use crate::clock::{Clock, SystemClock};

/// An authorization server that issues tokens and publishes the key to check them with.
///
/// ```
/// use tower_resource_server::testing::{FixedClock, TestIssuer};
///
/// let clock = FixedClock::at(1_700_000_000);
/// let issuer = TestIssuer::new("https://as.example.com").clock(clock.clone());
/// let token = issuer.token().subject("alice").build();
/// assert_eq!(token.split('.').count(), 3);
/// assert_eq!(issuer.jwks_json()["keys"][0]["kid"], "test-1");
/// ```
#[derive(Clone, Debug)]
pub struct TestIssuer {
    issuer: String,
    key: SigningKey,
    pub(super) clock: Arc<dyn Clock>,
}

impl TestIssuer {
    /// An issuer of that identifier with a random ES256 key of the id `test-1`.
    #[must_use]
    pub fn new(issuer: impl Into<String>) -> Self {
        Self::with_key(issuer, SigningKey::generate(Algorithm::ES256).with_kid("test-1"))
    }

    /// An issuer of that identifier with that key.
    ///
    /// If the key has no id, neither the tokens nor the key set carry one.
    #[must_use]
    pub fn with_key(issuer: impl Into<String>, key: SigningKey) -> Self {
        Self { issuer: issuer.into(), key, clock: Arc::new(SystemClock) }
    }

    /// Takes the times in tokens from `clock`; the default is the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Replaces the key: later tokens are signed with `key` and later key sets hold it alone.
    pub fn rotate(&mut self, key: SigningKey) {
        self.key = key;
    }

    /// The issuer identifier.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The key that signs now.
    #[must_use]
    pub const fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The key set as published.
    #[must_use]
    pub fn jwks_json(&self) -> Value {
        json!({ "keys": [self.key.public_jwk()] })
    }

    /// The key set as published, serialized.
    #[must_use]
    pub fn jwks_bytes(&self) -> Bytes {
        self.jwks_json().to_string().into()
    }

    /// A token that is valid from now on for five minutes; change it before building it.
    pub fn token(&self) -> TokenBuilder {
        TokenBuilder::new(&self.issuer, &self.key, self.clock.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotation_replaces_the_published_key() {
        let mut issuer = TestIssuer::new("https://as.example.com");
        let before = issuer.jwks_bytes();
        issuer.rotate(SigningKey::generate(Algorithm::EdDSA).with_kid("test-2"));
        assert_ne!(issuer.jwks_bytes(), before);
        assert_eq!(issuer.jwks_json()["keys"].as_array().map(Vec::len), Some(1));
        assert_eq!(issuer.jwks_json()["keys"][0]["kid"], "test-2");
    }

    #[test]
    fn a_key_without_id_is_published_without_one() {
        let key = SigningKey::generate(Algorithm::ES256);
        let issuer = TestIssuer::with_key("https://as.example.com", key);
        assert!(issuer.jwks_json()["keys"][0].get("kid").is_none());
    }
}
