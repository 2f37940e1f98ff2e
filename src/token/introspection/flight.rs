//! Calls under way: one for each token, not too many at once, and not too many a second.
//!
//! A quarter of both is left to tokens that were active of late ([`lately`](super::lately)).
//!
//! Whoever asks about a token joins the call that is under way for it, or begins one: see
//! [`flight`](crate::flight).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::timeout;

use super::memory::{Key, Memory};
use super::{Failure, IntrospectionError, Introspector};
use crate::clock::Timestamp;
use crate::error::RejectionKind;
use crate::flight::{self, Flights, Report, Waiting};
use crate::pace::Pace;
use crate::token::{TrustedIssuer, Vouched};

/// What came of asking about a token.
pub(super) type Outcome = Result<Arc<Vouched>, RejectionKind>;

/// The calls under way, each with what will come of it, and how many were begun of late.
pub(super) struct Board(Mutex<Calls>);

struct Calls {
    running: Flights<Key, Outcome>,
    pace: Pace,
}

/// What somebody who asks has to do.
pub(super) enum Boarding {
    /// Wait for a call that is under way.
    Joined(Waiting<Outcome>),
    /// Call, and have others wait for it.
    First(Landing, Waiting<Outcome>),
    /// Nothing: the answer has come in between.
    Known(Outcome),
    /// Nothing: there are too many calls, in that way.
    Full(&'static str),
}

/// That part of all calls is not for strangers.
const QUARTER: u32 = 4;

impl Board {
    pub(super) fn new(calls_a_second: u32) -> Self {
        let (running, pace) = (Flights::new(), Pace::new(calls_a_second));
        Self(Mutex::new(Calls { running, pace }))
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The memory is looked at while nobody else can board or land, so that no token is asked about
    /// twice in a row.
    pub(super) fn board(
        &self,
        introspector: &Arc<Introspector>,
        issuer: &Arc<TrustedIssuer>,
        key: Key,
        now: Timestamp,
        memory: &Memory,
    ) -> Boarding {
        let mut calls = self.lock();
        if let Some(waiting) = calls.running.join(&key) {
            return Boarding::Joined(waiting);
        }
        if let Some(outcome) = memory.find(&key, now) {
            return Boarding::Known(outcome);
        }
        if let Err(cause) = calls.admit(introspector, memory.was_active(&key, now), now) {
            return Boarding::Full(cause);
        }
        let longest = introspector.longest(issuer);
        let (waiting, report) = calls.running.begin(key, longest);
        let (introspector, issuer) = (Arc::clone(introspector), Arc::clone(issuer));
        let landing = Landing { introspector, issuer, key, began: now, longest, report };
        Boarding::First(landing, waiting)
    }

    /// Whether the call about that token is one that no runtime drives any more. It is told once.
    pub(super) fn is_lost(&self, key: &Key) -> bool {
        self.lock().running.is_lost(key)
    }

    fn end(&self, key: &Key, report: &Report<Outcome>) {
        self.lock().running.end(key, report);
    }
}

impl Calls {
    /// Whether one more may be begun: for a token that was active of late, or for a stranger.
    fn admit(
        &mut self,
        introspector: &Introspector,
        was_active: bool,
        now: Timestamp,
    ) -> Result<(), &'static str> {
        let (stranger, settings) = (!was_active, &introspector.settings);
        let reserve = usize::from(stranger) * (settings.concurrent / QUARTER as usize);
        let most = settings.concurrent.saturating_sub(reserve);
        if self.running.len() >= most {
            self.running.forget_overdue();
        }
        if self.running.len() >= most {
            return Err("too many are under way");
        }
        let reserve = u32::from(stranger) * (settings.a_second / QUARTER);
        let allowed = self.pace.allows_leaving(reserve, now);
        allowed.then_some(()).ok_or("too many were begun this second")
    }
}

/// One call under way.
pub(super) struct Landing {
    introspector: Arc<Introspector>,
    issuer: Arc<TrustedIssuer>,
    key: Key,
    began: Timestamp,
    longest: Duration,
    report: Report<Outcome>,
}

impl Landing {
    pub(super) fn fly(self, runtime: &tokio::runtime::Handle, token: String) {
        let (introspector, issuer) = (Arc::clone(&self.introspector), Arc::clone(&self.issuer));
        let (key, longest) = (self.key, self.longest);
        let call = async move {
            let call = timeout(longest, introspector.call(key, &issuer, token)).await;
            call.unwrap_or_else(|_| introspector.late())
        };
        flight::fly(runtime, call, |outcome| self.land(outcome));
    }

    fn land(self, outcome: Option<Outcome>) {
        let Self { introspector, key, began, report, .. } = self;
        introspector.board.end(&key, &report);
        let lost = outcome.is_none();
        report.tell(outcome.unwrap_or(Err(RejectionKind::IntrospectionUnavailable)));
        if lost {
            let cause = "it panicked, or its runtime was shut down";
            let failure = Failure::with_cause(IntrospectionError::Runtime, cause);
            // The clock is not asked: it may be what panics.
            introspector.failed(&failure, began);
        }
    }
}
