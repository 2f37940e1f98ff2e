//! Whether a proof was used before (RFC 9449 §11.1).
//!
//! A proof is good for a minute or two, and whoever reads it on the way could send it once more in
//! that time. So each use is recorded, for exactly as long as the proof could be accepted, and a
//! second use is refused. The record is made last, when everything else about the request's
//! credentials is right: strangers cannot write to the store.

mod memory;
#[cfg(feature = "redis")]
pub(crate) mod redis;

use std::fmt::{self, Debug};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::clock::Timestamp;
use crate::keys::Thumbprint;

pub use self::memory::MemoryReplayStore;

/// One use of a proof, as a [`ReplayStore`] records it.
///
/// It is made after the proof, the token and the binding between them were found right.
#[derive(Clone)]
pub struct ProofUse {
    key: [u8; 32],
    client: Thumbprint,
    from: Timestamp,
    until: Timestamp,
    now: Timestamp,
}

impl ProofUse {
    pub(crate) const fn new(
        key: [u8; 32],
        client: Thumbprint,
        (from, until): (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Self {
        Self { key, client, from, until, now }
    }

    /// What tells this use from others: a SHA-256 over the client's key, the normalized `htu` and
    /// `jti`.
    ///
    /// Neither the bytes of the proof nor its signature are part of it, since both can be changed
    /// without the client's key (RFC 9449 §11.1, and ECDSA signatures come in pairs).
    #[must_use]
    pub const fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// The key the proof was made with.
    ///
    /// A store that bounds what one client can record goes by it.
    #[must_use]
    pub const fn client(&self) -> &Thumbprint {
        &self.client
    }

    /// From when on the proof could be accepted: it was not used before.
    #[must_use]
    pub fn acceptable_from(&self) -> SystemTime {
        self.from.to_system_time().unwrap_or(UNIX_EPOCH)
    }

    /// Until when the proof could be accepted, that moment included. The record must be kept until
    /// then, and not longer.
    #[must_use]
    pub fn acceptable_until(&self) -> SystemTime {
        self.until.to_system_time().unwrap_or(UNIX_EPOCH)
    }

    /// The time by the server's [`Clock`](crate::Clock).
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.now.to_system_time().unwrap_or(UNIX_EPOCH)
    }

    /// How much longer the proof could be accepted.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.until.since(self.now)
    }

    /// It is put to a store at that time. `false` when the proof cannot be accepted then: while it
    /// was waited for keys, its time may have passed.
    #[must_use]
    pub(crate) fn move_to(&mut self, now: Timestamp) -> bool {
        self.now = now;
        self.from <= now && now <= self.until
    }

    pub(crate) const fn millis(&self) -> (i64, i64, i64) {
        (self.from.millis(), self.until.millis(), self.now.millis())
    }
}

impl Debug for ProofUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofUse").field("remaining", &self.remaining()).finish_non_exhaustive()
    }
}

/// What a store says to a proof.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(clippy::exhaustive_enums, reason = "there is no third answer")]
pub enum ClaimOutcome {
    /// It was not recorded before, and now it is.
    First,
    /// It was recorded before: the request is refused.
    Replay,
}

/// Why a store cannot say. The fault is not the client's, so the answer is a 503.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ReplayStoreError {
    /// There is no room, for this client or for anyone.
    Full,
    /// The store cannot be reached, or cannot tell what was recorded.
    Unavailable,
}

impl fmt::Display for ReplayStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the replay store has no room",
            Self::Unavailable => "the replay store cannot say whether the proof was used",
        })
    }
}

impl std::error::Error for ReplayStoreError {}

/// What a [`ReplayStore`] answers in the end.
pub type ClaimResult = Result<ClaimOutcome, ReplayStoreError>;

/// The answer of a [`ReplayStore`], at once or later.
#[allow(clippy::exhaustive_enums, reason = "stores make it, and there is no third way")]
pub enum Claim {
    /// At once, as a store in memory answers; nothing is boxed.
    Done(ClaimResult),
    /// Later. The store bounds the time it takes.
    Pending(Pin<Box<dyn Future<Output = ClaimResult> + Send>>),
}

impl Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(result) => f.debug_tuple("Done").field(result).finish(),
            Self::Pending(_) => f.write_str("Pending"),
        }
    }
}

/// Remembers which proofs were used.
///
/// # What a wrong answer costs
///
/// | it answers | although | then |
/// |---|---|---|
/// | [`First`](ClaimOutcome::First) | the proof was used | whoever copied a proof on its way can use it a second time, within its lifetime and for the same method and URI |
/// | [`Replay`](ClaimOutcome::Replay) | it was not | an honest client is refused once; it makes a new proof and tries again |
/// | [`ReplayStoreError`] | it could know | an honest client is told to try later (503) |
/// | nothing | | the client waits until it gives up |
///
/// So when in doubt, a store fails; and it is the one to bound how long an answer takes.
///
/// # What is asked of it
///
/// - Recording and looking up are one step: of many copies at once, exactly one gets `First`, on
///   all machines together that share the store.
/// - A record stays until [`acceptable_until`](ProofUse::acceptable_until), then it goes.
/// - What it may hold is bounded, and a live record is never dropped to make room.
/// - It does not panic, and does not block.
pub trait ReplayStore: Debug + Send + Sync + 'static {
    /// Records the use of a proof, unless it is recorded already.
    fn claim(&self, proof: &ProofUse) -> Claim;
}

/// One store for several servers, or for a server and those who watch the store.
impl<S: ReplayStore + ?Sized> ReplayStore for Arc<S> {
    fn claim(&self, proof: &ProofUse) -> Claim {
        (**self).claim(proof)
    }
}
