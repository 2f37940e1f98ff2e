//! The layer that lets only requests with a valid token through.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::ResponseBody;
use super::future::{Gate, Mode, ResponseFuture};
use crate::authorize::Requirement;
use crate::config::{ConfigError, Settings};

/// Applies [`Authenticate`] to services. Made by
/// [`ResourceServer::authenticate`](crate::ResourceServer::authenticate).
#[derive(Clone)]
pub struct AuthenticateLayer {
    gate: Arc<Gate>,
}

impl AuthenticateLayer {
    pub(crate) fn new(settings: &Arc<Settings>) -> Self {
        let gate =
            Gate { settings: Arc::clone(settings), demand: Arc::default(), mode: Mode::Required };
        Self { gate: Arc::new(gate) }
    }

    fn map(self, change: impl FnOnce(&mut Gate)) -> Self {
        let mut gate = Gate::clone(&self.gate);
        change(&mut gate);
        Self { gate: Arc::new(gate) }
    }

    /// Lets requests without credentials through, with no [`Grant`](crate::Grant). Credentials
    /// that are malformed, of a scheme that is not accepted, or do not verify are refused all the
    /// same: their sender meant to be known.
    #[must_use]
    pub fn optional(self) -> Self {
        self.map(|gate| gate.mode = Mode::Optional)
    }

    /// Also demands `requirement` of every token, so that already the challenge to a request
    /// without credentials names the scopes to ask for. Called again, it demands both.
    ///
    /// A faulty requirement is logged at once and fails closed: every request is answered 500.
    /// [`try_require`](Self::try_require) returns the faults instead.
    #[must_use]
    pub fn require(self, requirement: impl Into<Requirement>) -> Self {
        let requirement = self.gate.demand.and(requirement.into());
        self.map(|gate| gate.demand = gate.settings.demand(requirement))
    }

    /// As [`require`](Self::require).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every fault of the requirement.
    pub fn try_require(self, requirement: impl Into<Requirement>) -> Result<Self, ConfigError> {
        let requirement = self.gate.demand.and(requirement.into());
        let demand = self.gate.settings.try_demand(requirement)?;
        Ok(self.map(|gate| gate.demand = demand))
    }
}

impl fmt::Debug for AuthenticateLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticateLayer").field("mode", &self.gate.mode).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for AuthenticateLayer {
    type Service = Authenticate<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Authenticate { inner, gate: Arc::clone(&self.gate) }
    }
}

/// Calls the inner service for requests with a valid access token, with a
/// [`Grant`](crate::Grant) in their extensions; answers the others itself.
///
/// A refusal is a response: the error type is the inner service's.
#[derive(Clone)]
pub struct Authenticate<S> {
    inner: S,
    gate: Arc<Gate>,
}

impl<S: fmt::Debug> fmt::Debug for Authenticate<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticate").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<S, B, R> Service<Request<B>> for Authenticate<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: Body<Data = Bytes>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ResponseFuture::start(&self.gate, &mut self.inner, request)
    }
}
