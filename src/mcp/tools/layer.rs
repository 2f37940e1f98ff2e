//! The layer that puts a tool's requirement to the grant, and the reading that it takes.
//!
//! The body is pinned where it lies, so that one which is there at once is read without a box and
//! its request goes to the very service that was ready for it. Only a request that has to wait for
//! its body gives that readiness back, and another is asked for afterwards.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, request};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};
use tower_layer::Layer;
use tower_service::Service;

use super::Tools;
use super::rules::{Gate, Next};
use crate::authorize::Requirement;
use crate::config::{ConfigError, Settings};
use crate::error::RejectionKind;
use crate::layer::{Buffer, BufferedBody, Read, ResponseBody, own, take_ready, taken};
use crate::rejection::Rejection;
use crate::render;
use crate::timer;

/// Applies [`RequireTools`] to services. Made by
/// [`ResourceServer::require_tools`](crate::ResourceServer::require_tools), from [`Tools`].
///
/// It goes inside an [`AuthenticateLayer`](crate::layer::AuthenticateLayer) of the same server. It
/// answers
///
/// | the request | answer |
/// |---|---|
/// | calls tools that the token suffices for | the inner service's |
/// | calls a tool, and the token lacks scopes or authorization details, or fails a predicate | 403 `insufficient_scope`, with all scopes that the request needs |
/// | calls a tool that needs a stronger or more recent authentication | 401 `insufficient_user_authentication` (RFC 9470 §3) |
/// | calls a tool that is not listed, where nothing is said of [others](Tools::others) | 403 without error code and challenge: no token would help |
/// | calls a tool and is anonymous, behind an optional layer | 401 with the scopes to ask for |
/// | calls no tool, and no method with a [requirement](Tools::method) | the inner service's |
/// | is no message, or one that parsers could read in two ways | 400, JSON-RPC code −32700 or −32600 |
/// | has header fields that say something else than its body (2026-07-28) | 400, JSON-RPC code −32020 |
/// | is not of type `application/json`, or compressed | 415 |
/// | is too long, or does not arrive | 413, 408 |
/// | went through no `authenticate` layer of this server | 500, logged at level ERROR |
/// | any, and the rules have a fault | 500 |
///
/// The bodies are the [envelope](crate::render::Envelope)'s. For MCP that ought to be
/// [`JsonRpc`](crate::render::JsonRpc), which writes the codes above, without an `id`.
#[derive(Clone)]
pub struct RequireToolsLayer {
    gate: Arc<Gate>,
}

impl RequireToolsLayer {
    /// Fails closed where the rules have faults, and says so in the log at once.
    ///
    /// `outer` is what the layer around demands of every token, where that is known.
    pub(crate) fn new(tools: Tools, outer: Option<&Requirement>, settings: &Arc<Settings>) -> Self {
        Self::checked(tools, outer, settings).unwrap_or_else(|error| {
            tracing::error!(target: "tower_resource_server::config", %error, "tools unusable");
            Self { gate: Arc::new(Gate::unusable(settings)) }
        })
    }

    pub(crate) fn checked(
        tools: Tools,
        outer: Option<&Requirement>,
        settings: &Arc<Settings>,
    ) -> Result<Self, ConfigError> {
        Gate::new(tools, outer, settings).map(|gate| Self { gate: Arc::new(gate) })
    }
}

impl fmt::Debug for RequireToolsLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireToolsLayer").finish_non_exhaustive()
    }
}

impl<S> Layer<S> for RequireToolsLayer {
    type Service = RequireTools<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireTools { inner, gate: Arc::clone(&self.gate) }
    }
}

/// Demands of each request what the tools need that it calls. See [`RequireToolsLayer`].
///
/// The inner service sees bodies of the type [`BufferedBody`], which axum turns into its own. They
/// hold the bytes and the trailers that the client sent.
#[derive(Clone)]
pub struct RequireTools<S> {
    inner: S,
    gate: Arc<Gate>,
}

impl<S: fmt::Debug> fmt::Debug for RequireTools<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireTools").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<S, B, R> Service<Request<B>> for RequireTools<S>
where
    S: Service<Request<BufferedBody<B>>, Response = Response<R>> + Clone,
    B: Body<Data = Bytes>,
    R: Body<Data = Bytes>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = RequireToolsFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let inner = &mut self.inner;
        let state = match self.gate.look(&request) {
            Ok(Next::Pass) => {
                State::Calling { future: inner.call(request.map(BufferedBody::untouched)) }
            }
            Ok(Next::Read) => {
                let (parts, body) = request.into_parts();
                let open = Open::new(&self.gate, take_ready(inner), parts);
                State::Reading { body, open: Some(open) }
            }
            Err(rejection) => {
                drop(take_ready(inner));
                refused(&rejection)
            }
        };
        RequireToolsFuture { state }
    }
}

