//! Stage 2 for tokens that say nothing by themselves: their issuer is asked (RFC 7662).
//!
//! A token is sent in the body of a POST request, to the one endpoint of the one issuer that its
//! shape tells (`route`). What comes back is either a verdict on the token or a failure of somebody
//! else, and the two are never mixed: a verdict is remembered for a while (`memory`), a failure is
//! not. Many requests with one token make one call (`flight`). Tokens that were active of late
//! (`lately`) are asked about even if strangers come with many others.

mod answer;
mod assertion;
mod call;
mod credentials;
mod flight;
mod form;
mod lately;
mod location;
mod memory;
mod report;
mod route;
mod signed;
mod trouble;

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

pub(crate) use self::answer::AnswerPolicy;
pub(crate) use self::assertion::Assertion;
pub(crate) use self::credentials::{Credentials, TokenSource};
use self::flight::{Board, Boarding, Outcome};
pub(crate) use self::location::Location;
pub(crate) use self::memory::{Memories, Memory};
pub(crate) use self::route::{Routes, Shapes};
pub(crate) use self::signed::SignedAnswers;
use self::trouble::Record;
use super::{Digest, TrustedIssuer};
use crate::clock::Timestamp;
use crate::error::RejectionKind;
use crate::fetch::GRACE;
use crate::keys::{IntrospectionError, Supplies, Trouble};

/// A call that failed, and what the log has to say of it.
type Failure = crate::keys::Failure<IntrospectionError>;

/// What an introspector is made of.
pub(crate) struct IntrospectorSettings {
    pub(crate) supplies: Supplies,
    pub(crate) location: Location,
    pub(crate) credentials: Credentials,
    pub(crate) shapes: Shapes,
    /// Whether to say that the token is an access token.
    pub(crate) hint: bool,
    pub(crate) policy: AnswerPolicy,
    pub(crate) signed: Option<SignedAnswers>,
    /// How many calls may be under way.
    pub(crate) concurrent: usize,
    /// How many may be begun in a second.
    pub(crate) a_second: u32,
}

/// Asks one issuer about tokens, as one client of it, for one server.
pub(crate) struct Introspector {
    settings: IntrospectorSettings,
    /// What is remembered holds its issuer, which holds this. So the memory belongs to the list of
    /// issuers, or neither would ever be dropped.
    memory: Weak<Memory>,
    board: Board,
    record: Record,
}

impl fmt::Debug for Introspector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let IntrospectorSettings { location, credentials, .. } = &self.settings;
        f.debug_struct("Introspector")
            .field("location", location)
            .field("credentials", credentials)
            .finish_non_exhaustive()
    }
}

/// An answer to wait for.
pub(crate) type Asking = Pin<Box<dyn Future<Output = Outcome> + Send>>;

impl Introspector {
    pub(crate) fn new(settings: IntrospectorSettings, memory: &Arc<Memory>) -> Self {
        let (board, record) = (Board::new(settings.a_second), Record::new());
        Self { settings, memory: Arc::downgrade(memory), board, record }
    }

    pub(crate) const fn shapes(&self) -> &Shapes {
        &self.settings.shapes
    }

    /// How the calls went of late.
    pub(crate) fn trouble(&self, now: Timestamp) -> Trouble {
        Trouble { lost: !self.knows_endpoint(now), ..self.record.look() }
    }

    /// From memory: an active token, or a refusal.
    pub(crate) fn known(&self, digest: &Digest, now: Timestamp) -> Option<Outcome> {
        let memory = self.memory.upgrade()?;
        memory.find(&memory.key(digest), now)
    }

    /// Asks the endpoint, or joins those who already ask about the same token. Never blocks.
    pub(crate) fn ask(
        self: &Arc<Self>,
        issuer: &Arc<TrustedIssuer>,
        token: &str,
        digest: Digest,
        now: Timestamp,
    ) -> Asking {
        let runtime = tokio::runtime::Handle::try_current().ok();
        let Some((runtime, memory)) = runtime.zip(self.memory.upgrade()) else {
            let cause = "there is no runtime, or the server is gone";
            self.report(&Failure::with_cause(IntrospectionError::Runtime, cause));
            return unavailable();
        };
        let key = memory.key(&digest);
        if self.board.is_lost(&key) {
            let cause = "its runtime is not driven any more";
            self.failed(&Failure::with_cause(IntrospectionError::Runtime, cause), now);
        }
        let waiting = match self.board.board(self, issuer, key, now, &memory) {
            Boarding::Known(outcome) => return Box::pin(std::future::ready(outcome)),
            Boarding::Full(cause) => {
                self.busy(cause, now);
                return unavailable();
            }
            Boarding::Joined(waiting) => waiting,
            Boarding::First(landing, waiting) => {
                landing.fly(&runtime, token.to_owned());
                waiting
            }
        };
        Box::pin(async move {
            waiting.ended().await.unwrap_or(Err(RejectionKind::IntrospectionUnavailable))
        })
    }

    /// The longest a call takes: the fetch; where the endpoint is found by metadata, a look-up of that
    /// before it, or after it and then the fetch once more; where the answer is signed, the wait for
    /// keys.
    fn longest(&self, issuer: &TrustedIssuer) -> Duration {
        let fetch = self.settings.supplies.limits.timeout.saturating_add(GRACE);
        let fetches = if matches!(self.settings.location, Location::Metadata(_)) { 3 } else { 1 };
        let signed = self.settings.signed.as_ref();
        let keys = signed.map_or(Duration::ZERO, |_| issuer.keys.longest_wait());
        fetch.saturating_mul(fetches).saturating_add(keys)
    }
}

fn unavailable() -> Asking {
    Box::pin(std::future::ready(Err(RejectionKind::IntrospectionUnavailable)))
}
