//! Claims of several threads at one replay store, in its steady state.

use std::sync::atomic::{AtomicU64, Ordering};

use tower_resource_server::MemoryReplayStore;

use super::paths::{CHEAP, Path, Worker};
use crate::replay::{Proofs, expect_first, filled};

const LIVE: usize = 1_000_000;

pub(super) struct Claims {
    store: MemoryReplayStore,
    next: AtomicU64,
}

impl Claims {
    pub(super) fn new() -> Self {
        let (store, proofs) = filled(LIVE);
        Self { store, next: AtomicU64::new(proofs.next) }
    }
}

impl Path for Claims {
    fn worker(&self, _: usize) -> Worker<'_> {
        Box::new(|| {
            let next = self.next.fetch_add(CHEAP, Ordering::Relaxed);
            let mut proofs = Proofs { next, live: LIVE as u64 };
            for _ in 0..CHEAP {
                expect_first(&self.store, &proofs.make());
            }
            CHEAP
        })
    }
}
