//! Which cores the server has, and which the load generator.

use std::ffi::OsStr;
use std::process::Command;
use std::thread::available_parallelism;

pub(crate) struct Cores {
    pub(crate) server: Vec<usize>,
    /// The others; or all, where there are no others.
    pub(crate) generator: Vec<usize>,
}

impl Cores {
    pub(crate) fn with_server_on(count: usize) -> Self {
        let all = available_parallelism().map_or(1, usize::from);
        let server = (0..count.min(all)).collect();
        let first = if count < all { count } else { 0 };
        Self { server, generator: (first..all).collect() }
    }

    /// They take the cores from each other.
    pub(crate) fn are_shared(&self) -> bool {
        self.server.iter().any(|core| self.generator.contains(core))
    }
}

/// The program on those cores alone.
pub(crate) fn pinned(cores: &[usize], program: impl AsRef<OsStr>) -> Command {
    let list: Vec<_> = cores.iter().map(ToString::to_string).collect();
    let mut command = Command::new("taskset");
    command.args(["-c", &list.join(",")]).arg(program);
    command
}
