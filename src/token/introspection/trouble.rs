//! How the calls to one endpoint went, for those who watch over the server.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::IntrospectionError;
use crate::clock::Timestamp;
use crate::keys::Trouble;
use crate::pace::Lines;

#[derive(Debug)]
pub(super) struct Record(Mutex<Recorded>);

#[derive(Debug)]
struct Recorded {
    trouble: Trouble,
    /// About requests that found too many calls.
    lines: Lines,
}

impl Record {
    pub(super) const fn new() -> Self {
        let trouble = Trouble { failures: 0, last: None, lost: false };
        Self(Mutex::new(Recorded { trouble, lines: Lines::new() }))
    }

    fn lock(&self) -> MutexGuard<'_, Recorded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn look(&self) -> Trouble {
        self.lock().trouble
    }

    /// The endpoint gave an answer that counts.
    pub(super) fn answered(&self) {
        self.lock().trouble.failures = 0;
    }

    pub(super) fn failed(&self, error: IntrospectionError, now: Timestamp) {
        let trouble = &mut self.lock().trouble;
        trouble.failures = trouble.failures.saturating_add(1);
        trouble.last = Some((error, now));
    }

    /// A request found too many calls: of how many such the log is to tell now.
    pub(super) fn crowded(&self, now: Timestamp) -> Option<u64> {
        self.lock().lines.tell(now)
    }
}
