//! What a scripted fetch does next.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri};

use super::arrivals::Arrivals;
use super::hold::Gate;
use crate::fetch::{FetchError, FetchErrorKind};

/// One turn of the script.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Answer(Response<Bytes>),
    Fail(FetchErrorKind),
    Hang,
}

impl Step {
    pub(super) async fn perform(self) -> Result<Response<Bytes>, FetchError> {
        match self {
            Self::Answer(answer) => Ok(answer),
            Self::Fail(kind) => Err(FetchError::new(kind)),
            Self::Hang => std::future::pending().await,
        }
    }
}

/// The turns to come.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) queue: VecDeque<Step>,
    /// Standing answers of single URIs.
    pub(super) by_uri: HashMap<Uri, Step>,
    pub(super) fallback: Option<Step>,
    pub(super) headers: HeaderMap,
    pub(super) gate: Option<Gate>,
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
    pub(super) seen: Arrivals,
}

impl State {
    pub(super) fn new() -> Self {
        Self { script: Mutex::default(), seen: Arrivals::new() }
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
        self.seen.record(request);
        if let Some(gate) = gate {
            gate.passed().await;
        }
        let mut answer = step.perform().await?;
        answer.headers_mut().extend(self.script().headers.clone());
        Ok(answer)
    }
}
