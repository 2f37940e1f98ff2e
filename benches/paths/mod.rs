//! The paths of a request through the layer: what is sent, to which server, and beside what it is to
//! be seen. The benches that time and that count share them, so that both speak of the same.

// Each bench uses a part of it.
#![allow(dead_code, unused_imports, reason = "shared by several benches")]

mod bearer;
mod beside;
mod calls;
mod client;
mod connection;
mod counts;
mod dpop;
mod options;
mod refuse;
mod signatures;

use std::time::Duration;

use http::StatusCode;

pub(crate) use self::beside::{Beside, Comparison};
pub(crate) use self::client::{BATCH, Client, PRELUDE};
pub(crate) use self::connection::{Answer, Connection};
pub(crate) use self::counts::{Count, Counts};
pub(crate) use self::options::Options;
use crate::support::together::{Job, Partner, alone};

/// A path that can be built, which takes a while.
pub(crate) struct Plan {
    pub(crate) name: String,
    build: Box<dyn FnOnce(&Options) -> Path>,
}

impl Plan {
    fn new(name: impl Into<String>, build: impl FnOnce(&Options) -> Path + 'static) -> Self {
        Self { name: name.into(), build: Box::new(build) }
    }

    pub(crate) fn build(self, options: &Options) -> Path {
        (self.build)(options)
    }
}

/// All paths, in the order of their budgets, without those that are not asked for.
pub(crate) fn plans(options: &Options) -> Vec<Plan> {
    let all = [
        bearer::bare(),
        bearer::seen(options),
        bearer::first(),
        dpop::seen(),
        dpop::both_new(),
        refuse::bearer(),
        refuse::dpop(),
        calls::plans(),
    ];
    all.into_iter().flatten().filter(|plan| options.want(&plan.name)).collect()
}

pub(crate) struct Path {
    /// Two that have nothing in common: token, key, proofs.
    clients: [Client; 2],
    server: Server,
    pub(crate) besides: Vec<Beside>,
    /// Whether what one client sends can be sent on two threads at once and still go this path.
    pub(crate) shared: bool,
    pub(crate) allocations: Allocations,
    answer: Answer,
}

/// How many allocations a request may take.
#[derive(Clone, Copy)]
pub(crate) enum Allocations {
    Any,
    AtMost(u64),
    /// No more than one request extension costs.
    AsOneExtension,
}

enum Server {
    /// One, which remembers what it has seen.
    Kept(Box<dyn Connection>),
    /// Another each time, which has seen nothing.
    Fresh(Box<dyn Fn() -> Box<dyn Connection>>),
}

impl Path {
    fn accepted(clients: [Client; 2], server: Server) -> Self {
        let answer = Answer { status: StatusCode::OK, challenges: 0 };
        let (besides, allocations) = (Vec::new(), Allocations::Any);
        Self { clients, server, besides, shared: true, allocations, answer }
    }

    fn refused(clients: [Client; 2], server: Server, challenges: usize) -> Self {
        let answer = Answer { status: StatusCode::UNAUTHORIZED, challenges };
        Self { answer, ..Self::accepted(clients, server) }
    }

    fn open(&self) -> Box<dyn Connection> {
        match &self.server {
            Server::Kept(connection) => connection.again(),
            Server::Fresh(open) => open(),
        }
    }

    /// What one request takes on one thread.
    pub(crate) fn alone(&self) -> Duration {
        alone(job(self.open(), &self.clients[0]))
    }

    /// What one request takes on two threads, each with a client of its own.
    pub(crate) fn apart(&self, partner: &Partner) -> Duration {
        self.together(partner, &self.clients[1])
    }

    /// What one request takes on two threads that serve the same client.
    pub(crate) fn shared(&self, partner: &Partner) -> Duration {
        self.together(partner, &self.clients[0])
    }

    fn together(&self, partner: &Partner, theirs: &Client) -> Duration {
        let connection = self.open();
        let theirs = job(connection.again(), theirs);
        partner.together(job(connection, &self.clients[0]), theirs)
    }

    /// Calls with one request that is as those that are timed: others went before, through the same
    /// connection.
    ///
    /// # Panics
    ///
    /// When the answer is not the one of this path, so that nothing else is timed for it.
    pub(crate) fn sample<R>(&self, call: impl FnOnce(&mut dyn FnMut() -> Answer) -> R) -> R {
        let mut connection = self.open();
        let mut requests = self.clients[0].send(PRELUDE + 2).requests();
        let last = requests.pop().expect("there are two more");
        let mut answers = requests.into_iter().map(|request| connection.answer(request));
        assert_eq!(answers.by_ref().last(), Some(self.answer), "the answer of another path");
        drop(answers);
        let mut last = Some(last);
        call(&mut || connection.answer(last.take().expect("called once")))
    }
}

fn job(mut connection: Box<dyn Connection>, client: &Client) -> Job {
    let sent = client.send(PRELUDE + BATCH);
    Box::new(move |start| {
        let mut requests = sent.requests();
        let timed = requests.split_off(PRELUDE);
        for request in requests {
            connection.answer(request);
        }
        start.wait();
        connection.time(timed)
    })
}
