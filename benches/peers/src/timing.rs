//! Timing in turn.

use std::time::Duration;

use http::StatusCode;
use tokio::runtime::Runtime;

use crate::authority::Authority;
use crate::contestant::Contestant;
use crate::paths::Path;
use crate::requests::{Template, sent};
use crate::roster::Entry;

const ROUNDS: usize = 20;
const BATCH: usize = 500;

/// One contestant on one path.
struct Lane<'a> {
    entry: &'a Entry,
    contestant: Box<dyn Contestant>,
    rounds: Vec<Duration>,
}

/// The cells of one path, one for each entry.
#[must_use]
pub fn column(
    path: &Path,
    entries: &[Entry],
    authority: &Authority,
    runtime: &Runtime,
) -> Vec<String> {
    let lane = |entry| lane(path, entry, authority, runtime);
    let mut lanes: Vec<_> = entries.iter().map(lane).collect();
    // The first round warms up and is not counted.
    for round in 0..=ROUNDS {
        let batch = path.batch(round, BATCH);
        for lane in lanes.iter_mut().flatten() {
            if path.fresh {
                lane.contestant = path.ready(lane.entry, authority, runtime);
            }
            let time = lane.run(runtime, &batch);
            lane.rounds.extend((round > 0).then_some(time));
        }
    }
    lanes.into_iter().map(|lane| lane.map_or_else(otherwise, |lane| lane.median())).collect()
}

/// A contestant that answers as it should; else what it answers.
fn lane<'a>(
    path: &Path,
    entry: &'a Entry,
    authority: &Authority,
    runtime: &Runtime,
) -> Result<Lane<'a>, StatusCode> {
    let contestant = path.checked(entry, authority, runtime)?;
    Ok(Lane { entry, contestant, rounds: Vec::new() })
}

impl Lane<'_> {
    fn run(&mut self, runtime: &Runtime, batch: &[Template]) -> Duration {
        self.contestant.run(runtime, batch.iter().map(sent).collect())
    }

    /// In microseconds, for one request.
    fn median(mut self) -> String {
        self.rounds.sort_unstable();
        let round = self.rounds[self.rounds.len() / 2];
        let micros = round.as_secs_f64() * 1e6 / BATCH as f64;
        let places = if micros < 10.0 { 2 } else { 1 };
        format!("{micros:.places$}")
    }
}

/// Not timed, since the answer is another.
fn otherwise(status: StatusCode) -> String {
    format!("answers {}", status.as_u16())
}
