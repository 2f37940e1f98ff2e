//! The floor of first sight: the signature, and nothing else.

use tower_resource_server::testing::SigningKey;

/// What verifies the signatures of one key: aws-lc-rs itself, with the key parsed beforehand.
#[cfg(feature = "aws-lc-rs")]
pub(crate) struct Verifier(aws_lc_rs::signature::ParsedPublicKey);

#[cfg(feature = "aws-lc-rs")]
impl Verifier {
    pub(crate) fn new(key: &SigningKey) -> Self {
        Self(crate::support::parsed_key(&key.public_jwk()))
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

/// What verifies the signatures of one key: jsonwebtoken's verifier for the other backend.
#[cfg(not(feature = "aws-lc-rs"))]
pub(crate) struct Verifier(Box<dyn jsonwebtoken::crypto::JwtVerifier>);

#[cfg(not(feature = "aws-lc-rs"))]
impl Verifier {
    pub(crate) fn new(key: &SigningKey) -> Self {
        use tower_resource_server::CryptoBackend;
        let (algorithm, key) = crate::support::decoding_key(&key.public_jwk());
        let backend = CryptoBackend::preferred().expect("a backend is compiled in");
        Self(crate::support::verifier(backend, algorithm, &key))
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &Vec<u8>) -> bool {
        self.0.verify(message, signature).is_ok()
    }
}
