//! How the calls to one endpoint went, for those who watch over the server.

use std::sync::{Mutex, PoisonError};

use super::IntrospectionError;
use crate::clock::Timestamp;
use crate::keys::Trouble;

#[derive(Debug, Default)]
pub(super) struct Record(Mutex<Trouble>);

impl Record {
    pub(super) fn look(&self) -> Trouble {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The endpoint gave an answer that counts.
    pub(super) fn answered(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).failures = 0;
    }

    pub(super) fn failed(&self, error: IntrospectionError, now: Timestamp) {
        let mut trouble = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.failures = trouble.failures.saturating_add(1);
        trouble.last = Some((error, now));
    }
}
