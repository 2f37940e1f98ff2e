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
//! An entry leaves when room is needed, or when it is asked for and the key that verified it is no
//! longer in the issuer's set. Nothing sweeps: an expired entry is refused at each use, by the
//! clock, until it is pushed out. To see whether the key is still there costs a few atomic loads,
//! as long as the set is fresh and unchanged.

use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use quick_cache::sync::Cache;
use sha2::{Digest as _, Sha256};

use super::Vouched;
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

/// Counts an entry at about what it occupies.
#[derive(Clone)]
pub(crate) struct Bytes;

const OVERHEAD: u64 = 512;

/// What a bound token may come to hold besides: the header of its proofs, and the key in it, which
/// the backend has made ready (some 500 bytes with aws-lc-rs).
const PROOF_KEY: u64 = KnownProofKey::LONGEST as u64 + 768;

impl quick_cache::Weighter<Digest, Arc<Vouched>> for Bytes {
    fn weight(&self, _: &Digest, vouched: &Arc<Vouched>) -> u64 {
        // The claims the crate reads are copies of parts of the payload.
        let proof_key = if vouched.claims.confirmation.is_some() { PROOF_KEY } else { 0 };
        OVERHEAD + 2 * vouched.payload.len() as u64 + proof_key
    }
}

type Entries = Cache<Digest, Arc<Vouched>, Bytes, BuildHasherDefault<DigestHasher>>;

/// Verified tokens in about so many bytes; zero remembers none.
pub(crate) struct TokenCache(Option<Entries>);

impl TokenCache {
    pub(crate) fn new(bytes: u64) -> Self {
        let typical = OVERHEAD + 2 * 400;
        let entries = usize::try_from(bytes / typical).unwrap_or(usize::MAX).max(1);
        let hasher = BuildHasherDefault::default();
        Self((bytes > 0).then(|| Cache::with(entries, bytes, Bytes, hasher, Default::default())))
    }

    pub(crate) fn get(&self, digest: &Digest) -> Option<Arc<Vouched>> {
        self.0.as_ref()?.get(digest)
    }

    pub(crate) fn insert(&self, digest: Digest, vouched: &Arc<Vouched>) {
        if let Some(entries) = &self.0 {
            entries.insert(digest, Arc::clone(vouched));
        }
    }

    pub(crate) fn remove(&self, digest: &Digest) {
        if let Some(entries) = &self.0 {
            entries.remove(digest);
        }
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.0.as_ref().map_or(0, Cache::len);
        f.debug_struct("TokenCache").field("len", &length).finish_non_exhaustive()
    }
}
