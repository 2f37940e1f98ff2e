//! What the tests of nonces, replay, clocks, proxies and browsers share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use tower_resource_server::testing::{ProofBuilder, SigningKey};
use tower_resource_server::{
    Algorithm, Builder, Claim, ClaimOutcome, Dpop, ProofUse, RejectionKind, ReplayStore,
    ResourceServer,
};

use crate::support::{Answer, Bed, RESOURCE, get, send};

/// The default policy, as every DPoP challenge names it.
pub(crate) const ALGS: &str = "ES256 EdDSA Ed25519 ES384 PS256 RS256";
/// What [`DpopBed::proof`] is made for.
pub(crate) const TARGET: &str = "https://api.example.com/r";

/// A server, a key, and a token with scope `read` that is bound to it.
pub(crate) struct DpopBed {
    pub(crate) bed: Bed,
    pub(crate) key: SigningKey,
    pub(crate) token: String,
}

impl DpopBed {
    pub(crate) fn new(dpop: Dpop) -> Self {
        Self::with(|builder| builder.dpop(dpop))
    }

    /// A bed whose server records proofs in the ledger.
    pub(crate) fn recording() -> (Self, Ledger) {
        let ledger = Ledger::default();
        (Self::new(Dpop::new().replay_store(ledger.clone())), ledger)
    }

    /// A bed whose server has other settings.
    pub(crate) fn with(change: impl FnOnce(Builder) -> Builder) -> Self {
        let bed = Bed::with(change);
        let key = SigningKey::generate(Algorithm::ES256);
        let token = bed.issuer.token().scope("read").bound_to(&key).build();
        Self { bed, key, token }
    }

    /// Another server of the same resource and clock that trusts the same issuer.
    pub(crate) fn node(&self, dpop: Dpop) -> ResourceServer {
        let builder = self.bed.issuer.resource_server(RESOURCE).clock(self.bed.clock.clone());
        builder.dpop(dpop).build().expect("a valid configuration")
    }

    /// A new proof for `GET /r` with the token, made now, without a nonce.
    pub(crate) fn proof(&self) -> ProofBuilder {
        self.key.proof("GET", TARGET).token(&self.token).clock(&self.bed.clock)
    }

    /// Sends `GET /r` with that proof and its token.
    pub(crate) async fn send(&self, proof: &ProofBuilder) -> Answer {
        send(self.bed.server.authenticate(), with_proof(proof)).await
    }

    /// A nonce of the server, as a request without one is answered with.
    pub(crate) async fn fetch_nonce(&self) -> String {
        nonce_of(&self.send(&self.proof()).await)
    }
}

/// `GET /r` with that proof and its token.
pub(crate) fn with_proof(proof: &ProofBuilder) -> Request<Full<Bytes>> {
    proof.authorize(get(&[]))
}

/// The one nonce of a response (R9449-8-2), of characters that a nonce may have.
pub(crate) fn nonce_of(answer: &Answer) -> String {
    let nonces = answer.all("dpop-nonce");
    assert_eq!(nonces.len(), 1, "{answer:?}");
    assert!(is_nonce(nonces[0]), "{nonces:?}");
    nonces[0].to_owned()
}

/// RFC 9449 §8.1: `1*NQCHAR`.
pub(crate) fn is_nonce(text: &str) -> bool {
    let is_nqchar = |byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    !text.is_empty() && text.bytes().all(is_nqchar)
}

/// NONCE401 of the matrix: the DPoP challenge alone, and exactly one nonce, which is returned.
pub(crate) fn assert_nonce401(answer: &Answer) -> String {
    assert_refused(answer, StatusCode::UNAUTHORIZED);
    let [challenge] = &answer.challenges()[..] else { panic!("one challenge: {answer:?}") };
    assert_eq!(challenge.scheme, "DPoP");
    assert_eq!(challenge.get("error"), Some("use_dpop_nonce"));
    assert_eq!(challenge.get("algs"), Some(ALGS));
    nonce_of(answer)
}

/// P401: `invalid_dpop_proof` in the DPoP challenge, which is the first.
pub(crate) fn assert_p401(answer: &Answer, kind: RejectionKind) {
    assert_refused(answer, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.kind(), Some(kind));
    let challenge = answer.challenge();
    assert_eq!(challenge.scheme, "DPoP");
    assert_eq!(challenge.get("error"), Some("invalid_dpop_proof"));
    assert_eq!(challenge.get("algs"), Some(ALGS));
}

pub(crate) fn assert_replayed(answer: &Answer) {
    assert_p401(answer, RejectionKind::ReplayedProof);
}

fn assert_refused(answer: &Answer, status: StatusCode) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(!answer.handled);
    assert_eq!(answer.all("cache-control"), ["no-store"]);
}

/// A store that never forgets and shows what it was asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(Arc<Mutex<Records>>);

#[derive(Debug, Default)]
struct Records {
    asked: Vec<ProofUse>,
    first: HashMap<[u8; 32], usize>,
}

impl ReplayStore for Ledger {
    fn claim(&self, proof: &ProofUse) -> Claim {
        let mut records = self.0.lock().expect("no panic");
        let number = records.asked.len();
        records.asked.push(proof.clone());
        let first = *records.first.entry(*proof.key()).or_insert(number) == number;
        Claim::Done(Ok(if first { ClaimOutcome::First } else { ClaimOutcome::Replay }))
    }
}

impl Ledger {
    /// Every use it was asked about, in order.
    pub(crate) fn asked(&self) -> Vec<ProofUse> {
        self.0.lock().expect("no panic").asked.clone()
    }

    /// How many uses are recorded.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().expect("no panic").first.len()
    }
}
