//! When keys and metadata may be fetched, how long they are used: arithmetic only.
//!
//! Two things are balanced. A new key should be known soon, or good tokens are refused; and nobody
//! should be able to make this server hammer another. So the reason of a fetch matters. Age is
//! something this server finds out by itself, and failures then start a short rest that doubles.
//! A token that no key verifies is something anybody can send, so it always costs a whole cool-down.
//!
//! Clocks can go back. A rest longer than any that is ever set, and a set that was loaded in the
//! future, are taken as signs of that and not waited for.

use std::time::Duration;

use http::HeaderMap;
use http::header::AGE;

use crate::cache_control;
use crate::clock::Timestamp;

/// Rest between two fetches that tokens ask for which no key verifies, and the longest rest after a failure.
pub(super) const COOL_DOWN: Duration = Duration::from_secs(30);
const FIRST_REST: Duration = Duration::from_secs(1);
const DEFAULT_FRESH: Duration = Duration::from_secs(10 * 60);
const MIN_FRESH: Duration = Duration::from_secs(60);
const MAX_FRESH: Duration = Duration::from_secs(24 * 60 * 60);
/// How long past their freshness keys are still used while refreshes fail.
const MAX_STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a fetch is wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reason {
    /// Nothing is loaded, or what is loaded has aged.
    Aged,
    /// No key of the set verifies a token.
    Unverified,
}

/// The pacing of fetches. Tokens that no key verifies, which anyone can make, cause one a cool-down,
/// whatever comes of it. Other rests after failures double up to the cool-down, so that a server
/// that starts before its authorization server recovers soon and still asks seldom.
#[derive(Debug, Default)]
pub(super) struct Pace {
    rest_until: Option<Timestamp>,
    failures: u32,
}

impl Pace {
    pub(super) fn allows(&self, now: Timestamp) -> bool {
        match self.rest_until {
            // A rest longer than any we set means that the clock went back.
            Some(end) => now >= end || end.since(now) > COOL_DOWN,
            None => true,
        }
    }

    pub(super) const fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// How many attempts in a row have failed.
    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    /// When the next fetch may run, unless that is now.
    pub(super) const fn rest_until(&self) -> Option<Timestamp> {
        self.rest_until
    }

    /// Loading at start-up begins no cool-down: it would make the first rotation wait.
    pub(super) fn succeeded(&mut self, reason: Reason, now: Timestamp) {
        self.failures = 0;
        self.rest_until = (reason == Reason::Unverified).then(|| now.plus(COOL_DOWN));
    }

    pub(super) fn failed(&mut self, reason: Reason, now: Timestamp) {
        let rest = match reason {
            Reason::Aged => FIRST_REST.saturating_mul(1 << self.failures.min(5)).min(COOL_DOWN),
            Reason::Unverified => COOL_DOWN,
        };
        self.failures = self.failures.saturating_add(1);
        self.rest_until = Some(now.plus(rest));
    }
}

/// Until when what was loaded is fresh, and until when it may be used at all.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Lifetime {
    pub(super) loaded: Timestamp,
    /// Of what time it is: a cache may have kept it for a while.
    pub(super) as_of: Timestamp,
    /// At four fifths of its freshness: time enough for a slow refresh to end before the other.
    pub(super) due: Timestamp,
    pub(super) fresh_until: Timestamp,
    pub(super) stale_until: Timestamp,
}

impl Lifetime {
    pub(super) fn new(now: Timestamp, headers: &HeaderMap) -> Self {
        Self::with_default(now, headers, DEFAULT_FRESH)
    }

    /// `default` is for an answer that does not say how long it is fresh.
    pub(super) fn with_default(now: Timestamp, headers: &HeaderMap, default: Duration) -> Self {
        let fresh = remaining(headers).map_or(default, |left| left.clamp(MIN_FRESH, MAX_FRESH));
        let (due, fresh_until) = (now.plus(fresh / 5 * 4), now.plus(fresh));
        let (as_of, stale_until) = (now.minus(age(headers)), fresh_until.plus(MAX_STALE));
        Self { loaded: now, as_of, due, fresh_until, stale_until }
    }

    /// Whether a refresh is wanted.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        now >= self.due || self.is_ahead_of(now)
    }

    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.fresh_until && !self.is_ahead_of(now)
    }

    /// What was loaded in the future was loaded before the clock went back: fetch it anew. A moment
    /// is no sign of that: a request may have asked for the time just before a fetch landed.
    pub(super) fn is_ahead_of(&self, now: Timestamp) -> bool {
        now.plus(COOL_DOWN) < self.loaded
    }

    pub(super) fn is_usable(&self, now: Timestamp) -> bool {
        now < self.stale_until
    }
}

