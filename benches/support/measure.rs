//! Timing of things that are to be compared: in turn, so that all meet the same machine.

use std::time::{Duration, Instant};

/// Times of one contestant, one for each round.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    /// The median round, in nanoseconds.
    pub(crate) fn median(&self) -> f64 {
        median(self.each().collect())
    }

    /// The mean of all rounds, in nanoseconds. Rare slow ones count in it.
    pub(crate) fn mean(&self) -> f64 {
        self.each().sum::<f64>() / self.0.len() as f64
    }

    /// How often the other fits in: the median over rounds, each compared within itself, since what
    /// slows a whole round down slows both.
    pub(crate) fn ratio(&self, other: &Self) -> f64 {
        self.ratios(other).median
    }

    /// What it takes more than the other, in nanoseconds: the median over rounds.
    pub(crate) fn over(&self, other: &Self) -> f64 {
        self.overs(other).median
    }

    /// As [`ratio`](Self::ratio), with the spread over rounds.
    pub(crate) fn ratios(&self, other: &Self) -> Spread {
        Spread::of(self.each().zip(other.each()).map(|(a, b)| a / b).collect())
    }

    /// As [`over`](Self::over), with the spread over rounds.
    pub(crate) fn overs(&self, other: &Self) -> Spread {
        Spread::of(self.each().zip(other.each()).map(|(a, b)| a - b).collect())
    }

    fn each(&self) -> impl Iterator<Item = f64> {
        self.0.iter().map(|time| time.as_secs_f64() * 1e9)
    }
}

/// Quartiles: half of the rounds lie between `low` and `high`.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |quarter: usize| values[(values.len() - 1) * quarter / 4];
        Self { low: at(1), median: at(2), high: at(3) }
    }

    /// All three in another unit.
    pub(crate) fn times(self, factor: f64) -> Self {
        Self { low: self.low * factor, median: self.median * factor, high: self.high * factor }
    }
}

/// The middle one of the sorted values.
pub(crate) fn median(values: Vec<f64>) -> f64 {
    Spread::of(values).median
}

/// Runs every contestant once a round. Each prepares and times a batch of its own and returns what
/// one item of it took; the first round warms up and is not counted.
pub(crate) fn in_turn<const N: usize>(
    rounds: usize,
    mut contestants: [&mut dyn FnMut() -> Duration; N],
) -> [Times; N] {
    let times = all_in_turn(rounds, &mut contestants);
    times.try_into().unwrap_or_else(|_| unreachable!("one for each contestant"))
}

/// As [`in_turn`], of as many as there are.
pub(crate) fn all_in_turn(
    rounds: usize,
    contestants: &mut [&mut dyn FnMut() -> Duration],
) -> Vec<Times> {
    for contestant in contestants.iter_mut() {
        contestant();
    }
    let mut times: Vec<_> = contestants.iter().map(|_| Times(Vec::new())).collect();
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

/// As [`batch`], of calls that leave their input as it is.
pub(crate) fn batch_of<T, R>(inputs: &[T], mut call: impl FnMut(&T) -> R) -> Duration {
    let count = u32::try_from(inputs.len()).expect("a batch is small");
    let start = Instant::now();
    for input in inputs {
        drop(std::hint::black_box(call(input)));
    }
    start.elapsed() / count
}
