//! Keys that sign test tokens.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::private::Private;
use super::rsa::RsaKey;
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

    /// The signature over `message` as a JWS carries it: r and s side by side for ECDSA.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.private.sign(self.algorithm, message)
    }

    pub(super) fn sign_der(&self, message: &[u8]) -> Option<Vec<u8>> {
        self.private.sign_der(message)
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
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use ed25519_dalek::Verifier as _;
    use p256::pkcs8::DecodePublicKey as _;

    use super::*;

    fn member(jwk: &Value, name: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap()
    }

    fn sec1(jwk: &Value) -> Vec<u8> {
        [vec![4], member(jwk, "x"), member(jwk, "y")].concat()
    }

    #[test]
    fn es256_verifies_with_its_jwk() {
        let key = SigningKey::generate(Algorithm::ES256);
        let public = p256::ecdsa::VerifyingKey::from_sec1_bytes(&sec1(&key.public_jwk())).unwrap();
        let plain = p256::ecdsa::Signature::from_slice(&key.sign(b"message")).unwrap();
        public.verify(b"message", &plain).unwrap();
        let der = p256::ecdsa::Signature::from_der(&key.sign_der(b"message").unwrap()).unwrap();
        public.verify(b"message", &der).unwrap();
        assert_eq!(p256::ecdsa::VerifyingKey::from_public_key_pem(&key.public_pem()), Ok(public));
    }

    #[test]
    fn es384_verifies_with_its_jwk() {
        let key = SigningKey::generate(Algorithm::ES384);
        let public = p384::ecdsa::VerifyingKey::from_sec1_bytes(&sec1(&key.public_jwk())).unwrap();
        let plain = p384::ecdsa::Signature::from_slice(&key.sign(b"message")).unwrap();
        public.verify(b"message", &plain).unwrap();
        let der = p384::ecdsa::Signature::from_der(&key.sign_der(b"message").unwrap()).unwrap();
        public.verify(b"message", &der).unwrap();
        assert_eq!(p384::ecdsa::VerifyingKey::from_public_key_pem(&key.public_pem()), Ok(public));
    }

    #[test]
    fn ed25519_verifies_with_its_jwk() {
        for algorithm in [Algorithm::EdDSA, Algorithm::Ed25519] {
            let key = SigningKey::generate(algorithm);
            let x = member(&key.public_jwk(), "x").try_into().unwrap();
            let public = ed25519_dalek::VerifyingKey::from_bytes(&x).unwrap();
            let signature = ed25519_dalek::Signature::from_slice(&key.sign(b"message")).unwrap();
            public.verify(b"message", &signature).unwrap();
            assert_eq!(key.private.public_der().len(), 44);
        }
    }

    #[test]
    fn the_public_jwk_is_public() {
        for algorithm in Algorithm::ALL.iter().copied() {
            let jwk = SigningKey::generate(algorithm).with_kid("k").public_jwk();
            assert_eq!((&jwk["alg"], &jwk["use"]), (&json!(algorithm.name()), &json!("sig")));
            assert_eq!(jwk["kid"], "k");
            assert!(jwk["d"].is_null() && jwk["p"].is_null(), "{algorithm}");
        }
    }

    #[test]
    fn a_stranger_has_another_key_under_the_same_id() {
        for algorithm in Algorithm::ALL.iter().copied() {
            let key = SigningKey::generate(algorithm).with_kid("k");
            let stranger = key.stranger();
            assert_eq!(stranger.kid(), Some("k"));
            assert_ne!(stranger.public_jwk(), key.public_jwk(), "{algorithm}");
        }
    }

    #[test]
    fn the_second_rsa_key_is_not_the_first() {
        let [one, two] =
            [SigningKey::generate(Algorithm::PS256), SigningKey::second_rsa(Algorithm::PS256)];
        assert_ne!(one.public_jwk()["n"], two.public_jwk()["n"]);
    }

    #[test]
    #[should_panic(expected = "ES256 signs with no RSA key")]
    fn the_second_rsa_key_is_for_rsa() {
        let _ = SigningKey::second_rsa(Algorithm::ES256);
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", SigningKey::generate(Algorithm::EdDSA));
        assert_eq!(shown, "SigningKey { algorithm: EdDSA, kid: None, .. }");
    }
}
