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
    pub(super) place: u32,
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
    /// No record ends before this second, so nothing is to be dropped until it has passed.
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
        let unknown = self.dropped.may_have_held(asked.until) || asked.until < asked.now;
        match self.table.seek(asked.fingerprint, asked.place) {
            Slot::Taken(record) if record.until >= asked.now => Ok(ClaimOutcome::Replay),
            _ if unknown => Err(ReplayStoreError::Unavailable),
            Slot::Taken(record) => {
                // Its last use is over and counts as dropped; the slot stays the client's.
                self.dropped.note(mem::replace(&mut record.until, asked.until));
                Ok(ClaimOutcome::First)
            }
            Slot::Free(..) | Slot::Missing => self.record(asked, shared),
        }
    }

    /// Records what is known not to be recorded, if there is room and the client has a share left.
    fn record(&mut self, asked: &Asked, shared: &Shared) -> ClaimResult {
        if !shared.shares.take(asked.client) {
            self.drop_expired(asked.now, shared);
            if !shared.shares.take(asked.client) {
                return Err(ReplayStoreError::Full);
            }
        }
        if self.table.is_full() {
            self.fit(asked.now, 1, shared);
        }
        if self.table.is_full() {
            shared.shares.give_back(asked.client);
            return Err(ReplayStoreError::Full);
        }
        let Asked { fingerprint, client, until, .. } = *asked;
        self.table.seek(fingerprint, asked.place).fill(Record { fingerprint, until, client });
        self.earliest = self.earliest.min(until);
        Ok(ClaimOutcome::First)
    }

    /// Drops records that ended more than `grace` seconds ago, if there are any, with all others
    /// that have ended; says whether it did.
    pub(super) fn tidy(&mut self, now: u32, grace: u32, shared: &Shared) -> bool {
        let due = self.earliest < now.saturating_sub(grace);
        if due {
            self.fit(now, 0, shared);
        }
        due
    }

    fn drop_expired(&mut self, now: u32, shared: &Shared) {
        self.tidy(now, 0, shared);
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
                self.dropped.note(record.until);
                shared.shares.give_back(record.client);
            } else {
                self.earliest = self.earliest.min(record.until);
                let place = shared.seed.place(record.fingerprint) as u32;
                self.table.seek(record.fingerprint, place).fill(*record);
            }
        }
    }

    /// How many records count at that time.
    pub(super) fn live(&self, now: u32) -> usize {
        self.table.records().filter(|record| record.until >= now).count()
    }
}
