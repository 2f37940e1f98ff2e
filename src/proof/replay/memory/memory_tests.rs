use std::collections::{HashMap, HashSet};
use std::sync::Barrier;
use std::thread;

use proptest::prelude::*;

use super::*;
use crate::keys::Thumbprint;
use crate::proof::replay::ClaimOutcome::{First, Replay};
use crate::proof::replay::ClaimResult;
use crate::proof::replay::ReplayStoreError::{Full, Unavailable};

const START: i64 = 1_700_000_000;
const HOUR: i64 = 3600;

/// A digest for each number.
fn digest(number: u64) -> [u8; 32] {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(number.to_le_bytes()).into()
}

fn at_millis(key: u64, client: u64, until: i64, now: i64) -> ProofUse {
    let times = (Timestamp::from_millis(now), Timestamp::from_millis(until));
    ProofUse::new(digest(key), Thumbprint::new(digest(client)), times, times.0)
}

/// Seconds count from the start.
fn at(key: u64, client: u64, until: i64, now: i64) -> ProofUse {
    at_millis(key, client, (START + until) * 1000, (START + now) * 1000)
}

fn claim(store: &MemoryReplayStore, proof: &ProofUse) -> ClaimResult {
    match store.claim(proof) {
        Claim::Done(result) => result,
        Claim::Pending(_) => unreachable!("it answers at once"),
    }
}

fn time(seconds: i64) -> SystemTime {
    Timestamp::from_seconds(START + seconds).to_system_time().unwrap()
}

fn small(bytes: usize) -> MemoryReplayStore {
    MemoryReplayStore::with_capacity_bytes(bytes).client_share(1.0)
}

/// Fills the store with live records and says how many it took.
fn fill(store: &MemoryReplayStore, until: i64) -> u64 {
    (0..).find(|key| claim(store, &at(*key, *key, until, 0)) == Err(Full)).unwrap()
}

#[test]
fn free_places_count_at_no_time() {
    let store = MemoryReplayStore::new();
    assert_eq!(claim(&store, &at(1, 1, 60, 0)), Ok(First));
    for seconds in [-HOUR, 0, 1] {
        let early = Timestamp::from_seconds(seconds).to_system_time().unwrap();
        assert_eq!(store.len(early), 1, "{seconds} after 1970");
    }
}

#[test]
fn a_record_counts_until_its_last_moment() {
    let store = MemoryReplayStore::new();
    let (until, now) = (START * 1000 + 500, START * 1000);
    assert_eq!(claim(&store, &at_millis(1, 1, until, now)), Ok(First));
    assert_eq!(claim(&store, &at_millis(1, 1, until, until)), Ok(Replay));
    assert_eq!(store.len(time(1)), 1, "rounded up to a whole second");
    assert_eq!(store.len(time(2)), 0);
    assert_eq!(claim(&store, &at(1, 1, 61, 2)), Ok(First), "the same jti, long after");
    assert_eq!(claim(&store, &at(1, 1, 61, 61)), Ok(Replay), "the boundary is included");
    assert_eq!(claim(&store, &at(2, 1, 61, 62)), Err(Unavailable), "nobody may ask that late");
}

#[test]
fn one_of_many_threads_is_the_first() {
    const THREADS: usize = 8;
    let store = MemoryReplayStore::new();
    let barrier = Barrier::new(THREADS);
    for key in 0..300 {
        let copy = || {
            barrier.wait();
            claim(&store, &at(key, 1, 60, 0))
        };
        let answers: Vec<_> = thread::scope(|scope| {
            let copies: Vec<_> = (0..THREADS).map(|_| scope.spawn(copy)).collect();
            copies.into_iter().map(|copy| copy.join().unwrap()).collect()
        });
        assert_eq!(answers.iter().filter(|answer| **answer == Ok(First)).count(), 1);
        assert_eq!(answers.iter().filter(|answer| **answer == Ok(Replay)).count(), THREADS - 1);
    }
}

#[test]
fn a_full_store_drops_nothing_that_lives() {
    for bytes in [0, 4 << 10, 10_000, 64 << 10, 1 << 20] {
        let store = small(bytes);
        let recorded = fill(&store, 60);
        assert!(recorded >= store.capacity() as u64, "{recorded} in {bytes} bytes");
        assert!(store.memory_bytes() <= bytes.max(SMALLEST_BYTES));
        assert_eq!(store.len(time(0)) as u64, recorded);
        for key in 0..recorded {
            assert_eq!(claim(&store, &at(key, key, 60, 60)), Ok(Replay));
        }
        assert_eq!(claim(&store, &at(1 << 40, 1, 121, 61)), Ok(First), "all have expired");
    }
}

