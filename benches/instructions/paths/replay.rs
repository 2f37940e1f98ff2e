//! The replay store alone: 32,768 claims, since one alone depends on where its record lies, of 128
//! stores, since when one of its tables grows depends on its secret.

use std::hint::black_box;

use tower_resource_server::{Claim, ClaimOutcome, MemoryReplayStore, ProofUse, ReplayStore};

use crate::fixture::{replay_store, used};
use crate::scenario::{Scenario, Work};

/// Of each store.
const CLAIMS: usize = 256;
const STORES: usize = 128;

fn claims(stores: Vec<MemoryReplayStore>, proofs: Vec<ProofUse>, outcome: ClaimOutcome) -> Work {
    Box::new(move || {
        for (store, proof) in stores.iter().flat_map(|store| proofs.iter().map(move |p| (store, p)))
        {
            let claim = store.claim(black_box(proof));
            assert!(matches!(claim, Claim::Done(Ok(found)) if found == outcome));
        }
    })
}

/// The floor is to walk over the proofs.
fn of(first: usize, outcome: ClaimOutcome) -> Scenario {
    let proofs: Vec<_> = (first..first + CLAIMS).map(used).collect();
    let walked = proofs.clone();
    let floor = Box::new(move || {
        for proof in (0..STORES).flat_map(|_| &walked) {
            black_box(proof);
        }
    });
    Scenario::new(claims((0..STORES).map(|_| replay_store()).collect(), proofs, outcome), floor)
}

/// Proofs that were never used.
pub(crate) fn first() -> Scenario {
    of(100_000, ClaimOutcome::First)
}

/// Proofs that are in the store.
pub(crate) fn again() -> Scenario {
    of(0, ClaimOutcome::Replay)
}
