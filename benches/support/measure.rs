//! Timing of things that are to be compared: in turn, so that all meet the same machine.

use std::time::{Duration, Instant};

/// Times of one contestant, one for each round.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    /// The median round, in nanoseconds.
    pub(crate) fn median(&self) -> f64 {
        median(self.0.iter().map(|time| nanos(*time)).collect())
    }

    /// How often the other fits in: the median over rounds, each compared within itself, since what
    /// slows a whole round down slows both.
    pub(crate) fn ratio(&self, other: &Self) -> f64 {
        median(self.0.iter().zip(&other.0).map(|(a, b)| nanos(*a) / nanos(*b)).collect())
    }

    /// What it takes more than the other, in nanoseconds: the median over rounds.
    pub(crate) fn over(&self, other: &Self) -> f64 {
        median(self.0.iter().zip(&other.0).map(|(a, b)| nanos(*a) - nanos(*b)).collect())
    }
}

fn nanos(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}

/// The middle one of the sorted values.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Runs every contestant once a round. Each prepares and times a batch of its own and returns what
/// one item of it took; the first round warms up and is not counted.
pub(crate) fn in_turn<const N: usize>(
    rounds: usize,
    mut contestants: [&mut dyn FnMut() -> Duration; N],
) -> [Times; N] {
    let mut times = [const { Times(Vec::new()) }; N];
    for contestant in &mut contestants {
        contestant();
    }
    for _ in 0..rounds {
        for (contestant, times) in contestants.iter_mut().zip(&mut times) {
            times.0.push(contestant());
        }
    }
    times
}

/// What one call takes of a batch of inputs that were made beforehand.
pub(crate) fn batch<T, R>(inputs: Vec<T>, mut call: impl FnMut(T) -> R) -> Duration {
    let count = u32::try_from(inputs.len()).expect("a batch is small");
    let start = Instant::now();
    for input in inputs {
        drop(std::hint::black_box(call(input)));
    }
    start.elapsed() / count
}
