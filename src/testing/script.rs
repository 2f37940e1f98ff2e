//! What a scripted fetch does next.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri};
use tokio::sync::watch;

use crate::fetch::{FetchError, FetchErrorKind};

/// One turn of the script.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Answer(Response<Bytes>),
    Fail(FetchErrorKind),
    Hang,
}

/// The turns to come.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) queue: VecDeque<Step>,
    /// Standing answers of single URIs.
    pub(super) by_uri: HashMap<Uri, Step>,
    pub(super) fallback: Option<Step>,
    pub(super) headers: HeaderMap,
    pub(super) gate: Option<watch::Receiver<bool>>,
}

impl Script {
    fn next(&mut self, uri: &Uri) -> Step {
        let own = || self.by_uri.get(uri).or(self.fallback.as_ref()).cloned();
        let step = self.queue.pop_front().or_else(own);
        step.unwrap_or(Step::Fail(FetchErrorKind::Transport))
    }
}

/// What the clones of one fetch share.
#[derive(Debug)]
pub(super) struct State {
    script: Mutex<Script>,
    /// Holds the requests and wakes whoever waits for them.
    pub(super) seen: watch::Sender<Vec<Request<Bytes>>>,
}

impl State {
    pub(super) fn new() -> Self {
        Self { script: Mutex::default(), seen: watch::Sender::new(Vec::new()) }
    }

    pub(super) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next turn for a request, in the order requests arrive.
    pub(super) async fn play(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, FetchError> {
        let (step, gate) = {
            let mut script = self.script();
            (script.next(request.uri()), script.gate.clone())
        };
        self.seen.send_modify(|seen| seen.push(request));
        if let Some(mut gate) = gate {
            // An error means that the hold was dropped, which releases as well.
            drop(gate.wait_for(|open| *open).await);
        }
        self.perform(step).await
    }

    async fn perform(&self, step: Step) -> Result<Response<Bytes>, FetchError> {
        match step {
            Step::Answer(mut answer) => {
                answer.headers_mut().extend(self.script().headers.clone());
                Ok(answer)
            }
            Step::Fail(kind) => Err(FetchError::new(kind)),
            Step::Hang => std::future::pending().await,
        }
    }
}
