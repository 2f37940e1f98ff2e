//! Records in one flat table: open addressing, linear probing.

use super::seed::{Fingerprint, scale};

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
    const FREE: Self = Self { fingerprint: [0; 2], until: 0, client: 0 };

    const fn is_free(&self) -> bool {
        self.until == 0
    }
}

/// Fewer slots are not worth an allocation.
const SMALLEST: usize = 16;

/// Records, at most four for five slots: beyond that, lookups walk far.
#[derive(Default)]
pub(super) struct Table {
    slots: Box<[Record]>,
    used: usize,
}

impl Table {
    pub(super) fn with_slots(slots: usize) -> Self {
        Self { slots: vec![Record::FREE; slots].into_boxed_slice(), used: 0 }
    }

    /// How many slots fit so many records: two of three are used, so that there is room for a fifth
    /// more before the next fitting.
    pub(super) fn slots_for(records: usize) -> usize {
        if records == 0 {
            return 0;
        }
        records.saturating_add(records / 2).saturating_add(1).max(SMALLEST)
    }

    pub(super) const fn slots(&self) -> usize {
        self.slots.len()
    }

    pub(super) const fn used(&self) -> usize {
        self.used
    }

    pub(super) const fn is_full(&self) -> bool {
        self.used >= self.slots.len() - self.slots.len().div_ceil(5)
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &Record> {
        self.slots.iter().filter(|record| !record.is_free())
    }

    /// The record with that fingerprint, or the free slot where it belongs. There is none in a
    /// table without slots.
    pub(super) fn seek(&mut self, fingerprint: Fingerprint, place: u32) -> Slot<'_> {
        let home = scale(place, self.slots.len());
        let here = |record: &Record| record.is_free() || record.fingerprint == fingerprint;
        let (before, after) = self.slots.split_at_mut(home);
        let found = match after.iter().position(here) {
            Some(at) => after.get_mut(at),
            None => before.iter_mut().find(|record| here(record)),
        };
        match found {
            Some(record) if record.is_free() => Slot::Free(record, &mut self.used),
            Some(record) => Slot::Taken(record),
            None => Slot::Missing,
        }
    }
}

/// What is found where a record is, or would be.
pub(super) enum Slot<'a> {
    Taken(&'a mut Record),
    Free(&'a mut Record, &'a mut usize),
    Missing,
}

impl Slot<'_> {
    /// Puts a record into a free slot.
    pub(super) fn fill(self, with: Record) {
        if let Self::Free(slot, used) = self {
            *slot = with;
            *used += 1;
        }
    }
}
