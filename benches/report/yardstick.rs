//! How fast this machine is at this moment, beside the one that the budgets were set on.
//!
//! Budgets in microseconds are those of one machine, on which the ES256 check of aws-lc-rs took 40.1
//! µs. Here they are multiplied by what the same check takes now, in turn with what is judged.

use std::hint::black_box;
use std::time::Duration;

use jsonwebtoken::crypto::JwtVerifier;
use tower_resource_server::{Algorithm, CryptoBackend};

use crate::support::measure::{Times, batch_of};
use crate::support::{decoding_key, issuer, taken_apart, verifier};

/// Of one check, on the machine of the budgets.
const MICROS: f64 = 40.1;
/// Few, since each takes as long as some dozens of requests that need none.
const CHECKS: usize = 4;

pub(crate) struct Yardstick {
    verifier: Box<dyn JwtVerifier>,
    message: String,
    signature: Vec<u8>,
}

impl Yardstick {
    pub(crate) fn new() -> Self {
        let issuer = issuer(Algorithm::ES256);
        let token = issuer.token().scope("read").build();
        let (message, signature) = taken_apart(&token);
        let (algorithm, key) = decoding_key(&issuer.jwks_json()["keys"][0]);
        let backend = CryptoBackend::preferred().expect("a backend is compiled in");
        let verifier = verifier(backend, algorithm, &key);
        Self { verifier, message: message.to_owned(), signature }
    }

    /// What one check takes.
    pub(crate) fn batch(&self) -> Duration {
        batch_of(&[(); CHECKS], |()| {
            let verified = self.verifier.verify(self.message.as_bytes(), &self.signature);
            assert!(black_box(verified).is_ok());
        })
    }

    /// By what budgets in microseconds are multiplied.
    pub(crate) fn factor(checks: &Times) -> f64 {
        checks.median() / 1e3 / MICROS
    }
}
