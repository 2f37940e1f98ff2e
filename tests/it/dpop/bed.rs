//! What the topics of DPoP share: a client with a key and a token bound to it, proofs, and a store
//! that shows what it was asked. The verdicts on its answers are in `verdicts.rs`.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderValue, Request};
use http_body_util::Full;
use tower_resource_server::testing::{FixedClock, ProofBuilder, SigningKey, TokenBuilder};
use tower_resource_server::{
    Algorithm, Builder, Claim, ClaimOutcome, Dpop, ProofUse, ReplayStore, ResourceServer,
};

use crate::support::{Answer, Bed, NOW, RESOURCE, get, send};

/// What requests of these tests are sent to.
pub(crate) const URI: &str = "https://api.example.com/r";

/// A proof for `GET /r` and that token, right in everything, made now and without a nonce.
fn sound(key: &SigningKey, token: &str, clock: &FixedClock) -> ProofBuilder {
    key.proof("GET", URI).token(token).clock(clock)
}

/// A bed, and a client with a key and a token of scope `read` that is bound to it.
pub(crate) struct DpopBed {
    pub(crate) bed: Bed,
    pub(crate) key: SigningKey,
    pub(crate) token: String,
    ledger: Option<Ledger>,
}

impl DpopBed {
    /// A bed whose server judges proofs like that, with the store of those settings.
    pub(crate) fn new(dpop: Dpop) -> Self {
        Self::with(|builder| builder.dpop(dpop))
    }

    /// A bed whose server has other settings.
    pub(crate) fn with(change: impl FnOnce(Builder) -> Builder) -> Self {
        Self::of(SigningKey::generate(Algorithm::ES256), None, change)
    }

    /// A bed whose server records proofs in a [`Ledger`].
    pub(crate) fn recording() -> Self {
        Self::recording_with(Dpop::new(), |builder| builder)
    }

    /// The same for a server that judges proofs like that and has more settings.
    pub(crate) fn recording_with(dpop: Dpop, change: impl FnOnce(Builder) -> Builder) -> Self {
        Self::recording_by(SigningKey::generate(Algorithm::ES256), dpop, change)
    }

    /// The same for a client with that key.
    pub(crate) fn recording_by(
        key: SigningKey,
        dpop: Dpop,
        change: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let ledger = Ledger::default();
        let dpop = dpop.replay_store(ledger.clone());
        Self::of(key, Some(ledger), |builder| change(builder.dpop(dpop)))
    }

    fn of(
        key: SigningKey,
        ledger: Option<Ledger>,
        change: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let bed = Bed::with(change);
        let token = bed.issuer.token().scope("read").bound_to(&key).build();
        Self { bed, key, token, ledger }
    }

    /// What the server records proofs in; only a bed that was made to has one.
    pub(crate) fn ledger(&self) -> &Ledger {
        self.ledger.as_ref().expect("a bed that records proofs")
    }

    /// Another server of the same resource and clock that trusts the same issuer.
    pub(crate) fn node(&self, dpop: Dpop) -> ResourceServer {
        let builder = self.bed.issuer.resource_server(RESOURCE).clock(self.bed.clock.clone());
        builder.dpop(dpop).build().expect("a valid configuration")
    }

    /// A new proof for `GET /r` and the token, right in everything, made now, without a nonce.
    pub(crate) fn proof(&self) -> ProofBuilder {
        self.proof_by(&self.key)
    }

    /// The same made with another key.
    pub(crate) fn proof_by(&self, key: &SigningKey) -> ProofBuilder {
        sound(key, &self.token, &self.bed.clock)
    }

    /// The answer to `GET /r` with that proof and its token.
    pub(crate) async fn prove(&self, proof: &ProofBuilder) -> Answer {
        self.send(with_proof(proof)).await
    }

    /// The answer to `GET /r` with the token and that `DPoP` field.
    pub(crate) async fn present(&self, proof: &str) -> Answer {
        self.send(dpop(&self.token, &[proof])).await
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        send(self.bed.server.authenticate(), request).await
    }

    /// A nonce of the server, as a request without one is answered with.
    pub(crate) async fn fetch_nonce(&self) -> String {
        self.prove(&self.proof()).await.nonce()
    }
}

/// A client of a [`Bed`] that holds a token bound to its key. Its requests are `GET /r`, at
/// [`NOW`].
pub(crate) struct Client {
    pub(crate) key: SigningKey,
    pub(crate) token: String,
}

impl Client {
    /// One with an ES256 key and scope `read`.
    pub(crate) fn new(bed: &Bed) -> Self {
        Self::with(bed, |token| token)
    }

    /// The same, with something changed about its token.
    pub(crate) fn with(bed: &Bed, edit: impl FnOnce(TokenBuilder) -> TokenBuilder) -> Self {
        let key = SigningKey::generate(Algorithm::ES256);
        let token = edit(bed.issuer.token().scope("read").bound_to(&key)).build();
        Self { key, token }
    }

    /// A proof that no other has the `jti` of.
    pub(crate) fn proof(&self) -> ProofBuilder {
        sound(&self.key, &self.token, &FixedClock::at(NOW))
    }

    /// A request with the token and a new proof.
    pub(crate) fn request(&self) -> Request<Full<Bytes>> {
        with_proof(&self.proof())
    }

    /// A request with that Authorization line and a new proof.
    pub(crate) fn request_as(&self, authorization: &str) -> Request<Full<Bytes>> {
        with_proofs(get(&[("authorization", authorization)]), &[&self.proof().build()])
    }

    /// Its answer to [`request`](Self::request).
    pub(crate) async fn call(&self, bed: &Bed) -> Answer {
        send(bed.server.authenticate(), self.request()).await
    }
}

/// The answer of a server with these settings to a sound request, with that change of its proof.
pub(crate) async fn proven(
    change: impl FnOnce(Builder) -> Builder,
    edit: impl FnOnce(ProofBuilder) -> ProofBuilder,
) -> Answer {
    let bed = Bed::with(change);
    let request = with_proof(&edit(Client::new(&bed).proof()));
    send(bed.server.authenticate(), request).await
}

/// `GET /r` with that proof and its token.
pub(crate) fn with_proof(proof: &ProofBuilder) -> Request<Full<Bytes>> {
    proof.authorize(get(&[]))
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

/// A store that never forgets and shows what it was asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(Arc<Mutex<Vec<ProofUse>>>);

impl ReplayStore for Ledger {
    fn claim(&self, proof: &ProofUse) -> Claim {
        let mut uses = self.0.lock().expect("no panic");
        let first = uses.iter().all(|other| other.key() != proof.key());
        uses.push(proof.clone());
        Claim::Done(Ok(if first { ClaimOutcome::First } else { ClaimOutcome::Replay }))
    }
}

impl Ledger {
    /// Every use it was asked about, in order.
    pub(crate) fn uses(&self) -> Vec<ProofUse> {
        self.0.lock().expect("no panic").clone()
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.0.lock().expect("no panic").len()
    }

    /// How many uses it has recorded.
    pub(crate) fn recorded(&self) -> usize {
        let uses = self.0.lock().expect("no panic");
        uses.iter().map(ProofUse::key).collect::<HashSet<_>>().len()
    }
}