#[test]
fn a_client_that_uses_up_its_share_harms_itself_only() {
    let store = MemoryReplayStore::with_capacity_bytes(1 << 20);
    let share = store.capacity() as u64 / 8;
    for key in 0..share {
        assert_eq!(claim(&store, &at(key, 1, 60, 0)), Ok(First));
    }
    assert_eq!(claim(&store, &at(share, 1, 60, 0)), Err(Full));
    assert_eq!(claim(&store, &at(0, 1, 60, 0)), Ok(Replay), "its records stay");

    let place = |client| store.asked(&at(0, client, 60, 0)).0.client;
    let others: Vec<_> = (2..).filter(|client| place(*client) != place(1)).take(1000).collect();
    for (client, key) in others.iter().zip(1 << 40..) {
        assert_eq!(claim(&store, &at(key, *client, 60, 0)), Ok(First));
    }
    for key in 0..share {
        assert_eq!(claim(&store, &at((2 << 40) + key, 1, 121, 61)), Ok(First), "a new share");
    }
    assert_eq!(claim(&store, &at(3 << 40, 1, 121, 61)), Err(Full));
}

#[test]
fn shares_are_read_as_documented() {
    for (fraction, allowed) in [(0.0, 1), (-1.0, 1), (f64::NAN, 1), (0.5, 40)] {
        let store = MemoryReplayStore::with_capacity_bytes(4 << 10);
        let capacity = store.capacity();
        let store = store.client_share(fraction);
        let allowed = if fraction == 0.5 { capacity as u64 / 2 } else { allowed };
        for key in 0..allowed {
            assert_eq!(claim(&store, &at(key, 1, 60, 0)), Ok(First));
        }
        assert_eq!(claim(&store, &at(allowed, 1, 60, 0)), Err(Full), "{fraction}");
    }
    let unbounded = MemoryReplayStore::with_capacity_bytes(4 << 10).client_share(f64::INFINITY);
    for key in 0..unbounded.capacity() as u64 {
        assert_eq!(claim(&unbounded, &at(key, 1, 60, 0)), Ok(First));
    }
}

#[test]
fn memory_goes_back_after_expiry_and_some_traffic() {
    let store = MemoryReplayStore::new();
    let at_rest = store.memory_bytes();
    assert!(at_rest <= 130 << 10, "{at_rest}");
    for key in 0..100_000 {
        assert_eq!(claim(&store, &at(key, key, 60, 0)), Ok(First));
    }
    assert!(store.memory_bytes() > at_rest + 100_000 * size_of::<Bucket>() / RECORDS);
    assert_eq!((store.len(time(60)), store.len(time(61))), (100_000, 0));
    assert!(store.is_empty(time(61)));
    // Its shards are looked after one at a time.
    for key in 0..2000 {
        assert_eq!(claim(&store, &at(1, 1, 200, 130)), Ok(if key == 0 { First } else { Replay }));
    }
    assert_eq!(store.len(time(130)), 1);
    assert_eq!(store.memory_bytes(), at_rest + 4 * size_of::<Bucket>());
    assert_eq!(store.shared.shares.total(), 1, "and every client has its share back");
}

#[test]
fn the_promised_rate_is_carried_on_and_on() {
    for bytes in [16 << 10, 1 << 20] {
        let store = MemoryReplayStore::with_capacity_bytes(bytes).client_share(1.0);
        let lifetime = 20;
        let rate = store.proofs_per_second(Duration::from_secs(20));
        assert!(rate > 0);
        for second in 0..100 {
            for key in 0..rate {
                let key = (u64::try_from(second).unwrap() << 32) + key;
                let proof = at(key, key % 7, second + lifetime, second);
                assert_eq!(claim(&store, &proof), Ok(First), "second {second}");
            }
        }
        assert_eq!(store.len(time(99)) as u64, rate * 21, "the boundary is included");
    }
}

