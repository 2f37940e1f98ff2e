//! wrk, for HTTP/1.1.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cores::pinned;
use crate::generator::{AT_ONCE, Count, Load, Tokens, output};
use crate::spread::Spread;

/// Longer than anything here takes; wrk would count what takes longer as lost.
const TIMEOUT: &str = "20";

pub(crate) fn run(load: &Load<'_>, url: &str) -> Result<Count, Box<dyn Error>> {
    let threads = load.cores.generator.len();
    let mut command = command(&load.cores.generator, threads, AT_ONCE, load.seconds);
    command.arg("-s").arg(script("tools.lua"));
    match load.tokens {
        Tokens::One => {
            command.args(["-H", &format!("Authorization: Bearer {}", load.trust.token)]).arg(url)
        }
        Tokens::InTurn => command.arg(url).arg("--").arg(&load.trust.tokens),
    };
    let output = output(command)?;
    let line = output.lines().find_map(|line| line.strip_prefix("COUNT "));
    count(line.ok_or("wrk has not counted")?)
}

pub(crate) fn command(
    cores: &[usize],
    threads: usize,
    connections: usize,
    seconds: u64,
) -> Command {
    let mut command = pinned(cores, "wrk");
    command.arg(format!("-t{threads}")).arg(format!("-c{connections}"));
    command.arg(format!("-d{seconds}")).args(["--timeout", TIMEOUT]);
    command
}

pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/load").join(name)
}

/// The line of the script: answers, time, bad ones, then latencies; all times in microseconds.
fn count(line: &str) -> Result<Count, Box<dyn Error>> {
    let figures: Vec<f64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
    let [answers, time, bad, p50, p90, p99, p999, max] = *figures.as_slice() else {
        return Err("the script prints something else".into());
    };
    let spread = Spread { p50, p90, p99, p999, max };
    Ok(Count { answers, seconds: time / 1e6, spread, bad })
}
