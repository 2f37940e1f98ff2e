//! Replay stores that fail, are slow or are shared, and what becomes of the request meanwhile.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request};
use http_body_util::Full;
use tower_resource_server::testing::SigningKey;
use tower_resource_server::{
    Algorithm, Claim, ClaimOutcome, ClaimResult, Dpop, ProofUse, RejectionKind, ReplayStore,
    ReplayStoreError, Scopes, SealedNonces,
};

use crate::dpop::{DpopBed, Ledger, URI, with_proof};
use crate::support::{bearer, get, send};

/// Answers the same to everything.
#[derive(Clone, Copy, Debug)]
struct Always(ClaimResult);

impl ReplayStore for Always {
    fn claim(&self, _: &ProofUse) -> Claim {
        Claim::Done(self.0)
    }
}

/// As [`Always`], but later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Later(pub(crate) ClaimResult);

impl ReplayStore for Later {
    fn claim(&self, _: &ProofUse) -> Claim {
        let result = self.0;
        Claim::Pending(Box::pin(async move {
            tokio::task::yield_now().await;
            result
        }))
    }
}

const OUTAGES: [(ReplayStoreError, RejectionKind); 2] = [
    (ReplayStoreError::Full, RejectionKind::ReplayStoreFull),
    (ReplayStoreError::Unavailable, RejectionKind::ReplayStoreUnavailable),
];

/// A store that fails in that way, at once and later.
fn failing(error: ReplayStoreError) -> [Dpop; 2] {
    [Dpop::new().replay_store(Always(Err(error))), Dpop::new().replay_store(Later(Err(error)))]
}

#[tokio::test]
async fn a_store_that_fails_is_no_fault_of_the_client() {
    for (error, kind) in OUTAGES {
        for dpop in failing(error) {
            let bed =
                DpopBed::with(|builder| builder.dpop(dpop).retry_after(Duration::from_secs(7)));
            for _ in ["token seen first", "token seen before"] {
                let answer = bed.prove(&bed.proof()).await;
                // R9449-11.1-7: X503, and no P401.
                answer.assert_x503();
                assert_eq!(answer.kind(), Some(kind));
                assert_eq!(answer.all("retry-after"), ["7"]);
                assert!(answer.all("dpop-nonce").is_empty());
            }
            // Who brings no proof needs no store.
            send(bed.bed.server.authenticate(), bearer(&bed.bed.token())).await.assert_ok();
        }
    }
}

#[tokio::test]
async fn an_outage_brings_a_nonce_where_there_are_nonces() {
    for (error, _) in OUTAGES {
        for dpop in failing(error) {
            let bed = DpopBed::new(dpop.nonces(SealedNonces::random()));
            let nonce = bed.fetch_nonce().await;
            let answer = bed.prove(&bed.proof().nonce(nonce)).await;
            answer.assert_x503();
            // R9449-9-3: the client will be back.
            answer.nonce();
        }
    }
}

#[tokio::test]
async fn proofs_that_cannot_be_recorded_are_accepted_where_that_was_chosen() {
    for (error, _) in OUTAGES {
        for dpop in failing(error) {
            let bed =
                DpopBed::with(|builder| builder.dpop(dpop).danger().accept_unrecorded_proofs());
            let proof = bed.proof();
            for _ in ["token seen first", "token seen before", "copied"] {
                // R9449-11.1-7: the option to fail open.
                bed.prove(&proof).await.assert_ok();
            }
        }
    }
    // A store that does answer is believed.
    for dpop in [
        Dpop::new().replay_store(Always(Ok(ClaimOutcome::Replay))),
        Dpop::new().replay_store(Later(Ok(ClaimOutcome::Replay))),
    ] {
        let bed = DpopBed::with(|builder| builder.dpop(dpop).danger().accept_unrecorded_proofs());
        for _ in ["token seen first", "token seen before"] {
            bed.prove(&bed.proof()).await.assert_replayed();
        }
    }
}

#[tokio::test]
async fn layers_of_one_server_record_a_proof_once() {
    let bed = DpopBed::recording();
    let ledger = bed.ledger();
    let server = &bed.bed.server;
    let nested = || {
        let inner = (server.authenticate().require(Scopes::all(["read"])), server.authenticate());
        (server.authenticate(), server.require(Scopes::all(["read"])), inner)
    };
    for number in 1..=2 {
        let proof = bed.proof();
        send(nested(), with_proof(&proof)).await.assert_ok();
        assert_eq!(ledger.asked(), number * 2 - 1);
        send(nested(), with_proof(&proof)).await.assert_replayed();
    }
    // Nor twice where the outer layer leaves it to the inner.
    let gate = (server.authenticate().without_claiming(), server.authenticate());
    let proof = bed.proof();
    send(gate.clone(), with_proof(&proof)).await.assert_ok();
    send(gate, with_proof(&proof)).await.assert_replayed();
    assert_eq!(ledger.recorded(), 3);
}

#[tokio::test]
async fn the_inner_layer_records_a_proof_that_the_outer_has_not_seen() {
    let bed = DpopBed::recording();
    let used = bed.proof();
    bed.prove(&used).await.assert_ok();
    let used: HeaderValue = used.build().parse().expect("visible ASCII");
    let swap = tower::util::MapRequestLayer::new(move |mut request: Request<Full<Bytes>>| {
        request.headers_mut().insert("dpop", used.clone());
        request
    });
    let server = &bed.bed.server;
    let swapped = (server.authenticate(), swap, server.authenticate());
    send(swapped, with_proof(&bed.proof())).await.assert_replayed();
}

#[tokio::test]
async fn two_servers_with_one_store_are_two_uses_unless_the_outer_leaves_it() {
    let ledger = Ledger::default();
    let dpop = || Dpop::new().replay_store(ledger.clone());
    let bed = DpopBed::new(dpop());
    let behind = bed.node(dpop());
    let gate = bed.bed.server.authenticate();
    // Each server records for itself, so the second finds the record of the first.
    let both = (gate.clone(), behind.authenticate());
    send(both, with_proof(&bed.proof())).await.assert_replayed();
    let leaving = (gate.without_claiming(), behind.authenticate());
    let proof = bed.proof();
    send(leaving.clone(), with_proof(&proof)).await.assert_ok();
    send(leaving, with_proof(&proof)).await.assert_replayed();
    assert_eq!(ledger.recorded(), 2);
}

#[tokio::test]
async fn a_gate_checks_all_but_the_use() {
    let bed = DpopBed::recording();
    let ledger = bed.ledger();
    let gate = bed.bed.server.authenticate().without_claiming();
    let proof = bed.proof();
    for _ in 0..2 {
        send(gate.clone(), with_proof(&proof)).await.assert_ok();
    }
    let stranger = SigningKey::generate(Algorithm::ES256);
    let theirs = stranger.proof("GET", URI).token(&bed.token).clock(&bed.bed.clock);
    send(gate.clone(), with_proof(&theirs)).await.assert_t401();
    send(gate, get(&[])).await.assert_n401();
    assert_eq!(ledger.asked(), 0);
}
