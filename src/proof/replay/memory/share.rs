//! How many records each client has, so that none takes the room of all.

use std::sync::atomic::{AtomicU32, Ordering};

/// Counts of records, one for each place a client can have.
///
/// Clients with the same place share one share. Places depend on a secret of the store, so nobody
/// chooses whom to share with.
pub(super) struct Shares {
    counts: Box<[AtomicU32]>,
    limit: u32,
}

impl Shares {
    pub(super) fn new(places: usize, limit: u32) -> Self {
        let counts = (0..places).map(|_| AtomicU32::new(0)).collect();
        Self { counts, limit }
    }

    pub(super) const fn places(&self) -> usize {
        self.counts.len()
    }

    pub(super) const fn set_limit(&mut self, limit: u32) {
        self.limit = limit;
    }

    /// Counts one record more, unless the client has its share already.
    ///
    /// The count goes up first and down again where that was too much, so that threads cannot
    /// overrun the limit together. One that is at its limit may see another's attempt counted.
    pub(super) fn take(&self, place: u16) -> bool {
        let Some(count) = self.count(place) else { return false };
        let granted = count.fetch_add(1, Ordering::Relaxed) < self.limit;
        if !granted {
            count.fetch_sub(1, Ordering::Relaxed);
        }
        granted
    }

    /// Counts one record less.
    pub(super) fn give_back(&self, place: u16) {
        if let Some(count) = self.count(place) {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn count(&self, place: u16) -> Option<&AtomicU32> {
        self.counts.get(usize::from(place))
    }

    #[cfg(test)]
    pub(super) fn total(&self) -> u64 {
        self.counts.iter().map(|count| u64::from(count.load(Ordering::Relaxed))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_used_up_and_given_back() {
        let shares = Shares::new(2, 3);
        assert_eq!([(); 5].map(|()| shares.take(0)), [true, true, true, false, false]);
        assert!(shares.take(1), "the other has its own");
        shares.give_back(0);
        assert_eq!([(); 2].map(|()| shares.take(0)), [true, false]);
        assert_eq!(shares.total(), 4, "refusals are not counted");
        assert!(!shares.take(2), "there is no such place");
    }
}
