//! Which shards are looked after when.

use std::sync::atomic::{AtomicU64, Ordering};

/// How long a round through all shards takes, in milliseconds.
pub(super) const ROUND: u64 = 60_000;

/// A walk through the shards, round after round, at a pace set by the clock.
///
/// Shards that are written to replace what has expired. The walk is for those that are not.
#[derive(Default)]
pub(super) struct Round(AtomicU64);

impl Round {
    /// The next shard whose turn it is, of so many; `None` when the walk is where it should be.
    pub(super) fn next(&self, now_millis: u64, shards: u64) -> Option<u64> {
        let due = position(now_millis, shards);
        let next = self.0.load(Ordering::Relaxed);
        if next == due {
            return None;
        }
        // More than a round away, either the clock jumped or nothing was claimed for long.
        let at = if due.abs_diff(next) > shards { due.saturating_sub(shards) } else { next };
        if at >= due {
            return None;
        }
        let taken = self.0.compare_exchange(next, at + 1, Ordering::Relaxed, Ordering::Relaxed);
        taken.is_ok().then(|| at % shards)
    }
}

/// Where the walk should be by now, counted in shards from the beginning of time.
fn position(now_millis: u64, shards: u64) -> u64 {
    let rounds = (now_millis / ROUND).saturating_mul(shards);
    rounds.saturating_add((now_millis % ROUND).saturating_mul(shards) / ROUND)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(round: &Round, now: u64, shards: u64) -> Vec<u64> {
        std::iter::from_fn(|| round.next(now, shards)).collect()
    }

    #[test]
    fn every_shard_has_its_turn_once_a_round() {
        let round = Round::default();
        let start = 1_700_000_000_000 / ROUND * ROUND;
        assert_eq!(walk(&round, start, 4).len(), 4, "the first claim is after a long silence");
        assert!(walk(&round, start, 4).is_empty());
        assert_eq!(walk(&round, start + ROUND / 4, 4), [0]);
        assert_eq!(walk(&round, start + ROUND, 4), [1, 2, 3]);
        assert_eq!(walk(&round, start + 9 * ROUND, 4), [0, 1, 2, 3], "one round at most");
    }

    #[test]
    fn the_walk_goes_on_after_a_clock_that_jumped() {
        let round = Round::default();
        let (now, hour) = (1_700_000_000_000, 3_600_000);
        walk(&round, now, 100);
        assert_eq!(walk(&round, now + hour, 100).len(), 100);
        assert_eq!(walk(&round, now, 100).len(), 100);
        assert_eq!(walk(&round, now - ROUND / 2, 100).len(), 0, "a small step back is waited for");
        assert_eq!(walk(&round, now + ROUND / 2, 100).len(), 50);
        for extreme in [0, u64::MAX] {
            assert!(walk(&round, extreme, 100).len() <= 100);
        }
    }
}
