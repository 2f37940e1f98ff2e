//! The instructions of each path: what one request costs, apart from what cannot be saved.
//!
//! `cargo bench -p instructions` counts all of them under valgrind and compares them with
//! `baseline.txt`; with `-- --update` it writes that file. With other arguments it is a benchmark
//! of gungraun's like any other: `-- --list`, `-- '*::layer::bearer_seen'`.

mod bearer;
mod counted;
mod dpop;
mod fixture;
mod guarded;
mod refused;
mod replay;
mod report;
mod scenario;
mod signature;
#[path = "../../support/mod.rs"]
mod support;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => report::compare(),
        ["--update"] => report::update(),
        _ => {
            counted::run();
            ExitCode::SUCCESS
        }
    }
}
