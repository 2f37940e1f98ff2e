//! Answers, remembered for a while: those about active tokens, and refusals.
//!
//! # No token is kept
//!
//! An answer is found by the HMAC-SHA-256 of the token's digest, under a key of this process and
//! this issuer. Whoever reads this memory cannot tell whether a token he has a list of is in it, let
//! alone get one out.
//!
//! # Two rooms
//!
//! Anybody can send tokens that are not active, and only clients of the issuer active ones. So each
//! kind has room of its own, and a stranger pushes out nothing but what strangers asked about.
//!
//! # What leaves
//!
//! An answer leaves when it is asked for and its time is over, when room is needed, and otherwise as
//! others of its kind come: each addition looks after a part of what is there
//! ([`expiring`](crate::token::expiring)).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::lately::Lately;
use crate::clock::Timestamp;
use crate::error::RejectionKind;
use crate::random;
use crate::token::expiring::Expiring;
use crate::token::{Digest, TokenCache, Vouched};

/// By how much a request may have asked for the time before an answer came that it finds.
const MOMENT: Duration = Duration::from_secs(1);

/// How many refusals are remembered at most.
const REFUSALS: u64 = 16 * 1024;

/// How long answers are remembered, and in how much room.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memories {
    pub(crate) active_for: Duration,
    pub(crate) refusals_for: Duration,
    /// For active tokens.
    pub(crate) bytes: u64,
}

/// What stands for a token here.
pub(super) type Key = Digest;

/// A token was refused, and is until then.
#[derive(Clone, Copy)]
struct Refusal {
    kind: RejectionKind,
    until: Timestamp,
}

pub(crate) struct Memory {
    keyed: Hmac<Sha256>,
    active: TokenCache,
    /// Each weighs one.
    refusals: Expiring<Refusal>,
    lately: Lately,
    spans: Memories,
}

impl Memory {
    /// `None` where the operating system gives no random bytes.
    pub(crate) fn new(spans: Memories) -> Option<Self> {
        let secret: [u8; 32] = random::bytes()?;
        let keyed = Hmac::new_from_slice(&secret).ok()?;
        let refusals = Expiring::new(REFUSALS, 1);
        let bytes = if spans.active_for.is_zero() { 0 } else { spans.bytes };
        let (active, lately) = (TokenCache::new(bytes), Lately::new());
        Some(Self { keyed, active, refusals, lately, spans })
    }

    pub(super) fn key(&self, token: &Digest) -> Key {
        let tag = self.keyed.clone().chain_update(token.as_bytes()).finalize();
        Digest::from_bytes(tag.into_bytes().into())
    }

    pub(super) fn find(
        &self,
        key: &Key,
        now: Timestamp,
    ) -> Option<Result<Arc<Vouched>, RejectionKind>> {
        if let Some(vouched) = self.active.get(key) {
            let until = vouched.counts_until();
            let plausible = |until| is_plausible(until, self.spans.active_for, now);
            if vouched.stands(now) && until.is_none_or(plausible) {
                return Some(Ok(vouched));
            }
            self.active.remove(key);
        }
        let refusal = self.refusals.get(key)?;
        if now < refusal.until && is_plausible(refusal.until, self.spans.refusals_for, now) {
            return Some(Err(refusal.kind));
        }
        self.refusals.remove(key);
        None
    }

    /// Whether the issuer called the token active of late, and has not taken that back.
    pub(super) fn was_active(&self, key: &Key, now: Timestamp) -> bool {
        self.lately.knows(key, now)
    }

    /// RFC 7662 §4: an answer about an active token counts no longer than the token does.
    pub(super) fn until(&self, expires: Option<Timestamp>, asked: Timestamp) -> Timestamp {
        let until = asked.plus(self.spans.active_for);
        expires.map_or(until, |expires| expires.min(until))
    }

    pub(super) fn keep(
        &self,
        key: Key,
        outcome: &Result<Arc<Vouched>, RejectionKind>,
        now: Timestamp,
    ) {
        match outcome {
            Ok(vouched) => {
                // It may have been refused a moment before.
                self.refusals.remove(&key);
                self.lately.active(key, vouched.claims.expires, now);
                if vouched.stands(now) {
                    let until = vouched.counts_until().unwrap_or(Timestamp::MAX);
                    self.active.insert_until(until, key, vouched, now);
                }
            }
            Err(kind) => {
                self.active.remove(&key);
                self.lately.forget(&key);
                let until = now.plus(self.spans.refusals_for);
                if !self.spans.refusals_for.is_zero() {
                    self.refusals.insert(key, Refusal { kind: *kind, until }, 1, until, now);
                }
            }
        }
    }
}

/// An answer that is to last longer than any does was given before the clock went back. A moment is
/// no sign of that: a request may have asked for the time just before a call landed.
fn is_plausible(until: Timestamp, longest: Duration, now: Timestamp) -> bool {
    until.since(now) <= longest.saturating_add(MOMENT)
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("active", &self.active)
            .field("refusals", &self.refusals.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
