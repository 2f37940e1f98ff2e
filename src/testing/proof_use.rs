//! Uses of proofs, for tests of stores.

use std::ops::RangeInclusive;
use std::time::SystemTime;

use crate::keys::Thumbprint;
use crate::proof::replay::ProofUse;

/// A [`ProofUse`] as the layers hand it to a store, for tests of a
/// [`ReplayStore`](crate::ReplayStore) of one's own.
///
/// `key` tells it from other uses, `client` is the thumbprint of the client's key, `acceptable` is
/// the time in which the proof could be accepted, and `now` is what the server's clock shows. Times
/// have the precision of a millisecond.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_resource_server::testing::proof_use;
///
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
/// let acceptable = now - Duration::from_secs(30)..=now + Duration::from_secs(90);
/// let used = proof_use([1; 32], [2; 32], acceptable, now);
/// assert_eq!(used.remaining(), Duration::from_secs(90));
/// ```
#[must_use]
pub fn proof_use(
    key: [u8; 32],
    client: [u8; 32],
    acceptable: RangeInclusive<SystemTime>,
    now: SystemTime,
) -> ProofUse {
    let (from, until) = acceptable.into_inner();
    ProofUse::new(key, Thumbprint::new(client), (from.into(), until.into()), now.into())
}
