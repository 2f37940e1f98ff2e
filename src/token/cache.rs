//! Verified tokens, remembered by digest.
//!
//! An entry keeps the verdict on signature, audience and claim types for this one server. Time,
//! sender and the demand of the layer are judged anew for each request. The token itself is not
//! kept: whoever reads this memory finds claims, and nothing that could be sent.
//!
//! # What enters
//!
//! Only tokens with a good signature and the right audience. A stranger cannot fill the memory, nor
//! push out what is in it; someone with many good tokens can do the latter, which costs signature
//! checks and nothing else. The key is the SHA-256 of the token as it was sent, so a token that
//! differs in one bit is another token and verified in full.
//!
//! # What leaves
//!
//! An entry leaves when room is needed, when it is asked for and the key that verified it is no
//! longer in the issuer's set, and some time after its token has expired. To see whether the key is
//! still there costs a few atomic loads, as long as the set is fresh and unchanged.
//!
//! An expired token stays for a minute more, since clients are known to send them again: each is
//! refused by the clock, without a signature check. Then it is dropped with the room it took, as new
//! tokens come ([`expiring`](super::expiring)): nothing runs by itself, so a server that sees no new
//! token keeps what it has, within its bound. Should an expired token come after that, it is verified
//! once more, and stays for a minute again.

use std::fmt;
use std::hash::Hasher;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::Vouched;
use super::expiring::Expiring;
use crate::clock::Timestamp;
use crate::keys::KnownProofKey;

/// SHA-256 of a token as it was sent.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct Digest([u8; 32]);

impl Digest {
    pub(crate) fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// What stands for a token in place of its own digest.
    pub(super) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// What `ath` encodes (RFC 9449 §4.2).
    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A number to choose a place by: other bytes than those that are hashed.
    pub(super) const fn place(&self) -> usize {
        let [_, _, _, _, _, _, _, _, a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_ne_bytes([a, b, c, d, e, f, g, h]) as usize
    }
}

impl std::hash::Hash for Digest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        state.write_u64(u64::from_ne_bytes([a, b, c, d, e, f, g, h]));
    }
}

/// Takes eight bytes of a digest as they are. They are evenly spread, and only tokens with a good
/// signature are ever stored, so nobody else chooses them.
#[derive(Default)]
pub(crate) struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

const OVERHEAD: usize = 512;
/// An entry of common size.
const TYPICAL: u64 = OVERHEAD as u64 + 2 * 400;

/// What a bound token may come to hold besides: the header of its proofs, and the key in it, which
/// the backend has made ready (some 500 bytes with aws-lc-rs).
const PROOF_KEY: usize = KnownProofKey::LONGEST + 768;

/// About what an entry occupies.
fn weight(vouched: &Vouched) -> u32 {
    // The claims the crate reads are copies of parts of the payload.
    let proof_key = if vouched.claims.confirmation.is_some() { PROOF_KEY } else { 0 };
    u32::try_from(OVERHEAD + 2 * vouched.payload.len() + proof_key).unwrap_or(u32::MAX)
}

/// How long an expired token is known as such.
const KNOWN_EXPIRED: Duration = Duration::from_secs(60);

/// Verified tokens in about so many bytes; zero remembers none.
pub(crate) struct TokenCache(Option<Expiring<Arc<Vouched>>>);

impl TokenCache {
    pub(crate) fn new(bytes: u64) -> Self {
        Self((bytes > 0).then(|| Expiring::new(bytes, TYPICAL)))
    }

    pub(crate) fn get(&self, digest: &Digest) -> Option<Arc<Vouched>> {
        self.0.as_ref()?.get(digest)
    }

    /// Keeps a token until it has been expired for a while.
    pub(crate) fn insert(
        &self,
        digest: Digest,
        vouched: &Arc<Vouched>,
        leeway: Duration,
        now: Timestamp,
    ) {
        let ends = super::ends(&vouched.claims, leeway);
        let until = ends.map_or(Timestamp::MAX, |ends| ends.max(now).plus(KNOWN_EXPIRED));
        self.insert_until(until, digest, vouched, now);
    }

    /// Keeps what is worth nothing from then on.
    pub(super) fn insert_until(
        &self,
        until: Timestamp,
        digest: Digest,
        vouched: &Arc<Vouched>,
        now: Timestamp,
    ) {
        if let Some(entries) = &self.0 {
            entries.insert(digest, Arc::clone(vouched), weight(vouched), until, now);
        }
    }

    /// How many tokens there are, expired ones included.
    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, Expiring::len)
    }

    pub(crate) fn remove(&self, digest: &Digest) {
        if let Some(entries) = &self.0 {
            entries.remove(digest);
        }
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "cache_tests.rs"]
pub(super) mod tests;
