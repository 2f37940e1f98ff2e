//! The sequence of the stages. Nothing else in the crate puts them in order or waits for them.
//!
//! # Three ways through
//!
//! A token seen before is settled within `call`, with neither a copy of the inner service nor a
//! box. That is the warm path, and most requests take it. So do those that need no token, and those
//! that are refused by their head alone. A proof is checked there too, since it comes before
//! everything about the token, whether that is known or new.
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
//! A proof that was found right is recorded last. A store in memory answers at once; with one that
//! does not, the request waits in a box, and with the service that is ready for it: who gets here
//! has shown a good token and its key.
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
//! [`Gate::enter`] and [`Gate::admit`] are the only way to a grant, for new tokens and known ones.
//! What a known token is spared is the work that cannot come out differently a second time:
//! decoding, the signature, the audience, the types of claims. Time, proof, binding and the layer's
//! demand are judged each time.

use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::ResponseBody;
use super::request::{has_origin, hide_credentials, is_preflight, label, original_uri, own_grant};
use super::reshape::Reshape;
use crate::authorize::{Anonymous, Demand, Grant, Label};
use crate::clock::Timestamp;
use crate::config::Settings;
use crate::credentials::{Presented, Refusal, RequestHead, extract};
use crate::error::RejectionKind;
use crate::keys::{KeyId, Supply, Waiting};
use crate::observe::Event;
use crate::proof::replay::{Claim, ClaimResult, ProofUse};
use crate::proof::{self, BoundToken, Candidate, Occasion, Proof};
use crate::rejection::{Attempt, Rejection};
use crate::render;
use crate::scheme::{Scheme, SenderConstraint};
use crate::token::{Digest, Parsed, Refused, VerifiedToken, Vouched, parse};

/// What an authenticate layer is set to.
#[derive(Clone)]
pub(super) struct Gate {
    pub(super) settings: Arc<Settings>,
    pub(super) demand: Arc<Demand>,
    pub(super) mode: Mode,
    pub(super) claiming: Claiming,
}

/// What becomes of a proof that is right.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Claiming {
    /// Its use is recorded, and it is refused a second time.
    Record,
    /// That is left to another server further in.
    Leave,
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
        Claiming { held: Option<Box<Held<S, B>>>, claim: Pin<Box<dyn Future<Output = ClaimResult> + Send>> },
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
    proof: Option<Proof>,
    /// A fetch was waited for, and `inner` is no longer the instance that was made ready.
    waited: bool,
}

/// A request whose proof is being recorded.
struct Held<S, B> {
    gate: Arc<Gate>,
    inner: S,
    request: Request<B>,
    candidate: Candidate,
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
    Known(Arc<Vouched>, Option<Proof>, Timestamp),
    New(Parsed, Digest, Option<Proof>),
}

/// What becomes of a request whose token is signed.
#[allow(clippy::large_enum_variant, reason = "it lives for one match; a box would cost more")]
enum Entry {
    Admitted(Reshape),
    Claiming(Candidate, Pin<Box<dyn Future<Output = ClaimResult> + Send>>),
}

/// What a look at the keys shows.
enum Second {
    /// The key that signed the token, and the generation of its set.
    Signed(KeyId, u64),
    Wait(Waiting),
}

/// What a replay store has to be told.
enum Record<'c> {
    Nothing,
    /// A layer of the same server further out has recorded the proof, for this very request.
    Done,
    Use(&'c ProofUse),
}

impl Gate {
    pub(super) fn constraint(&self) -> SenderConstraint {
        self.demand.constraint.unwrap_or(self.settings.constraint)
    }

    fn first(&self, head: &RequestHead<'_>) -> Result<First, Refusal> {
        if self.demand.unusable {
            return Err(RejectionKind::InvalidRequirement.into());
        }
        if self.settings.preflight_passes && is_preflight(head) {
            return Ok(First::Anonymous);
        }
        let presented = extract(head, &self.settings.credentials, self.constraint())?;
        let Some(presented) = presented else {
            return match self.mode {
                Mode::Optional => Ok(First::Anonymous),
                Mode::Required => Err(RejectionKind::MissingCredentials.into()),
            };
        };
        let scheme = Some(presented.scheme());
        self.look(head, &presented).map_err(|kind| Refusal { kind, scheme })
    }

