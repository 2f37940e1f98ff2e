//! How much more so many threads do than one.
//!
//! All threads work for the same span of time, and what they finish in it is counted. Requests are
//! cloned from a pattern within that time, by the thread that sends them.

mod bearer;
mod claims;
mod paths;
mod proven;

use std::sync::{Barrier, OnceLock};
use std::time::{Duration, Instant};

use self::paths::Path;
use crate::figure::{Axis, Figure, Limit, Panel, Series};
use crate::plan::Plan;
use crate::support::measure::in_turn;

pub(crate) const MOST: usize = 4;
pub(crate) const SPAN: Duration = Duration::from_millis(60);

pub(crate) fn figure(plan: &Plan) -> Figure {
    let axes = (Axis::linear("threads"), Axis::linear("throughput, one thread = 1"));
    let mut panel = Panel::new(axes.0, axes.1);
    for (name, path) in paths::ALL {
        let floor = name == paths::FLOOR;
        let mut series = if floor { Series::reference(name) } else { Series::new(name) };
        speed_ups(path().as_mut(), plan.pick(21, 5), &mut series);
        panel.series.push(series);
    }
    panel.limits = vec![Limit::least("budget, 1.9 on two cores", 1.9)];
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let note = format!(
        "{cores} cores, so {cores} is all that can be had. Each thread makes its own requests."
    );
    Figure { title: "Throughput, by threads", note, panels: vec![panel] }
}

fn speed_ups(path: &mut dyn Path, rounds: usize, series: &mut Series) {
    let path = std::cell::RefCell::new(path);
    let run = |threads| million(&mut **path.borrow_mut(), threads);
    let times =
        in_turn::<MOST>(rounds, [&mut || run(1), &mut || run(2), &mut || run(3), &mut || run(4)]);
    for (before, time) in times.iter().enumerate() {
        series.push(before + 1, times[0].ratio(time));
    }
}

/// How long so many threads together take for a million.
fn million(path: &mut dyn Path, threads: usize) -> Duration {
    path.begin();
    let path = &*path;
    let (gate, start) = (Barrier::new(threads), OnceLock::new());
    let done: u64 = std::thread::scope(|scope| {
        let (gate, start) = (&gate, &start);
        let run = |thread| scope.spawn(move || work(path, thread, gate, start));
        let running: Vec<_> = (0..threads).map(run).collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    // On a machine with much else to do, a span may end before anything is done.
    SPAN.mul_f64(1e6 / done.max(1) as f64)
}

/// What one thread gets done in the span.
fn work(path: &dyn Path, thread: usize, gate: &Barrier, start: &OnceLock<Instant>) -> u64 {
    let mut work = path.worker(thread);
    work();
    gate.wait();
    let start = start.get_or_init(Instant::now);
    let mut done = 0;
    loop {
        let count = work();
        if start.elapsed() > SPAN {
            return done;
        }
        done += count;
    }
}
