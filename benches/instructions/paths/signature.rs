//! The backend's own verification of a token, which no path can do without.

use std::hint::black_box;

use jsonwebtoken::DecodingKey;
use tower_resource_server::testing::SigningKey;
use tower_resource_server::{Algorithm, CryptoBackend};

use crate::fixture::{issuer, key, token};
use crate::scenario::{Work, warm};
use crate::support::{taken_apart, verifier};

/// One verification, with a verifier that was made before.
pub(crate) fn of(algorithm: Algorithm) -> Work {
    let backend = CryptoBackend::preferred().expect("a backend is compiled in");
    let (name, key) = decoding(&key(algorithm));
    let verifier = verifier(backend, name, &key);
    let token = token(&issuer(algorithm), 0).build();
    let (message, signature) = taken_apart(&token);
    let message = message.to_owned();
    let mut work: Work = Box::new(move || {
        assert!(black_box(verifier.verify(message.as_bytes(), &signature)).is_ok());
    });
    warm(&mut work);
    work
}

fn decoding(key: &SigningKey) -> (jsonwebtoken::Algorithm, DecodingKey) {
    let jwk = key.bare_jwk();
    let part = |name: &str| jwk[name].as_str().expect("a member of the key");
    let (algorithm, key) = match key.algorithm() {
        Algorithm::ES256 => {
            (jsonwebtoken::Algorithm::ES256, DecodingKey::from_ec_components(part("x"), part("y")))
        }
        Algorithm::RS256 => {
            (jsonwebtoken::Algorithm::RS256, DecodingKey::from_rsa_components(part("n"), part("e")))
        }
        _ => (jsonwebtoken::Algorithm::EdDSA, DecodingKey::from_ed_components(part("x"))),
    };
    (algorithm, key.expect("a good key"))
}
