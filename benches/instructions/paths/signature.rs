//! The backend's own verification of a token, which no path can do without.

use std::hint::black_box;

use tower_resource_server::{Algorithm, CryptoBackend};

use crate::fixture::{issuer, key, token};
use crate::scenario::{Work, warm};
use crate::support::{decoding_key, taken_apart, verifier};

/// One verification, with a verifier that was made before.
pub(crate) fn of(algorithm: Algorithm) -> Work {
    let backend = CryptoBackend::preferred().expect("a backend is compiled in");
    let (name, key) = decoding_key(&key(algorithm).bare_jwk());
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
