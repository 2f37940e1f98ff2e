//! One claim: what is sent, and what follows from the answers.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ::redis::{Pipeline, Value};
use tokio::time::{Instant, sleep, timeout_at};

use super::epoch::{Epoch, Finding, Marker};
use super::error::Failure;
use super::health::Health;
use super::keys::Keys;
use super::line::Line;
use super::link::Link;
use super::{Shared, TOLERANCE};
use crate::base64url;
use crate::proof::replay::{ClaimOutcome, ClaimResult, ProofUse, ReplayStoreError};
use crate::random;
use crate::timer;

/// One use of a proof on its way to the server.
pub(super) struct Claiming {
    shared: Arc<Shared>,
    keys: Keys,
    timeout: Duration,
    /// How long the record stays, in milliseconds.
    lifetime: u64,
    from: i64,
    now: i64,
}

/// What came back.
struct Answer {
    recorded: bool,
    marker: Option<Marker>,
}

impl Claiming {
    pub(super) fn new(
        shared: Arc<Shared>,
        keys: Keys,
        timeout: Duration,
        proof: &ProofUse,
    ) -> Self {
        let (from, _, now) = proof.millis();
        let lifetime = millis(proof.remaining().saturating_add(TOLERANCE)).unsigned_abs();
        Self { shared, keys, timeout, lifetime, from, now }
    }

    pub(super) async fn run(self) -> ClaimResult {
        let result = match timer::is_there() {
            true => self.ask(sleep(self.timeout).deadline()).await,
            false => Err(Failure::NO_RUNTIME),
        };
        result.unwrap_or_else(|failure| {
            self.shared.health.failed(&self.shared.servers, &failure);
            Err(ReplayStoreError::Unavailable)
        })
    }

    async fn ask(&self, deadline: Instant) -> Result<ClaimResult, Failure> {
        let line = &self.shared.line;
        let link = timeout_at(deadline, line.link()).await.unwrap_or(Err(Failure::CONNECTING))?;
        let result = self.ask_over(&link, deadline).await;
        match &result {
            Ok(_) => self.works(line),
            Err(failure) if failure.broken => line.give_up(&link),
            Err(_) => {}
        }
        result
    }

    fn works(&self, line: &Line) {
        line.works();
        self.shared.health.works(&self.shared.servers);
    }

    async fn ask_over(&self, link: &Link, deadline: Instant) -> Result<ClaimResult, Failure> {
        let epoch = self.shared.epochs.of(&self.keys);
        let answers = send(link, &self.commands(epoch, link)?, deadline).await?;
        let answer = Answer::read(answers)?;
        let since = match epoch.judge(answer.marker, link.run(), self.now) {
            Finding::CompleteSince(since) => Some(since),
            Finding::BeingMended => None,
            Finding::Lost(mending) => {
                let marker = self.marker(self.after_loss(), link)?;
                expect_ok(send(link, &self.mend(&marker), deadline).await?)?;
                mending.done(marker, self.now);
                Health::lost(&self.shared.servers);
                None
            }
        };
        Ok(self.outcome(answer.recorded, since))
    }

    /// A record that was there is proof of a use, whatever was lost beside it. That there was none
    /// says something only where the records are complete.
    fn outcome(&self, recorded: bool, since: Option<i64>) -> ClaimResult {
        let relived = self.shared.relived.load(Ordering::Relaxed);
        match since.map(|since| since.max(relived)) {
            _ if !recorded => Ok(ClaimOutcome::Replay),
            Some(since) if since == 0 || self.from > since => Ok(ClaimOutcome::First),
            _ => Err(ReplayStoreError::Unavailable),
        }
    }

    /// The record comes before the look at the marker. Were it the other way round, a loss in
    /// between would go unnoticed.
    fn commands(&self, epoch: &Epoch, link: &Link) -> Result<Pipeline, Failure> {
        let mut commands = Pipeline::with_capacity(3);
        if epoch.is_unknown() {
            let first = self.marker(0, link)?.to_string();
            commands.cmd("SET").arg(&self.keys.marker).arg(first).arg("NX");
        }
        let record = commands.cmd("SET").arg(&self.keys.record).arg(1);
        record.arg("NX").arg("PX").arg(self.lifetime);
        commands.cmd("GET").arg(&self.keys.marker);
        Ok(commands)
    }

    fn mend(&self, marker: &Marker) -> Pipeline {
        let mut commands = Pipeline::with_capacity(1);
        commands.cmd("SET").arg(&self.keys.marker).arg(marker.to_string());
        commands
    }

    /// The loss happened before the answer came, which is up to the time-out later than the claim
    /// began; and other machines' clocks differ from this one.
    fn after_loss(&self) -> i64 {
        let latest = self.shared.latest.load(Ordering::Relaxed).max(self.now);
        latest.saturating_add(millis(self.timeout.saturating_add(TOLERANCE)))
    }

    fn marker(&self, since: i64, link: &Link) -> Result<Marker, Failure> {
        let id: [u8; 16] = random::bytes().ok_or(Failure::NO_RANDOMNESS)?;
        Ok(Marker::new(base64url::encode(id), since, link.run()))
    }
}

async fn send(link: &Link, commands: &Pipeline, deadline: Instant) -> Result<Vec<Value>, Failure> {
    timeout_at(deadline, link.send(commands)).await.unwrap_or(Err(Failure::LATE))
}

impl Answer {
    /// The answers to the record and to the look at the marker; before them may be one to the
    /// first marker.
    fn read(answers: Vec<Value>) -> Result<Self, Failure> {
        let mut backwards = answers.into_iter().rev();
        let marker = match backwards.next() {
            Some(Value::BulkString(text)) => Marker::parse(&text),
            other => {
                was_set(other).and_then(|set| if set { Err(Failure::ODD) } else { Ok(None) })?
            }
        };
        let recorded = was_set(backwards.next())?;
        backwards.try_for_each(|first| was_set(Some(first)).map(drop))?;
        Ok(Self { recorded, marker })
    }
}

/// `OK`, or nothing where there was something already.
fn was_set(answer: Option<Value>) -> Result<bool, Failure> {
    match answer {
        Some(Value::Okay) => Ok(true),
        Some(Value::Nil) => Ok(false),
        Some(Value::ServerError(error)) => Err(Failure::refused(&error)),
        _ => Err(Failure::ODD),
    }
}

fn expect_ok(answers: Vec<Value>) -> Result<(), Failure> {
    match was_set(answers.into_iter().next())? {
        true => Ok(()),
        false => Err(Failure::ODD),
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
