//! A replay store in a steady state, and what it is given.
//!
//! Time is simulated: so many claims are spread evenly over the life of a record, so that for each
//! record that is made one expires.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tower_resource_server::testing::proof_use;
use tower_resource_server::{Claim, ClaimOutcome, MemoryReplayStore, ProofUse, ReplayStore};

use crate::support::spread::digest;

const LIFETIME: Duration = Duration::from_secs(150);
const CLIENTS: u64 = 10_000;
pub(crate) const BATCH: u64 = 1024;

/// Proofs that are all different, at a pace that keeps so many of them live. Copies share the count.
#[derive(Clone)]
pub(crate) struct Proofs {
    next: Arc<AtomicU64>,
    live: u64,
}

impl Proofs {
    pub(crate) fn new(live: u64) -> Self {
        Self { next: Arc::default(), live }
    }

    fn time_of(&self, number: u64) -> SystemTime {
        let millis = u128::from(number) * LIFETIME.as_millis() / u128::from(self.live);
        let start = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        start + Duration::from_millis(u64::try_from(millis).expect("not that many"))
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.time_of(self.next.load(Ordering::Relaxed))
    }

    pub(crate) fn batch(&self, count: u64) -> Vec<ProofUse> {
        let first = self.next.fetch_add(count, Ordering::Relaxed);
        (first..first + count).map(|number| self.proof(number)).collect()
    }

    fn proof(&self, number: u64) -> ProofUse {
        let now = self.time_of(number);
        proof_use(digest(number << 20), digest(number % CLIENTS), now..=now + LIFETIME, now)
    }
}

pub(crate) fn is_first(store: &MemoryReplayStore, proof: &ProofUse) -> bool {
    matches!(store.claim(black_box(proof)), Claim::Done(Ok(ClaimOutcome::First)))
}

pub(crate) fn expect_first(store: &MemoryReplayStore, proof: &ProofUse) {
    assert!(is_first(store, proof), "each proof is new, and there is room");
}

/// A store with room for so many live records, and that many in it.
pub(crate) fn filled(live: u64) -> (MemoryReplayStore, Proofs) {
    let bytes = usize::try_from(live).expect("few enough") * 40 + (1 << 20);
    let store = MemoryReplayStore::with_capacity_bytes(bytes);
    let proofs = Proofs::new(live);
    let mut left = live;
    while left > 0 {
        let count = left.min(BATCH);
        proofs.batch(count).iter().for_each(|proof| expect_first(&store, proof));
        left -= count;
    }
    (store, proofs)
}
