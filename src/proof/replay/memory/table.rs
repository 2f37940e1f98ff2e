//! Buckets in one flat table: open addressing, linear probing.

use super::bucket::{Bucket, RECORDS, Record};
use super::seed::{Fingerprint, place, scale};

/// Fewer buckets are not worth an allocation.
const SMALLEST: usize = 4;

/// Records, at most three for four places: beyond that, too many would find no room at home.
///
/// A lookup goes on from a bucket only while a record counts that went on from there. So what has
/// expired makes no lookup longer, and it can be taken out without moving anything.
#[derive(Default)]
pub(super) struct Table {
    buckets: Box<[Bucket]>,
    used: usize,
}

impl Table {
    pub(super) fn with_buckets(buckets: usize) -> Self {
        Self { buckets: vec![Bucket::EMPTY; buckets].into_boxed_slice(), used: 0 }
    }

    /// How many buckets fit so many records: half of the places are used, so that there is room for
    /// half as many more.
    pub(super) fn buckets_for(records: usize) -> usize {
        if records == 0 {
            return 0;
        }
        records.div_ceil(RECORDS / 2).max(SMALLEST)
    }

    pub(super) const fn buckets(&self) -> usize {
        self.buckets.len()
    }

    pub(super) const fn used(&self) -> usize {
        self.used
    }

    /// Whether no record more should be added. What has expired is counted until it is swept.
    pub(super) const fn is_full(&self) -> bool {
        self.used >= self.buckets.len() * (RECORDS * 3 / 4)
    }

    pub(super) fn records(&self) -> impl Iterator<Item = Record> {
        self.buckets.iter().flat_map(Bucket::records)
    }

    /// How many records count at that time.
    pub(super) fn live(&self, now: u32) -> usize {
        self.buckets.iter().map(|bucket| bucket.live(now)).sum()
    }

    /// Looks where the record is, or would be. `now` is at least one.
    #[inline]
    pub(super) fn seek(&self, fingerprint: Fingerprint, now: u32) -> Slot {
        let home = self.home(fingerprint);
        let (mut index, mut may_be_here, mut open) = (home, true, None);
        while let Some(bucket) = self.buckets.get(index) {
            if may_be_here && bucket.holds(fingerprint, now) {
                return Slot::Recorded;
            }
            may_be_here &= bucket.is_passed(now);
            open = open.or_else(|| Some(index * RECORDS + bucket.open(now)?));
            match open {
                Some(place) if !may_be_here => return Slot::Open(place),
                _ => index = self.after(index),
            }
            if index == home {
                break;
            }
        }
        open.map_or(Slot::None, Slot::Open)
    }

    /// Puts a record where it was sought for, and returns the expired one that was there.
    #[inline]
    pub(super) fn put(&mut self, place: usize, record: Record) -> Option<Record> {
        let mut index = self.home(record.fingerprint);
        while index != place / RECORDS {
            self.buckets.get_mut(index)?.pass(record.until);
            index = self.after(index);
        }
        let old = self.buckets.get_mut(index)?.put(place % RECORDS, record);
        self.used += usize::from(old.is_none());
        old
    }

    /// Adds a record that is not in the table, which has room.
    #[inline]
    pub(super) fn add(&mut self, record: Record) {
        let mut at = self.home(record.fingerprint);
        for _ in 0..self.buckets.len() {
            let Some(bucket) = self.buckets.get_mut(at) else { return };
            if let Some(free) = bucket.open(1) {
                bucket.put(free, record);
                self.used += 1;
                return;
            }
            bucket.pass(record.until);
            at = self.after(at);
        }
    }

    /// Takes out what does not count any more, and shows each. Returns the second in which the
    /// first of the others ends.
    pub(super) fn sweep(&mut self, now: u32, mut dropped: impl FnMut(Record)) -> u32 {
        let mut earliest = u32::MAX;
        for bucket in &mut self.buckets {
            let mut first = bucket.earliest();
            if first < now {
                first = bucket.sweep(now, |record| {
                    self.used -= 1;
                    dropped(record);
                });
            }
            earliest = earliest.min(first);
        }
        earliest
    }

    fn home(&self, fingerprint: Fingerprint) -> usize {
        scale(place(fingerprint), self.buckets.len())
    }

    const fn after(&self, bucket: usize) -> usize {
        if bucket + 1 < self.buckets.len() { bucket + 1 } else { 0 }
    }
}

/// What is found where a record is, or would be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Slot {
    /// The record, and it counts.
    Recorded,
    /// Room for it: nothing, or a record that does not count any more, be it the same or another.
    Open(usize),
    /// Every place in the table has a record that counts.
    None,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records of the same home.
    const fn neighbour(number: u64, until: u32) -> Record {
        Record { fingerprint: number << 32 | 7, until, client: 0 }
    }

    fn put(table: &mut Table, record: Record, now: u32) -> Option<Record> {
        match table.seek(record.fingerprint, now) {
            Slot::Open(place) => table.put(place, record),
            slot => unreachable!("{slot:?}"),
        }
    }

    #[test]
    fn records_of_one_home_are_found_until_they_end() {
        let mut table = Table::with_buckets(3);
        for number in 0..12 {
            let until = 10 + number as u32;
            assert!(put(&mut table, neighbour(number, until), 10).is_none());
        }
        assert_eq!((table.used(), table.seek(99 << 32, 10)), (12, Slot::None));
        for now in 10..22 {
            for number in 0..12 {
                let recorded = table.seek(number << 32 | 7, now) == Slot::Recorded;
                assert_eq!(recorded, 10 + number as u32 >= now, "{number} at {now}");
            }
            assert_eq!(table.live(now), 22 - now as usize);
        }
    }

    #[test]
    fn what_went_on_is_found_after_room_came_at_home() {
        let mut table = Table::with_buckets(3);
        for number in 0..4 {
            put(&mut table, neighbour(number, 10), 10);
        }
        put(&mut table, neighbour(4, 20), 10);
        let replaced = put(&mut table, neighbour(5, 15), 11);
        assert!(replaced.is_some_and(|old| old.until == 10), "an expired one gives its place");
        assert_eq!(table.seek(neighbour(4, 20).fingerprint, 20), Slot::Recorded);

        let mut dropped = 0;
        assert_eq!(table.sweep(11, |_| dropped += 1), 15);
        assert_eq!((dropped, table.used()), (3, 2));
        assert_eq!(table.seek(neighbour(4, 20).fingerprint, 20), Slot::Recorded);
        assert_eq!(table.sweep(21, |_| dropped += 1), u32::MAX);
        assert_eq!((dropped, table.used()), (5, 0));
    }

    #[test]
    fn a_table_made_anew_finds_what_was_in_the_old_one() {
        let mut table = Table::with_buckets(2);
        for number in 0..8 {
            table.add(neighbour(number, 10));
        }
        let mut larger = Table::with_buckets(Table::buckets_for(9));
        table.records().for_each(|record| larger.add(record));
        assert_eq!((larger.buckets(), larger.used()), (5, 8));
        for number in 0..8 {
            assert_eq!(larger.seek(neighbour(number, 10).fingerprint, 10), Slot::Recorded);
        }
    }
}