    /// The proof comes before the token, so that a client mends the one before it gives up the
    /// other.
    fn look(
        &self,
        head: &RequestHead<'_>,
        presented: &Presented<'_>,
    ) -> Result<First, RejectionKind> {
        let settings = &*self.settings;
        let digest = Digest::of(presented.token());
        let now = settings.now();
        let vouched = settings.remembered(&digest, now);
        let proof = match presented.proof() {
            None => None,
            Some(text) => {
                let known = vouched.as_ref().map(|vouched| vouched.proof_key.load());
                let occasion = Occasion {
                    method: head.method(),
                    target: settings.proofs.url.target(head, original_uri(head).path()),
                    token: &digest,
                    known: known.as_ref().and_then(|known| known.as_deref()),
                    now,
                };
                Some(proof::verify(text, &occasion, &settings.proofs)?)
            }
        };
        Ok(match vouched {
            Some(vouched) => First::Known(vouched, proof, now),
            None => First::New(parse(presented.token(), &settings.tokens)?, digest, proof),
        })
    }

    /// Everything after the signature; the same for new tokens and for those seen before.
    fn enter<B>(
        &self,
        request: &mut Request<B>,
        vouched: Arc<Vouched>,
        proof: Option<Proof>,
        now: Timestamp,
    ) -> Result<Entry, Rejection> {
        let Settings { tokens, unverifiable, .. } = &*self.settings;
        let scheme = scheme_of(proof.as_ref());
        let candidate = VerifiedToken::check_time(vouched, now, tokens.leeway)
            .and_then(|verified| Candidate::bind(verified, proof, *unverifiable, now))
            .map_err(|refused| self.refused(refused, scheme, request))?;
        if candidate.usage().is_some() {
            self.settings.proofs.warn_of_long_lives(candidate.claims());
        }
        let bound = match self.to_record(&candidate, request) {
            Record::Nothing => candidate.unclaimed(),
            Record::Done => candidate.claimed_outside(),
            Record::Use(usage) => match self.settings.replay.store.claim(usage) {
                Claim::Done(result) => {
                    return self.claimed(request, candidate, result).map(Entry::Admitted);
                }
                Claim::Pending(claim) => return Ok(Entry::Claiming(candidate, claim)),
            },
        };
        self.admit(request, bound).map(Entry::Admitted)
    }

    fn to_record<'c, B>(&self, candidate: &'c Candidate, request: &Request<B>) -> Record<'c> {
        let Some(usage) = candidate.usage() else { return Record::Nothing };
        let outer = own_grant(&self.settings, request);
        match self.claiming {
            _ if outer.is_some_and(|grant| grant.has_recorded(usage)) => Record::Done,
            Claiming::Record => Record::Use(usage),
            Claiming::Leave => Record::Nothing,
        }
    }

    fn claimed<B>(
        &self,
        request: &mut Request<B>,
        candidate: Candidate,
        result: ClaimResult,
    ) -> Result<Reshape, Rejection> {
        let bound = candidate
            .claimed(result, self.settings.replay.unrecorded)
            .map_err(|refused| self.refused(refused, Scheme::Dpop, request))?;
        self.admit(request, bound)
    }

    /// Puts a grant into the request's extensions, in place of whatever was there.
    fn admit<B>(&self, request: &mut Request<B>, bound: BoundToken) -> Result<Reshape, Rejection> {
        let grant = Grant::new(bound, Arc::clone(&self.settings), self.label(request));
        self.demand.check(&grant).map_err(|short| short.into_rejection(&grant, &self.demand))?;
        if let Some(observer) = &self.settings.observer {
            let (issuer, binding) = (grant.issuer(), grant.binding().name());
            observer.observe(&Event::Accepted { issuer, binding });
        }
        let renew = || self.settings.next_nonce(self.settings.now());
        let nonce = grant.renews_nonce().then(renew).flatten();
        hide_credentials(request);
        request.extensions_mut().insert(grant);
        Ok(Reshape { authenticated: true, nonce, ..self.reshape(request) })
    }

    /// No token, and none is needed.
    fn admit_anonymous<B>(&self, request: &mut Request<B>) -> Reshape {
        let anonymous =
            Anonymous { settings: Arc::clone(&self.settings), label: self.label(request) };
        hide_credentials(request);
        request.extensions_mut().remove::<Grant>();
        request.extensions_mut().insert(anonymous);
        self.reshape(request)
    }

    fn reshape<B>(&self, request: &Request<B>) -> Reshape {
        let accepts_proofs = self.constraint().accepts(Scheme::Dpop);
        Reshape {
            caching: self.settings.caching,
            varies: self.mode == Mode::Optional,
            accepts_proofs,
            authenticated: false,
            exposes: self.settings.expose_headers && has_origin(request.headers()),
            nonce: None,
        }
    }

    fn label<B>(&self, request: &Request<B>) -> Label {
        Label { constraint: self.constraint(), ..label(&RequestHead::of(request)) }
    }

    fn refused<B>(
        &self,
        (kind, vouched): Refused,
        scheme: Scheme,
        request: &Request<B>,
    ) -> Rejection {
        let (label, vouched) = (self.label(request), Some(vouched));
        let attempt = Attempt { label, scheme: Some(scheme), vouched };
        Rejection::new(kind, &self.settings, &self.demand, attempt)
    }

    fn rejection<B>(&self, refusal: Refusal, request: &Request<B>) -> Rejection {
        let Refusal { kind, scheme } = refusal;
        let attempt = Attempt { scheme, ..Attempt::unclear(self.label(request)) };
        Rejection::new(kind, &self.settings, &self.demand, attempt)
    }
}

