//! Issuers found while the server runs: looked up once, kept in a bounded table.
//!
//! Names come from tokens that nobody has verified, so strangers choose them, within what is
//! allowed. Hence a pace for look-ups, a bound for answers of all kinds, and one flight for each
//! name: whoever asks about the same name meanwhile waits for it. Issuers that are known have a pace
//! of their own: or who is trusted no longer could hide that behind a flood of invented names. So
//! have names that are allowed whole, since nobody can invent more of them.
//!
//! What brings an issuer takes nothing of the pace, and a name whose look-up failed rests: what
//! cannot be looked up keeps nobody else waiting.
//!
//! Those who wait are told that the look-up is over, not how it ended. They look again.

mod table;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use self::table::{Found, Table};
use crate::clock::{Clock, Timestamp};
use crate::config::{Allowed, AllowedIssuers, Fault, Issuer, IssuerResolver, ResolveError};
use crate::flight::{self, Flights, Report, Waiting, time_of_landing};
use crate::pace::Pace;
use crate::token::TrustedIssuer;

/// Checks an issuer that was found and makes what verification needs of it.
pub(crate) type Admit = Box<dyn Fn(&Issuer) -> Result<TrustedIssuer, Vec<Fault>> + Send + Sync>;

pub(crate) struct Resolver {
    pub(crate) allowed: AllowedIssuers,
    pub(crate) source: Arc<dyn IssuerResolver>,
    pub(crate) admit: Admit,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) longest: Duration,
    state: Mutex<State>,
}

struct State {
    table: Table,
    named: Lane,
    below: Lane,
    aged: Lane,
}

/// The look-ups of one cause.
struct Lane {
    pace: Pace,
    flights: Flights<Arc<str>, ()>,
}

/// Why an issuer is looked up.
#[derive(Clone, Copy)]
enum Cause {
    /// It is not known, and allowed in that way.
    Unknown(Allowed),
    Aged,
}

impl State {
    fn new(allowed: &AllowedIssuers) -> Self {
        let lane = || Lane { pace: Pace::new(allowed.lookups_a_second), flights: Flights::new() };
        let table = Table::new(allowed.capacity);
        Self { table, named: lane(), below: lane(), aged: lane() }
    }

    const fn lane(&mut self, cause: Cause) -> &mut Lane {
        match cause {
            Cause::Unknown(Allowed::Named) => &mut self.named,
            Cause::Unknown(Allowed::Below) => &mut self.below,
            Cause::Aged => &mut self.aged,
        }
    }

    fn running(&self, identifier: &str) -> Option<Waiting<()>> {
        let lanes = [&self.named, &self.below, &self.aged];
        lanes.into_iter().find_map(|lane| lane.flights.join(identifier))
    }
}

/// What is known of an issuer at one moment.
pub(crate) enum Resolution {
    Trusted(Arc<TrustedIssuer>),
    Untrusted,
    /// A look-up runs, or should: see [`Resolver::look_up`].
    Unknown,
}

/// Look-ups of one cause at one time.
const MAX_FLIGHTS: usize = 16;

impl Resolver {
    pub(crate) fn new(
        (allowed, source): (AllowedIssuers, Arc<dyn IssuerResolver>),
        admit: Admit,
        clock: Arc<dyn Clock>,
        longest: Duration,
    ) -> Self {
        let state = Mutex::new(State::new(&allowed));
        Self { allowed, source, admit, clock, longest, state }
    }

    /// What is known of that issuer. One that should be looked up again is, without waiting.
    pub(crate) fn get(self: &Arc<Self>, identifier: &str, now: Timestamp) -> Resolution {
        if self.allowed.allows(identifier).is_none() {
            return Resolution::Untrusted;
        }
        let found = self.state().table.find(identifier, now);
        match found {
            Found::Trusted { issuer, aged } => {
                if aged {
                    self.join(identifier, Cause::Aged, now);
                }
                Resolution::Trusted(issuer)
            }
            Found::Untrusted => Resolution::Untrusted,
            Found::Nothing => Resolution::Unknown,
        }
    }

    /// Every issuer that is known, for a look at their keys.
    pub(crate) fn known(&self) -> Vec<Arc<TrustedIssuer>> {
        self.state().table.issuers()
    }

    /// Joins the look-up of an issuer that is not known, or starts one if the pace allows it and
    /// none failed a moment ago.
    pub(crate) fn look_up(
        self: &Arc<Self>,
        identifier: &str,
        now: Timestamp,
    ) -> Option<Waiting<()>> {
        self.join(identifier, Cause::Unknown(self.allowed.allows(identifier)?), now)
    }