/// A request whose body is being read, with the service to call for it.
struct Open<S> {
    gate: Arc<Gate>,
    inner: S,
    parts: request::Parts,
    buffer: Buffer,
    /// `inner` is no longer the instance that was made ready.
    given_back: bool,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<S: Clone> Open<S> {
    fn new(gate: &Arc<Gate>, inner: S, parts: request::Parts) -> Self {
        let buffer = Buffer::new(gate.limit);
        Self { gate: Arc::clone(gate), inner, parts, buffer, given_back: false, deadline: None }
    }

    fn read<B: Body<Data = Bytes>>(
        &mut self,
        body: Pin<&mut B>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), RejectionKind>> {
        match self.buffer.poll(body, cx) {
            Poll::Ready(Read::Whole) => Poll::Ready(Ok(())),
            Poll::Ready(Read::TooLong) => Poll::Ready(Err(RejectionKind::MessageTooLarge)),
            Poll::Ready(Read::Failed(_)) => Poll::Ready(Err(RejectionKind::MalformedMessage)),
            Poll::Pending => self.wait(cx).map(Err),
        }
    }

    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<RejectionKind> {
        if !self.given_back {
            // What readiness reserved is not to be held while a client sends its body.
            drop(take_ready(&mut self.inner));
            self.given_back = true;
            self.deadline = deadline(self.gate.read_timeout);
        }
        match &mut self.deadline {
            Some(deadline) => deadline.as_mut().poll(cx).map(|()| RejectionKind::MessageTimeout),
            None => Poll::Pending,
        }
    }

    fn finish<B>(self, read: Result<(), RejectionKind>) -> State<S, B, S::Future>
    where
        S: Service<Request<BufferedBody<B>>>,
        B: Body<Data = Bytes>,
    {
        let Self { gate, mut inner, parts, buffer, given_back, .. } = self;
        let request = Request::from_parts(parts, ());
        let (body, bytes) = BufferedBody::whole(buffer);
        let read = read.map_err(|kind| gate.refusal(&request, kind));
        if let Err(rejection) = read.and_then(|()| gate.judge(&request, &bytes)) {
            return refused(&rejection);
        }
        let request = request.map(|()| body);
        if given_back {
            State::Readying { inner, request: Some(request) }
        } else {
            State::Calling { future: inner.call(request) }
        }
    }
}

/// Without a timer nothing can be timed out.
fn deadline(after: Duration) -> Option<Pin<Box<Sleep>>> {
    timer::is_there().then(|| Box::pin(sleep(after)))
}

fn refused<S, B: Body, F>(rejection: &Rejection) -> State<S, B, F> {
    State::Refused { response: Some(render::respond(rejection)) }
}

pin_project! {
    /// The future of [`RequireTools`].
    pub struct RequireToolsFuture<S, B>
    where
        S: Service<Request<BufferedBody<B>>>,
        B: Body,
    {
        #[pin]
        state: State<S, B, S::Future>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, F>
    where
        B: Body,
    {
        Reading { #[pin] body: B, open: Option<Open<S>> },
        Readying { inner: S, request: Option<Request<BufferedBody<B>>> },
        Calling { #[pin] future: F },
        Refused { response: Option<Response<Bytes>> },
    }
}

impl<S, B, R> Future for RequireToolsFuture<S, B>
where
    S: Service<Request<BufferedBody<B>>, Response = Response<R>> + Clone,
    B: Body<Data = Bytes>,
    R: Body<Data = Bytes>,
{
    type Output = Result<Response<ResponseBody<R>>, S::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let mut this = self.as_mut().project();
            let next = match this.state.as_mut().project() {
                StateProjection::Calling { future } => {
                    return future.poll(cx).map_ok(|response| response.map(ResponseBody::inner));
                }
                StateProjection::Refused { response } => return Poll::Ready(Ok(own(response))),
                StateProjection::Reading { body, open } => {
                    let read = match open.as_mut() {
                        Some(open) => ready!(open.read(body, cx)),
                        None => Ok(()),
                    };
                    taken(open).finish(read)
                }
                StateProjection::Readying { inner, request } => {
                    ready!(inner.poll_ready(cx))?;
                    State::Calling { future: inner.call(taken(request)) }
                }
            };
            this.state.set(next);
        }
    }
}
