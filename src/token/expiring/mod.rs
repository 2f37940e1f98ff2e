//! What is remembered up to a moment, by digest, in bounded room.
//!
//! # How it is made
//!
//! Entries lie in many small parts, each behind a lock of its own, so that whatever drops entries
//! meets few of them: there are no pauses. A look-up takes one lock for reading, finds the entry and
//! writes nothing but how often it was used, and that only the first times. When a part is full, what
//! was used least makes room.
//!
//! # How it is given back
//!
//! Whoever adds an entry looks after one part besides, each in its turn: what has ended there is
//! dropped, and the room it had as well. That costs one load where nothing is due, and a part is due
//! when a quarter of what was there has ended, so that each look drops much for what it takes. There
//! is no thread and no timer: while nothing is added, nothing is dropped. After a silence, however
//! long, as many additions as there are parts drop everything that ended.

mod part;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};

use self::part::{Due, Entry, Part};
use super::cache::Digest;
use crate::clock::Timestamp;

/// How many entries a part has, about: that many are dropped at once, at most.
const ENTRIES: u64 = 256;
/// A bound of more than some four million entries makes the parts larger instead of more.
const MOST_PARTS: u64 = 1 << 14;

/// Values by digest, each up to its end, in so much weight at most.
pub(crate) struct Expiring<V> {
    parts: Box<[Locked<V>]>,
    /// Counts the additions: whose turn it is to be looked after.
    turn: AtomicUsize,
}

struct Locked<V> {
    due: Due,
    part: RwLock<Part<V>>,
}

impl<V: Clone> Expiring<V> {
    /// Room for so much weight, where an entry has about so much. One that weighs more than a part
    /// may is not kept.
    pub(crate) fn new(capacity: u64, typical: u64) -> Self {
        let entries = capacity / typical.max(1);
        let count = (entries / ENTRIES).clamp(1, MOST_PARTS).next_power_of_two();
        let part = || Part::new(capacity / count, entries.div_ceil(count));
        let parts = (0..count).map(|_| Locked { due: Due::never(), part: RwLock::new(part()) });
        Self { parts: parts.collect(), turn: AtomicUsize::new(0) }
    }

    pub(crate) fn get(&self, key: &Digest) -> Option<V> {
        self.part_of(key)?.read().get(key)
    }

    /// Keeps the value until then, and looks after what has ended by now.
    pub(crate) fn insert(
        &self,
        key: Digest,
        value: V,
        weight: u32,
        until: Timestamp,
        now: Timestamp,
    ) {
        if let Some(locked) = self.part_of(&key) {
            locked.write().insert(key, Entry { value, until, weight }, &locked.due);
        }
        self.look_after_next(now);
    }

    pub(crate) fn remove(&self, key: &Digest) {
        let removed = self.part_of(key).and_then(|locked| locked.write().remove(key));
        drop(removed);
    }

    /// How many entries there are, ended ones included.
    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(|locked| locked.read().len()).sum()
    }

    /// One part, unless somebody is at it.
    fn look_after_next(&self, now: Timestamp) {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let Some(locked) = self.parts.get(turn % self.parts.len().max(1)) else { return };
        if locked.due.is_by(now) {
            let ended = locked.try_write().map(|mut part| part.drop_ended(now, &locked.due));
            // What ended is freed when the lock is free again.
            drop(ended);
        }
    }

    /// The count of parts is a power of two.
    fn part_of(&self, key: &Digest) -> Option<&Locked<V>> {
        self.parts.get(key.place() & self.parts.len().wrapping_sub(1))
    }
}

/// Nothing panics while it holds a lock, so that none is poisoned.
impl<V> Locked<V> {
    fn read(&self) -> RwLockReadGuard<'_, Part<V>> {
        self.part.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Part<V>> {
        self.part.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_write(&self) -> Option<RwLockWriteGuard<'_, Part<V>>> {
        match self.part.try_write() {
            Ok(part) => Some(part),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

#[cfg(test)]
#[path = "expiring_tests.rs"]
mod tests;
