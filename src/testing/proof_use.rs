//! Uses of proofs that were never made, for tests of stores.

use std::ops::RangeInclusive;
use std::time::SystemTime;

use crate::clock::Timestamp;
use crate::keys::Thumbprint;
use crate::proof::replay::ProofUse;

/// The use of a proof, for testing a [`ReplayStore`](crate::ReplayStore) of one's own.
///
/// `key` tells one use from others and `client` is the thumbprint of the client's key, both as
/// SHA-256 digests; the proof could be accepted in the time `acceptable`, both ends included, and
/// `now` is the server's time. Times are rounded down to the millisecond. Nothing is checked: `now`
/// may lie outside, as it never does when a server asks.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use tower_resource_server::testing::proof_use;
/// use tower_resource_server::{Claim, ClaimOutcome, MemoryReplayStore, ReplayStore};
///
/// let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
/// let minute = Duration::from_secs(60);
/// let proof = proof_use([1; 32], [2; 32], now - minute..=now + minute, now);
/// assert_eq!(proof.remaining(), minute);
///
/// let store = MemoryReplayStore::new();
/// assert!(matches!(store.claim(&proof), Claim::Done(Ok(ClaimOutcome::First))));
/// assert!(matches!(store.claim(&proof), Claim::Done(Ok(ClaimOutcome::Replay))));
/// assert_eq!((store.len(now), store.len(now + 2 * minute)), (1, 0));
/// ```
#[must_use]
pub fn proof_use(
    key: [u8; 32],
    client: [u8; 32],
    acceptable: RangeInclusive<SystemTime>,
    now: SystemTime,
) -> ProofUse {
    let (from, until) = acceptable.into_inner();
    ProofUse::new(key, Thumbprint::new(client), (from.into(), until.into()), Timestamp::from(now))
}