#[test]
fn a_clock_that_jumps_lets_no_proof_in_twice() {
    let jumps = [0, HOUR, -HOUR, 2, -2];
    for first in jumps {
        for second in jumps {
            for third in jumps {
                let store = small(64 << 10);
                let mut recorded = HashSet::new();
                let mut now = 0;
                for (turn, jump) in [0, first, second, third, 0].into_iter().enumerate() {
                    now += jump;
                    // New proofs at that time, and all that could be accepted of those before.
                    let base = u64::try_from(turn).unwrap() * 1000;
                    let mut proofs: Vec<_> =
                        (base..base + 200).map(|key| (key, now + 60)).collect();
                    proofs.extend(recorded.iter().filter(|(_, until)| *until >= now));
                    for (key, until) in proofs {
                        let answer = claim(&store, &at(key, key, until, now));
                        let before = recorded.contains(&(key, until));
                        assert!(!(before && answer == Ok(First)), "{first} {second} {third}");
                        if answer == Ok(First) {
                            recorded.insert((key, until));
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_purged_record_cannot_be_judged_after_the_clock_went_back() {
    let store = MemoryReplayStore::with_capacity_bytes(4 << 10).client_share(1.0);
    let proof = |now| at(1, 1, 60, now);
    assert_eq!(claim(&store, &proof(0)), Ok(First));
    for key in 10..80 {
        let ahead = at(key, key, HOUR + 60, HOUR);
        assert_eq!(claim(&store, &ahead), Ok(First), "it drops what seems expired");
    }
    assert_eq!(store.len(time(0)), 70, "the record is gone");
    assert_eq!(claim(&store, &proof(0)), Err(Unavailable));
    assert_eq!(claim(&store, &at(2, 1, 60, 0)), Err(Unavailable), "nor any other that ends then");
    assert_eq!(claim(&store, &at(3, 1, 61, 0)), Ok(First), "later ones were never dropped");
    assert_eq!(claim(&store, &at(4, 1, 59, 0)), Ok(First), "nor earlier ones");
}

#[test]
fn times_beyond_all_bounds_do_not_panic() {
    let store = small(4 << 10);
    for until in [i64::MIN, -1, 0, 1, i64::MAX] {
        for now in [i64::MIN, -1, 0, 1, i64::MAX] {
            let answer = claim(&store, &at_millis(9, 9, until, now));
            assert_ne!(answer, Err(Full));
        }
    }
    assert_eq!(store.proofs_per_second(Duration::MAX), 0);
    assert_eq!(seconds(i64::MAX), u32::MAX);
}

#[test]
fn debug_shows_no_record() {
    let store = MemoryReplayStore::default();
    let before = format!("{store:?}");
    assert!(before.starts_with("MemoryReplayStore { capacity: "));
    assert!(before.ends_with(", .. }"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Claims in random order, with a clock that moves both ways, against a plain model.
    #[test]
    fn what_is_recorded_and_acceptable_is_never_the_first_again(
        steps in proptest::collection::vec((0..160u64, 0..40i64, -25..30i64), 1..400),
        lifetime in 1..40i64,
    ) {
        let store = MemoryReplayStore::with_capacity_bytes(4 << 10).client_share(0.5);
        let mut accepted = HashSet::new();
        let mut until_of = HashMap::new();
        let mut now = 0;
        for (key, ahead, moved) in steps {
            now += if moved > 20 { moved - 20 } else if moved < -20 { moved + 5 } else { 0 };
            let until = now + ahead % lifetime;
            let answer = claim(&store, &at(key, key % 5, until, now));
            // Once the clock is past a record, the record may go; the same proof must still not pass.
            until_of.retain(|_, until| *until >= now);
            let lives = until_of.contains_key(&key);
            if answer == Ok(First) {
                prop_assert!(!lives, "{key} is recorded");
                prop_assert!(accepted.insert((key, until)), "{key} was accepted before");
                until_of.insert(key, until);
            }
            prop_assert!(store.memory_bytes() <= 4 << 10);
        }
    }

    /// With a clock that never goes back, every answer is that of the model.
    #[test]
    fn with_a_steady_clock_the_store_is_the_model(
        steps in proptest::collection::vec((0..200u64, 0..30i64, 0..3i64), 1..600),
    ) {
        let store = small(16 << 10);
        let mut until_of = HashMap::<u64, i64>::new();
        let mut now = 0;
        for (key, ahead, passed) in steps {
            now += passed / 2;
            let recorded = until_of.get(&key).is_some_and(|until| *until >= now);
            let expected = if recorded { Replay } else { First };
            prop_assert_eq!(claim(&store, &at(key, key, now + ahead, now)), Ok(expected));
            if !recorded {
                until_of.insert(key, now + ahead);
            }
            let live = until_of.values().filter(|until| **until >= now).count();
            prop_assert_eq!(store.len(time(now)), live);
        }
    }
}
