//! The lines of a path: times, allocations, two threads.

use std::time::{Duration, Instant};

use crate::budget::Budget;
use crate::line::Line;
use crate::paths::{Allocations, Beside, Comparison, Counts, Options, Path};
use crate::support::measure::{Times, all_in_turn, in_turn};
use crate::support::together::Partner;
use crate::yardstick::Yardstick;

/// Two threads against one, on every path.
pub(crate) const TWO_THREADS: Budget = Budget::AtLeast(1.9);

pub(crate) fn lines(
    name: &str,
    path: &mut Path,
    options: &Options,
    counts: &Counts,
    partner: &Partner,
    yardstick: &Yardstick,
) -> Vec<Line> {
    // Ends the report if the answer is not that of the path.
    path.sample(|call| call());
    let rounds = rounds(path, options);
    let mut lines = times(path, rounds, yardstick);
    lines.extend(allocations(name, path, counts));
    lines.extend(threads(path, rounds, partner));
    lines
}

/// As many as fit into a fixed time, preparations included.
fn rounds(path: &Path, options: &Options) -> usize {
    let (time, least) = match options.quick {
        true => (Duration::from_millis(50), 11),
        false => (Duration::from_millis(800), 101),
    };
    path.alone();
    let start = Instant::now();
    path.alone();
    let round = start.elapsed().as_secs_f64();
    ((time.as_secs_f64() / round) as usize).clamp(least, 1001)
}

const MICROSECOND: f64 = 1e-3;

/// The path beside whatever it is to be compared with.
fn times(path: &mut Path, rounds: usize, yardstick: &Yardstick) -> Vec<Line> {
    let mut besides = std::mem::take(&mut path.besides);
    let mut layer = || path.alone();
    let mut check = || yardstick.batch();
    let mut contestants: Vec<&mut dyn FnMut() -> Duration> = vec![&mut layer, &mut check];
    for beside in &mut besides {
        contestants.push(&mut *beside.time);
    }
    let times = all_in_turn(rounds, &mut contestants);
    let layer = &times[0];
    let median = layer.median() * MICROSECOND;
    if besides.is_empty() {
        return vec![Line::new("µs", median, Budget::None)];
    }
    let factor = Yardstick::factor(&times[1]);
    let line = |(beside, time): (&Beside, &Times)| {
        let (what, spread, budget) = match beside.comparison {
            Comparison::Difference(budget) => (
                format!("µs over {}", beside.name),
                layer.overs(time).times(MICROSECOND),
                budget.map(|most| most * factor),
            ),
            Comparison::Ratio(budget) => {
                (format!("µs, ratio to {}", beside.name), layer.ratios(time), budget)
            }
        };
        let beside = time.median() * MICROSECOND;
        Line::compared(what, median, beside, spread, Budget::at_most(budget))
    };
    besides.iter().zip(&times[2..]).map(line).collect()
}

/// Those of the layer, beside those of a service that only adds one extension to the request, or
/// that does nothing.
fn allocations(name: &str, path: &Path, counts: &Counts) -> Vec<Line> {
    let Some(count) = counts.get(name) else { return Vec::new() };
    let (beside, what, budget) = match path.allocations {
        Allocations::Any => ("bare", "bare", Budget::None),
        Allocations::AtMost(most) => ("bare", "bare", Budget::AtMost(most as f64)),
        Allocations::AsOneExtension => ("one-extension", "one extension", Budget::AtMost(0.0)),
    };
    let Some(beside) = counts.get(beside) else { return Vec::new() };
    let line = |unit: &str, layer: u64, beside: u64, budget| {
        let (layer, beside) = (layer as f64, beside as f64);
        let mut line = Line::new(format!("{unit} over {what}"), layer - beside, budget).digits(0);
        (line.layer, line.beside) = (Some(layer), Some(beside));
        line
    };
    vec![
        line("allocations", count.allocations, beside.allocations, budget),
        line("bytes", count.bytes, beside.bytes, Budget::None),
    ]
}

/// How much more two threads do than one, in the same time.
fn threads(path: &Path, rounds: usize, partner: &Partner) -> Vec<Line> {
    let mut one = || path.alone();
    let mut apart = || path.apart(partner);
    let mut shared = || path.shared(partner);
    if path.shared {
        let [one, apart, shared] = in_turn(rounds, [&mut one, &mut apart, &mut shared]);
        vec![of_two("one client each", &one, &apart), of_two("one client", &one, &shared)]
    } else {
        let [one, apart] = in_turn(rounds, [&mut one, &mut apart]);
        vec![of_two("one client each", &one, &apart)]
    }
}

pub(crate) fn of_two(clients: &str, one: &Times, two: &Times) -> Line {
    let what = format!("µs, two threads, {clients}");
    let (median, beside) = (one.median() * MICROSECOND, two.median() * MICROSECOND);
    Line::compared(what, median, beside, one.ratios(two), TWO_THREADS)
}
