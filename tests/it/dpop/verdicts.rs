//! What the topics of DPoP share: a client with a key and a token bound to it, proofs, a store that
//! counts, and the verdicts of the matrix.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Full;
use tower_resource_server::testing::{ProofBuilder, SigningKey};
use tower_resource_server::{
    Algorithm, Builder, Claim, ClaimOutcome, Dpop, ProofUse, RejectionKind, ReplayStore,
};

use crate::support::{Answer, Bed, get, send};

/// What requests of these tests are sent to.
pub(crate) const URI: &str = "https://api.example.com/r";

/// `algs` of a server that says nothing about algorithms.
pub(crate) const ALGS: &str = "ES256 EdDSA Ed25519 ES384 PS256 RS256";

/// Keeps what it is asked, and answers as a store of unlimited size and memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct CountingStore {
    seen: Arc<Mutex<Vec<[u8; 32]>>>,
}

impl CountingStore {
    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.seen.lock().expect("no panic").len()
    }

    /// How many uses it has recorded.
    pub(crate) fn recorded(&self) -> usize {
        self.seen.lock().expect("no panic").iter().collect::<HashSet<_>>().len()
    }
}

impl ReplayStore for CountingStore {
    fn claim(&self, proof: &ProofUse) -> Claim {
        let mut seen = self.seen.lock().expect("no panic");
        let first = !seen.contains(proof.key());
        seen.push(*proof.key());
        Claim::Done(Ok(if first { ClaimOutcome::First } else { ClaimOutcome::Replay }))
    }
}

/// A bed, a client whose token is bound to its key, and the store that its proofs go to.
pub(crate) struct DpopBed {
    pub(crate) bed: Bed,
    pub(crate) store: CountingStore,
    pub(crate) key: SigningKey,
    /// With scope `read`.
    pub(crate) token: String,
}

impl DpopBed {
    pub(crate) fn new() -> Self {
        Self::with(Dpop::new(), |builder| builder)
    }

    /// A bed whose server judges proofs like that and has more settings.
    pub(crate) fn with(dpop: Dpop, change: impl FnOnce(Builder) -> Builder) -> Self {
        Self::of(SigningKey::generate(Algorithm::ES256), dpop, change)
    }

    /// The same for a client with that key.
    pub(crate) fn of(key: SigningKey, dpop: Dpop, change: impl FnOnce(Builder) -> Builder) -> Self {
        let store = CountingStore::default();
        let dpop = dpop.replay_store(store.clone());
        let bed = Bed::with(|builder| change(builder.dpop(dpop)));
        let token = bed.issuer.token().scope("read").bound_to(&key).build();
        Self { bed, store, key, token }
    }

    /// A proof for `GET /r` and the token, right in everything.
    pub(crate) fn proof(&self) -> ProofBuilder {
        self.proof_by(&self.key)
    }

    /// The same made with another key.
    pub(crate) fn proof_by(&self, key: &SigningKey) -> ProofBuilder {
        key.proof("GET", URI).token(&self.token).clock(&self.bed.clock)
    }

    /// The answer to `GET /r` with the token and that proof.
    pub(crate) async fn prove(&self, proof: &ProofBuilder) -> Answer {
        self.present(&proof.build()).await
    }

    /// The answer to `GET /r` with the token and that `DPoP` field.
    pub(crate) async fn present(&self, proof: &str) -> Answer {
        self.send(dpop(&self.token, &[proof])).await
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        send(self.bed.server.authenticate(), request).await
    }
}

/// `GET /r` with `Authorization: DPoP <token>` and these `DPoP` field lines.
pub(crate) fn dpop(token: &str, proofs: &[&str]) -> Request<Full<Bytes>> {
    with_proofs(get(&[("authorization", &format!("DPoP {token}"))]), proofs)
}

/// Adds `DPoP` field lines to a request.
pub(crate) fn with_proofs(
    mut request: Request<Full<Bytes>>,
    proofs: &[&str],
) -> Request<Full<Bytes>> {
    for proof in proofs {
        let value = HeaderValue::from_bytes(proof.as_bytes()).expect("a field value");
        request.headers_mut().append("dpop", value);
    }
    request
}

impl Answer {
    /// P401 of the matrix: `invalid_dpop_proof` in the DPoP challenge, which is the first.
    pub(crate) fn assert_p401_of(&self, kind: RejectionKind) {
        assert_eq!(self.kind(), Some(kind), "{self:?}");
        self.assert_error_of("DPoP", StatusCode::UNAUTHORIZED, "invalid_dpop_proof");
    }

    /// NONCE401: `use_dpop_nonce` in the only challenge, and exactly one nonce.
    pub(crate) fn assert_nonce401(&self) {
        self.assert_error_of("DPoP", StatusCode::UNAUTHORIZED, "use_dpop_nonce");
        assert_eq!(self.schemes(), ["DPoP"]);
        assert_eq!(self.all("dpop-nonce").len(), 1);
    }

    /// T401 of that scheme: `invalid_token` in its challenge, which is the first.
    pub(crate) fn assert_t401_of(&self, scheme: &str, kind: RejectionKind) {
        assert_eq!(self.kind(), Some(kind), "{self:?}");
        self.assert_error_of(scheme, StatusCode::UNAUTHORIZED, "invalid_token");
    }

    /// N401 with a challenge for each of these schemes, in this order, and no other.
    pub(crate) fn assert_n401_of(&self, schemes: &[&str]) {
        assert_eq!(self.status, StatusCode::UNAUTHORIZED, "{self:?}");
        self.assert_closed();
        assert_eq!(self.schemes(), schemes);
        self.challenges().iter().for_each(assert_no_error);
    }

    /// The first challenge is of that scheme and has that error; the others have none.
    pub(crate) fn assert_error_of(&self, scheme: &str, status: StatusCode, error: &str) {
        assert_eq!(self.status, status, "{self:?}");
        self.assert_closed();
        let challenges = self.challenges();
        let (first, others) = challenges.split_first().expect("a challenge");
        assert_eq!((&*first.scheme, first.get("error")), (scheme, Some(error)), "{self:?}");
        assert_eq!(first.names().last(), Some(&"error_description"));
        others.iter().for_each(assert_no_error);
    }

    /// The handler did not run, nothing may store the answer, and no scheme is named twice; every
    /// DPoP challenge names algorithms.
    fn assert_closed(&self) {
        assert!(!self.handled, "the handler ran");
        assert_eq!(self.all("cache-control"), ["no-store"]);
        let schemes = self.schemes();
        assert_eq!(schemes.iter().collect::<HashSet<_>>().len(), schemes.len());
        for challenge in self.challenges() {
            assert_eq!(challenge.get("algs").is_some(), challenge.scheme == "DPoP");
        }
    }
}

fn assert_no_error(challenge: &crate::support::Challenge) {
    for name in ["error", "error_description", "error_uri"] {
        assert_eq!(challenge.get(name), None, "{challenge:?}");
    }
}
