//! The replay store alone: so many claims at once, since one alone depends on where its record lies.

use std::hint::black_box;

use tower_resource_server::{Claim, ClaimOutcome, MemoryReplayStore, ProofUse, ReplayStore};

use crate::fixture::{replay_store, used};
use crate::scenario::{Scenario, Work};

const CLAIMS: usize = 256;

fn claims(store: MemoryReplayStore, proofs: Vec<ProofUse>, outcome: ClaimOutcome) -> Work {
    Box::new(move || {
        for proof in &proofs {
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
        for proof in &walked {
            black_box(proof);
        }
    });
    Scenario::new(claims(replay_store(), proofs, outcome), floor)
}

/// Proofs that were never used.
pub(crate) fn first() -> Scenario {
    of(10_000, ClaimOutcome::First)
}

/// Proofs that are in the store.
pub(crate) fn again() -> Scenario {
    of(0, ClaimOutcome::Replay)
}
