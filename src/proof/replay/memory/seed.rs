//! Where records and clients have their places, which nobody outside can foretell.

use std::hash::{BuildHasher, RandomState};

use crate::keys::Thumbprint;

/// The first half of [`ProofUse::key`](crate::ProofUse::key). Two uses that share it would take
/// 2⁶⁴ attempts to find, and whoever found them could have one of his own proofs refused.
pub(super) type Fingerprint = [u64; 2];

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

    /// The place of a record. Both halves are spread evenly, each by itself.
    pub(super) fn place(&self, [a, b]: Fingerprint) -> u64 {
        let Self([first, second, ..]) = self;
        fold(a ^ first, b ^ second)
    }

    /// The place of a client.
    pub(super) fn client(&self, client: &Thumbprint) -> u64 {
        let Self([first, second, third, fourth]) = self;
        let [a, b, c, d] = words(client.as_bytes());
        fold(fold(a ^ first, b ^ second) ^ third, fold(c ^ third, d ^ fourth) ^ fourth)
    }
}

/// Scales a number from all of `u32` down to one below `count`.
pub(super) fn scale(number: u32, count: usize) -> usize {
    let scaled = (u128::from(number) * count as u128) >> 32;
    usize::try_from(scaled).unwrap_or(0)
}

pub(super) fn fingerprint(key: &[u8; 32]) -> Fingerprint {
    let [a, b, ..] = words(key);
    [a, b]
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
