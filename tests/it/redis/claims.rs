//! Replay stores of tests, what they are asked, and what they say.

use std::time::{Duration, SystemTime};

use tokio::time::{sleep, timeout};
use tower_resource_server::testing::proof_use;
use tower_resource_server::{
    Claim, ClaimOutcome, ClaimResult, ProofUse, RedisReplayStore, ReplayStore,
};

use super::server::RedisServer;
use crate::support::NOW;

/// A test that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A store with so much time that a slow machine fails no claim.
pub(crate) fn store(server: &RedisServer) -> RedisReplayStore {
    patient(&server.url())
}

pub(crate) fn patient(url: &str) -> RedisReplayStore {
    RedisReplayStore::new(url).expect("a URL").timeout(Duration::from_secs(30))
}

fn at(second: i64) -> SystemTime {
    let since_start = Duration::from_secs(second.unsigned_abs());
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    if second < 0 { start - since_start } else { start + since_start }
}

/// The use, at that second of the test, of a proof made then: acceptable from 30 seconds before
/// until 90 after.
pub(crate) fn fresh(number: u64, second: i64) -> ProofUse {
    made(number, second, second)
}

/// The use at a second `now` of a proof made at another.
pub(crate) fn made(number: u64, second: i64, now: i64) -> ProofUse {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    proof_use(key, [1; 32], at(second - 30)..=at(second + 90), at(now))
}

/// What the store says, without waiting for ever.
pub(crate) async fn claim(store: &impl ReplayStore, proof: &ProofUse) -> ClaimResult {
    match store.claim(proof) {
        Claim::Done(result) => result,
        Claim::Pending(answer) => timeout(PATIENCE, answer).await.expect("no hang"),
    }
}

/// Claims other proofs of that second until one is taken, as clients do after an outage.
pub(crate) async fn recovers(store: &impl ReplayStore, second: i64) {
    for attempt in 0..3000 {
        if claim(store, &fresh(1_000_000 + attempt, second)).await == Ok(ClaimOutcome::First) {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("the store does not come back: {store:?}");
}
