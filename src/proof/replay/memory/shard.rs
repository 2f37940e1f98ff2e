//! A part of the store behind one lock: what is recorded there, and what was dropped from there.

use std::mem;

use super::Shared;
use super::bucket::Record;
use super::seed::Fingerprint;
use super::table::{Slot, Table};
use crate::proof::replay::{ClaimOutcome, ClaimResult, ReplayStoreError};

/// A claim in the terms of the tables. Seconds are Unix time, rounded up.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) fingerprint: Fingerprint,
    pub(super) client: u16,
    pub(super) until: u32,
    pub(super) now: u32,
}

/// The seconds in which records ended that were dropped.
///
/// As long as the clock does not go back, every claim lies after them. If it does, a proof that
/// ends within them may be one whose record was dropped.
#[derive(Clone, Copy)]
struct Dropped {
    first: u32,
    last: u32,
}

impl Dropped {
    const NONE: Self = Self { first: u32::MAX, last: 0 };

    fn note(&mut self, until: u32) {
        self.first = self.first.min(until);
        self.last = self.last.max(until);
    }

    const fn may_have_held(&self, until: u32) -> bool {
        self.first <= until && until <= self.last
    }
}

pub(super) struct Shard {
    table: Table,
    /// No record ends before this second: nothing is to be dropped until it has passed.
    earliest: u32,
    dropped: Dropped,
}

impl Default for Shard {
    fn default() -> Self {
        Self { table: Table::default(), earliest: u32::MAX, dropped: Dropped::NONE }
    }
}

impl Shard {
    pub(super) fn claim(&mut self, asked: &Asked, shared: &Shared) -> ClaimResult {
        let slot = self.seek(asked);
        if slot == Slot::Recorded {
            return Ok(ClaimOutcome::Replay);
        }
        if asked.until < asked.now || self.dropped.may_have_held(asked.until) {
            return Err(ReplayStoreError::Unavailable);
        }
        self.record(asked, slot, shared)
    }

    /// Records what is known not to be recorded, if there is room and the client has a share left.
    fn record(&mut self, asked: &Asked, mut slot: Slot, shared: &Shared) -> ClaimResult {
        if !shared.shares.take(asked.client) {
            self.sweep(asked.now, shared);
            slot = self.seek(asked);
            if !shared.shares.take(asked.client) {
                return Err(ReplayStoreError::Full);
            }
        }
        if self.table.is_full() {
            self.make_room(asked.now, shared);
            slot = self.seek(asked);
        }
        match slot {
            Slot::Open(place) if !self.table.is_full() => {
                self.put(place, asked, shared);
                Ok(ClaimOutcome::First)
            }
            Slot::Open(_) | Slot::Recorded | Slot::None => {
                shared.shares.give_back(asked.client);
                Err(ReplayStoreError::Full)
            }
        }
    }

    fn seek(&self, asked: &Asked) -> Slot {
        self.table.seek(asked.fingerprint, asked.now)
    }

    fn put(&mut self, place: usize, asked: &Asked, shared: &Shared) {
        let Asked { fingerprint, client, until, .. } = *asked;
        if let Some(old) = self.table.put(place, Record { fingerprint, until, client }) {
            self.dropped.note(old.until);
            shared.shares.give_back(old.client);
        }
        self.earliest = self.earliest.min(until);
    }

    /// Drops what has expired; says whether there was something. Where it leaves much room, the table
    /// is made anew, smaller.
    pub(super) fn tidy(&mut self, now: u32, shared: &Shared) -> bool {
        let due = self.earliest < now;
        self.sweep(now, shared);
        if Table::buckets_for(self.table.used()) < self.table.buckets() / 4 * 3 {
            self.fit(0, shared);
        }
        due
    }

    /// Drops what has expired. When that leaves more than half of the places used, the table is
    /// made anew, larger, as far as the store has room.
    fn make_room(&mut self, now: u32, shared: &Shared) {
        self.sweep(now, shared);
        if Table::buckets_for(self.table.used() + 1) > self.table.buckets() {
            self.fit(1, shared);
        }
    }

    /// Drops what has expired, if there may be something.
    fn sweep(&mut self, now: u32, shared: &Shared) {
        if self.earliest >= now {
            return;
        }
        self.earliest = self.table.sweep(now, |old| {
            self.dropped.note(old.until);
            shared.shares.give_back(old.client);
        });
    }

    /// Makes the table anew, in the size for the records it has and so many more. Where the store
    /// has no room for that, it keeps its size.
    fn fit(&mut self, more: usize, shared: &Shared) {
        let wanted = Table::buckets_for(self.table.used() + more);
        let buckets = shared.room.exchange(self.table.buckets(), wanted);
        if buckets == self.table.buckets() {
            return;
        }
        let old = mem::replace(&mut self.table, Table::with_buckets(buckets));
        old.records().for_each(|record| self.table.add(record));
    }

    /// How many records count at that time.
    pub(super) fn live(&self, now: u32) -> usize {
        self.table.live(now)
    }
}
