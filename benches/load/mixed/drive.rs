//! The course of the mixed run.

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::time::sleep_until;

use super::issuers::Issuers;
use super::series::Series;
use super::{CONNECTIONS, EACH_SECOND, STRANGERS};
use crate::cores::Cores;
use crate::generator::output;
use crate::plan::Mixed;
use crate::server::Server;
use crate::wrk;

/// wrk reads its files and warms the server up.
const START: Duration = Duration::from_secs(5);

/// A new key is published before anything is signed with it, if only just.
const AHEAD: Duration = Duration::from_millis(100);

/// How wrk is run in this course.
struct Run<'a> {
    folder: &'a Path,
    server: &'a Server,
    cores: &'a Cores,
    plan: Mixed,
    /// Second 0, since 1970.
    begin: Duration,
}

pub(crate) async fn run(
    folder: &Path,
    issuers: &Issuers,
    server: &Server,
    cores: &Cores,
    plan: Mixed,
) -> Result<Series, Box<dyn Error>> {
    let start = Instant::now() + START;
    let begin = SystemTime::now().duration_since(UNIX_EPOCH)? + START;
    let run = Run { folder, server, cores, plan, begin };
    let second = |second| tokio::time::Instant::from_std(start + Duration::from_secs(second));
    // One second more than is counted, so that the last one is whole.
    let all = run.wrk(CONNECTIONS, plan.seconds + START.as_secs() + 1, "everything");
    let all = tokio::task::spawn_blocking(move || printed(all));
    sleep_until(second(plan.rotation) - AHEAD).await;
    issuers.rotate();
    sleep_until(second(plan.outage)).await;
    issuers.fall_silent();
    let strangers = run.wrk(STRANGERS, plan.seconds - plan.outage, "strangers");
    let strangers = tokio::task::spawn_blocking(move || printed(strangers));
    Series::read(&(all.await?? + &strangers.await??))
}

impl Run<'_> {
    fn wrk(&self, connections: usize, seconds: u64, what: &str) -> Command {
        let Self { folder, server, cores, plan, begin } = self;
        let mut command = wrk::command(&cores.generator, connections, connections, seconds);
        command.arg("-s").arg(wrk::script("mixed.lua")).arg(&server.base);
        command.arg("--").arg(folder).arg(begin.as_secs_f64().to_string());
        command.args([plan.seconds, plan.rotation, EACH_SECOND].map(|figure| figure.to_string()));
        command.arg(what);
        command
    }
}

fn printed(command: Command) -> Result<String, String> {
    output(command).map_err(|error| error.to_string())
}
