//! The replay store in memory: time of a claim and bytes of a record, by live records.
//!
//! Time is simulated: so many claims are spread evenly over the life of a record, so that for each
//! record that is made one expires.

use std::hint::black_box;
use std::mem::size_of;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tower_resource_server::testing::proof_use;
use tower_resource_server::{Claim, ClaimOutcome, MemoryReplayStore, ProofUse, ReplayStore};

use crate::figure::{Axis, Figure, Limit, Panel, Series};
use crate::plan::Plan;
use crate::support::measure::in_turn;
use crate::support::spread;

const LIFETIME: Duration = Duration::from_secs(150);
const CLIENTS: u64 = 10_000;
const BATCH: usize = 1024;

pub(crate) fn figure(plan: &Plan) -> Figure {
    let mut median = Series::new("a claim, median batch");
    let mut mean = Series::new("a claim, mean of all");
    let mut read = Series::reference("one read anywhere in as much memory");
    let mut bytes = Series::new("bytes a record");
    for live in plan.powers(3, 7, 6) {
        let (store, mut proofs) = filled(live);
        let rounds = plan.pick(live + live / 5, live).max(1 << 21) / BATCH;
        let times = measure(&store, &mut proofs, rounds);
        median.push(live, times.median);
        mean.push(live, times.mean);
        read.push(live, times.read);
        bytes.push(live, store.memory_bytes() as f64 / store.len(proofs.now()) as f64);
    }
    let live = || Axis::logarithmic("live records");
    let mut time = Panel::new(live(), Axis::linear("ns a claim"));
    time.series = vec![median, mean, read];
    time.limits = vec![Limit::most("budget, 150 ns", 150.0)];
    let mut space = Panel::new(live(), Axis::linear("bytes a record"));
    space.series = vec![bytes];
    space.limits = vec![Limit::most("budget, 40 at 10,000,000", 40.0)];
    let note = "In the steady state: for each record made, one expires. 10,000 clients.";
    let title = "The replay store in memory, by live records";
    Figure { title, note: note.to_owned(), panels: vec![time, space] }
}

/// Proofs that are all different, at a pace that keeps so many of them live.
pub(crate) struct Proofs {
    pub(crate) next: u64,
    pub(crate) live: u64,
}

impl Proofs {
    fn now(&self) -> SystemTime {
        let millis = u128::from(self.next) * LIFETIME.as_millis() / u128::from(self.live);
        let start = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        start + Duration::from_millis(u64::try_from(millis).expect("not that many"))
    }

    pub(crate) fn make(&mut self) -> ProofUse {
        let now = self.now();
        let (key, client) = (self.next, u64::MAX - self.next % CLIENTS);
        self.next += 1;
        proof_use(spread::digest(key), spread::digest(client), now..=now + LIFETIME, now)
    }
}

pub(crate) fn expect_first(store: &MemoryReplayStore, proof: &ProofUse) {
    let claim = store.claim(black_box(proof));
    assert!(matches!(claim, Claim::Done(Ok(ClaimOutcome::First))), "{claim:?}");
}

/// A store with room for so many live records, and that many in it.
pub(crate) fn filled(live: usize) -> (MemoryReplayStore, Proofs) {
    let store = MemoryReplayStore::with_capacity_bytes(live * 40 + (1 << 20));
    let mut proofs = Proofs { next: 0, live: live as u64 };
    (0..live).for_each(|_| expect_first(&store, &proofs.make()));
    (store, proofs)
}

/// All in nanoseconds.
struct Times {
    median: f64,
    mean: f64,
    read: f64,
}

fn measure(store: &MemoryReplayStore, proofs: &mut Proofs, rounds: usize) -> Times {
    let memory = scattered(store.memory_bytes());
    let mut state = 1;
    let mut claims = || {
        let batch: Vec<_> = (0..BATCH).map(|_| proofs.make()).collect();
        let start = Instant::now();
        batch.iter().for_each(|proof| expect_first(store, proof));
        start.elapsed()
    };
    let mut reads = || {
        let start = Instant::now();
        state = read(&memory, state);
        start.elapsed()
    };
    let [claim, read] = in_turn(rounds, [&mut claims, &mut reads]);
    let each = |nanos| nanos / BATCH as f64;
    Times { median: each(claim.median()), mean: each(claim.mean()), read: each(read.median()) }
}

fn scattered(bytes: usize) -> Vec<u64> {
    (0..bytes / size_of::<u64>()).map(|index| spread::word(index as u64)).collect()
}

/// As many reads as claims, each of which must wait for the one before: what was read decides where
/// the next one goes. No claim can be faster than that.
fn read(memory: &[u64], mut state: u64) -> u64 {
    for _ in 0..BATCH {
        let at = (u128::from(state) * memory.len() as u128) >> 64;
        state = (state ^ memory[at as usize]).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        state ^= state >> 29;
    }
    black_box(state)
}
