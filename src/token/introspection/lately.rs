//! Tokens that were active of late: whoever comes with one of them is no stranger.
//!
//! Strangers can invent as many tokens as they like, and each costs a call. Those whose token the
//! issuer has called active before are asked about out of a share that is theirs alone
//! ([`flight`](super::flight)), so that a flood of inventions does not end what works.
//!
//! Nothing is granted here. What is known is 32 bytes that stand for a token, and not what it was
//! good for.

use std::time::Duration;

use super::memory::Key;
use crate::clock::Timestamp;
use crate::token::expiring::Expiring;

/// How many tokens are known at most.
const TOKENS: u64 = 16 * 1024;
/// How long a token is known that has no `exp`, or a late one.
const LONGEST: Duration = Duration::from_secs(60 * 60);

pub(super) struct Lately(Expiring<Timestamp>);

impl Lately {
    pub(super) fn new() -> Self {
        Self(Expiring::new(TOKENS, 1))
    }

    /// The issuer calls it active.
    pub(super) fn active(&self, key: Key, expires: Option<Timestamp>, now: Timestamp) {
        let latest = now.plus(LONGEST);
        let until = expires.map_or(latest, |expires| expires.min(latest));
        self.0.insert(key, until, 1, until, now);
    }

    /// The issuer does not.
    pub(super) fn forget(&self, key: &Key) {
        self.0.remove(key);
    }

    pub(super) fn knows(&self, key: &Key, now: Timestamp) -> bool {
        self.0.get(key).is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Digest;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn a_token_is_known_until_it_expires_and_an_hour_at_most() {
        let lately = Lately::new();
        let [short, long, endless] = ["short", "long", "endless"].map(Digest::of);
        lately.active(short, Some(at(300)), at(0));
        lately.active(long, Some(at(86_400)), at(0));
        lately.active(endless, None, at(0));
        assert!(lately.knows(&short, at(299)) && !lately.knows(&short, at(300)));
        for key in [long, endless] {
            assert!(lately.knows(&key, at(3599)) && !lately.knows(&key, at(3600)));
        }
    }

    #[test]
    fn what_is_no_longer_active_is_forgotten() {
        let lately = Lately::new();
        let key = Digest::of("a");
        assert!(!lately.knows(&key, at(0)));
        lately.active(key, None, at(0));
        lately.forget(&key);
        assert!(!lately.knows(&key, at(1)));
    }

    #[test]
    fn there_is_an_end_to_how_many_are_known() {
        let lately = Lately::new();
        for number in 0..2 * TOKENS {
            lately.active(Digest::of(&number.to_string()), None, at(0));
        }
        assert!(lately.0.len() as u64 <= TOKENS);
    }
}
