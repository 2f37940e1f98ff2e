//! Records in one flat table: open addressing, linear probing.

use std::mem;

use super::seed::{Fingerprint, place, scale};

/// One use of a proof. A table is made of these and nothing else.
#[derive(Clone, Copy)]
pub(super) struct Record {
    pub(super) fingerprint: Fingerprint,
    /// The last second it counts in, in Unix time; zero where the slot is free.
    pub(super) until: u32,
    /// The place of the client in the shares.
    pub(super) client: u32,
}

impl Record {
    const FREE: Self = Self { fingerprint: 0, until: 0, client: 0 };

    const fn is_free(&self) -> bool {
        self.until == 0
    }
}

/// Fewer slots are not worth an allocation.
const SMALLEST: usize = 16;

/// Records, at most five for eight slots: beyond that, lookups walk over more than one line of the
/// processor's cache.
#[derive(Default)]
pub(super) struct Table {
    slots: Box<[Record]>,
    used: usize,
}

impl Table {
    pub(super) fn with_slots(slots: usize) -> Self {
        Self { slots: vec![Record::FREE; slots].into_boxed_slice(), used: 0 }
    }

    /// How many slots fit so many records: half of them are used, so that there is room for a quarter
    /// more before the next fitting.
    pub(super) fn slots_for(records: usize) -> usize {
        if records == 0 {
            return 0;
        }
        records.saturating_mul(2).max(SMALLEST)
    }

    pub(super) const fn slots(&self) -> usize {
        self.slots.len()
    }

    pub(super) const fn used(&self) -> usize {
        self.used
    }

    /// Whether no free slot may be filled. Expired records can still be replaced.
    pub(super) const fn is_full(&self) -> bool {
        self.used >= self.slots.len() * 5 / 8
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &Record> {
        self.slots.iter().filter(|record| !record.is_free())
    }

    /// Walks from the record's home to the first free slot. `now` is at least one.
    pub(super) fn seek(&self, fingerprint: Fingerprint, now: u32) -> Slot {
        let home = self.home(fingerprint);
        let (before, after) = self.slots.split_at_checked(home).unwrap_or_default();
        let mut expired = None;
        for (run, start) in [(after, home), (before, 0)] {
            for (step, record) in run.iter().enumerate() {
                if record.until >= now {
                    if record.fingerprint == fingerprint {
                        return Slot::Recorded;
                    }
                } else if record.is_free() {
                    return expired.map_or(Slot::Free(start + step), Slot::Expired);
                } else if expired.is_none() {
                    expired = Some(start + step);
                }
            }
        }
        expired.map_or(Slot::None, Slot::Expired)
    }

    /// Puts a record where it was sought for, and returns the expired one that was there.
    pub(super) fn put(&mut self, at: usize, record: Record) -> Option<Record> {
        let old = mem::replace(self.slots.get_mut(at)?, record);
        if old.is_free() {
            self.used += 1;
            return None;
        }
        Some(old)
    }

    /// Adds a record that is not in the table, which has room.
    pub(super) fn add(&mut self, record: Record) {
        let home = self.home(record.fingerprint);
        let (before, after) = self.slots.split_at_mut_checked(home).unwrap_or_default();
        if let Some(free) = after.iter_mut().chain(before).find(|record| record.is_free()) {
            *free = record;
            self.used += 1;
        }
    }

    fn home(&self, fingerprint: Fingerprint) -> usize {
        scale(place(fingerprint), self.slots.len())
    }
}

/// What is found where a record is, or would be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Slot {
    /// The record, and it counts.
    Recorded,
    /// A record on the way that does not count any more, be it the same or another.
    Expired(usize),
    Free(usize),
    /// The table has no slots.
    None,
}
