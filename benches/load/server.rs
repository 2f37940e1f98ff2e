//! A server under load, a process of its own.

use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

use crate::cores::{Cores, pinned};

/// Ends when it is dropped.
pub(crate) struct Server {
    child: Child,
    /// A server that nobody listens to could not print.
    _output: BufReader<ChildStdout>,
    pub(crate) base: String,
}

impl Server {
    /// Starts it as a user does, on a free port. It logs to nowhere, at its default level.
    pub(crate) fn start(
        program: &Path,
        arguments: &[&str],
        cores: &Cores,
    ) -> Result<Self, Box<dyn Error>> {
        let mut command = pinned(&cores.server, program);
        command.args(["--listen", "127.0.0.1:0"]).args(arguments).env_remove("RUST_LOG");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut output = BufReader::new(child.stdout.take().ok_or("its output is piped")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let base = line.trim().strip_prefix("listening on ").ok_or("the server does not start")?;
        Ok(Self { child, base: base.to_owned(), _output: output })
    }

    /// The time it has computed, all threads together.
    pub(crate) fn computed(&self) -> Result<Duration, Box<dyn Error>> {
        let mut sum = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let figures = fs::read_to_string(thread?.path().join("schedstat"))?;
            sum += figures.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
        Ok(Duration::from_nanos(sum))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
