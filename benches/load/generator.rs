//! One turn of a load generator.

use std::error::Error;
use std::process::{Command, Output};
use std::time::Duration;

use crate::cores::Cores;
use crate::server::Server;
use crate::spread::Spread;
use crate::trust::Trust;
use crate::{oha, wrk};

/// Requests under way at a time, whatever the version of HTTP.
pub(crate) const AT_ONCE: usize = 32;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Version {
    Http1,
    Http2,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Tokens {
    /// The same in every request.
    One,
    InTurn,
}

/// What a generator has counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count {
    pub(crate) answers: f64,
    pub(crate) seconds: f64,
    pub(crate) spread: Spread,
    /// Answers of another status than 200, and connections that broke.
    pub(crate) bad: f64,
}

/// One turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    pub(crate) rate: f64,
    pub(crate) spread: Spread,
    /// What the server computed for one request, in microseconds.
    pub(crate) computed: f64,
    /// Which part of its cores' time the server used. Under 1 the generator was the slower of the two.
    pub(crate) busy: f64,
}

pub(crate) struct Load<'a> {
    pub(crate) version: Version,
    pub(crate) tokens: Tokens,
    pub(crate) cores: &'a Cores,
    pub(crate) trust: &'a Trust,
    pub(crate) seconds: u64,
}

impl Load<'_> {
    /// Fails where not every answer is 200.
    pub(crate) fn on(&self, server: &Server) -> Result<Turn, Box<dyn Error>> {
        let url = format!("{}/tools", server.base);
        let before = server.computed()?;
        let count = match self.version {
            Version::Http1 => wrk::run(self, &url)?,
            Version::Http2 => oha::run(self, &url)?,
        };
        let computed = server.computed()?.saturating_sub(before);
        if count.bad > 0.0 || count.answers < 1.0 {
            let Count { answers, bad, .. } = count;
            return Err(format!("{url}: of {answers} answers {bad} are not 200").into());
        }
        Ok(turn(count, computed, self.cores))
    }
}

fn turn(count: Count, computed: Duration, cores: &Cores) -> Turn {
    let Count { answers, seconds, spread, .. } = count;
    let computed = computed.as_secs_f64();
    let cores = u32::try_from(cores.server.len()).map_or(1.0, f64::from);
    Turn {
        rate: answers / seconds,
        spread,
        computed: computed * 1e6 / answers,
        busy: computed / seconds / cores,
    }
}

/// What it printed.
pub(crate) fn output(mut command: Command) -> Result<String, Box<dyn Error>> {
    let Output { status, stdout, stderr } = command.output()?;
    if !status.success() {
        let stderr = String::from_utf8_lossy(&stderr);
        return Err(format!("{command:?} ended with {status}: {stderr}").into());
    }
    Ok(String::from_utf8(stdout)?)
}
