//! The sequence of the stages, as far as there is something to wait for. Together with [`gate`],
//! which has the part that needs no waiting, nothing else in the crate puts them in order.
//!
//! # Three ways through
//!
//! A token seen before is settled within `call`, with neither a copy of the inner service nor a
//! box. That is the warm path, and most requests take it. So do those that need no token, and those
//! that are refused by their head alone. A proof is checked there too, since it comes before
//! everything about the token, whether that is known or new.
//!
//! A new token is verified when the future is first polled, so that a service behind a buffer does
//! not verify in the buffer's one task; only there is a box made. It holds the request, how far it
//! has come, and the inner service that was ready for it.
//!
//! What cannot go on waits for its next [`Stage`], in a box of its own. A token that no key of the set
//! has signed waits for a fetch that is shared with all others that wait, and once more if that was
//! under way before. After it the keys are looked at again, and the token is judged: `bad-signature`
//! if keys of its id do not verify it, else `unknown-key`; but `keys-unavailable` where the last
//! attempt to load them failed and a newer key may have signed it. So does a token
//! whose issuer has to be looked up; and one that says nothing by itself waits for what its issuer
//! says of it.
//!
//! Whether a token was revoked, and whether a proof was used, is asked last. What answers in memory
//! answers at once; for the rest the request waits with the service that is ready for it: who gets
//! here has shown a good token, and its key.
//!
//! # Readiness
//!
//! `poll_ready` may reserve something, such as a permit, in the one instance it is called on. That
//! instance is the one to call; a copy of it has reserved nothing. So [`take_ready`] takes the
//! instance out and leaves a copy behind. When a request is refused, or has to wait before its token
//! was found good, the instance is dropped, which gives back what it had reserved; after the wait
//! another is made ready.
//!
//! [`gate`]: super::gate

use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::ResponseBody;
use super::gate::{Entry, First, Gate, NextStage, Stage, scheme_of};
use super::interaction::INTERACTION_ID;
use super::reshape::Reshape;
use crate::credentials::Refusal;
use crate::error::RejectionKind;
use crate::keys::{Look, Unverified, Waited};
use crate::proof::Proof;
use crate::rejection::Rejection;
use crate::render;
use crate::token::{Digest, Parsed, Vouched};

