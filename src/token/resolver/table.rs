//! What look-ups have brought, for a while and up to a number.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::config::Issuer;
use crate::token::TrustedIssuer;

/// How much longer than it is fresh an issuer is used, while looking it up again fails.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);
/// Rest between two look-ups of an issuer that has aged, and after one that failed, so that it
/// leaves the pace to others.
const REST: Duration = Duration::from_secs(1);
/// How long it counts that an issuer is not trusted.
const UNTRUSTED: Duration = Duration::from_secs(60);
/// Names kept that are not trusted, and as many whose look-up failed.
const NAMES: usize = 1000;
/// Which part of a full table makes room at once: finding it goes through the whole table.
const PART: usize = 100;

pub(super) struct Table {
    capacity: usize,
    trusted: HashMap<Arc<str>, Entry>,
    untrusted: Names,
    failed: Names,
}

struct Entry {
    /// As the resolver gave it, to see whether it changes.
    given: Issuer,
    issuer: Arc<TrustedIssuer>,
    /// When it was last told that it has aged.
    told: Option<Timestamp>,
}

pub(super) enum Found {
    Trusted {
        issuer: Arc<TrustedIssuer>,
        /// It should be looked up again, and was not a moment ago.
        aged: bool,
    },
    Untrusted,
    Nothing,
}

impl Table {
    pub(super) fn new(capacity: usize) -> Self {
        let (untrusted, failed) = (Names::counting(UNTRUSTED), Names::counting(REST));
        Self { capacity, trusted: HashMap::new(), untrusted, failed }
    }

    pub(super) fn find(&mut self, identifier: &str, now: Timestamp) -> Found {
        if let Some(entry) = self.trusted.get_mut(identifier) {
            let issuer = Arc::clone(&entry.issuer);
            let usable = issuer.fresh_until().is_some_and(|until| now < until.plus(STALE));
            let rests = entry.told.is_some_and(|told| runs(told, REST, now));
            let aged = issuer.is_aged(now) && !rests;
            if aged {
                entry.told = Some(now);
            }
            return if usable { Found::Trusted { issuer, aged } } else { Found::Nothing };
        }
        match self.untrusted.has(identifier, now) {
            true => Found::Untrusted,
            false => Found::Nothing,
        }
    }

    /// Whether the issuer is known as it was given now: then it stays, keys and all.
    pub(super) fn confirm(&self, given: &Issuer, now: Timestamp) -> bool {
        let entry = self.trusted.get(given.identifier()).filter(|entry| entry.given == *given);
        if let Some(entry) = entry {
            entry.issuer.confirm(now);
            return true;
        }
        false
    }

    /// One that was known with other settings keeps its keys, if they come from where they came
    /// from. Returns whether there was room: a table that is full to the part that goes at once has
    /// none, or each time it goes it would make room for as many.
    pub(super) fn trust(&mut self, given: Issuer, issuer: TrustedIssuer, now: Timestamp) -> bool {
        let name = Arc::clone(&issuer.identifier);
        self.untrusted.forget(&name);
        let known = self.trusted.get(&name);
        let used = known.map_or(now, |entry| entry.issuer.used());
        let same = known.filter(|entry| entry.given.has_the_keys_of(&given));
        let issuer = match same {
            Some(entry) => issuer.with_keys_of(&entry.issuer),
            None => issuer,
        };
        let (new, kept) = (known.is_none(), self.trusted.len());
        let room = !new || kept < self.capacity - self.capacity / PART;
        if new && kept >= self.capacity {
            self.make_room();
        }
        issuer.confirm(now);
        // Nothing of a new one has counted yet, but it needs time to show that it is used.
        issuer.note_use(used);
        self.retire(&name);
        self.trusted.insert(name, Entry { given, issuer: Arc::new(issuer), told: None });
        room
    }

    /// Forgets those that were used longest ago.
    fn make_room(&mut self) {
        let used = |(name, entry): (&Arc<str>, &Entry)| (entry.issuer.used(), Arc::clone(name));
        let mut names: Vec<_> = self.trusted.iter().map(used).collect();
        let many = (self.capacity / PART).max(1).min(names.len());
        names.select_nth_unstable(many.saturating_sub(1));
        names.iter().take(many).for_each(|(_, name)| self.retire(name));
    }

    pub(super) fn distrust(&mut self, identifier: &Arc<str>, now: Timestamp) {
        self.retire(identifier);
        self.untrusted.note(identifier, now);
    }

    /// The look-up of it failed.
    pub(super) fn fail(&mut self, identifier: &Arc<str>, now: Timestamp) {
        self.failed.note(identifier, now);
    }

    /// Whether a look-up of it failed a moment ago.
    pub(super) fn rests(&self, identifier: &str, now: Timestamp) -> bool {
        self.failed.has(identifier, now)
    }

    pub(super) fn issuers(&self) -> Vec<Arc<TrustedIssuer>> {
        self.trusted.values().map(|entry| Arc::clone(&entry.issuer)).collect()
    }

    /// Tokens that were verified for it count no longer.
    fn retire(&mut self, identifier: &Arc<str>) {
        if let Some(entry) = self.trusted.remove(identifier) {
            entry.issuer.retire();
        }
    }
}

/// Names of which something counts for a while.
struct Names {
    counts: Duration,
    since: HashMap<Arc<str>, Timestamp>,
}

impl Names {
    fn counting(counts: Duration) -> Self {
        Self { counts, since: HashMap::new() }
    }

    fn has(&self, identifier: &str, now: Timestamp) -> bool {
        self.since.get(identifier).is_some_and(|since| runs(*since, self.counts, now))
    }

    fn note(&mut self, identifier: &Arc<str>, now: Timestamp) {
        let counts = self.counts;
        // The pace of look-ups makes it cheap to go through all of them.
        self.since.retain(|_, since| runs(*since, counts, now));
        // A full list forgets nothing that still counts; the pace bounds what comes of that.
        if self.since.len() < NAMES {
            self.since.insert(Arc::clone(identifier), now);
        }
    }

    fn forget(&mut self, identifier: &str) {
        self.since.remove(identifier);
    }
}

/// What began in the future did so before the clock went back.
fn runs(since: Timestamp, time: Duration, now: Timestamp) -> bool {
    since <= now && now.since(since) < time
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_no_longer_is_forgotten_with_the_next_name() {
        let mut names = Names::counting(UNTRUSTED);
        let at = Timestamp::from_seconds;
        for number in 0..500 {
            names.note(&format!("https://{number}.example.com").into(), at(0));
        }
        names.note(&"https://later.example.com".into(), at(59));
        assert_eq!(names.since.len(), 501);
        names.note(&"https://last.example.com".into(), at(60));
        assert_eq!(names.since.len(), 2);
    }

    #[test]
    fn no_more_names_are_kept_than_so_many() {
        let mut names = Names::counting(UNTRUSTED);
        let now = Timestamp::from_seconds(0);
        for number in 0..=NAMES {
            names.note(&format!("https://{number}.example.com").into(), now);
        }
        assert_eq!(names.since.len(), NAMES);
        assert!(names.has("https://0.example.com", now), "what counts is not pushed out");
    }
}
