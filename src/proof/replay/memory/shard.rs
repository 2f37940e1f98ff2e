//! A part of the store behind one lock: what is recorded there, and what was dropped from there.

use std::mem;

use super::Shared;
use super::seed::Fingerprint;
use super::table::{Record, Slot, Table};
use crate::proof::replay::{ClaimOutcome, ClaimResult, ReplayStoreError};

/// A claim in the terms of the tables. Seconds are Unix time, rounded up.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) fingerprint: Fingerprint,
    pub(super) client: u32,
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
            if self.earliest < asked.now {
                self.fit(asked.now, 0, shared);
                slot = self.seek(asked);
            }
            if !shared.shares.take(asked.client) {
                return Err(ReplayStoreError::Full);
            }
        }
        if self.has_no_room(slot) {
            self.fit(asked.now, 1, shared);
            slot = self.seek(asked);
        }
        match slot {
            Slot::Free(at) if !self.table.is_full() => self.put(at, asked, shared),
            Slot::Expired(at) => self.put(at, asked, shared),
            Slot::Free(_) | Slot::Recorded | Slot::None => {
                shared.shares.give_back(asked.client);
                return Err(ReplayStoreError::Full);
            }
        }
        Ok(ClaimOutcome::First)
    }

    fn seek(&self, asked: &Asked) -> Slot {
        self.table.seek(asked.fingerprint, asked.now)
    }

    const fn has_no_room(&self, slot: Slot) -> bool {
        !matches!(slot, Slot::Expired(_)) && self.table.is_full()
    }

    fn put(&mut self, at: usize, asked: &Asked, shared: &Shared) {
        let Asked { fingerprint, client, until, .. } = *asked;
        if let Some(old) = self.table.put(at, Record { fingerprint, until, client }) {
            self.drop(&old, shared);
        }
        self.earliest = self.earliest.min(until);
    }

    fn drop(&mut self, record: &Record, shared: &Shared) {
        self.dropped.note(record.until);
        shared.shares.give_back(record.client);
    }

    /// Drops what has expired when it is a quarter or more; says whether it did.
    pub(super) fn tidy(&mut self, now: u32, shared: &Shared) -> bool {
        let used = self.table.used();
        let due = self.earliest < now && self.live(now) <= used - used.div_ceil(4);
        if due {
            self.fit(now, 0, shared);
        }
        due
    }

    /// Drops what has expired, and fits the table to what is left and so many records more.
    ///
    /// Where there is no room to grow, it keeps its size.
    fn fit(&mut self, now: u32, more: usize, shared: &Shared) {
        let live = if self.earliest < now { self.live(now) } else { self.table.used() };
        let wanted = Table::slots_for(live.saturating_add(more));
        let slots = shared.room.exchange(self.table.slots(), wanted);
        if live < self.table.used() || slots != self.table.slots() {
            self.rebuild(now, slots, shared);
        }
    }

    fn rebuild(&mut self, now: u32, slots: usize, shared: &Shared) {
        let old = mem::replace(&mut self.table, Table::with_slots(slots));
        self.earliest = u32::MAX;
        for record in old.records() {
            if record.until < now {
                self.drop(record, shared);
            } else {
                self.earliest = self.earliest.min(record.until);
                self.table.add(*record);
            }
        }
    }

    /// How many records count at that time.
    pub(super) fn live(&self, now: u32) -> usize {
        self.table.records().filter(|record| record.until >= now).count()
    }
}
