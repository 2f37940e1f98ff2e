//! Calls under way: one for each token, and not too many.
//!
//! Whoever asks about a token joins the call that is under way for it, or starts one as a task of
//! its own. The task belongs to no request: a client that disconnects stops nothing. It ends in the
//! `Drop` of [`Landing`], so that even a call that panics leaves nobody waiting. Against a runtime
//! that no longer drives the task, each wait has a limit of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::memory::Key;
use super::{IntrospectionError, Introspector};
use crate::clock::Timestamp;
use crate::error::RejectionKind;
use crate::token::{TrustedIssuer, Vouched};

/// What came of asking about a token.
pub(super) type Outcome = Result<Arc<Vouched>, RejectionKind>;

type Landed = watch::Receiver<Option<Outcome>>;

/// The calls under way, each with what will come of it.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<Key, Landed>>);

/// What somebody who asks has to do.
pub(super) enum Boarding {
    /// Wait for a call that is under way.
    Joined(Waiting),
    /// Call, and have others wait for it.
    First(Landing, Waiting),
    /// Nothing: the answer has come in between.
    Known(Outcome),
    /// Nothing: there are too many calls.
    Full,
}

impl Flights {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Landed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `known` is looked at while nobody else can board or land, so that no token is asked about
    /// twice in a row.
    pub(super) fn board(
        &self,
        introspector: &Arc<Introspector>,
        key: Key,
        now: Timestamp,
        known: impl FnOnce() -> Option<Outcome>,
    ) -> Boarding {
        let mut flights = self.lock();
        if let Some(landed) = flights.get(&key) {
            return Boarding::Joined(Waiting(landed.clone()));
        }
        if let Some(outcome) = known() {
            return Boarding::Known(outcome);
        }
        if flights.len() >= introspector.settings.concurrent {
            return Boarding::Full;
        }
        let (report, landed) = watch::channel(None);
        flights.insert(key, landed.clone());
        let introspector = Arc::clone(introspector);
        let landing = Landing { introspector, key, began: now, outcome: None, report };
        Boarding::First(landing, Waiting(landed))
    }
}

/// One call under way. Dropping it, even by a panic inside the call, ends it.
pub(super) struct Landing {
    introspector: Arc<Introspector>,
    key: Key,
    began: Timestamp,
    outcome: Option<Outcome>,
    report: watch::Sender<Option<Outcome>>,
}

impl Landing {
    pub(super) async fn fly(mut self, issuer: Arc<TrustedIssuer>, token: String) {
        self.outcome = Some(self.introspector.call(self.key, &issuer, token).await);
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let outcome = self.outcome.take();
        let lost = outcome.is_none();
        self.introspector.flights.lock().remove(&self.key);
        let unavailable = Err(RejectionKind::IntrospectionUnavailable);
        self.report.send_replace(Some(outcome.unwrap_or(unavailable)));
        if lost {
            // The clock is not asked: it may be what panics.
            self.introspector.failed(IntrospectionError::Runtime, self.began);
        }
    }
}

/// A call to wait for.
pub(super) struct Waiting(Landed);

impl Waiting {
    /// The call has limits of its own, but runs in a task that a runtime may have stopped to drive.
    pub(super) async fn ended(mut self, longest: Duration) -> Outcome {
        let landed = timeout(longest, self.0.wait_for(Option::is_some)).await;
        let outcome = landed.ok().and_then(Result::ok).and_then(|landed| (*landed).clone());
        outcome.unwrap_or(Err(RejectionKind::IntrospectionUnavailable))
    }
}
