//! Time: the one place that reads it.

use std::fmt::Debug;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The source of the current time.
///
/// Every time check of the crate asks the clock of its resource server, so that tests
/// can hold time still. The default is [`SystemClock`].
///
/// It is asked for `exp`, `nbf` and `iat`, for the age of an authentication, and for how long keys
/// are fresh and when they may be fetched again. It is *not* asked how long a fetch takes: that is
/// measured by Tokio's timer. A clock that goes back does no harm to keys: they are fetched anew.
///
/// It is called on the request path, at least once for each token, from many threads. For tests
/// there is `FixedClock` in the `testing` module.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_resource_server::{Clock, ResourceServer};
///
/// /// The system's clock, known to be ten seconds slow.
/// #[derive(Debug)]
/// struct Corrected;
///
/// impl Clock for Corrected {
///     fn now(&self) -> SystemTime {
///         SystemTime::now() + Duration::from_secs(10)
///     }
/// }
///
/// let builder = ResourceServer::builder("https://api.example.com").clock(Corrected);
/// ```
pub trait Clock: Debug + Send + Sync + 'static {
    /// The current time.
    fn now(&self) -> SystemTime;
}

/// The operating system's clock.
///
/// All checks trust it: a server whose clock is wrong by more than the leeway refuses good tokens
/// or accepts expired ones.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A point in time in milliseconds since the Unix epoch; arithmetic saturates.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Timestamp(i64);

impl Timestamp {
    /// Later than any other.
    pub(crate) const MAX: Self = Self(i64::MAX);

    /// Earlier than any other.
    pub(crate) const MIN: Self = Self(i64::MIN);

    pub(crate) const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub(crate) const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// A fractional `NumericDate`, rounded down to the millisecond.
    pub(crate) fn from_seconds_f64(seconds: f64) -> Self {
        // `as` saturates, so 1e308 is far away and never wraps.
        Self((seconds * 1000.0).floor() as i64)
    }

    pub(crate) const fn millis(self) -> i64 {
        self.0
    }

    pub(crate) fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    pub(crate) fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }

    /// Time from `earlier` until `self`; zero when `self` is the earlier one.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    pub(crate) fn to_system_time(self) -> Option<SystemTime> {
        match u64::try_from(self.0) {
            Ok(millis) => UNIX_EPOCH.checked_add(Duration::from_millis(millis)),
            Err(_) => UNIX_EPOCH.checked_sub(Duration::from_millis(self.0.unsigned_abs())),
        }
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(millis(after)),
            Err(before) => Self(millis(before.duration()).saturating_neg()),
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_saturate() {
        assert_eq!(Timestamp::from_seconds(i64::MIN).minus(Duration::MAX).millis(), i64::MIN);
        assert_eq!(Timestamp::from_seconds_f64(1e308).plus(Duration::MAX).millis(), i64::MAX);
        assert_eq!(Timestamp::from_seconds_f64(-0.5).millis(), -500);
    }

    #[test]
    fn times_before_the_epoch_convert_both_ways() {
        let before = Timestamp::from_seconds(-5);
        let time = before.to_system_time().expect("five seconds fit");
        assert_eq!(Timestamp::from(time), before);
    }
}
