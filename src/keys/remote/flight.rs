//! One fetch at a time, shared by all that want it.
//!
//! Whoever needs a fetch joins the one that runs or, if the pace allows, starts one as a task of
//! its own. The task belongs to no request: a client that disconnects stops nothing. It ends in the
//! `Drop` of [`Landing`], which settles pace and log and then wakes those who wait; so even a fetch
//! that panics leaves nobody waiting. Against a runtime that no longer drives the task, each wait
//! has a limit of its own.
//!
//! Those who wait are told that the fetch is over, not how it ended. They look at the set again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{Location, RemoteKeys};
use crate::clock::Timestamp;
use crate::fetch::{FetchErrorKind, GRACE};
use crate::keys::error::{Failure, RefreshError};
use crate::keys::schedule::{Pace, Reason};
use crate::observe::Event;

#[derive(Default)]
pub(super) struct Flight {
    pub(super) pace: Pace,
    pub(super) last_failure: Option<(RefreshError, Timestamp)>,
    running: Option<watch::Receiver<()>>,
}

impl Flight {
    fn failed(&mut self, reason: Reason, error: RefreshError, now: Timestamp) {
        self.pace.failed(reason, now);
        self.last_failure = Some((error, now));
    }
}

/// A running fetch or look-up; resolves when it has ended, well or badly, or is overdue.
pub(crate) struct Waiting {
    running: watch::Receiver<()>,
    longest: Duration,
}

impl Waiting {
    pub(crate) const fn new(running: watch::Receiver<()>, longest: Duration) -> Self {
        Self { running, longest }
    }

    /// The fetch has its own limit, but runs in a task that a runtime may have stopped to drive.
    pub(crate) async fn ended(mut self) {
        // An error says that the fetch is over as well.
        let _ = tokio::time::timeout(self.longest, self.running.changed()).await;
    }
}

impl RemoteKeys {
    /// Joins the running fetch, or starts one if the pace allows.
    pub(super) fn join(self: &Arc<Self>, reason: Reason, now: Timestamp) -> Option<Waiting> {
        let mut flight = self.flight();
        if let Some(running) = &flight.running {
            return Some(self.waiting(running.clone()));
        }
        // A fetch may have landed since the caller looked, and then there is nothing to do.
        if reason == Reason::Aged && self.is_supplied(now) || !flight.pace.allows(now) {
            return None;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            flight.failed(reason, RefreshError::Runtime, now);
            drop(flight);
            self.report_failure(&RefreshError::Runtime.into());
            return None;
        };
        let (ended, running) = watch::channel(());
        flight.running = Some(running.clone());
        self.keep_quiet(now, now.plus(self.longest_flight()));
        drop(flight);
        let landing = Landing { keys: Arc::clone(self), reason, outcome: None, _ended: ended };
        runtime.spawn(landing.fly());
        Some(self.waiting(running))
    }

    /// Whether the loaded set is not yet due for a refresh.
    fn is_supplied(&self, now: Timestamp) -> bool {
        self.loaded.load().as_ref().is_some_and(|loaded| !loaded.lifetime.is_due(now))
    }

    fn waiting(&self, running: watch::Receiver<()>) -> Waiting {
        Waiting::new(running, self.longest_flight().saturating_add(GRACE))
    }

    /// Where the set is at a place of its own, one fetch; else the look-up of that place too.
    fn longest_flight(&self) -> Duration {
        let fetch = self.settings.supplies.limits.timeout.saturating_add(GRACE);
        match &self.settings.location {
            Location::Uri(_) => fetch,
            Location::Metadata(_) => fetch.saturating_mul(2),
        }
    }

    async fn fly(&self, reason: Reason) -> Result<(), Failure<RefreshError>> {
        let refresh = tokio::time::timeout(self.longest_flight(), self.refresh(reason));
        let late = RefreshError::Fetch(FetchErrorKind::Timeout);
        refresh.await.unwrap_or_else(|_| Err(late.into()))
    }

