//! A clock that stands still until told otherwise.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::clock::Clock;

/// The end of the year 9999 in milliseconds; every platform's `SystemTime` reaches it.
const LAST: u64 = 253_402_300_799_999;

/// A [`Clock`] that shows the time it was set to.
///
/// Clones share one time, so a test keeps one and moves the time of the server it gave another.
/// The time stays between the Unix epoch and the end of the year 9999, with the precision of a
/// millisecond.
#[derive(Clone)]
pub struct FixedClock {
    millis: Arc<AtomicU64>,
}

impl FixedClock {
    /// A clock that shows that many seconds since the Unix epoch.
    #[must_use]
    pub fn at(unix_seconds: u64) -> Self {
        Self { millis: Arc::new(AtomicU64::new(from_seconds(unix_seconds))) }
    }

    /// Moves the time of all clones forward.
    pub fn advance(&self, by: Duration) {
        self.change(|now| now.saturating_add(whole_millis(by)));
    }

    /// Moves the time of all clones back.
    pub fn rewind(&self, by: Duration) {
        self.change(|now| now.saturating_sub(whole_millis(by)));
    }

    /// Sets the time of all clones.
    pub fn set(&self, unix_seconds: u64) {
        self.change(|_| from_seconds(unix_seconds));
    }

    fn change(&self, to: impl Fn(u64) -> u64) {
        let step = |now| Some(to(now).min(LAST));
        self.millis
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, step)
            .expect("the step always gives a time");
    }
}

impl Clock for FixedClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.millis.load(Ordering::SeqCst))
    }
}

impl fmt::Debug for FixedClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = Duration::from_millis(self.millis.load(Ordering::SeqCst));
        f.debug_tuple("FixedClock").field(&now.as_secs_f64()).finish()
    }
}

fn from_seconds(seconds: u64) -> u64 {
    seconds.saturating_mul(1000).min(LAST)
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(clock: &FixedClock) -> Duration {
        clock.now().duration_since(UNIX_EPOCH).unwrap()
    }

    #[test]
    fn clones_share_the_time() {
        let clock = FixedClock::at(1_700_000_000);
        let server = clock.clone();
        clock.advance(Duration::from_millis(1500));
        assert_eq!(shown(&server), Duration::from_millis(1_700_000_001_500));
        server.rewind(Duration::from_millis(500));
        assert_eq!(shown(&clock), Duration::from_secs(1_700_000_001));
        clock.set(5);
        assert_eq!(shown(&server), Duration::from_secs(5));
    }

    #[test]
    fn extremes_stop_at_the_ends() {
        let clock = FixedClock::at(u64::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(shown(&clock), Duration::from_millis(LAST));
        clock.rewind(Duration::MAX);
        assert_eq!(shown(&clock), Duration::ZERO);
    }
}
