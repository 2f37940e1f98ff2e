//! The replay store in memory.
//!
//! # How it is made
//!
//! Records lie in many small tables, each behind a lock of its own. No table grows beyond some
//! 64 KiB, so that whatever moves or drops records moves few of them: there are no pauses. A new
//! record takes the place of an expired one where it finds one. What has expired is dropped from a
//! table when the table is full, and once a minute in any case, a few tables with each claim, so
//! that memory goes back. There is no thread and no timer.
//!
//! A record takes 16 bytes: a keyed digest of what names the use, the second it ends in, and whom it
//! counts for. Four share a bucket, which is one line of the processor's cache. With many records
//! the time of a claim is that of bringing one line from memory, so nearly all claims read one: a
//! record is in another bucket than its own only where its own was full when it came, and each
//! bucket knows until when that may be so. Some half of the places are used, and a live record costs
//! some 30 bytes.

mod bucket;
mod room;
mod round;
mod seed;
mod shard;
mod share;
mod table;

use std::fmt;
use std::mem::size_of;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, SystemTime};

use self::bucket::{Bucket, RECORDS};
use self::room::Room;
use self::round::Round;
use self::seed::{Seed, scale};
use self::shard::{Asked, Shard};
use self::share::Shares;
use super::{Claim, ProofUse, ReplayStore};
use crate::clock::Timestamp;

const DEFAULT_BYTES: usize = 64 << 20;
const SMALLEST_BYTES: usize = 4 << 10;
const TABLE_BYTES: usize = 64 << 10;
/// A bound of more than 4 GiB makes the tables larger instead of more.
const MOST_SHARDS: usize = 1 << 16;
const MOST_CLIENT_PLACES: usize = 1 << 14;
/// How many shards a claim looks after at most; it stops at the first that had something to drop.
const VISITS: usize = 64;

/// Remembers used proofs in memory: the store of one process.
///
/// # What it guarantees
///
/// - Of many copies of a proof at once, exactly one is the [first](crate::ClaimOutcome::First).
/// - A record stays until the proof cannot be accepted any more, rounded up to a whole second. No
///   live record is ever dropped to make room.
/// - Its tables never take more bytes than its bound. When live records fill it, it fails
///   ([`Full`](crate::ReplayStoreError::Full)), and the request is answered with 503.
/// - One client, which is one key, has a share of it. A client that uses up its share is told that
///   the store is full, and nobody else is.
/// - It never blocks for long: locks are held for the time of one lookup or, now and then, for
///   moving some thousand records.
///
/// # What it does not
///
/// - Other processes do not see its records, and it is empty after a restart: a proof that was used
///   before can be used once more, within its lifetime. Servers that share the work need a store
///   that they share.
/// - Many clients together can fill it. Each needs a token of its own that is bound to its key.
///
/// # Defaults
///
/// - 64 MiB, of which an empty store takes 128 KiB; see [`with_capacity_bytes`](Self::with_capacity_bytes).
/// - One eighth of the capacity for each client; see [`client_share`](Self::client_share).
///
/// # When the clock jumps
///
/// It goes by the server's [`Clock`](crate::Clock). Records that seem expired when it jumps ahead
/// are dropped. Should it jump back, the store cannot tell whether a proof that ends in the time of
/// dropped records was used: until that time has passed it answers
/// [`Unavailable`](crate::ReplayStoreError::Unavailable) to such proofs, and accepts none of them.
/// A proof is known by its key and by when it ends, which its signature covers; a *different* proof
/// in which the client uses its `jti` again may pass after such a jump.
///
/// # Sharing it
///
/// A store is shared as `Arc<MemoryReplayStore>`, which is a [`ReplayStore`] too: give one clone to
/// the server and keep the other to watch it.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use tower_resource_server::MemoryReplayStore;
///
/// let store = Arc::new(MemoryReplayStore::with_capacity_bytes(256 << 20).client_share(0.02));
///
/// // Proofs are good from 30 s before until 120 s after the time they tell.
/// assert!(store.proofs_per_second(Duration::from_secs(150)) > 40_000);
/// assert!(store.memory_bytes() < 1 << 20, "it takes what it needs");
/// ```
pub struct MemoryReplayStore {
    shards: Box<[Line]>,
    shared: Shared,
    round: Round,
}

/// Shards that different threads lock do not lie on the same line of the processor's cache.
#[derive(Default)]
#[repr(align(64))]
struct Line(Mutex<Shard>);

/// What all shards need of the store.
struct Shared {
    seed: Seed,
    room: Room,
    shares: Shares,
}

