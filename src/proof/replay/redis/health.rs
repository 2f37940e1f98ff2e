//! What the log is told: each change once, not each claim.

use std::sync::atomic::{AtomicBool, Ordering};

use super::error::Failure;

const TARGET: &str = "tower_resource_server::replay";

#[derive(Default)]
pub(super) struct Health {
    down: AtomicBool,
    set_back: AtomicBool,
}

impl Health {
    pub(super) fn failed(&self, servers: &str, failure: &Failure) {
        if begins(&self.down) {
            tracing::warn!(target: TARGET, servers, error = %failure, "the replay store is unavailable");
        }
    }

    pub(super) fn works(&self, servers: &str) {
        if ends(&self.down) {
            tracing::info!(target: TARGET, servers, "the replay store is back");
        }
    }

    pub(super) fn clock_set_back(&self) {
        if begins(&self.set_back) {
            tracing::warn!(
                target: TARGET,
                "the clock was set back; proofs are refused until it has caught up"
            );
        }
    }

    pub(super) fn clock_goes_on(&self) {
        if ends(&self.set_back) {
            tracing::info!(target: TARGET, "the clock has caught up");
        }
    }

    pub(super) fn lost(servers: &str) {
        tracing::warn!(
            target: TARGET,
            servers,
            "records of used proofs were lost; proofs that could have been among them are refused"
        );
    }
}

fn begins(state: &AtomicBool) -> bool {
    !state.load(Ordering::Relaxed) && !state.swap(true, Ordering::Relaxed)
}

fn ends(state: &AtomicBool) -> bool {
    state.load(Ordering::Relaxed) && state.swap(false, Ordering::Relaxed)
}