    fn join(
        self: &Arc<Self>,
        identifier: &str,
        cause: Cause,
        now: Timestamp,
    ) -> Option<Waiting<()>> {
        let mut state = self.state();
        if let Some(waiting) = state.running(identifier) {
            return Some(waiting);
        }
        if state.table.rests(identifier, now) {
            return None;
        }
        let runtime = tokio::runtime::Handle::try_current().ok()?;
        let lane = state.lane(cause);
        lane.flights.forget_overdue();
        if lane.flights.len() >= MAX_FLIGHTS || !lane.pace.allows(now) {
            return None;
        }
        let identifier: Arc<str> = identifier.into();
        let (waiting, report) = lane.flights.begin(Arc::clone(&identifier), self.longest);
        drop(state);
        let (flier, name) = (Arc::clone(self), Arc::clone(&identifier));
        let landing = Landing { resolver: Arc::clone(self), identifier, cause, begun: now, report };
        let land = move |outcome| landing.land(outcome);
        flight::fly(&runtime, async move { flier.resolve(&name).await }, land);
        Some(waiting)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn resolve(&self, identifier: &str) -> Outcome {
        let answer = tokio::time::timeout(self.longest, self.source.resolve(identifier)).await;
        match answer {
            Ok(Ok(None)) => Outcome::Untrusted,
            Ok(Ok(Some(issuer))) if issuer.identifier() != identifier => {
                log(identifier, "the resolver answered with another issuer");
                Outcome::Failed
            }
            Ok(Ok(Some(issuer))) => Outcome::Found(Box::new(issuer)),
            Ok(Err(error)) => {
                log_failure(identifier, &error);
                Outcome::Failed
            }
            Err(_) => {
                log(identifier, "the resolver gave no answer in time");
                Outcome::Failed
            }
        }
    }

    /// Returns whether it brought an issuer for which there was room.
    fn settle(&self, identifier: &Arc<str>, outcome: Outcome, now: Timestamp) -> bool {
        match outcome {
            Outcome::Untrusted => self.state().table.distrust(identifier, now),
            Outcome::Failed => self.state().table.fail(identifier, now),
            Outcome::Found(issuer) => return self.settle_found(identifier, *issuer, now),
        }
        false
    }

    fn settle_found(&self, identifier: &Arc<str>, issuer: Issuer, now: Timestamp) -> bool {
        if self.state().table.confirm(&issuer, now) {
            return true;
        }
        // Reading keys and settings of an issuer takes a while.
        match (self.admit)(&issuer) {
            Ok(trusted) => self.state().table.trust(issuer, trusted, now),
            Err(faults) => {
                log_faults(identifier, &faults);
                self.state().table.fail(identifier, now);
                false
            }
        }
    }
}

enum Outcome {
    Found(Box<Issuer>),
    Untrusted,
    Failed,
}

/// What it takes to end a look-up.
struct Landing {
    resolver: Arc<Resolver>,
    identifier: Arc<str>,
    cause: Cause,
    begun: Timestamp,
    report: Report<()>,
}

impl Landing {
    /// One that ended before its time has failed.
    fn land(self, outcome: Option<Outcome>) {
        let now = time_of_landing(&self.resolver.clock, self.begun);
        let outcome = outcome.unwrap_or(Outcome::Failed);
        if self.resolver.settle(&self.identifier, outcome, now) {
            self.resolver.state().lane(self.cause).pace.take_back(self.begun);
        }
        // Goes last: a later look-up would be overruled by this one.
    }
}

/// Ends the flight, even by a panic while it is settled.
impl Drop for Landing {
    fn drop(&mut self) {
        let Self { resolver, identifier, cause, report, .. } = self;
        resolver.state().lane(*cause).flights.end(identifier, report);
    }
}

fn log(identifier: &str, problem: &str) {
    tracing::error!(target: "tower_resource_server::keys", issuer = ?identifier, "{problem}");
}

fn log_failure(identifier: &str, error: &ResolveError) {
    let cause = std::error::Error::source(error).map(tracing::field::display);
    tracing::error!(target: "tower_resource_server::keys", issuer = ?identifier, cause, "{error}");
}

fn log_faults(identifier: &str, faults: &[Fault]) {
    for fault in faults {
        tracing::error!(target: "tower_resource_server::keys", issuer = ?identifier, %fault, "the resolver answered with an issuer that cannot be used");
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (allowed, source) = (&self.allowed, &self.source);
        f.debug_struct("Resolver")
            .field("allowed", allowed)
            .field("source", source)
            .finish_non_exhaustive()
    }
}
