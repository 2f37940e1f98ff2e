//! Copies of a proof at one moment: one is accepted, the others are not.
//!
//! Where `TRS_FULL_RACES` is set, as in CI, there are 10,000 copies through the layer, a hundred
//! times over; elsewhere fewer, for each is a signature to verify.

use std::sync::Barrier;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tower::{Layer, ServiceExt};
use tower_resource_server::testing::proof_use;
use tower_resource_server::{Claim, ClaimOutcome, Dpop, MemoryReplayStore, ReplayStore};

use crate::dpop::{DpopBed, with_proof};
use crate::support::{Handler, NOW};

/// How often, and how many copies.
fn counts() -> (usize, usize) {
    match std::env::var_os("TRS_FULL_RACES") {
        Some(_) => (100, 10_000),
        None => (3, 1_000),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_copies_through_the_layer_one_is_accepted() {
    let (rounds, copies) = counts();
    let mut bed = DpopBed::new(Dpop::new());
    for round in 0..rounds {
        if round % 2 == 1 {
            // New to all of them, where otherwise it was seen before.
            bed.token = bed.bed.issuer.token().bound_to(&bed.key).build();
        }
        let handler = Handler::default();
        let service = bed.bed.server.authenticate().layer(handler.clone());
        let request = with_proof(&bed.proof());
        let (go, start) = watch::channel(false);
        let tasks: Vec<_> = (0..copies)
            .map(|_| {
                let (service, request, mut start) =
                    (service.clone(), request.clone(), start.clone());
                tokio::spawn(async move {
                    start.wait_for(|go| *go).await.expect("it comes");
                    service.oneshot(request).await.expect("infallible").status().as_u16()
                })
            })
            .collect();
        go.send_replace(true);
        let mut statuses = Vec::new();
        for task in tasks {
            statuses.push(task.await.expect("no panic"));
        }
        let count = |status| statuses.iter().filter(|other| **other == status).count();
        // R9449-11.1-5: exactly one, and the handler ran for it alone.
        assert_eq!((count(200), count(401)), (1, copies - 1), "round {round}");
        assert_eq!(handler.calls(), 1);
    }
}

/// How many of the copies the store takes for the first, by four threads at once.
fn firsts(store: &MemoryReplayStore, number: u64, copies: usize, now: SystemTime) -> usize {
    const THREADS: usize = 4;
    let mut key = [7; 32];
    key[..8].copy_from_slice(&number.to_be_bytes());
    let minute = Duration::from_secs(60);
    let proof = proof_use(key, [9; 32], now - minute..=now + minute, now);
    let barrier = Barrier::new(THREADS);
    let claim = || {
        barrier.wait();
        let claims = (0..copies / THREADS).map(|_| store.claim(&proof));
        claims.filter(|claim| matches!(claim, Claim::Done(Ok(ClaimOutcome::First)))).count()
    };
    std::thread::scope(|scope| {
        let threads = [(); THREADS].map(|()| scope.spawn(claim));
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    })
}

#[test]
fn of_ten_thousand_claims_one_is_the_first_a_hundred_times_over() {
    let (store, now) = (MemoryReplayStore::new(), UNIX_EPOCH + Duration::from_secs(NOW));
    for number in 0..100 {
        // R9449-11.1-5: at the store, which is where it is decided.
        assert_eq!(firsts(&store, number, 10_000, now), 1, "round {number}");
    }
    assert_eq!(store.len(now), 100);
}
