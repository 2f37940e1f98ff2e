//! Protected and unprotected in turn.

use std::error::Error;

use crate::cores::Cores;
use crate::examples;
use crate::generator::{Load, Tokens, Turn, Version};
use crate::plan::Plan;
use crate::program::Programs;
use crate::server::Server;
use crate::table;
use crate::trust::Trust;
use crate::unprotected;

/// One table of the report.
pub(crate) struct Setting<'a> {
    pub(crate) example: &'static str,
    pub(crate) version: Version,
    pub(crate) cores: &'a Cores,
}

/// The same load on both servers, in each round.
pub(crate) struct Pair {
    pub(crate) tokens: Tokens,
    pub(crate) unprotected: Vec<Turn>,
    pub(crate) protected: Vec<Turn>,
}

pub(crate) fn run(plan: &Plan, programs: &Programs) -> Result<(), Box<dyn Error>> {
    let trust = Trust::new()?;
    table::explain(plan);
    for example in examples::NAMES {
        for version in [Version::Http1, Version::Http2] {
            if version == Version::Http2 && !programs.oha {
                println!("\nSKIPPED: {example} over HTTP/2, for want of oha");
                continue;
            }
            for count in [1, 2] {
                let cores = Cores::with_server_on(count);
                let setting = Setting { example, version, cores: &cores };
                table::print(&setting, &setting.rounds(plan, &trust)?);
            }
        }
    }
    Ok(())
}

impl Setting<'_> {
    fn rounds(&self, plan: &Plan, trust: &Trust) -> Result<Vec<Pair>, Box<dyn Error>> {
        let servers = self.start(trust)?;
        let load = |tokens, seconds| {
            let (version, cores) = (self.version, self.cores);
            Load { version, tokens, cores, trust, seconds }
        };
        let empty = |tokens| Pair { tokens, unprotected: Vec::new(), protected: Vec::new() };
        let mut pairs = vec![empty(Tokens::One)];
        if self.version == Version::Http1 {
            pairs.push(empty(Tokens::InTurn));
        }
        // Tokens in turn are to be known before they count.
        for pair in pairs.iter().filter(|pair| plan.warms_up || pair.tokens == Tokens::InTurn) {
            pair.turns(&load(pair.tokens, 1), &servers, false)?;
        }
        for round in 0..plan.rounds {
            for pair in &mut pairs {
                let [unprotected, protected] =
                    pair.turns(&load(pair.tokens, plan.seconds), &servers, round % 2 == 1)?;
                pair.unprotected.push(unprotected);
                pair.protected.push(protected);
            }
        }
        Ok(pairs)
    }

    /// The unprotected one is this very program.
    fn start(&self, trust: &Trust) -> Result<[Server; 2], Box<dyn Error>> {
        let own = std::env::current_exe()?;
        let unprotected = Server::start(&own, &[unprotected::FLAG, self.example], self.cores)?;
        let example = examples::path(self.example)?;
        let protected = Server::start(&example, &trust.flags()?, self.cores)?;
        Ok([unprotected, protected])
    }
}

impl Pair {
    /// One on each server. Which is first changes by the round, so that neither gains by its place.
    fn turns(
        &self,
        load: &Load<'_>,
        [unprotected, protected]: &[Server; 2],
        protected_first: bool,
    ) -> Result<[Turn; 2], Box<dyn Error>> {
        if protected_first {
            let second = load.on(protected)?;
            return Ok([load.on(unprotected)?, second]);
        }
        Ok([load.on(unprotected)?, load.on(protected)?])
    }
}
