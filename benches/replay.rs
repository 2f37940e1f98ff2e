//! The replay store in memory: time and bytes for each record, pauses, threads, copies.
//!
//! Plain timing, since a steady state takes as many claims as there are live records. Time is
//! simulated: so many claims are spread evenly over the life of a record, so that for each record
//! that is made one expires.

use std::hint::black_box;
use std::mem::size_of;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tower_resource_server::testing::proof_use;
use tower_resource_server::{Claim, ClaimOutcome, MemoryReplayStore, ProofUse, ReplayStore};

const LIFETIME: Duration = Duration::from_secs(150);
const CLIENTS: u64 = 10_000;
const BATCH: u64 = 1024;

fn main() {
    println!("one thread, steady state");
    for live in [1_000, 100_000, 1_000_000, 10_000_000] {
        one_thread(live);
    }
    println!("threads, a million live records");
    let one = threads(1);
    let two = threads(2);
    println!("  two threads claim {:.2} times as much as one", two / one);
    println!("copies of one proof at once");
    copies(8, 20_000);
}

/// Proofs that are all different, at a pace that keeps so many of them live.
struct Proofs {
    next: u64,
    step: u64,
    live: u64,
}

impl Proofs {
    fn now(&self) -> SystemTime {
        let millis = u128::from(self.next) * LIFETIME.as_millis() / u128::from(self.live);
        let start = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        start + Duration::from_millis(u64::try_from(millis).expect("not that many"))
    }

    fn next(&mut self) -> ProofUse {
        let now = self.now();
        let number = self.next;
        self.next += self.step;
        proof_use(digest(number << 20), digest(number % CLIENTS), now..=now + LIFETIME, now)
    }

    fn batch(&mut self, count: u64) -> Vec<ProofUse> {
        (0..count).map(|_| self.next()).collect()
    }
}

/// As evenly spread as a digest (splitmix64).
fn digest(seed: u64) -> [u8; 32] {
    let mut state = seed;
    let mut digest = [0; 32];
    for word in digest.chunks_exact_mut(8) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
    }
    digest
}

fn expect_first(store: &MemoryReplayStore, proof: &ProofUse) {
    let claim = store.claim(black_box(proof));
    assert!(matches!(claim, Claim::Done(Ok(ClaimOutcome::First))), "{claim:?}");
}

/// A store with room for so many live records, and that many in it.
fn filled(live: u64) -> (MemoryReplayStore, Proofs) {
    let bytes = usize::try_from(live).expect("few enough") * 40 + (1 << 20);
    let store = MemoryReplayStore::with_capacity_bytes(bytes);
    let mut proofs = Proofs { next: 0, step: 1, live };
    for _ in 0..live {
        expect_first(&store, &proofs.next());
    }
    (store, proofs)
}

fn one_thread(live: u64) {
    let (store, mut proofs) = filled(live);
    let total = live.clamp(4_000_000, 12_000_000);
    let mut times = Vec::new();
    for _ in 0..total / BATCH {
        let batch = proofs.batch(BATCH);
        let start = Instant::now();
        batch.iter().for_each(|proof| expect_first(&store, proof));
        times.push(start.elapsed().as_nanos() as f64 / BATCH as f64);
    }
    let each = times.iter().sum::<f64>() / times.len() as f64;
    times.sort_unstable_by(f64::total_cmp);
    let median = times[times.len() / 2];
    println!(
        "             {:5.1} ns for one read anywhere in as much memory",
        read(store.memory_bytes())
    );
    let counted = store.len(proofs.now());
    let bytes = store.memory_bytes() as f64 / counted as f64;
    println!("  {live:>10} live: {each:5.1} ns on average, {median:5.1} ns in the median batch");
    println!("             {:.2} million a second", 1000.0 / each);
    println!("             {counted} counted, {bytes:.1} bytes each");
    one_by_one(&store, &mut proofs);
}

/// The median time of one read that must wait for the one before, anywhere in so much memory: no
/// claim can be faster than that.
fn read(bytes: usize) -> f64 {
    let mut memory = vec![0_u64; bytes / size_of::<u64>()];
    for (index, word) in memory.iter_mut().enumerate() {
        let [a, b, ..] = digest(index as u64);
        *word = u64::from(a ^ b) | 1 << 63;
    }
    let mut state = 1;
    let mut times: Vec<_> = (0..1000)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..BATCH {
                // What was read decides where the next read goes.
                let at = (u128::from(state) * memory.len() as u128) >> 64;
                state = (state ^ memory[at as usize]).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                state ^= state >> 29;
            }
            start.elapsed().as_nanos() as f64 / BATCH as f64
        })
        .collect();
    black_box(state);
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Claims timed one by one, which costs some 20 ns more.
fn one_by_one(store: &MemoryReplayStore, proofs: &mut Proofs) {
    let mut times = Vec::with_capacity(4_000_000);
    while times.len() < times.capacity() {
        for proof in proofs.batch(BATCH) {
            let start = Instant::now();
            expect_first(store, &proof);
            times.push(start.elapsed());
        }
    }
    times.sort_unstable();
    let at = |share: f64| times[(times.len() as f64 * share) as usize];
    println!(
        "             one claim: median {:?}, 99.99 % within {:?}, worst {:?}",
        at(0.5),
        at(0.9999),
        times[times.len() - 1]
    );
}

/// Claims a second of so many threads together. They take turns in making proofs.
fn threads(count: u64) -> f64 {
    const EACH: u64 = 4_000_000;
    let (store, proofs) = filled(1_000_000);
    let start = Barrier::new(usize::try_from(count).expect("few"));
    let rate = |thread: u64| {
        let mut proofs = Proofs { next: proofs.next + thread, step: count, live: proofs.live };
        let mut spent = Duration::ZERO;
        for _ in 0..EACH / BATCH {
            let batch = proofs.batch(BATCH);
            start.wait();
            let begin = Instant::now();
            batch.iter().for_each(|proof| expect_first(&store, proof));
            spent += begin.elapsed();
        }
        (EACH / BATCH * BATCH) as f64 / spent.as_secs_f64()
    };
    let total = thread::scope(|scope| {
        let rate = &rate;
        let running: Vec<_> = (0..count).map(|first| scope.spawn(move || rate(first))).collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).sum::<f64>()
    });
    println!("  {count} threads: {:6.2} million a second", total / 1e6);
    total
}

fn copies(count: usize, rounds: u64) {
    let store = MemoryReplayStore::new();
    let mut proofs = Proofs { next: 0, step: 1, live: 1_000_000 };
    let barrier = Barrier::new(count);
    let proofs = proofs.batch(rounds);
    let firsts: usize = thread::scope(|scope| {
        let copier = || {
            let claims = proofs.iter().map(|proof| {
                barrier.wait();
                store.claim(proof)
            });
            claims.filter(|claim| matches!(claim, Claim::Done(Ok(ClaimOutcome::First)))).count()
        };
        let running: Vec<_> = (0..count).map(|_| scope.spawn(copier)).collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    println!("  {rounds} proofs, {count} threads: {firsts} times the first");
    assert_eq!(firsts as u64, rounds);
}
