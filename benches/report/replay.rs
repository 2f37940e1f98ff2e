//! The replay store in memory: time and bytes for each record, pauses, two threads, copies.

use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use tower_resource_server::MemoryReplayStore;

use crate::budget::Budget;
use crate::line::Line;
use crate::paths::Options;
use crate::replay_load::{BATCH, Proofs, expect_first, filled, is_first};
use crate::support::measure::{batch_of, in_turn};
use crate::support::spread::digest;
use crate::support::together::{Job, Partner, alone};
use crate::timed::of_two;

/// The budgets are for so many live records.
const BUDGETED: u64 = 10_000_000;

type Lines = Box<dyn FnOnce(&Partner) -> Vec<Line>>;

/// The stores by name, without those that are not asked for.
pub(crate) fn plans(options: &Options) -> Vec<(String, Lines)> {
    let stores: &[u64] = match options.quick {
        true => &[1_000, 200_000],
        false => &[1_000, 1_000_000, BUDGETED],
    };
    let claims = if options.quick { 1 << 18 } else { 1 << 22 };
    let mut plans: Vec<(String, Lines)> = Vec::new();
    for &live in stores {
        let lines = Box::new(move |partner: &Partner| steady(live, claims.max(live), partner));
        plans.push((format!("replay/{live}"), lines));
    }
    let copies = if options.quick { 2_000 } else { 20_000 };
    plans.push(("replay/copies".to_owned(), Box::new(move |_| vec![winners(8, copies)])));
    plans.into_iter().filter(|(name, _)| options.want(name)).collect()
}

/// So many claims at least, each of which makes a record while another expires.
fn steady(live: u64, claims: u64, partner: &Partner) -> Vec<Line> {
    let (store, proofs) = filled(live);
    let rounds = usize::try_from(claims / BATCH).expect("few enough");
    let mut read = Reads::in_bytes(store.memory_bytes());
    let mut claim = || {
        let batch = proofs.batch(BATCH);
        batch_of(&batch, |proof| expect_first(&store, proof))
    };
    let [claimed, read] = in_turn(rounds, [&mut claim, &mut || read.batch()]);
    let bytes = store.memory_bytes() as f64 / store.len(proofs.now()) as f64;
    let ns = claimed.mean();
    let spread = claimed.overs(&read);
    let budget = |most| if live == BUDGETED { Budget::AtMost(most) } else { Budget::None };
    let mut lines = vec![
        Line::new("ns a claim, on average", ns, budget(150.0)).digits(1),
        Line::compared("ns over one read", claimed.median(), read.median(), spread, Budget::None)
            .digits(1),
        Line::new("bytes a record", bytes, budget(40.0)).digits(1),
    ];
    lines.extend(one_by_one(&store, &proofs, claims.min(1 << 21)));
    // With fewer, a batch takes longer than a record lives, and the slower thread would be too late.
    if live >= 100 * BATCH {
        lines.push(two_threads(store, &proofs, rounds.min(1000), partner));
    }
    lines
}

/// Reads that wait for the one before, anywhere in so much memory: no claim can be faster.
struct Reads {
    memory: Vec<u64>,
    state: u64,
}

impl Reads {
    fn in_bytes(bytes: usize) -> Self {
        let word = |index: usize| {
            let [a, b, ..] = digest(index as u64);
            u64::from(a ^ b) | 1 << 63
        };
        Self { memory: (0..bytes / size_of::<u64>()).map(word).collect(), state: 1 }
    }

    fn batch(&mut self) -> Duration {
        let batch: Vec<_> = (0..BATCH).collect();
        batch_of(&batch, |_| {
            // What was read decides where the next read goes.
            let at = (u128::from(self.state) * self.memory.len() as u128) >> 64;
            let read = self.memory[usize::try_from(at).expect("an index")];
            let state = (self.state ^ read).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            self.state = state ^ (state >> 29);
            black_box(self.state)
        })
    }
}

/// Claims timed one by one, which costs some 20 ns more.
fn one_by_one(store: &MemoryReplayStore, proofs: &Proofs, claims: u64) -> Vec<Line> {
    let mut times = Vec::new();
    for _ in 0..claims / BATCH {
        for proof in proofs.batch(BATCH) {
            let start = Instant::now();
            expect_first(store, &proof);
            times.push(start.elapsed());
        }
    }
    times.sort_unstable();
    let micros = |at: usize| times[at].as_secs_f64() * 1e6;
    let last = times.len() - 1;
    vec![
        Line::new("µs, 99.99 % of claims", micros(last - last / 10_000), Budget::None),
        Line::new("µs, the slowest claim", micros(last), Budget::None),
    ]
}

fn two_threads(
    store: MemoryReplayStore,
    proofs: &Proofs,
    rounds: usize,
    partner: &Partner,
) -> Line {
    let store = Arc::new(store);
    let job = || -> Job {
        let (store, proofs) = (Arc::clone(&store), proofs.clone());
        Box::new(move |start| {
            let batch = proofs.batch(BATCH);
            start.wait();
            batch_of(&batch, |proof| expect_first(&store, proof))
        })
    };
    let mut one = || alone(job());
    let mut two = || partner.together(job(), job());
    let [one, two] = in_turn(rounds, [&mut one, &mut two]);
    of_two("one store", &one, &two)
}

/// How many of the copies of a proof are the first, when so many threads claim them at once.
fn winners(threads: usize, count: u64) -> Line {
    let store = MemoryReplayStore::new();
    let proofs = Proofs::new(1_000_000).batch(count);
    let barrier = Barrier::new(threads);
    let firsts: usize = thread::scope(|scope| {
        let copier = || {
            let claims = proofs.iter().map(|proof| {
                barrier.wait();
                is_first(&store, proof)
            });
            claims.filter(|first| *first).count()
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(copier)).collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    let each = firsts as f64 / count as f64;
    Line::new(format!("first of {threads} copies at once"), each, Budget::Exactly(1.0))
}
