//! One fetch at a time, shared by all that want it.
//!
//! Whoever needs a fetch joins the [flight](crate::flight) that is under way or, if the pace allows,
//! begins one. Its landing settles pace and log and then wakes those who wait.
//!
//! They are told that the fetch is over, not how it ended. They look at the set again.

use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use super::{Location, RemoteKeys};
use crate::clock::Timestamp;
use crate::fetch::{FetchErrorKind, GRACE};
use crate::flight::{self, Flight, Report, Waiting};
use crate::keys::Waited;
use crate::keys::error::{Failure, RefreshError};
use crate::keys::schedule::{Pace, Reason};
use crate::observe::Event;

/// How fetching has gone and goes.
#[derive(Default)]
pub(super) struct Fetching {
    pub(super) pace: Pace,
    pub(super) last_failure: Option<(RefreshError, Timestamp)>,
    running: Option<Running>,
}

struct Running {
    flight: Flight<()>,
    began: Timestamp,
}

impl Running {
    /// One that began before may have been answered before there was what it is wanted for.
    fn joined(&self, now: Timestamp) -> (Waiting<()>, Waited) {
        let waited = if self.began < now { Waited::ForAnother } else { Waited::ForOwn };
        (self.flight.wait(), waited)
    }
}

impl Fetching {
    fn failed(&mut self, reason: Reason, error: RefreshError, now: Timestamp) {
        self.pace.failed(reason, now);
        self.last_failure = Some((error, now));
    }

    /// The last fetch failed, or no runtime drives it any more.
    pub(super) fn is_in_trouble(&self) -> bool {
        self.pace.is_failing() || self.is_overdue()
    }

    fn is_overdue(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.flight.is_overdue())
    }

    /// A flight that was begun anew meanwhile goes on.
    fn ended(&mut self, report: &Report<()>) {
        self.running.take_if(|running| running.flight.is_of(report));
    }
}

impl RemoteKeys {
    /// Joins the running fetch, or starts one if the pace allows.
    pub(super) fn join(
        self: &Arc<Self>,
        reason: Reason,
        now: Timestamp,
    ) -> Option<(Waiting<()>, Waited)> {
        let mut fetching = self.fetching();
        if fetching.is_overdue() {
            fetching.running = None;
            self.lost(fetching, reason, now);
            return None;
        }
        if let Some(running) = &fetching.running {
            return Some(running.joined(now));
        }
        // A fetch may have landed since the caller looked, and then there is nothing to do.
        if reason == Reason::Aged && self.is_supplied(now) || !fetching.pace.allows(now) {
            return None;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            self.lost(fetching, reason, now);
            return None;
        };
        let (flight, report) = Flight::begin(self.longest_flight());
        let running = fetching.running.insert(Running { flight, began: now });
        let joined = running.joined(now);
        self.keep_quiet(now, now.plus(self.longest_flight()));
        drop(fetching);
        let (flier, lander) = (Arc::clone(self), Arc::clone(self));
        let land = move |outcome| lander.land(outcome, reason, now, report);
        flight::fly(&runtime, async move { flier.fly(reason).await }, land);
        Some(joined)
    }

    /// No runtime drives a fetch.
    fn lost(&self, mut fetching: MutexGuard<'_, Fetching>, reason: Reason, now: Timestamp) {
        fetching.failed(reason, RefreshError::Runtime, now);
        drop(fetching);
        self.report_failure(&RefreshError::Runtime.into(), now);
    }

    /// Whether the loaded set is not yet due for a refresh.
    fn is_supplied(&self, now: Timestamp) -> bool {
        self.loaded.load().as_ref().is_some_and(|loaded| !loaded.lifetime.is_due(now))
    }

    /// Where the set is at a place of its own, one fetch; else the look-up of that place too, and a
    /// fetch from where the set has moved.
    pub(in crate::keys) fn longest_flight(&self) -> Duration {
        let fetch = self.settings.supplies.limits.timeout.saturating_add(GRACE);
        match &self.settings.location {
            Location::Uri(_) => fetch,
            Location::Metadata(_) => fetch.saturating_mul(3),
        }
    }

    async fn fly(&self, reason: Reason) -> Result<(), Failure<RefreshError>> {
        let refresh = tokio::time::timeout(self.longest_flight(), self.refresh(reason));
        let late = RefreshError::Fetch(FetchErrorKind::Timeout);
        refresh.await.unwrap_or_else(|_| Err(late.into()))
    }

    fn land(
        &self,
        outcome: Option<Result<(), Failure<RefreshError>>>,
        reason: Reason,
        began: Timestamp,
        report: Report<()>,
    ) {
        let outcome = outcome.unwrap_or_else(|| Err(RefreshError::Runtime.into()));
        let now = flight::time_of_landing(&self.settings.supplies.clock, began);
        let mut fetching = self.fetching();
        fetching.ended(&report);
        match &outcome {
            Ok(()) => fetching.pace.succeeded(reason, now),
            Err(failure) => fetching.failed(reason, failure.error, now),
        }
        if let (Err(_), Some(rested)) = (&outcome, fetching.pace.rest_until()) {
            self.keep_quiet(now, rested);
        }
        drop(fetching);
        if let Err(failure) = &outcome {
            self.report_failure(failure, now);
        }
        report.tell(());
    }

    fn report_failure(&self, failure: &Failure<RefreshError>, now: Timestamp) {
        let Failure { error, cause, uri, told } = failure;
        let issuer = &*self.settings.supplies.issuer;
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
        let failures = self.fetching().pace.failures();
        let event = Event::KeyRefreshFailed { issuer, error: *error, failures, usable_for };
        self.settings.supplies.observe(&event);
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
        keys.join(Reason::Aged, now()).expect("nothing is loaded").0.ended().await;
        clock.advance(Duration::from_secs(601));
        assert!(matches!(keys.supply(now()), Supply::Keys(..)), "and a refresh has begun");
        keys.join(Reason::Aged, now()).expect("it runs").0.ended().await;
        assert_eq!(fetch.count(), 2);
        // This is where a request comes that looked at the set before.
        assert!(keys.join(Reason::Aged, now()).is_none());
        // A key that is not in the new set is another matter.
        assert!(keys.join(Reason::Unverified, now()).is_some());
    }
}
