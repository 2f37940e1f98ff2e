//! The programs that this bench runs.

use std::process::{Command, ExitCode, Stdio};

pub(crate) struct Programs {
    pub(crate) oha: bool,
    pub(crate) all: bool,
}

impl Programs {
    /// Without wrk and taskset there is nothing to do.
    pub(crate) fn find() -> Option<Self> {
        let wrk = found("wrk", "install the package wrk");
        let taskset = found("taskset", "install the package util-linux");
        let oha = found("oha", "cargo install oha --locked");
        (wrk && taskset).then_some(Self { oha, all: oha })
    }
}

fn found(name: &str, mend: &str) -> bool {
    let mut command = Command::new(name);
    let command = command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    let found = command.status().is_ok();
    if !found {
        println!("SKIPPED: what needs {name} ({mend})");
    }
    found
}

/// What was skipped is a failure where CI demands the programs.
pub(crate) fn skipped() -> ExitCode {
    match std::env::var_os("TRS_REQUIRE_PROGRAMS") {
        Some(_) => ExitCode::FAILURE,
        None => ExitCode::SUCCESS,
    }
}