    fn report_failure(&self, failure: &Failure<RefreshError>) {
        let Failure { error, cause, uri, told } = failure;
        let (issuer, now) = (&*self.settings.supplies.issuer, self.now());
        let usable_for = self.loaded.load().as_ref().and_then(|loaded| {
            let end = loaded.lifetime.stale_until;
            (now < end).then(|| end.since(now))
        });
        if !told {
            let (uri, cause) = (uri.as_ref().map(tracing::field::display), cause.as_deref());
            tracing::warn!(
                target: "tower_resource_server::keys",
                issuer, uri, %error, cause, old_keys_kept = usable_for.is_some(),
                "key refresh failed"
            );
        }
        let failures = self.flight().pace.failures();
        let event = Event::KeyRefreshFailed { issuer, error: *error, failures, usable_for };
        self.settings.supplies.observe(&event);
    }
}

/// One fetch in flight. Dropping it, even by a panic inside the fetch, ends the flight.
struct Landing {
    keys: Arc<RemoteKeys>,
    reason: Reason,
    outcome: Option<Result<(), Failure<RefreshError>>>,
    /// Wakes the waiters when dropped, after `Drop` below has settled the flight.
    _ended: watch::Sender<()>,
}

impl Landing {
    async fn fly(mut self) {
        self.outcome = Some(self.keys.fly(self.reason).await);
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or_else(|| Err(RefreshError::Runtime.into()));
        let mut flight = self.keys.flight();
        // Before the clock is asked: a clock that panics must not leave the flight in the air.
        flight.running = None;
        let now = self.keys.now();
        match &outcome {
            Ok(()) => flight.pace.succeeded(self.reason, now),
            Err(failure) => flight.failed(self.reason, failure.error, now),
        }
        if let (Err(_), Some(rested)) = (&outcome, flight.pace.rest_until()) {
            self.keys.keep_quiet(now, rested);
        }
        drop(flight);
        if let Err(failure) = &outcome {
            self.keys.report_failure(failure);
        }
    }
}

#[cfg(all(test, feature = "testing", feature = "aws-lc-rs"))]
mod tests {
    use super::*;
    use crate::Algorithm;
    use crate::keys::crypto::CryptoBackend;
    use crate::keys::remote::RemoteSettings;
    use crate::keys::{Supplies, Supply};
    use crate::testing::{FixedClock, ScriptedFetch, TestIssuer};

    const ISSUER: &str = "https://as.example.com";

    /// A set behind a URL, and how often it was fetched.
    fn remote() -> (Arc<RemoteKeys>, FixedClock, ScriptedFetch) {
        let clock = FixedClock::at(1_700_000_000);
        let fetch = ScriptedFetch::new().always_json(TestIssuer::new(ISSUER).jwks_json());
        let supplies = Supplies {
            issuer: ISSUER.into(),
            fetch: Arc::new(fetch.clone()),
            limits: crate::fetch::FetchLimits::default(),
            clock: Arc::new(clock.clone()),
            observer: None,
        };
        let location = Location::Uri(http::Uri::from_static("https://as.example.com/jwks"));
        let allowed = vec![Algorithm::ES256];
        let backend = CryptoBackend::AwsLcRs;
        let settings = RemoteSettings { supplies, location, allowed, backend };
        (Arc::new(RemoteKeys::new(settings)), clock, fetch)
    }

    #[tokio::test]
    async fn a_refresh_that_somebody_else_has_just_ended_is_not_begun_again() {
        let (keys, clock, fetch) = remote();
        let now = || Timestamp::from(crate::clock::Clock::now(&clock));
        keys.join(Reason::Aged, now()).expect("nothing is loaded").ended().await;
        clock.advance(Duration::from_secs(601));
        assert!(matches!(keys.supply(now()), Supply::Keys(_)), "and a refresh has begun");
        keys.join(Reason::Aged, now()).expect("it runs").ended().await;
        assert_eq!(fetch.count(), 2);
        // This is where a request comes that looked at the set before.
        assert!(keys.join(Reason::Aged, now()).is_none());
        // A key that is not in the new set is another matter.
        assert!(keys.join(Reason::UnknownKey, now()).is_some());
    }
}
