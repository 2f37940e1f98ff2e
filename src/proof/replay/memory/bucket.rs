//! Four records in one line of the processor's cache.

use super::seed::Fingerprint;

/// One use of a proof.
#[derive(Clone, Copy)]
pub(super) struct Record {
    pub(super) fingerprint: Fingerprint,
    /// The last second it counts in, in Unix time; never zero.
    pub(super) until: u32,
    /// The place of the client in the shares.
    pub(super) client: u16,
}

/// The records of a bucket.
pub(super) const RECORDS: usize = 4;

/// Records whose home it is, and some that found no room in a bucket before. A table is made of
/// these and nothing else.
///
/// It is one line of the cache, so that looking at four records costs no more than looking at one.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Bucket {
    fingerprints: [Fingerprint; RECORDS],
    /// Zero where there is no record.
    until: [u32; RECORDS],
    clients: [u16; RECORDS],
    /// Until when a record counts that found no room here and went on to the next.
    passed: u32,
}

impl Bucket {
    pub(super) const EMPTY: Self =
        Self { fingerprints: [0; RECORDS], until: [0; RECORDS], clients: [0; RECORDS], passed: 0 };

    /// Whether it has the record, and it counts. `now` is at least one.
    ///
    /// It looks at all four in any case: nobody can foretell at which it could stop, and a wrong
    /// guess of the processor costs more.
    pub(super) fn holds(&self, fingerprint: Fingerprint, now: u32) -> bool {
        let [a, b, c, d] = self.fingerprints.map(|mine| mine == fingerprint);
        let [e, f, g, h] = self.until.map(|until| until >= now);
        (a & e) | (b & f) | (c & g) | (d & h)
    }

    /// Where there is no record, or one that does not count any more.
    pub(super) fn open(&self, now: u32) -> Option<usize> {
        let [a, b, c, d] = self.until.map(|until| u32::from(until < now));
        let open = a | b << 1 | c << 2 | d << 3;
        (open != 0).then(|| open.trailing_zeros() as usize)
    }

    /// Puts a record in that place, one of the four, and returns the one that was there.
    pub(super) fn put(&mut self, at: usize, record: Record) -> Option<Record> {
        let old = self.record(at);
        self.fingerprints[at] = record.fingerprint;
        self.until[at] = record.until;
        self.clients[at] = record.client;
        old
    }

    /// Notes that a record found no room here.
    pub(super) fn pass(&mut self, until: u32) {
        self.passed = self.passed.max(until);
    }

    /// Whether a record that counts may be in the next bucket although its home is here, or before.
    pub(super) const fn is_passed(&self, now: u32) -> bool {
        self.passed >= now
    }

    pub(super) fn records(&self) -> impl Iterator<Item = Record> {
        (0..RECORDS).filter_map(|at| self.record(at))
    }

    /// How many records count at that time.
    pub(super) fn live(&self, now: u32) -> usize {
        self.until.iter().map(|until| usize::from(*until >= now)).sum()
    }

    /// Takes out what does not count any more, and shows each. Returns the second in which the
    /// first of the others ends.
    pub(super) fn sweep(&mut self, now: u32, mut dropped: impl FnMut(Record)) -> u32 {
        let mut earliest = u32::MAX;
        for at in 0..RECORDS {
            let Some(record) = self.record(at) else { continue };
            if record.until < now {
                self.until[at] = 0;
                dropped(record);
            } else {
                earliest = earliest.min(record.until);
            }
        }
        earliest
    }

    /// The second in which the first of its records ends.
    pub(super) fn earliest(&self) -> u32 {
        // Zero, which is no record, becomes the last.
        let [a, b, c, d] = self.until.map(|until| until.wrapping_sub(1));
        a.min(b).min(c.min(d)).saturating_add(1)
    }

    fn record(&self, at: usize) -> Option<Record> {
        let (fingerprint, until) = (self.fingerprints[at], self.until[at]);
        (until != 0).then_some(Record { fingerprint, until, client: self.clients[at] })
    }
}
