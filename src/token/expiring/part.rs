//! A few of the entries, behind one lock.

use std::hash::BuildHasherDefault;
use std::sync::atomic::{AtomicI64, Ordering};

use quick_cache::unsync::Cache;
use quick_cache::{OptionsBuilder, Weighter};

use crate::clock::Timestamp;
use crate::token::cache::{Digest, DigestHasher};

/// A value, and until when it is worth its room.
pub(super) struct Entry<V> {
    pub(super) value: V,
    pub(super) until: Timestamp,
    pub(super) weight: u32,
}

/// Entries weigh what they say.
struct Said;

impl<V> Weighter<Digest, Entry<V>> for Said {
    fn weight(&self, _: &Digest, entry: &Entry<V>) -> u64 {
        u64::from(entry.weight)
    }
}

type Entries<V> = Cache<Digest, Entry<V>, Said, BuildHasherDefault<DigestHasher>>;

/// From when on it is worth while to look for what has ended. Written under the lock of the part,
/// and read without it.
pub(super) struct Due(AtomicI64);

impl Due {
    pub(super) const fn never() -> Self {
        Self(AtomicI64::new(Timestamp::MAX.millis()))
    }

    pub(super) fn is_by(&self, now: Timestamp) -> bool {
        self.0.load(Ordering::Relaxed) <= now.millis()
    }

    fn no_later_than(&self, until: Timestamp) {
        self.0.fetch_min(until.millis(), Ordering::Relaxed);
    }

    fn set(&self, until: Timestamp) {
        self.0.store(until.millis(), Ordering::Relaxed);
    }
}

pub(super) struct Part<V> {
    entries: Entries<V>,
    /// The weight it may have.
    capacity: u64,
    /// How many entries that is, about.
    typical: usize,
    /// The most entries there were since room was last given back: it is for so many.
    most: usize,
}

impl<V> Part<V> {
    pub(super) fn new(capacity: u64, typical: u64) -> Self {
        let typical = usize::try_from(typical).unwrap_or(usize::MAX);
        Self { entries: empty(capacity, typical), capacity, typical, most: 0 }
    }

    pub(super) fn insert(&mut self, key: Digest, entry: Entry<V>, due: &Due) {
        due.no_later_than(entry.until);
        self.entries.insert(key, entry);
        self.most = self.most.max(self.entries.len());
    }

    pub(super) fn remove(&mut self, key: &Digest) -> Option<Entry<V>> {
        self.entries.remove(key).map(|(_, entry)| entry)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Takes out what has ended, and gives back room when half of it is free.
    pub(super) fn drop_ended(&mut self, now: Timestamp, due: &Due) -> Vec<Entry<V>> {
        let ended = self.entries.iter().filter(|(_, entry)| entry.until <= now);
        let ended: Vec<_> = ended.map(|(key, _)| *key).collect();
        let ended = ended.iter().filter_map(|key| self.remove(key)).collect();
        if self.len() <= self.most / 2 {
            self.give_back_room();
        }
        due.set(self.quarter_ends());
        ended
    }

    /// A cache keeps the room that it grew to, so that its entries have to move into another.
    fn give_back_room(&mut self) {
        let mut entries = empty(self.capacity, self.typical);
        for (key, entry) in self.entries.drain() {
            entries.insert(key, entry);
        }
        self.most = entries.len();
        self.entries = entries;
    }

    /// When a quarter of the entries will have ended.
    fn quarter_ends(&self) -> Timestamp {
        let mut ends: Vec<_> = self.entries.iter().map(|(_, entry)| entry.until).collect();
        let quarter = ends.len().div_ceil(4).saturating_sub(1);
        if ends.is_empty() {
            return Timestamp::MAX;
        }
        *ends.select_nth_unstable(quarter).1
    }
}

#[cfg(test)]
impl<V> Part<V> {
    /// The bytes that its entries lie in, free ones included.
    pub(super) fn bytes(&self) -> usize {
        self.entries.memory_used().total()
    }
}

impl<V: Clone> Part<V> {
    pub(super) fn get(&self, key: &Digest) -> Option<V> {
        self.entries.get(key).map(|entry| entry.value.clone())
    }
}

/// Takes no room until something is added.
fn empty<V>(capacity: u64, typical: usize) -> Entries<V> {
    let options = OptionsBuilder::new()
        .weight_capacity(capacity)
        .estimated_items_capacity(typical)
        .shards(1)
        .build()
        .expect("both of the options that are needed are set");
    Cache::with_options(options, Said, BuildHasherDefault::default(), Default::default())
}
