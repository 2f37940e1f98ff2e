//! The paths that threads take together.

use tower_resource_server::Algorithm;
use tower_resource_server::testing::SigningKey;

use super::bearer::Bearer;
use super::claims::Claims;
use super::proven::Proven;
use crate::floor::Verifier;
use crate::support::{issuer, taken_apart};

/// What threads do at the same time.
pub(super) trait Path: Sync {
    /// Puts everything back, before each span.
    fn begin(&mut self) {}

    /// The work of that thread: does a little at each call, and tells how much.
    fn worker(&self, thread: usize) -> Worker<'_>;
}

pub(super) type Worker<'p> = Box<dyn FnMut() -> u64 + 'p>;

/// Little enough at once that what is begun as the span ends, and lost, does not count.
pub(super) const CHEAP: u64 = 64;
pub(super) const DEAR: u64 = 4;

pub(super) const FLOOR: &str = "bare check of a signature";

type Make = fn() -> Box<dyn Path>;

pub(super) const ALL: [(&str, Make); 7] = [
    (FLOOR, || Box::new(Signature::new())),
    ("seen before, one token for all", || Box::new(Bearer::seen_by_all())),
    ("seen before, a token for each", || Box::new(Bearer::seen_by_each())),
    ("first sight, ES256", || Box::new(Bearer::first())),
    ("DPoP, token seen before", || Box::new(Proven::new())),
    ("refused, no token", || Box::new(Bearer::refused())),
    ("replay store, a claim", || Box::new(Claims::new())),
];

struct Signature {
    key: SigningKey,
    token: String,
}

impl Signature {
    fn new() -> Self {
        let issuer = issuer(Algorithm::ES256);
        Self { key: issuer.key().clone(), token: issuer.token().build() }
    }
}

impl Path for Signature {
    fn worker(&self, _: usize) -> Worker<'_> {
        let verifier = Verifier::new(&self.key);
        let (message, signature) = taken_apart(&self.token);
        Box::new(move || {
            for _ in 0..DEAR {
                assert!(verifier.verifies(message.as_bytes(), &signature));
            }
            DEAR
        })
    }
}