/// How long an answer is still fresh, of which a cache may have taken some (RFC 9111 §4.2).
fn remaining(headers: &HeaderMap) -> Option<Duration> {
    Some(max_age(headers)?.saturating_sub(age(headers)))
}

/// How long ago it was made (RFC 9111 §5.1); zero unless that is said.
fn age(headers: &HeaderMap) -> Duration {
    let said = headers.get(AGE).and_then(|age| age.to_str().ok()?.trim().parse().ok());
    Duration::from_secs(said.unwrap_or(0))
}

/// `max-age` of Cache-Control; zero where `no-store` or `no-cache` is (RFC 9111 §5.2.2).
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    if ["no-store", "no-cache"].iter().any(|name| cache_control::has(headers, name)) {
        return Some(Duration::ZERO);
    }
    cache_control::directives(headers).find_map(|directive| {
        let (name, value) = directive.split_once('=')?;
        let value = name.trim().eq_ignore_ascii_case("max-age").then(|| value.trim())?;
        value.trim_matches('"').parse().ok().map(Duration::from_secs)
    })
}

#[cfg(test)]
mod tests {
    use http::header::CACHE_CONTROL;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn rests_after_failures_double_up_to_the_cool_down() {
        let mut pace = Pace::default();
        for rest in [1, 2, 4, 8, 16, 30, 30] {
            pace.failed(Reason::Aged, at(1000));
            assert!(!pace.allows(at(1000 + rest - 1)), "{rest}");
            assert!(pace.allows(at(1000 + rest)), "{rest}");
        }
    }

    #[test]
    fn only_unknown_keys_start_a_cool_down_on_success() {
        let mut pace = Pace::default();
        pace.succeeded(Reason::Aged, at(0));
        assert!(pace.allows(at(0)));
        pace.succeeded(Reason::Unverified, at(0));
        assert!(!pace.allows(at(29)));
        assert!(pace.allows(at(30)));
    }

    #[test]
    fn unknown_keys_cool_down_after_a_failure_too() {
        let mut pace = Pace::default();
        pace.failed(Reason::Unverified, at(0));
        assert!(!pace.allows(at(29)));
        assert!(pace.allows(at(30)));
    }

    #[test]
    fn a_clock_that_went_back_does_not_stop_fetches() {
        let mut pace = Pace::default();
        pace.succeeded(Reason::Unverified, at(10_000));
        assert!(pace.allows(at(6_400)));
        let lifetime = Lifetime::new(at(10_000), &HeaderMap::new());
        assert!(lifetime.is_due(at(6_400)) && !lifetime.is_fresh(at(6_400)));
    }

    #[test]
    fn a_request_that_began_before_a_fetch_landed_asks_for_no_other() {
        let lifetime = Lifetime::new(at(10_000), &HeaderMap::new());
        assert!(!lifetime.is_due(at(9_999)) && lifetime.is_fresh(at(9_999)));
    }

    #[test]
    fn a_refresh_is_due_before_freshness_ends() {
        let lifetime = Lifetime::new(at(0), &HeaderMap::new());
        assert!(!lifetime.is_due(at(479)) && lifetime.is_due(at(480)));
        assert!(lifetime.is_fresh(at(599)) && !lifetime.is_fresh(at(600)));
        let last = 600 + 24 * 60 * 60;
        assert!(lifetime.is_usable(at(last - 1)) && !lifetime.is_usable(at(last)));
    }

    #[test]
    fn cache_control_is_followed_within_bounds() {
        let fresh = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, http::HeaderValue::from_static(value));
            Lifetime::new(at(0), &headers).fresh_until.millis() / 1000
        };
        assert_eq!(fresh("public, max-age=3600"), 3600);
        assert_eq!(fresh("max-age=\"7200\""), 7200);
        assert_eq!(fresh("max-age=1"), 60);
        assert_eq!(fresh("no-store"), 60);
        assert_eq!(fresh("max-age=86400, no-cache"), 60);
        assert_eq!(fresh("max-age=99999999999"), 86_400);
        assert_eq!(fresh("max-age=-1"), 600);
        assert_eq!(fresh("private"), 600);
    }

    #[test]
    fn what_a_cache_has_used_up_is_not_fresh_again() {
        let fresh = |age: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, http::HeaderValue::from_static("max-age=3000"));
            headers.insert(AGE, http::HeaderValue::from_static(age));
            Lifetime::new(at(0), &headers).fresh_until.millis() / 1000
        };
        assert_eq!(fresh("1358"), 1642);
        assert_eq!(fresh("3000"), 60);
        assert_eq!(fresh("99999999999999999999"), 3000, "no number of seconds that fits");
        assert_eq!(fresh("-1"), 3000);
    }
}
