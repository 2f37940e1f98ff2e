//! The settings of DPoP (RFC 9449).

use std::sync::Arc;
use std::time::Duration;

use super::Fault;
use crate::algorithm::Algorithm;
use crate::proof::Freshness;
use crate::proof::nonce::NonceIssuer;
use crate::proof::replay::{MemoryReplayStore, ReplayStore};

/// How proofs of possession are judged (RFC 9449), for [`Builder::dpop`](crate::Builder::dpop).
///
/// # Defaults
///
/// | setting | default |
/// |---|---|
/// | algorithms | ES256, EdDSA, Ed25519, ES384, PS256, RS256 |
/// | age of a proof | at most 120 s, and 30 s ahead of this clock |
/// | longest proof | 8 KiB |
/// | nonces | none |
/// | used proofs | recorded in memory: [`MemoryReplayStore`] |
///
/// A `jti` of more than 256 bytes is refused, and so is an empty one.
///
/// ```
/// use std::time::Duration;
/// use tower_resource_server::{Algorithm, Dpop, ResourceServer, SealedNonces};
///
/// let builder = ResourceServer::builder("https://api.example.com").dpop(
///     Dpop::new()
///         .algorithms([Algorithm::ES256, Algorithm::EdDSA])
///         .max_age(Duration::from_secs(60))
///         .nonces(SealedNonces::random()),
/// );
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Dpop {
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) chose_algorithms: bool,
    pub(super) max_age: Duration,
    pub(super) max_ahead: Duration,
    pub(super) max_proof_bytes: usize,
    pub(super) freshness: Option<Freshness>,
    pub(super) nonces: Option<Arc<dyn NonceIssuer>>,
    pub(super) store: Option<Arc<dyn ReplayStore>>,
}

impl Default for Dpop {
    fn default() -> Self {
        Self::new()
    }
}

impl Dpop {
    /// The defaults.
    pub fn new() -> Self {
        use Algorithm::{ES256, ES384, Ed25519, EdDSA, PS256, RS256};
        Self {
            algorithms: vec![ES256, EdDSA, Ed25519, ES384, PS256, RS256],
            chose_algorithms: false,
            max_age: Duration::from_secs(120),
            max_ahead: Duration::from_secs(30),
            max_proof_bytes: 8 * 1024,
            freshness: None,
            nonces: None,
            store: None,
        }
    }

    /// The algorithms of proofs that are accepted, in the order in which challenges and metadata
    /// name them.
    ///
    /// `EdDSA` and `Ed25519` are two names of one algorithm (RFC 9864), and each is accepted only
    /// where it is listed; under either name only keys of the curve Ed25519 are.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self.chose_algorithms = true;
        self
    }

    /// How far the `iat` of a proof may lie back; from a second to 600 s.
    ///
    /// Default 120 s. Shorter leaves less time to who copied a proof, and less to honest clients
    /// whose clocks are slow, as those of phones are (RFC 9449 §11.1). With [`Freshness::Nonce`] it
    /// says nothing.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// How far the `iat` of a proof may lie ahead of this server's clock; at most 300 s.
    ///
    /// Default 30 s, for clients whose clocks are fast. With [`Freshness::Nonce`] it says nothing.
    pub fn max_ahead(mut self, ahead: Duration) -> Self {
        self.max_ahead = ahead;
        self
    }

    /// The longest proof read, in bytes, from 1 KiB to 64 KiB. Longer ones are refused unread.
    ///
    /// Default 8192, which is enough for keys of any size that is accepted.
    pub fn max_proof_bytes(mut self, bytes: usize) -> Self {
        self.max_proof_bytes = bytes;
        self
    }

    /// Requires a nonce of this issuer in every proof (RFC 9449 §9).
    ///
    /// A proof without one is answered `use_dpop_nonce` and the nonce to use, so a client needs a
    /// second request once in a while. In return no proof can be made long before it is used
    /// (§11.2). Once required, a nonce is required of everyone (§11.3).
    pub fn nonces(mut self, issuer: impl NonceIssuer) -> Self {
        self.nonces = Some(Arc::new(issuer));
        self
    }

    /// What says that a proof is new.
    ///
    /// Default [`Freshness::Both`] with nonces, [`Freshness::Iat`] without. Asking for a nonce
    /// without [`nonces`](Self::nonces) is a fault, and so is the opposite.
    pub fn freshness(mut self, freshness: Freshness) -> Self {
        self.freshness = Some(freshness);
        self
    }

    /// Where used proofs are recorded, so that none is accepted twice (RFC 9449 §11.1).
    ///
    /// Default a [`MemoryReplayStore`], which knows of this process alone. Several processes behind
    /// one name need a store they share.
    pub fn replay_store(mut self, store: impl ReplayStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// For challenges and metadata, which never say otherwise than the policy.
    pub(super) fn algorithm_names(&self) -> Vec<&'static str> {
        self.algorithms.iter().map(|algorithm| algorithm.name()).collect()
    }

    pub(super) fn freshness_or_default(&self) -> Freshness {
        let default = if self.nonces.is_some() { Freshness::Both } else { Freshness::Iat };
        self.freshness.unwrap_or(default)
    }

    pub(super) fn store_or_default(&self) -> Arc<dyn ReplayStore> {
        self.store.clone().unwrap_or_else(|| Arc::new(MemoryReplayStore::default()))
    }

    pub(super) fn check(&self, faults: &mut Vec<Fault>) {
        let mut check = |good: bool, problem, mend: &'static str| {
            if !good {
                faults.push(Fault::new("dpop", problem, mend));
            }
        };
        let seconds = Duration::from_secs;
        check(!self.algorithms.is_empty(), "no algorithm of proofs", "list at least ES256");
        let mut listed = self.algorithms.iter().enumerate();
        let twice = listed.any(|(at, algorithm)| self.algorithms[..at].contains(algorithm));
        check(!twice, "an algorithm of proofs is listed twice", "list each once");
        check(
            (seconds(1)..=seconds(600)).contains(&self.max_age),
            "max_age is not from 1 s to 600 s",
            "use 120 s; a longer one lets proofs be made long before they are used",
        );
        check(self.max_ahead <= seconds(300), "max_ahead is more than 300 s", "use 30 s");
        check(
            (1024..=65536).contains(&self.max_proof_bytes),
            "max_proof_bytes is not from 1024 to 65536",
            "use 8192",
        );
        check(
            self.freshness_or_default().needs_nonce() == self.nonces.is_some(),
            "freshness and nonces do not go together",
            "set nonces() for Freshness::Nonce and Both, and leave it out for Iat",
        );
    }
}
