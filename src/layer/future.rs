//! The sequence of the stages. Nothing else in the crate puts them in order or waits for them.
//!
//! # Three ways through
//!
//! A token seen before is settled within `call`, with neither a copy of the inner service nor a
//! box. That is the warm path, and most requests take it. So do those that need no token, and those
//! that are refused by their head alone.
//!
//! A new token is verified when the future is first polled, so that a service behind a buffer does
//! not verify in the buffer's one task; only there is a box made. It holds the request, the token
//! taken apart, and the inner service that was ready for it.
//!
//! A token that no key of the set has signed waits once, for a fetch that is shared with all others
//! that wait. After it the keys are looked at again, and the token is judged: `bad-signature` if
//! keys of its id do not verify it, else `unknown-key`, or `keys-unavailable` if the last attempt
//! to load them failed.
//!
//! # Readiness
//!
//! `poll_ready` may reserve something, such as a permit, in the one instance it is called on. That
//! instance is the one to call; a copy of it has reserved nothing. So [`take_ready`] takes the
//! instance out and leaves a copy behind. When a request is refused, or has to wait for keys, the
//! instance is dropped, which gives back what it had reserved; after the wait another is made
//! ready.
//!
//! # One set of checks
//!
//! [`Gate::grant`] is the only way to a grant, for new tokens and known ones. What a known token is
//! spared is the work that cannot come out differently a second time: decoding, the signature, the
//! audience, the types of claims. Time, binding and the layer's demand are judged each time.

use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::ResponseBody;
use super::reshape::Reshape;
use crate::authorize::{Anonymous, Demand, Grant, Label};
use crate::clock::Timestamp;
use crate::config::Settings;
use crate::credentials::{RequestHead, extract};
use crate::error::RejectionKind;
use crate::keys::{KeyId, Supply, Waiting};
use crate::observe::Event;
use crate::proof::BoundToken;
use crate::rejection::Rejection;
use crate::render;
use crate::token::{Digest, Parsed, Signed, VerifiedToken, parse};

