//! What is remembered of a token's status.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use crate::clock::Timestamp;

/// The longest that an answer holds, whatever it says itself.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// Between which times an answer about a token holds.
#[derive(Debug)]
pub(crate) struct KnownStatus {
    from: AtomicI64,
    until: AtomicI64,
    /// How often it was heard that the token was revoked.
    revocations: AtomicU32,
}

/// When a source was asked, and what had been heard until then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    at: Timestamp,
    revocations: u32,
}

impl KnownStatus {
    pub(crate) const fn unknown() -> Self {
        let (from, until) = (AtomicI64::new(i64::MAX), AtomicI64::new(i64::MIN));
        Self { from, until, revocations: AtomicU32::new(0) }
    }

    /// A clock that went back to before the question knows nothing of the answer.
    pub(super) fn holds(&self, now: Timestamp) -> bool {
        let (from, until) = (self.from.load(Ordering::Relaxed), self.until.load(Ordering::Relaxed));
        (from..until).contains(&now.millis())
    }

    pub(super) fn asked(&self, at: Timestamp) -> Asked {
        Asked { at, revocations: self.revocations.load(Ordering::SeqCst) }
    }

    /// Keeps that it was valid. The time counts from the question: the answer may be as old as that,
    /// and is forgotten if a revocation was heard of since.
    pub(super) fn keep(&self, asked: Asked, valid: Duration) {
        self.until.store(asked.at.plus(valid.min(LONGEST)).millis(), Ordering::SeqCst);
        self.from.store(asked.at.millis(), Ordering::SeqCst);
        // Looked at last, so that a revocation that comes at the same time is not missed.
        if self.revocations.load(Ordering::SeqCst) != asked.revocations {
            self.forget();
        }
    }

    /// It was revoked: what was said before counts no more, nor what is still on its way.
    pub(crate) fn revoked(&self) {
        self.revocations.fetch_add(1, Ordering::SeqCst);
        self.forget();
    }

    fn forget(&self) {
        self.until.store(i64::MIN, Ordering::SeqCst);
    }
}
