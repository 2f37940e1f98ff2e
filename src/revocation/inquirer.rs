//! Asking a source, and taking note of what it says or fails to say.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::known::Asked;
use super::{
    Revocation, RevocationCheck, RevocationError, RevocationResult, TokenFacts, TokenStatus,
};
use crate::clock::Timestamp;
use crate::observe::{Event, Observer};
use crate::pace::Lines;
use crate::timer;
use crate::token::Vouched;

const TARGET: &str = "tower_resource_server::revocation";

/// What to do when it cannot be said whether a token was revoked.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum UnknownStatus {
    #[default]
    Refuse,
    Accept,
}

/// What is known of a token's status, and since when.
#[derive(Debug)]
pub(crate) struct Answer {
    asked: Asked,
    status: Result<TokenStatus, RevocationError>,
}

impl Answer {
    pub(crate) fn is_revoked(&self) -> bool {
        self.status == Ok(TokenStatus::Revoked)
    }

    pub(crate) const fn status(&self) -> Result<TokenStatus, RevocationError> {
        self.status
    }
}

/// What is known of a token's status at one moment.
pub(crate) enum Inquiry {
    /// Nobody has to be asked, or has been.
    Known(Answer),
    Pending(Pin<Box<dyn Future<Output = Answer> + Send>>),
}

/// The source of a server, how long it may take, and what to do when it cannot say.
#[derive(Debug)]
pub(crate) struct Inquirer {
    source: Arc<dyn Revocation>,
    longest: Duration,
    unknown: UnknownStatus,
    observer: Option<Arc<dyn Observer>>,
    lines: Mutex<Lines>,
}

impl Inquirer {
    pub(crate) const fn new(
        source: Arc<dyn Revocation>,
        longest: Duration,
        unknown: UnknownStatus,
        observer: Option<Arc<dyn Observer>>,
    ) -> Self {
        let lines = Mutex::new(Lines::new());
        Self { source, longest, unknown, observer, lines }
    }

    pub(crate) const fn unknown(&self) -> UnknownStatus {
        self.unknown
    }

    /// Asks about a token, unless the last answer about it still holds.
    pub(crate) fn inquire(&self, vouched: &Vouched, now: Timestamp) -> Inquiry {
        let asked = vouched.status.asked(now);
        let known = |status| Inquiry::Known(Answer { asked, status });
        if vouched.status.holds(now) {
            return known(Ok(TokenStatus::Valid(Duration::ZERO)));
        }
        let longest = self.longest;
        match self.source.check(&TokenFacts::new(vouched, now)) {
            RevocationCheck::Done(result) => known(said(result)),
            RevocationCheck::Pending(answer) => Inquiry::Pending(Box::pin(async move {
                Answer { asked, status: wait(answer, longest).await }
            })),
        }
    }

    /// Remembers what the answer says may be taken for granted, and tells of one that says nothing.
    pub(crate) fn note(&self, vouched: &Vouched, answer: &Answer, now: Timestamp) {
        match answer.status {
            Ok(TokenStatus::Valid(valid)) if valid.is_zero() => {}
            Ok(TokenStatus::Valid(valid)) => vouched.status.keep(answer.asked, valid),
            Ok(TokenStatus::Revoked) => vouched.status.revoked(),
            Err(error) => self.report(&vouched.issuer.identifier, error, now),
        }
    }

    fn report(&self, issuer: &str, error: RevocationError, now: Timestamp) {
        let accepted = self.unknown == UnknownStatus::Accept;
        if let Some(observer) = &self.observer {
            observer.observe(&Event::RevocationUnknown { issuer, error, accepted });
        }
        if let Some(requests) = self.requests_to_tell(now) {
            tracing::warn!(
                target: TARGET,
                issuer,
                %error,
                accepted,
                requests,
                "it cannot be said whether tokens were revoked"
            );
        }
    }

    /// How many requests there were since the log was last told, if it is to be told now.
    fn requests_to_tell(&self, now: Timestamp) -> Option<u64> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).tell(now)
    }
}

async fn wait(
    answer: impl Future<Output = RevocationResult>,
    longest: Duration,
) -> Result<TokenStatus, RevocationError> {
    if !timer::is_there() {
        return Err(RevocationError::Runtime);
    }
    match tokio::time::timeout(longest, answer).await {
        Ok(result) => said(result),
        Err(_) => Err(RevocationError::Timeout),
    }
}

fn said(result: RevocationResult) -> Result<TokenStatus, RevocationError> {
    result.map_err(|_| RevocationError::Source)
}
