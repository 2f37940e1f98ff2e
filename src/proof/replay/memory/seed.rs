//! Where records and clients have their places, which nobody outside can foretell.

use std::hash::{BuildHasher, RandomState};

use crate::keys::Thumbprint;

/// What is kept of [`ProofUse::key`](crate::ProofUse::key): a digest of it under the store's secret.
///
/// Two uses that share it would make one of them a replay that is none, which happens to one proof
/// in some 10¹² among ten million. Without the secret nobody can look for such a pair.
pub(super) type Fingerprint = u64;

/// A secret of one store.
///
/// A client chooses its `jti` and its key, and could try until the digests are those it wants.
/// Without the secret it could pile its records up in one place, where each lookup would walk over
/// all of them, or make another client share its share.
pub(super) struct Seed([u64; 4]);

impl Seed {
    pub(super) fn random() -> Self {
        let state = RandomState::new();
        Self([0, 1, 2, 3].map(|index: u64| state.hash_one(index)))
    }

    /// The fingerprint of a use. Both its halves are spread evenly, each by itself: one is the
    /// place in a table, the other says which table.
    pub(super) fn fingerprint(&self, key: &[u8; 32]) -> Fingerprint {
        let Self([first, second, third, fourth]) = self;
        let [a, b, c, d] = words(key);
        fold(fold(a ^ first, b ^ second) ^ third, fold(c ^ third, d ^ fourth) ^ fourth)
    }

    /// The place of a client.
    pub(super) fn client(&self, client: &Thumbprint) -> u32 {
        (self.fingerprint(client.as_bytes()) >> 32) as u32
    }
}

/// Scales a number from all of `u32` down to one below `count`.
pub(super) fn scale(number: u32, count: usize) -> usize {
    ((u128::from(number) * count as u128) >> 32) as usize
}

/// Where a record is at home, in a table of any size.
pub(super) const fn place(fingerprint: Fingerprint) -> u32 {
    fingerprint as u32
}

/// Which table a record is in.
pub(super) fn table(fingerprint: Fingerprint, count: usize) -> usize {
    scale((fingerprint >> 32) as u32, count)
}

fn words(bytes: &[u8; 32]) -> [u64; 4] {
    let (words, _) = bytes.as_chunks::<8>();
    [0, 1, 2, 3].map(|index: usize| words.get(index).map_or(0, |word| u64::from_le_bytes(*word)))
}

/// Every bit of both factors has its part in every bit of the result.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product >> 64) as u64 ^ product as u64
}
