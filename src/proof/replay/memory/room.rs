//! How many buckets the shards may have in all.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The buckets that no shard has yet.
///
/// Shards that hold more take what the others leave: the bound is one for all of them.
pub(super) struct Room {
    buckets: usize,
    left: AtomicUsize,
}

impl Room {
    pub(super) const fn new(buckets: usize) -> Self {
        Self { buckets, left: AtomicUsize::new(buckets) }
    }

    pub(super) const fn buckets(&self) -> usize {
        self.buckets
    }

    /// The buckets that shards have.
    pub(super) fn taken(&self) -> usize {
        self.buckets.saturating_sub(self.left.load(Ordering::Relaxed))
    }

    /// Exchanges buckets a shard has for those it wants, and says how many it has then: the same as
    /// before where there are not enough.
    pub(super) fn exchange(&self, has: usize, wants: usize) -> usize {
        let Some(more) = wants.checked_sub(has) else {
            self.left.fetch_add(has - wants, Ordering::Relaxed);
            return wants;
        };
        let taken = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(more));
        if taken.is_ok() { wants } else { has }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_taken_than_there_is() {
        let room = Room::new(100);
        assert_eq!(room.exchange(0, 60), 60);
        assert_eq!(room.exchange(0, 41), 0, "one too many");
        assert_eq!(room.exchange(60, 100), 100);
        assert_eq!(room.taken(), 100);
        assert_eq!(room.exchange(100, 20), 20);
        assert_eq!(room.exchange(20, 0), 0);
        assert_eq!(room.taken(), 0);
    }
}