pin_project! {
    /// The future of [`Authenticate`](super::Authenticate).
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B, S::Future>,
        interaction: Option<HeaderValue>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, F> {
        /// There is something to do.
        Working { work: Option<Box<Work<S, B>>> },
        /// There is something to wait for.
        Waiting { open: Option<Box<Open<S, B>>>, next: NextStage },
        Readying { admitted: Option<Box<Admitted<S, B>>> },
        Calling { #[pin] future: F, reshape: Reshape },
        Refused { response: Option<Response<Bytes>> },
    }
}

/// A request that is not decided, with the service to call for it.
struct Open<S, B> {
    gate: Arc<Gate>,
    inner: S,
    request: Request<B>,
    /// `inner` is no longer the instance that was made ready.
    given_back: bool,
}

/// A request that is not decided, and how far it has come.
struct Work<S, B> {
    open: Open<S, B>,
    stage: Stage,
}

/// A request that may pass, with a service that has to be made ready again.
struct Admitted<S, B> {
    inner: S,
    request: Request<B>,
    reshape: Reshape,
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<B>> + Clone,
{
    pub(super) fn start(gate: &Arc<Gate>, inner: &mut S, mut request: Request<B>) -> Self {
        let interaction = gate.interaction(&request);
        let first = gate.first(&request);
        let state = match first {
            Ok(First::New(stage)) => {
                let work = Work { open: Open::new(gate, inner, request), stage };
                State::Working { work: Some(Box::new(work)) }
            }
            Ok(First::Asking(next)) => {
                let open = Some(Open::new(gate, inner, request).give_back());
                State::Waiting { open, next }
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
                    Ok(Entry::Waiting(next)) => {
                        let open = Some(Box::new(Open::new(gate, inner, request)));
                        State::Waiting { open, next }
                    }
                    Err(rejection) => refuse(inner, &rejection),
                }
            }
            Err(refusal) => refuse(inner, &gate.rejection(refusal, &request)),
        };
        Self { state, interaction }
    }
}

impl<S: Clone, B> Open<S, B> {
    fn new(gate: &Arc<Gate>, inner: &mut S, request: Request<B>) -> Self {
        Self { gate: Arc::clone(gate), inner: take_ready(inner), request, given_back: false }
    }

    /// What readiness reserved, such as a permit, is not for strangers to hold.
    fn give_back(mut self) -> Box<Self> {
        drop(take_ready(&mut self.inner));
        Box::new(Self { given_back: true, ..self })
    }
}

impl<S, B> Work<S, B>
where
    S: Service<Request<B>> + Clone,
{
    fn step(self) -> State<S, B, S::Future> {
        let Self { mut open, stage } = self;
        let entry = match stage {
            Stage::Parsed { parsed, digest, proof, waited } => {
                return open.judge(parsed, digest, proof, waited);
            }
            Stage::Asked(vouched, proof) => return open.vouched(vouched, proof),
            Stage::OfUnknownIssuer { token, issuer, digest, proof } => {
                return open.look_up(token, &issuer, digest, proof);
            }
            Stage::LookedUp { token, digest, proof } => {
                let scheme = Some(scheme_of(proof.as_ref()));
                match open.gate.take_apart(&token, digest, proof, true) {
                    Ok(stage) => return Self { open, stage }.step(),
                    Err(kind) => Err(open.gate.rejection(Refusal { kind, scheme }, &open.request)),
                }
            }
            Stage::Checked(candidate, answer) => {
                open.gate.checked(&mut open.request, candidate, &answer)
            }
            Stage::Claimed(in_force, result) => {
                open.gate.claimed(&mut open.request, in_force, result)
            }
        };
        open.go_on(entry)
    }
}

impl<S, B> Open<S, B>
where
    S: Service<Request<B>> + Clone,
{
    /// Waits until it is known whether the issuer is to be trusted.
    fn look_up(
        self,
        token: Box<str>,
        issuer: &str,
        digest: Digest,
        proof: Option<Proof>,
    ) -> State<S, B, S::Future> {
        let settings = &*self.gate.settings;
        let Some(looking) = settings.tokens.issuers.look_up(issuer, settings.now()) else {
            return self.vouched(Err(RejectionKind::IssuerUnavailable), proof);
        };
        let next = Box::pin(async move {
            looking.ended().await;
            Stage::LookedUp { token, digest, proof }
        });
        State::Waiting { open: Some(self.give_back()), next }
    }

    /// One look at the keys, which may have changed since the last.
    fn judge(
        self,
        parsed: Parsed,
        digest: Digest,
        proof: Option<Proof>,
        waited: Waited,
    ) -> State<S, B, S::Future> {
        let settings = &*self.gate.settings;
        let now = settings.now();
        let keys = &parsed.issuer().keys;
        let verdict = match keys.look(parsed.asked(waited), now, |set| parsed.signer(set)) {
            Look::Verified(key, generation) => parsed.signed_by(key, generation, &settings.tokens),
            Look::Wait(waiting, waited) => {
                let next = Box::pin(async move {
                    waiting.ended().await;
                    Stage::Parsed { parsed, digest, proof, waited }
                });
                return State::Waiting { open: Some(self.give_back()), next };
            }
            Look::Refuted(Unverified::BadSignature) => Err(RejectionKind::BadSignature),
            Look::Refuted(Unverified::UnknownKey) => Err(RejectionKind::UnknownKey),
            Look::Unavailable => Err(RejectionKind::KeysUnavailable),
        };
        // Trust may have ended while the keys were waited for.
        let trusted = |vouched: Vouched| match vouched.issuer.is_trusted() {
            true => Ok(Arc::new(vouched)),
            false => Err(RejectionKind::IssuerUnavailable),
        };
        let vouched = verdict.and_then(trusted);
        if let Ok(vouched) = &vouched {
            vouched.issuer.note_use(now);
            settings.cache.insert(digest, vouched, settings.tokens.leeway, now);
        }
        self.vouched(vouched, proof)
    }

    /// The issuer has spoken.
    fn vouched(
        mut self,
        vouched: Result<Arc<Vouched>, RejectionKind>,
        proof: Option<Proof>,
    ) -> State<S, B, S::Future> {
        let now = self.gate.settings.now();
        let entry = match vouched {
            Ok(vouched) => self.gate.enter(&mut self.request, vouched, proof, now),
            Err(kind) => {
                let scheme = Some(scheme_of(proof.as_ref()));
                Err(self.gate.rejection(Refusal { kind, scheme }, &self.request))
            }
        };
        self.go_on(entry)
    }

    /// Calls the service, or makes it ready once more if its readiness was given back.
    fn go_on(self, entry: Result<Entry, Rejection>) -> State<S, B, S::Future> {
        let reshape = match entry {
            Ok(Entry::Admitted(reshape)) => reshape,
            Ok(Entry::Waiting(next)) => return State::Waiting { open: Some(Box::new(self)), next },
            Err(rejection) => return refused(&rejection),
        };
        let Self { mut inner, request, given_back, .. } = self;
        if given_back {
            State::Readying { admitted: Some(Box::new(Admitted { inner, request, reshape })) }
        } else {
            State::Calling { future: inner.call(request), reshape }
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
        let mut polled = self.as_mut().run(cx);
        if let Poll::Ready(Ok(response)) = &mut polled
            && let Some(id) = self.project().interaction.take()
        {
            response.headers_mut().insert(INTERACTION_ID, id);
        }
        polled
    }
}

impl<S, B, R> ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: Body<Data = Bytes>,
{
    fn run(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response<ResponseBody<R>>, S::Error>> {
        loop {
            let mut this = self.as_mut().project();
            let next = match this.state.as_mut().project() {
                StateProjection::Calling { future, reshape } => {
                    return future.poll(cx).map_ok(|response| reshape.apply(response));
                }
                StateProjection::Refused { response } => return Poll::Ready(Ok(own(response))),
                StateProjection::Working { work } => taken(work).step(),
                StateProjection::Waiting { open, next } => {
                    let stage = ready!(next.as_mut().poll(cx));
                    Work { open: *taken(open), stage }.step()
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

pub(crate) fn taken<T>(state: &mut Option<T>) -> T {
    state.take().expect("the state changes whenever its content is taken")
}

/// The service that `poll_ready` made ready; a copy of it stays.
pub(crate) fn take_ready<S: Clone>(inner: &mut S) -> S {
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

pub(crate) fn own<R>(response: &mut Option<Response<Bytes>>) -> Response<ResponseBody<R>> {
    response.take().expect("a future is not polled after it is done").map(ResponseBody::own)
}
