//! The one connection of a store: made at the first claim, for all who wait, and made anew when it
//! broke.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::error::Failure;
use super::link::{Link, Target};

/// How long connecting may take, handshakes included. A claim waits for its own time only.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// The rest after failures in a row: 50 ms, doubled up to 800 ms.
fn rest(failures: u32) -> Duration {
    Duration::from_millis(50 << failures.saturating_sub(1).min(4))
}

pub(super) struct Line {
    target: Target,
    state: Mutex<State>,
    /// Since a claim was last answered.
    failures: AtomicU32,
}

/// What came of connecting; nothing yet, at first.
type Outcome = Option<Result<Arc<Link>, Failure>>;

#[derive(Clone)]
enum State {
    Closed,
    /// A task connects, or rests after a failure. When it is gone, its half of the channel is too.
    Busy(watch::Receiver<Outcome>),
    Open(Arc<Link>),
}

impl Line {
    pub(super) fn new(target: Target) -> Arc<Self> {
        let (state, failures) = (Mutex::new(State::Closed), AtomicU32::new(0));
        Arc::new(Self { target, state, failures })
    }

    /// The connection, waited for where it is being made. Fails at once between two attempts.
    pub(super) async fn link(self: &Arc<Self>) -> Result<Arc<Link>, Failure> {
        let mut outcome = match self.open() {
            State::Open(link) => return Ok(link),
            State::Busy(outcome) => outcome,
            State::Closed => return Err(Failure::INTERRUPTED),
        };
        match outcome.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(result)) => result.clone(),
            _ => Err(Failure::INTERRUPTED),
        }
    }

    /// The present state, after connecting was begun where nobody does.
    fn open(self: &Arc<Self>) -> State {
        let mut state = self.state();
        let idle = match &*state {
            State::Closed => true,
            State::Busy(outcome) => outcome.has_changed().is_err(),
            State::Open(link) => link.is_closed(),
        };
        if idle {
            let (sender, outcome) = watch::channel(None);
            tokio::spawn(Arc::clone(self).connect(sender));
            *state = State::Busy(outcome);
        }
        state.clone()
    }

    async fn connect(self: Arc<Self>, outcome: watch::Sender<Outcome>) {
        let late = Err(Failure::CONNECTING);
        let result = timeout(CONNECT_LIMIT, self.target.connect()).await.unwrap_or(late);
        match result {
            Ok(link) => {
                let link = Arc::new(link);
                *self.state() = State::Open(Arc::clone(&link));
                outcome.send_replace(Some(Ok(link)));
            }
            Err(failure) => {
                outcome.send_replace(Some(Err(failure)));
                sleep(rest(self.count_failure())).await;
            }
        }
    }

    /// Gives a connection up, once. Claims that still wait for it keep it until they end.
    ///
    /// The first time, the next claim connects at once; when it happens again before a claim was
    /// answered, there is a rest.
    pub(super) fn give_up(self: &Arc<Self>, link: &Arc<Link>) {
        let mut state = self.state();
        if !matches!(&*state, State::Open(open) if Arc::ptr_eq(open, link)) {
            return;
        }
        let failures = self.count_failure();
        *state = if failures == 1 { State::Closed } else { Self::resting(rest(failures)) };
    }

    fn resting(duration: Duration) -> State {
        let (sender, outcome) = watch::channel(Some(Err(Failure::RESTING)));
        tokio::spawn(async move {
            sleep(duration).await;
            drop(sender);
        });
        State::Busy(outcome)
    }

    /// A claim was answered.
    pub(super) fn works(&self) {
        if self.failures.load(Ordering::Relaxed) > 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    fn count_failure(&self) -> u32 {
        self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_double_up_to_a_bound() {
        let rests: Vec<_> = (0..8).map(|failures| rest(failures).as_millis()).collect();
        assert_eq!(rests, [50, 50, 100, 200, 400, 800, 800, 800]);
        assert_eq!(rest(u32::MAX).as_millis(), 800);
    }
}