/// What an authenticate layer is set to.
#[derive(Clone)]
pub(super) struct Gate {
    pub(super) settings: Arc<Settings>,
    pub(super) demand: Arc<Demand>,
    pub(super) mode: Mode,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mode {
    Required,
    Optional,
}

pin_project! {
    /// The future of [`Authenticate`](super::Authenticate).
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B, S::Future>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, F> {
        Verifying { work: Option<Box<Work<S, B>>> },
        Waiting { work: Option<Box<Work<S, B>>>, waiting: Pin<Box<dyn Future<Output = ()> + Send>> },
        Readying { admitted: Option<Box<Admitted<S, B>>> },
        Calling { #[pin] future: F, reshape: Reshape },
        Refused { response: Option<Response<Bytes>> },
    }
}

/// A request whose token is new, with the service that is ready for it.
struct Work<S, B> {
    gate: Arc<Gate>,
    inner: S,
    request: Request<B>,
    parsed: Parsed,
    digest: Digest,
    /// A fetch was waited for, and `inner` is no longer the instance that was made ready.
    waited: bool,
}

/// A request that may pass, with a service that has to be made ready again.
struct Admitted<S, B> {
    inner: S,
    request: Request<B>,
    reshape: Reshape,
}

/// What the first look at a request shows.
#[allow(clippy::large_enum_variant, reason = "it lives for one match; a box would cost more")]
enum First {
    /// No token is needed: a preflight, or an optional layer and no credentials.
    Anonymous,
    Known(Arc<Signed>, Timestamp),
    New(Parsed, Digest),
}

/// What a look at the keys shows.
enum Second {
    /// The key that signed the token, and the generation of its set.
    Signed(KeyId, u64),
    Wait(Waiting),
}

impl Gate {
    fn first(&self, head: &RequestHead<'_>) -> Result<First, RejectionKind> {
        if self.demand.unusable {
            return Err(RejectionKind::InvalidRequirement);
        }
        if self.settings.preflight_passes && is_preflight(head) {
            return Ok(First::Anonymous);
        }
        let presented = extract(head, &self.settings.credentials)?;
        let Some(presented) = presented else {
            return match self.mode {
                Mode::Optional => Ok(First::Anonymous),
                Mode::Required => Err(RejectionKind::MissingCredentials),
            };
        };
        let digest = Digest::of(presented.token());
        let now = self.settings.now();
        match self.settings.remembered(&digest, now) {
            Some(signed) => Ok(First::Known(signed, now)),
            None => {
                let parsed = parse(presented.token(), &self.settings.tokens)?;
                Ok(First::New(parsed, digest))
            }
        }
    }

    /// Everything after the signature; the same for new tokens and for those seen before.
    fn grant(&self, signed: Arc<Signed>, now: Timestamp, label: Label) -> Result<Grant, Rejection> {
        let Settings { tokens, unverifiable, .. } = &*self.settings;
        let bound = VerifiedToken::check_time(signed, now, tokens.leeway)
            .and_then(|verified| BoundToken::bind(verified, *unverifiable));
        let bound = match bound {
            Ok(bound) => bound,
            Err((kind, signed)) => return Err(self.rejection(kind, label, Some(signed))),
        };
        let grant = Grant::new(bound, Arc::clone(&self.settings), label);
        self.demand.check(&grant).map_err(|short| short.into_rejection(&grant, &self.demand))?;
        if let Some(observer) = &self.settings.observer {
            observer.observe(&Event::Accepted { issuer: grant.issuer() });
        }
        Ok(grant)
    }

    fn rejection(
        &self,
        kind: RejectionKind,
        label: Label,
        signed: Option<Arc<Signed>>,
    ) -> Rejection {
        Rejection::new(kind, &self.settings, &self.demand, label, signed)
    }

    /// Puts the outcome into the request's extensions, in place of whatever was there.
    fn admit<B>(
        &self,
        request: &mut Request<B>,
        signed: Option<(Arc<Signed>, Timestamp)>,
    ) -> Result<Reshape, Rejection> {
        let label = label(request);
        hide_credentials(request);
        let authenticated = signed.is_some();
        if let Some((signed, now)) = signed {
            let grant = self.grant(signed, now, label)?;
            request.extensions_mut().insert(grant);
        } else {
            let settings = Arc::clone(&self.settings);
            request.extensions_mut().remove::<Grant>();
            request.extensions_mut().insert(Anonymous { settings, label });
        }
        let varies = self.mode == Mode::Optional;
        Ok(Reshape { caching: self.settings.caching, varies, authenticated })
    }
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<B>> + Clone,
{
    pub(super) fn start(gate: &Arc<Gate>, inner: &mut S, request: Request<B>) -> Self {
        let state = match gate.first(&RequestHead::of(&request)) {
            Ok(First::New(parsed, digest)) => {
                let (gate, inner) = (Arc::clone(gate), take_ready(inner));
                let work = Work { gate, inner, request, parsed, digest, waited: false };
                State::Verifying { work: Some(Box::new(work)) }
            }
            Ok(First::Anonymous) => Self::call(gate, inner, request, None),
            Ok(First::Known(signed, now)) => Self::call(gate, inner, request, Some((signed, now))),
            Err(kind) => {
                let rejection = gate.rejection(kind, label(&request), None);
                refuse(inner, &rejection)
            }
        };
        Self { state }
    }

    fn call(
        gate: &Gate,
        inner: &mut S,
        mut request: Request<B>,
        signed: Option<(Arc<Signed>, Timestamp)>,
    ) -> State<S, B, S::Future> {
        match gate.admit(&mut request, signed) {
            Ok(reshape) => State::Calling { future: inner.call(request), reshape },
            Err(rejection) => refuse(inner, &rejection),
        }
    }
}

impl<S, B> Work<S, B> {
    /// One look at the keys, which may have changed since the last.
    fn second(&self) -> Result<Second, RejectionKind> {
        let settings = &*self.gate.settings;
        let now = settings.now();
        let keys = settings.keys_of(self.parsed.issuer());
        let generation = keys.generation();
        let (judged, kind) = match keys.supply(now) {
            Supply::Missing => (false, RejectionKind::UnknownKey),
            Supply::Keys(set) => match self.parsed.signer(&set) {
                Ok(key) => return Ok(Second::Signed(key, generation)),
                Err(kind) => (true, kind),
            },
        };
        if !self.waited
            && let Some(waiting) = keys.fetch_for_unknown(now)
        {
            return Ok(Second::Wait(waiting));
        }
        // A key that is not there proves nothing while the keys cannot be fetched.
        let proven = kind == RejectionKind::BadSignature || !keys.is_failing();
        Err(if judged && proven { kind } else { RejectionKind::KeysUnavailable })
    }
}

impl<S, B> Work<S, B>
where
    S: Service<Request<B>> + Clone,
{
    fn step(mut self: Box<Self>) -> State<S, B, S::Future> {
        match self.second() {
            Ok(Second::Wait(waiting)) => {
                self.waited = true;
                // What readiness reserved, such as a permit, is not for strangers to hold.
                drop(take_ready(&mut self.inner));
                State::Waiting { work: Some(self), waiting: Box::pin(waiting.ended()) }
            }
            Ok(Second::Signed(key, generation)) => self.settle(key, generation),
            Err(kind) => refused(&self.gate.rejection(kind, label(&self.request), None)),
        }
    }

    fn settle(self, key: KeyId, generation: u64) -> State<S, B, S::Future> {
        let Self { gate, mut inner, mut request, parsed, digest, waited } = self;
        let admitted = match parsed.signed_by(key, generation, &gate.settings.tokens) {
            Ok(signed) => {
                let signed = Arc::new(signed);
                gate.settings.cache.insert(digest, &signed);
                let now = gate.settings.now();
                gate.admit(&mut request, Some((signed, now)))
            }
            Err(kind) => Err(gate.rejection(kind, label(&request), None)),
        };
        match admitted {
            Ok(reshape) if waited => {
                State::Readying { admitted: Some(Box::new(Admitted { inner, request, reshape })) }
            }
            Ok(reshape) => State::Calling { future: inner.call(request), reshape },
            Err(rejection) => refused(&rejection),
        }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: Body<Data = Bytes>,
{
    type Output = Result<Response<ResponseBody<R>>, S::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let mut this = self.as_mut().project();
            let next = match this.state.as_mut().project() {
                StateProjection::Calling { future, reshape } => {
                    return future.poll(cx).map_ok(|response| reshape.apply(response));
                }
                StateProjection::Refused { response } => return Poll::Ready(Ok(own(response))),
                StateProjection::Verifying { work } => taken(work).step(),
                StateProjection::Waiting { work, waiting } => {
                    ready!(waiting.as_mut().poll(cx));
                    taken(work).step()
                }
                StateProjection::Readying { admitted } => {
                    if let Some(admitted) = admitted.as_mut() {
                        ready!(admitted.inner.poll_ready(cx))?;
                    }
                    let Admitted { mut inner, request, reshape } = *taken(admitted);
                    State::Calling { future: inner.call(request), reshape }
                }
            };
            this.state.set(next);
        }
    }
}

pub(super) fn taken<T>(state: &mut Option<T>) -> T {
    state.take().expect("the state changes whenever its content is taken")
}

/// Whoever prints the headers further in must not reveal the token (OAuth 2.1 §1.4).
fn hide_credentials<B>(request: &mut Request<B>) {
    if let Some(credentials) = request.headers_mut().get_mut(header::AUTHORIZATION) {
        credentials.set_sensitive(true);
    }
}

/// A CORS preflight carries no credentials by design (Fetch §3.2), and no content either. What
/// announces some is no preflight, but could be a call to a service that ignores the method.
pub(super) fn is_preflight(head: &RequestHead<'_>) -> bool {
    let headers = head.headers();
    let announced = [
        header::AUTHORIZATION,
        header::CONTENT_TYPE,
        header::CONTENT_ENCODING,
        header::TRANSFER_ENCODING,
        header::TE,
    ];
    *head.method() == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
        && !announced.iter().any(|name| headers.contains_key(name))
        && headers.get(header::CONTENT_LENGTH).is_none_or(|length| length == "0")
}

/// The service that `poll_ready` made ready; a copy of it stays.
pub(super) fn take_ready<S: Clone>(inner: &mut S) -> S {
    let copy = inner.clone();
    mem::replace(inner, copy)
}

/// Also gives back what readiness reserved, such as a permit, since nothing will be called.
fn refuse<S, B>(inner: &mut S, rejection: &Rejection) -> State<S, B, S::Future>
where
    S: Service<Request<B>> + Clone,
{
    drop(take_ready(inner));
    refused(rejection)
}

fn refused<S, B, F>(rejection: &Rejection) -> State<S, B, F> {
    State::Refused { response: Some(render::respond(rejection)) }
}

pub(super) fn own<R>(response: &mut Option<Response<Bytes>>) -> Response<ResponseBody<R>> {
    response.take().expect("a future is not polled after it is done").map(ResponseBody::own)
}

/// Method and path as the client sent them, from before any router stripped a prefix.
pub(super) fn label<B>(request: &Request<B>) -> Label {
    let target = original_uri(request).path_and_query().cloned();
    Label { method: request.method().clone(), target }
}

#[cfg(feature = "axum")]
fn original_uri<B>(request: &Request<B>) -> &http::Uri {
    let original = request.extensions().get::<axum::extract::OriginalUri>();
    original.map_or_else(|| request.uri(), |original| &original.0)
}

#[cfg(not(feature = "axum"))]
fn original_uri<B>(request: &Request<B>) -> &http::Uri {
    request.uri()
}
