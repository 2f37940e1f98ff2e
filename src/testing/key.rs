//! Keys that sign test tokens.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::base64url;
use super::private::Private;
use super::rsa::RsaKey;
use super::thumbprint::thumbprint;
use crate::algorithm::Algorithm;

/// A private key, the algorithm it signs with and the key id it goes by.
///
/// EC and Ed25519 keys are random. **RSA keys are not**: making one takes seconds in a debug
/// build, so every RSA key is one of two that are published with this crate. Whoever trusts them
/// outside tests trusts everybody.
#[derive(Clone)]
pub struct SigningKey {
    algorithm: Algorithm,
    kid: Option<String>,
    private: Private,
}

impl SigningKey {
    /// A key for `algorithm`, without a key id.
    ///
    /// For an RSA algorithm it is always the first of the two published keys.
    #[must_use]
    pub fn generate(algorithm: Algorithm) -> Self {
        Self { algorithm, kid: None, private: Private::generate(algorithm) }
    }

    /// The second of the two published RSA keys, without a key id.
    ///
    /// # Panics
    ///
    /// When `algorithm` is none of RSA.
    #[must_use]
    pub fn second_rsa(algorithm: Algorithm) -> Self {
        let name = algorithm.name();
        assert!(name.starts_with("RS") || name.starts_with("PS"), "{name} signs with no RSA key");
        Self { algorithm, kid: None, private: Private::Rsa(RsaKey::Two) }
    }

    /// The ES256 key of that private scalar, as `d` of a JWK has it (RFC 7518 §6.2.2.1), without a
    /// key id.
    ///
    /// It is for keys that are published, such as those of the RFCs.
    ///
    /// # Panics
    ///
    /// When `d` is zero or not less than the order of P-256.
    #[must_use]
    pub fn from_p256(d: &[u8; 32]) -> Self {
        let key = p256::ecdsa::SigningKey::from_slice(d).expect("`d` is a scalar of P-256");
        Self { algorithm: Algorithm::ES256, kid: None, private: Private::P256(key) }
    }

    /// The EdDSA key of that seed, as `d` of a JWK has it (RFC 8037 §2), without a key id.
    ///
    /// It is for keys that are published, such as those of the RFCs.
    #[must_use]
    pub fn from_ed25519(d: &[u8; 32]) -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(d);
        Self { algorithm: Algorithm::EdDSA, kid: None, private: Private::Ed25519(key) }
    }

    /// An RS256 key of 1024 bits, which is too short (RFC 7518 §3.3); published as well.
    pub(super) const fn short_rsa() -> Self {
        Self::published(RsaKey::Short)
    }

    /// The RS256 key that RSA keys are, unless another is asked for.
    pub(super) const fn first_rsa() -> Self {
        Self::published(RsaKey::One)
    }

    const fn published(key: RsaKey) -> Self {
        Self { algorithm: Algorithm::RS256, kid: None, private: Private::Rsa(key) }
    }

    /// Gives the key an id, or another.
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.kid = Some(kid.into());
        self
    }

    /// The key id, if the key has one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The algorithm the key signs with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public key as a JWK, with `alg`, `use` of `sig`, and `kid` if the key has an id.
    #[must_use]
    pub fn public_jwk(&self) -> Value {
        let mut jwk = self.private.public_members();
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(self.algorithm.name());
        if let Some(kid) = &self.kid {
            jwk["kid"] = json!(kid);
        }
        jwk
    }

    /// The public key as a JWK of nothing but the members that make it: `kty`, and `crv`, `x`, `y`
    /// or `n`, `e`.
    ///
    /// That is the `jwk` of a proof (RFC 9449 §4.2) and what a thumbprint is taken of.
    #[must_use]
    pub fn bare_jwk(&self) -> Value {
        self.private.public_members()
    }

    /// The SHA-256 thumbprint of the public key in base64url (RFC 7638), as `cnf.jkt` of a token
    /// bound to it.
    ///
    /// It is computed by other code than that of the resource server, so that a test which
    /// compares the two compares something.
    ///
    /// ```
    /// use tower_resource_server::Algorithm;
    /// use tower_resource_server::testing::SigningKey;
    ///
    /// let key = SigningKey::generate(Algorithm::ES256);
    /// assert_eq!(key.thumbprint().len(), 43);
    /// assert_eq!(key.thumbprint(), key.clone().with_kid("1").thumbprint());
    /// ```
    #[must_use]
    pub fn thumbprint(&self) -> String {
        thumbprint(&self.bare_jwk())
    }

    /// The signature over `message` as a JWS carries it: r and s side by side for ECDSA.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.private.sign(self.algorithm, message)
    }

    pub(super) fn sign_der(&self, message: &[u8]) -> Option<Vec<u8>> {
        self.private.sign_der(message)
    }

    /// Name and value of a member that only the private JWK has.
    pub(super) fn private_member(&self) -> (&'static str, String) {
        let (name, value) = self.private.private_member();
        (name, base64url(value))
    }

    /// A different key of the same kind, as an attacker would have one.
    pub(super) fn stranger(&self) -> Self {
        let private = match &self.private {
            Private::Rsa(key) => Private::Rsa(key.other()),
            Private::P256(_) | Private::P384(_) | Private::Ed25519(_) => {
                Private::generate(self.algorithm)
            }
        };
        Self { algorithm: self.algorithm, kid: self.kid.clone(), private }
    }

    pub(super) fn public_bytes(&self) -> Vec<u8> {
        self.private.public_bytes()
    }

    pub(super) fn public_pem(&self) -> String {
        let body = STANDARD.encode(self.private.public_der());
        let mut pem = "-----BEGIN PUBLIC KEY-----\n".to_owned();
        for line in body.as_bytes().chunks(64) {
            pem.extend(line.iter().copied().map(char::from));
            pem.push('\n');
        }
        pem + "-----END PUBLIC KEY-----\n"
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
