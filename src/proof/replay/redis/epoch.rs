//! Since when the records are complete.
//!
//! Beside the records lies a marker, without an expiry: `<random>:<since>:<run>`. Whoever uses the
//! store for the first time puts it there with `since` 0. A process that finds it gone, or replaced
//! by one that cannot vouch for what this process knows, writes a new one with `since` a little
//! after its own time; from then on no proof that could have been used before `since` is taken.
//!
//! `run` is the server's own id, which changes when it starts. A server that comes back with an
//! old snapshot brings back an old marker too, and is found out by that.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the marker says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Marker {
    id: String,
    since: i64,
    run: String,
}

impl Marker {
    pub(super) fn new(id: String, since: i64, run: &str) -> Self {
        Self { id, since, run: run.to_owned() }
    }

    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let mut parts = str::from_utf8(text).ok()?.splitn(3, ':');
        let id = parts.next()?.to_owned();
        let since = parts.next()?.parse().ok()?;
        Some(Self { id, since, run: parts.next()?.to_owned() })
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.id, self.since, self.run)
    }
}

/// What this process knows about one marker.
#[derive(Default)]
pub(super) struct Epoch(Mutex<Known>);

#[derive(Default)]
struct Known {
    marker: Option<Marker>,
    /// The last time the marker was seen in its place.
    confirmed: i64,
    /// The greatest `since` of all markers seen; it never goes back.
    since: i64,
    mending: bool,
}

impl Known {
    /// A marker written by a process that noticed the same loss is dated after all that this one
    /// saw in place. One dated earlier is from a process that knows of no loss.
    fn accepts(&self, found: &Marker) -> bool {
        let same = |known: &Marker| known == found || found.since >= self.confirmed;
        self.marker.as_ref().is_none_or(same)
    }

    fn adopt(&mut self, marker: Marker, now: i64) {
        self.since = self.since.max(marker.since);
        self.confirmed = self.confirmed.max(now);
        self.marker = Some(marker);
    }
}

/// What follows from the marker that lay beside a record.
pub(super) enum Finding<'a> {
    /// Records of proofs that were not used before that time are complete. Zero: all of them.
    CompleteSince(i64),
    /// Records were lost. A new marker is to be written, by this claim.
    Lost(Mending<'a>),
    /// Records were lost, and another claim is writing the marker.
    BeingMended,
}

impl Epoch {
    /// Whether this process has seen no marker yet.
    pub(super) fn is_unknown(&self) -> bool {
        self.known().marker.is_none()
    }

    /// Judges the marker found at `now` on the server with the id `run`.
    pub(super) fn judge(&self, found: Option<Marker>, run: &str, now: i64) -> Finding<'_> {
        let mut known = self.known();
        if let Some(found) = found.filter(|found| found.run == run && known.accepts(found)) {
            known.adopt(found, now);
            return Finding::CompleteSince(known.since);
        }
        if std::mem::replace(&mut known.mending, true) {
            return Finding::BeingMended;
        }
        Finding::Lost(Mending(self))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to write a new marker. Dropped unused, as by a claim that times out, it goes to the
/// next.
pub(super) struct Mending<'a>(&'a Epoch);

impl Mending<'_> {
    /// The marker is written.
    pub(super) fn done(self, marker: Marker, now: i64) {
        self.0.known().adopt(marker, now);
    }
}

impl Drop for Mending<'_> {
    fn drop(&mut self) {
        self.0.known().mending = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker(id: &str, since: i64, run: &str) -> Option<Marker> {
        Some(Marker::new(id.to_owned(), since, run))
    }

    fn complete_since(finding: &Finding<'_>) -> Option<i64> {
        match finding {
            Finding::CompleteSince(since) => Some(*since),
            Finding::Lost(_) | Finding::BeingMended => None,
        }
    }

    #[test]
    fn markers_are_read_as_they_are_written() {
        let written = Marker::new("id".to_owned(), -5, "run:1");
        assert_eq!(Marker::parse(written.to_string().as_bytes()), Some(written));
        for odd in ["", "1", "a:b:c", "a:1", "a:99999999999999999999:c"] {
            assert_eq!(Marker::parse(odd.as_bytes()), None, "{odd}");
        }
        assert_eq!(Marker::parse(&[0xff]), None);
    }

    #[test]
    fn a_process_that_knows_nothing_believes_the_marker() {
        let epoch = Epoch::default();
        assert!(epoch.is_unknown());
        assert_eq!(complete_since(&epoch.judge(marker("a", 700, "r"), "r", 1000)), Some(700));
        assert!(!epoch.is_unknown());
    }

    #[test]
    fn a_marker_that_is_gone_or_of_an_earlier_run_is_a_loss() {
        for found in [None, marker("a", 0, "earlier")] {
            let epoch = Epoch::default();
            assert_eq!(complete_since(&epoch.judge(marker("a", 0, "r"), "r", 1000)), Some(0));
            assert!(matches!(epoch.judge(found, "r", 1001), Finding::Lost(_)));
        }
        let fresh = Epoch::default();
        assert!(matches!(fresh.judge(marker("a", 0, "earlier"), "r", 5), Finding::Lost(_)));
    }

    #[test]
    fn a_marker_of_one_who_noticed_is_taken_and_of_one_who_did_not_is_replaced() {
        let epoch = Epoch::default();
        assert_eq!(complete_since(&epoch.judge(marker("a", 0, "r"), "r", 1000)), Some(0));
        assert!(matches!(epoch.judge(marker("b", 0, "r"), "r", 1001), Finding::Lost(_)));
        assert_eq!(complete_since(&epoch.judge(marker("c", 3500, "r"), "r", 1002)), Some(3500));
        assert_eq!(complete_since(&epoch.judge(marker("c", 3500, "r"), "r", 9000)), Some(3500));
        assert!(matches!(epoch.judge(marker("d", 8999, "r"), "r", 9001), Finding::Lost(_)));
    }

    #[test]
    fn the_time_of_the_loss_never_goes_back() {
        let epoch = Epoch::default();
        assert_eq!(complete_since(&epoch.judge(marker("a", 5000, "r"), "r", 1000)), Some(5000));
        assert_eq!(complete_since(&epoch.judge(marker("b", 4000, "r"), "r", 1001)), Some(5000));
    }

    #[test]
    fn one_claim_at_a_time_mends_and_a_dropped_one_hands_on() {
        let epoch = Epoch::default();
        let first = epoch.judge(None, "r", 1);
        assert!(matches!(epoch.judge(None, "r", 2), Finding::BeingMended));
        drop(first);
        let Finding::Lost(mending) = epoch.judge(None, "r", 3) else { panic!("handed on") };
        let written = Marker::new("n".to_owned(), 2503, "r");
        mending.done(written.clone(), 3);
        assert_eq!(complete_since(&epoch.judge(Some(written), "r", 4)), Some(2503));
    }
}
