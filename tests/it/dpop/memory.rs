//! The store that is used by default, behind the layer: what it holds, and for how long.

use std::sync::Arc;
use std::time::Duration;

use tower_resource_server::testing::{ProofFlaw, SigningKey};
use tower_resource_server::{Algorithm, Clock, Dpop, MemoryReplayStore, RejectionKind};

use crate::dpop::{DpopBed, URI};

struct Watched {
    bed: DpopBed,
    store: Arc<MemoryReplayStore>,
}

impl Watched {
    fn new(store: MemoryReplayStore) -> Self {
        let store = Arc::new(store);
        Self { bed: DpopBed::new(Dpop::new().replay_store(Arc::clone(&store))), store }
    }

    /// How many live records the store has now.
    fn len(&self) -> usize {
        self.store.len(self.bed.bed.clock.now())
    }
}

#[tokio::test]
async fn a_record_goes_when_its_proof_is_too_old() {
    let watched = Watched::new(MemoryReplayStore::new());
    let (bed, clock) = (&watched.bed, &watched.bed.bed.clock);
    let proof = bed.proof();
    bed.prove(&proof).await.assert_ok();
    assert_eq!(watched.len(), 1);
    clock.advance(Duration::from_secs(119));
    // R9449-11.1-3: the end of the window less a second.
    bed.prove(&proof).await.assert_replayed();
    clock.advance(Duration::from_secs(1));
    bed.prove(&proof).await.assert_replayed();
    assert_eq!(watched.len(), 1);
    clock.advance(Duration::from_secs(2));
    bed.prove(&proof).await.assert_p401_of(RejectionKind::ExpiredProof);
    // R9449-11.1-3: back to nothing.
    assert_eq!(watched.len(), 0);
}

#[tokio::test]
async fn records_are_of_one_size() {
    let mut taken = Vec::new();
    for length in [1, 200] {
        let watched = Watched::new(MemoryReplayStore::new());
        for number in 0..200 {
            let jti = format!("{number:0>length$}");
            watched.bed.prove(&watched.bed.proof().claim("jti", jti)).await.assert_ok();
        }
        assert_eq!(watched.len(), 200);
        taken.push(watched.store.memory_bytes());
    }
    // R9449-11.1-6: tables grow a bit sooner or later by chance; the texts themselves would make a
    // difference of 39,800 bytes.
    assert!(taken[0].abs_diff(taken[1]) < 10_000, "{taken:?}");
}

#[tokio::test]
async fn strangers_write_nothing_to_it() {
    let watched = Watched::new(MemoryReplayStore::new());
    let (bed, empty) = (&watched.bed, watched.store.memory_bytes());
    for flaw in ProofFlaw::ALL {
        assert!(!bed.prove(&bed.proof().flaw(flaw)).await.handled);
    }
    for _ in 0..50 {
        let key = SigningKey::generate(Algorithm::ES256);
        let stolen = key.proof("GET", URI).token(&bed.token).clock(&bed.bed.clock);
        bed.prove(&stolen).await.assert_t401();
    }
    // R9449-11.1-5: size 0, and not a byte more.
    assert_eq!((watched.len(), watched.store.memory_bytes()), (0, empty));
}

#[tokio::test]
async fn a_client_that_fills_its_share_fills_nobody_elses() {
    let watched = Watched::new(MemoryReplayStore::with_capacity_bytes(4096).client_share(0.0));
    let bed = &watched.bed;
    let proof = bed.proof();
    bed.prove(&proof).await.assert_ok();
    let answer = bed.prove(&bed.proof()).await;
    // R9449-11.1-7: a store that is full fails closed, with a 503.
    answer.assert_x503();
    assert_eq!(answer.kind(), Some(RejectionKind::ReplayStoreFull));
    // What is recorded stays so.
    bed.prove(&proof).await.assert_replayed();
    bed.bed.clock.advance(Duration::from_secs(122));
    bed.prove(&bed.proof()).await.assert_ok();
}
