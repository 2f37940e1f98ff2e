//! The axum and hyper examples under load, in turn with the same servers unprotected.
//!
//! `cargo bench --bench load` builds the examples and takes under eight minutes. After `--` it takes
//! `--quick` (one minute, and nothing to publish), `--compare` and `--mixed` (that part alone). The
//! load comes from programs that have to be on the path: [wrk] for HTTP/1.1 and [oha] for HTTP/2. It
//! runs on Linux, where a process says what it has computed, and `taskset` keeps it on its cores.
//!
//! # What is compared
//!
//! The protected server is the example as its user starts it. The unprotected one has the same
//! routes, handlers, runtime, logging and serving code, which is that of the examples, and no layer
//! of this crate: see [`unprotected`]. Both get the same bytes: `GET /tools` with a token. What
//! protects that route is two layers: one authenticates, the other demands a scope.
//!
//! # Mixed traffic
//!
//! See [`mixed`].
//!
//! [wrk]: https://github.com/wg/wrk
//! [oha]: https://github.com/hatoo/oha

mod compare;
mod cores;
mod examples;
mod generator;
mod mixed;
mod oha;
mod plan;
mod program;
mod server;
mod spread;
mod table;
mod trust;
mod unprotected;
mod wrk;

#[path = "../../examples/axum/routes.rs"]
mod axum_routes;
#[path = "../../examples/common/mod.rs"]
#[allow(dead_code, reason = "the servers that share it use more of it")]
mod common;
#[path = "../../examples/hyper/routes/table.rs"]
mod hyper_table;
#[path = "../support/measure.rs"]
#[allow(dead_code, reason = "shared by several benches")]
mod measure;
#[path = "../../examples/hyper/serve.rs"]
mod serve;
#[path = "../../examples/hyper/service.rs"]
mod service;

use std::error::Error;
use std::process::ExitCode;

use plan::Plan;

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == unprotected::FLAG) {
        return unprotected::main();
    }
    let plan = Plan::from_command_line();
    let Some(programs) = program::Programs::find() else { return program::skipped() };
    match run(&plan, &programs) {
        Ok(()) if programs.all => ExitCode::SUCCESS,
        Ok(()) => program::skipped(),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(plan: &Plan, programs: &program::Programs) -> Result<(), Box<dyn Error>> {
    examples::build()?;
    if plan.compares {
        compare::run(plan, programs)?;
    }
    if plan.mixes {
        mixed::run(plan)?;
    }
    Ok(())
}
