//! What look-ups have brought, for a while and up to a number.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::config::Issuer;
use crate::token::TrustedIssuer;

/// How much longer than it is fresh an issuer is used, while looking it up again fails.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);
/// Rest between two look-ups of an issuer that has aged, so that one that fails leaves the pace to
/// others.
const REST: Duration = Duration::from_secs(1);
/// How long it counts that an issuer is not trusted.
const UNTRUSTED: Duration = Duration::from_secs(60);
/// Issuers kept, and as many names that are not trusted.
const CAPACITY: usize = 1000;

#[derive(Default)]
pub(super) struct Table {
    trusted: HashMap<Arc<str>, Entry>,
    untrusted: HashMap<Arc<str>, Timestamp>,
}

struct Entry {
    /// As the resolver gave it, to see whether it changes.
    given: Issuer,
    issuer: Arc<TrustedIssuer>,
    used: Timestamp,
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
    pub(super) fn find(&mut self, identifier: &str, now: Timestamp) -> Found {
        if let Some(entry) = self.trusted.get_mut(identifier) {
            entry.used = now;
            let issuer = Arc::clone(&entry.issuer);
            let usable = issuer.fresh_until().is_some_and(|until| now < until.plus(STALE));
            let rests = entry.told.is_some_and(|told| told <= now && now.since(told) < REST);
            let aged = issuer.is_aged(now) && !rests;
            if aged {
                entry.told = Some(now);
            }
            return if usable { Found::Trusted { issuer, aged } } else { Found::Nothing };
        }
        let since = self.untrusted.get(identifier);
        match since.is_some_and(|since| *since <= now && now.since(*since) < UNTRUSTED) {
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

    pub(super) fn trust(&mut self, given: Issuer, issuer: TrustedIssuer, now: Timestamp) {
        self.untrusted.remove(&*issuer.identifier);
        if self.trusted.len() >= CAPACITY && !self.trusted.contains_key(&issuer.identifier) {
            let oldest = self.trusted.iter().min_by_key(|(_, entry)| entry.used.millis());
            let oldest = oldest.map(|(name, _)| Arc::clone(name));
            oldest.into_iter().for_each(|name| self.retire(&name));
        }
        let (name, issuer) = (Arc::clone(&issuer.identifier), Arc::new(issuer));
        issuer.confirm(now);
        self.retire(&name);
        self.trusted.insert(name, Entry { given, issuer, used: now, told: None });
    }

    pub(super) fn distrust(&mut self, identifier: &Arc<str>, now: Timestamp) {
        self.retire(identifier);
        // The pace of look-ups makes it cheap to go through all of them.
        self.untrusted.retain(|_, since| *since <= now && now.since(*since) < UNTRUSTED);
        // A full list forgets nothing that still counts; the pace bounds what comes of that.
        if self.untrusted.len() < CAPACITY {
            self.untrusted.insert(Arc::clone(identifier), now);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_not_trusted_long_ago_is_forgotten_with_the_next() {
        let mut table = Table::default();
        let at = Timestamp::from_seconds;
        for number in 0..500 {
            table.distrust(&format!("https://{number}.example.com").into(), at(0));
        }
        table.distrust(&"https://later.example.com".into(), at(59));
        assert_eq!(table.untrusted.len(), 501);
        table.distrust(&"https://last.example.com".into(), at(60));
        assert_eq!(table.untrusted.len(), 2);
    }
}