/// The scheme of a request: a proof was looked for under DPoP and nowhere else.
const fn scheme_of(proof: Option<&Proof>) -> Scheme {
    match proof {
        Some(_) => Scheme::Dpop,
        None => Scheme::Bearer,
    }
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<B>> + Clone,
{
    pub(super) fn start(gate: &Arc<Gate>, inner: &mut S, mut request: Request<B>) -> Self {
        let first = gate.first(&RequestHead::of(&request));
        let state = match first {
            Ok(First::New(parsed, digest, proof)) => {
                let (gate, inner) = (Arc::clone(gate), take_ready(inner));
                let work = Work { gate, inner, request, parsed, digest, proof, waited: false };
                State::Verifying { work: Some(Box::new(work)) }
            }
            Ok(First::Anonymous) => {
                let reshape = gate.admit_anonymous(&mut request);
                State::Calling { future: inner.call(request), reshape }
            }
            Ok(First::Known(vouched, proof, now)) => {
                match gate.enter(&mut request, vouched, proof, now) {
                    Ok(Entry::Admitted(reshape)) => {
                        State::Calling { future: inner.call(request), reshape }
                    }
                    Ok(Entry::Claiming(candidate, claim)) => {
                        let (gate, inner) = (Arc::clone(gate), take_ready(inner));
                        let held = Held { gate, inner, request, candidate, waited: false };
                        State::Claiming { held: Some(Box::new(held)), claim }
                    }
                    Err(rejection) => refuse(inner, &rejection),
                }
            }
            Err(refusal) => refuse(inner, &gate.rejection(refusal, &request)),
        };
        Self { state }
    }
}

impl<S, B> Work<S, B> {
    /// One look at the keys, which may have changed since the last.
    fn second(&self) -> Result<Second, RejectionKind> {
        let settings = &*self.gate.settings;
        let now = settings.now();
        let keys = &self.parsed.issuer().keys;
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
            Err(kind) => self.refused(kind),
        }
    }

    fn refused(&self, kind: RejectionKind) -> State<S, B, S::Future> {
        let scheme = Some(scheme_of(self.proof.as_ref()));
        refused(&self.gate.rejection(Refusal { kind, scheme }, &self.request))
    }

    fn settle(self, key: KeyId, generation: u64) -> State<S, B, S::Future> {
        let Self { gate, inner, mut request, parsed, digest, proof, waited } = self;
        let scheme = Some(scheme_of(proof.as_ref()));
        let vouched = match parsed.signed_by(key, generation, &gate.settings.tokens) {
            Ok(vouched) => Arc::new(vouched),
            Err(kind) => return refused(&gate.rejection(Refusal { kind, scheme }, &request)),
        };
        gate.settings.cache.insert(digest, &vouched);
        let now = gate.settings.now();
        match gate.enter(&mut request, vouched, proof, now) {
            Ok(Entry::Admitted(reshape)) => go_on(inner, request, reshape, waited),
            Ok(Entry::Claiming(candidate, claim)) => {
                let held = Held { gate, inner, request, candidate, waited };
                State::Claiming { held: Some(Box::new(held)), claim }
            }
            Err(rejection) => refused(&rejection),
        }
    }
}

impl<S, B> Held<S, B>
where
    S: Service<Request<B>>,
{
    fn claimed(self, result: ClaimResult) -> State<S, B, S::Future> {
        let Self { gate, inner, mut request, candidate, waited } = self;
        match gate.claimed(&mut request, candidate, result) {
            Ok(reshape) => go_on(inner, request, reshape, waited),
            Err(rejection) => refused(&rejection),
        }
    }
}

/// Calls the service, or makes it ready once more if its readiness was given back.
fn go_on<S, B>(
    mut inner: S,
    request: Request<B>,
    reshape: Reshape,
    waited: bool,
) -> State<S, B, S::Future>
where
    S: Service<Request<B>>,
{
    if waited {
        State::Readying { admitted: Some(Box::new(Admitted { inner, request, reshape })) }
    } else {
        State::Calling { future: inner.call(request), reshape }
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
                StateProjection::Claiming { held, claim } => {
                    let result = ready!(claim.as_mut().poll(cx));
                    taken(held).claimed(result)
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
