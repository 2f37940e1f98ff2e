//! What requests take, in microseconds: the median over rounds in which all have their turn.
//!
//! One crate takes its crypto from the process's default, and comes with RustCrypto. It is timed
//! with aws-lc-rs here, and once more in a process of its own, which this program starts.

use std::env;
use std::process::{Command, Stdio};

use peers::authority::Authority;
use peers::contestant::runtime;
use peers::paths::{Path, with_bearer, with_dpop};
use peers::roster::{self, Entry};
use peers::{backend, figures, timing};
use tokio::runtime::Runtime;
use tower_resource_server::Algorithm;

/// Tells the second process that it is one.
const SECOND: &str = "--rust-crypto";

const ALGORITHMS: [Algorithm; 2] = [Algorithm::RS256, Algorithm::ES256];

fn main() {
    if env::args().any(|argument| argument == SECOND) {
        second();
    } else {
        first(&elsewhere());
    }
}

/// Everything but what the second process does.
fn first(elsewhere: &[Vec<String>]) {
    backend::aws_lc_rs();
    let runtime = runtime();
    for algorithm in ALGORITHMS {
        let authority = Authority::new(algorithm);
        let paths = with_bearer(&authority);
        let mut rows = rows(&paths, &bearer(), &authority, &runtime);
        let first_floor = rows.len() - roster::floors().len();
        let more = elsewhere.iter().filter(|row| row[0] == algorithm.to_string());
        rows.splice(first_floor..first_floor, more.map(|row| row[1..].to_vec()));
        figures::show(&format!("Bearer, {algorithm}, µs for a request"), &paths, &rows);
    }
    let authority = Authority::new(Algorithm::ES256);
    let paths = with_dpop(&authority);
    let rows = rows(&paths, &roster::dpop(), &authority, &runtime);
    figures::show("DPoP, ES256, µs for a request", &paths, &rows);
}

fn rows(
    paths: &[Path],
    entries: &[Entry],
    authority: &Authority,
    runtime: &Runtime,
) -> Vec<Vec<String>> {
    figures::rows(paths, entries, |path, some| timing::column(path, some, authority, runtime))
}

/// The bare service, the contestants, and last the signature alone.
fn bearer() -> Vec<Entry> {
    let contestants = [roster::bare()].into_iter().chain(roster::bearer());
    contestants.chain(roster::floors()).collect()
}

/// Prints its rows for the first process: cells between tabs, the algorithm before them.
fn second() {
    backend::rust_crypto();
    let runtime = runtime();
    for algorithm in ALGORITHMS {
        let authority = Authority::new(algorithm);
        let paths = with_bearer(&authority);
        for row in rows(&paths, &roster::bearer_with_rust_crypto(), &authority, &runtime) {
            println!("{algorithm}\t{}", row.join("\t"));
        }
    }
}

/// What the second process printed.
fn elsewhere() -> Vec<Vec<String>> {
    let program = env::current_exe().expect("the path of this program");
    let mut command = Command::new(program);
    let output = command.arg(SECOND).stderr(Stdio::inherit()).output().expect("it starts");
    assert!(output.status.success(), "the second process failed: {}", output.status);
    let text = String::from_utf8(output.stdout).expect("it prints text");
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}