impl MemoryReplayStore {
    /// A store of 64 MiB.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity_bytes(DEFAULT_BYTES)
    }

    /// A store that takes so many bytes at most; less than 4 KiB count as 4 KiB.
    ///
    /// They are allocated when they are needed and given back when records expire, within a minute
    /// or two of traffic, except for a fixed part (128 KiB of the default 64 MiB). While a table is made anew, which happens to one table for each
    /// thread at most, its copy of some 64 KiB comes on top.
    ///
    /// [`capacity`](Self::capacity) and [`proofs_per_second`](Self::proofs_per_second) tell what a
    /// bound is good for.
    #[must_use]
    pub fn with_capacity_bytes(bytes: usize) -> Self {
        let bytes = bytes.max(SMALLEST_BYTES) - size_of::<Self>();
        let places = (bytes / 64).min(MOST_CLIENT_PLACES);
        let bytes = bytes.saturating_sub(places * size_of::<u32>());
        let shards = (bytes / (TABLE_BYTES + size_of::<Line>())).clamp(1, MOST_SHARDS);
        let buckets = bytes.saturating_sub(shards * size_of::<Line>()) / size_of::<Bucket>();
        let shared = Shared {
            seed: Seed::random(),
            room: Room::new(buckets),
            shares: Shares::new(places, u32::MAX),
        };
        let shards = (0..shards).map(|_| Line::default()).collect();
        Self { shards, shared, round: Round::default() }.client_share(0.125)
    }

    /// How much of the [capacity](Self::capacity) one client's records may take: from 0, which
    /// still lets each client have one, to 1, which bounds nobody. The default is 0.125.
    ///
    /// Other numbers count as the nearer of the two, and `NaN` as 0.
    ///
    /// A client is the key that proofs are made with. Records are counted in 16,384 places (fewer,
    /// where the bound is below 1 MiB), and two clients have the same place, and share one share,
    /// by chance only. Before a client is refused, expired records are dropped from the table that its
    /// proof belongs to; those in other tables count until they are dropped there.
    #[must_use]
    pub fn client_share(mut self, fraction: f64) -> Self {
        // `as` saturates, and takes `NaN` for zero.
        let share = (self.capacity() as f64 * fraction) as u32;
        self.shared.shares.set_limit(if fraction >= 1.0 { u32::MAX } else { share.max(1) });
        self
    }

    /// How many live records it has room for, at least.
    ///
    /// Tables are filled to between a half and three quarters; this counts seven sixteenths.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.shared.room.buckets() * RECORDS / 16 * 7
    }

    /// How many proofs a second it carries, on and on, when each could be accepted for that long
    /// after its use, at most.
    ///
    /// By default proofs are accepted for 150 seconds. Where one client makes most of the proofs,
    /// its [share](Self::client_share) of this is what it can do.
    #[must_use]
    pub fn proofs_per_second(&self, lifetime: Duration) -> u64 {
        // Whole seconds: a record may stay for almost one second more.
        (self.capacity() as f64 / (lifetime.as_secs_f64() + 1.0)) as u64
    }

    /// How many live records it has at that time.
    ///
    /// It counts them one by one, so do not ask with every request; other threads go on meanwhile.
    #[must_use]
    pub fn len(&self, now: SystemTime) -> usize {
        // A free place counts until second zero.
        let now = seconds(Timestamp::from(now).millis()).max(1);
        self.shards.iter().map(|shard| enter(shard).live(now)).sum()
    }

    /// Whether it has no live record at that time.
    #[must_use]
    pub fn is_empty(&self, now: SystemTime) -> bool {
        self.len(now) == 0
    }

    /// The bytes it takes now, free places and records that are not dropped yet included; never more
    /// than its bound.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + self.shards.len() * size_of::<Line>()
            + self.shared.shares.places() * size_of::<u32>()
            + self.shared.room.taken() * size_of::<Bucket>()
    }

    fn asked(&self, proof: &ProofUse) -> (Asked, usize) {
        let (_, until, now) = proof.millis();
        let fingerprint = self.shared.seed.fingerprint(proof.key());
        let client = self.shared.seed.client(proof.client());
        let asked = Asked {
            fingerprint,
            client: scale(client, self.shared.shares.places()) as u16,
            until: seconds(until).max(1),
            // Zero is the mark of a free place.
            now: seconds(now).max(1),
        };
        (asked, seed::table(fingerprint, self.shards.len()))
    }

    /// Looks after shards whose turn it is, until one of them had something to drop.
    fn tidy(&self, now_millis: i64) {
        let millis = u64::try_from(now_millis).unwrap_or(0);
        for _ in 0..VISITS {
            let Some(turn) = self.round.next(millis, self.shards.len() as u64) else { return };
            let shard = usize::try_from(turn).ok().and_then(|turn| self.shards.get(turn));
            let Some(mut shard) = shard.and_then(try_enter) else { continue };
            if shard.tidy(seconds(now_millis), &self.shared) {
                return;
            }
        }
    }
}

impl Default for MemoryReplayStore {
    fn default() -> Self {
        Self::new()
    }
}

impl ReplayStore for MemoryReplayStore {
    fn claim(&self, proof: &ProofUse) -> Claim {
        let (asked, shard) = self.asked(proof);
        let Some(shard) = self.shards.get(shard) else {
            return Claim::Done(Err(super::ReplayStoreError::Unavailable));
        };
        let result = enter(shard).claim(&asked, &self.shared);
        self.tidy(proof.millis().2);
        Claim::Done(result)
    }
}

impl fmt::Debug for MemoryReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReplayStore")
            .field("capacity", &self.capacity())
            .field("memory_bytes", &self.memory_bytes())
            .finish_non_exhaustive()
    }
}

/// Nothing panics while it holds a lock, so that none is poisoned.
fn enter(line: &Line) -> MutexGuard<'_, Shard> {
    line.0.lock().unwrap_or_else(PoisonError::into_inner)
}

fn try_enter(line: &Line) -> Option<MutexGuard<'_, Shard>> {
    match line.0.try_lock() {
        Ok(shard) => Some(shard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Whole seconds of Unix time, rounded up. In the year 2106 time stops here: nothing expires any
/// more, and the store fills up and fails.
fn seconds(millis: i64) -> u32 {
    let millis = u64::try_from(millis).unwrap_or(0);
    u32::try_from(millis.saturating_add(999) / 1000).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
