//! The order of the stages, as far as nothing has to be waited for.
//!
//! [`Gate::enter`] and what follows it are the only way to a grant, for new tokens and known ones.
//! What a known token is spared is the work that cannot come out differently a second time:
//! decoding, the signature, the audience, the types of claims. Time, proof, binding, revocation and
//! the layer's demand are judged each time.

use std::pin::Pin;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, Request};

use super::expiry::Expiry;
use super::interaction::interaction_id;
use super::request::{
    Credentials, exposes, grpc_type, is_preflight, label, original_uri, own_grant,
};
use super::reshape::Reshape;
use crate::authorize::{Anonymous, Demand, Grant, Label};
use crate::clock::Timestamp;
use crate::config::{Recalled, Settings};
use crate::credentials::{Presented, Refusal, RequestHead, extract};
use crate::error::RejectionKind;
use crate::grpc;
use crate::keys::Waited;
use crate::observe::Event;
use crate::proof::replay::{Claim, ClaimResult, ProofUse};
use crate::proof::{self, BindingPolicy, BoundToken, Candidate, InForce, Occasion, Proof};
use crate::rejection::{Attempt, Rejection};
use crate::revocation::{Answer, Inquirer, Inquiry};
use crate::scheme::{Scheme, SenderConstraint};
use crate::token::{Digest, NotParsed, Parsed, Refused, VerifiedToken, Vouched, parse};

/// What an authenticate layer is set to.
#[derive(Clone)]
pub(super) struct Gate {
    pub(super) settings: Arc<Settings>,
    pub(super) demand: Arc<Demand>,
    pub(super) mode: Mode,
    pub(super) claiming: Claiming,
    pub(super) credentials: Credentials,
    pub(super) streams: Streams,
}

/// What becomes of a response that is still streamed when the token of its request expires.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Streams {
    /// It goes on.
    Outlive,
    /// It is ended.
    End,
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

/// What the first look at a request shows.
#[allow(clippy::large_enum_variant, reason = "it lives for one match; a box would cost more")]
pub(super) enum First {
    /// No token is needed: a preflight, or an optional layer and no credentials.
    Anonymous,
    Known(Arc<Vouched>, Option<Proof>, Timestamp),
    /// There is work to do, when the future is first polled.
    New(Stage),
    /// The issuer is being asked about the token.
    Asking(NextStage),
}

/// What is known of a request that cannot be decided at once.
#[allow(clippy::large_enum_variant, reason = "it is boxed with the request")]
pub(super) enum Stage {
    /// Its token is taken apart and not verified. `waited`: for which fetch of keys.
    Parsed { parsed: Parsed, digest: Digest, proof: Option<Proof>, waited: Waited },
    /// The issuer of its token has to be looked up.
    OfUnknownIssuer { token: Box<str>, issuer: String, digest: Digest, proof: Option<Proof> },
    /// It was waited for that.
    LookedUp { token: Box<str>, digest: Digest, proof: Option<Proof> },
    /// The issuer was asked about its token.
    Asked(Result<Arc<Vouched>, RejectionKind>, Option<Proof>),
    /// It was asked whether its token was revoked.
    Checked(Candidate, Answer),
    /// The replay store was told of its proof.
    Claimed(InForce, ClaimResult),
}

/// The next stage, when what it waits for is there.
pub(super) type NextStage = Pin<Box<dyn Future<Output = Stage> + Send>>;

/// What becomes of a request whose token its issuer vouches for.
#[allow(clippy::large_enum_variant, reason = "it lives for one match; a box would cost more")]
pub(super) enum Entry {
    Admitted(Reshape),
    Waiting(NextStage),
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

    /// RFC 9700 §2.2.1: the server demands bound tokens, and a layer of it would take others.
    pub(super) fn is_too_lax(&self) -> bool {
        self.settings.bound_only && !self.constraint().demands_binding()
    }

    /// What a request brings that its response is to have as well.
    pub(super) fn interaction<B>(&self, request: &Request<B>) -> Option<HeaderValue> {
        self.settings.echo_interaction_id.then(|| interaction_id(request.headers())).flatten()
    }

    pub(super) fn first<B>(&self, request: &Request<B>) -> Result<First, Refusal> {
        let head = &RequestHead::of(request);
        if self.demand.unusable || self.is_too_lax() {
            return Err(RejectionKind::InvalidRequirement.into());
        }
        if self.settings.preflight_passes && is_preflight(request) {
            return Ok(First::Anonymous);
        }
        let presented = extract(head, &self.settings.credentials, self.constraint())?;
        let Some(presented) = presented else {
            return match self.mode {
                Mode::Optional => Ok(First::Anonymous),
                Mode::Required => Err(RejectionKind::MissingCredentials.into()),
            };
        };
        self.look(head, &presented)
    }

    /// The proof comes before the token, so that a client mends the one before it gives up the
    /// other.
    fn look(&self, head: &RequestHead<'_>, presented: &Presented<'_>) -> Result<First, Refusal> {
        let settings = &*self.settings;
        let refusal = |kind| Refusal { kind, scheme: Some(presented.scheme()) };
        let digest = Digest::of(presented.token());
        let now = settings.now();
        let memory = settings.recall(presented.token(), &digest, now);
        let proof = match presented.proof() {
            None => None,
            Some(text) => {
                let known = memory.vouched().map(|vouched| vouched.proof_key.load());
                let occasion = Occasion {
                    method: head.method(),
                    target: settings.proofs.url.target(head, original_uri(head).path()),
                    token: &digest,
                    known: known.as_ref().and_then(|known| known.as_deref()),
                    now,
                };
                Some(proof::verify(text, &occasion, &settings.proofs).map_err(refusal)?)
            }
        };
        Ok(match memory {
            Recalled::Vouched(vouched) => First::Known(vouched, proof, now),
            Recalled::Refused(kind) => return Err(refusal(kind)),
            Recalled::Nothing => {
                let stage = self.take_apart(presented.token(), digest, proof, false);
                First::New(stage.map_err(refusal)?)
            }
            Recalled::ToAsk(issuer, introspector) => {
                let asking = introspector.ask(issuer, presented.token(), digest, now);
                First::Asking(Box::pin(async move { Stage::Asked(asking.await, proof) }))
            }
        })
    }

    /// `waited`: for a look-up of its issuer.
    pub(super) fn take_apart(
        &self,
        token: &str,
        digest: Digest,
        proof: Option<Proof>,
        waited: bool,
    ) -> Result<Stage, RejectionKind> {
        match parse(token, &self.settings.tokens, self.settings.now()) {
            Ok(parsed) => Ok(Stage::Parsed { parsed, digest, proof, waited: Waited::NotYet }),
            Err(NotParsed::Refused(kind)) => Err(kind),
            Err(NotParsed::UnknownIssuer(_)) if waited => Err(RejectionKind::IssuerUnavailable),
            Err(NotParsed::UnknownIssuer(issuer)) => {
                Ok(Stage::OfUnknownIssuer { token: token.into(), issuer, digest, proof })
            }
        }
    }

    /// Everything after the issuer's word; the same for new tokens and for those seen before.
    pub(super) fn enter<B>(
        &self,
        request: &mut Request<B>,
        vouched: Arc<Vouched>,
        proof: Option<Proof>,
        now: Timestamp,
    ) -> Result<Entry, Rejection> {
        let Settings { tokens, unverifiable, certificates, .. } = &*self.settings;
        let scheme = scheme_of(proof.as_ref());
        let policy = BindingPolicy { unverifiable: *unverifiable, constraint: self.constraint() };
        let certificate = certificates.of(RequestHead::of(request));
        let candidate = VerifiedToken::check_time(vouched, now, tokens.leeway)
            .and_then(|verified| Candidate::bind(verified, proof, &certificate, policy, now))
            .map_err(|refused| self.refused(refused, scheme, request))?;
        let Some(inquirer) = &self.settings.revocation else {
            return self.record(request, candidate.unchecked());
        };
        match inquirer.inquire(candidate.vouched(), now) {
            Inquiry::Known(answer) => self.checked(request, candidate, &answer),
            Inquiry::Pending(answer) => {
                Ok(Entry::Waiting(Box::pin(async move { Stage::Checked(candidate, answer.await) })))
            }
        }
    }

    /// Whoever knows of revoked tokens has spoken.
    pub(super) fn checked<B>(
        &self,
        request: &mut Request<B>,
        candidate: Candidate,
        answer: &Answer,
    ) -> Result<Entry, Rejection> {
        let scheme = candidate.scheme();
        let inquirer = self.settings.revocation.as_ref();
        if let Some(inquirer) = inquirer {
            inquirer.note(candidate.vouched(), answer, self.settings.now());
            if answer.is_revoked() {
                self.tell_what_is_remembered(request, candidate.vouched());
            }
        }
        let in_force = candidate
            .checked(answer.status(), inquirer.map(Inquirer::unknown).unwrap_or_default())
            .map_err(|refused| self.refused(refused, scheme, request))?;
        self.record(request, in_force)
    }

    /// Two first requests with one token verify it twice, or ask about it, and what is remembered need
    /// not be what this one has made: it learns that the token was revoked as well.
    fn tell_what_is_remembered<B>(&self, request: &Request<B>, revoked: &Arc<Vouched>) {
        let (head, settings) = (&RequestHead::of(request), &*self.settings);
        let Ok(Some(presented)) = extract(head, &settings.credentials, self.constraint()) else {
            return;
        };
        let digest = Digest::of(presented.token());
        let asked = revoked.issuer.introspection.as_ref();
        let asked = asked.and_then(|asked| asked.known(&digest, settings.now())?.ok());
        for kept in settings.cache.get(&digest).into_iter().chain(asked) {
            if !Arc::ptr_eq(&kept, revoked) {
                kept.status.revoked();
            }
        }
    }

    /// The proof's use is recorded last: strangers cannot write to the store.
    fn record<B>(&self, request: &mut Request<B>, in_force: InForce) -> Result<Entry, Rejection> {
        if in_force.usage().is_some() {
            self.settings.proofs.warn_of_long_lives(in_force.claims());
        }
        let bound = match self.to_record(&in_force, request) {
            Record::Nothing => in_force.unclaimed(),
            Record::Done => in_force.claimed_outside(),
            Record::Use(usage) => match self.settings.replay.store.claim(usage) {
                Claim::Done(result) => return self.claimed(request, in_force, result),
                Claim::Pending(claim) => {
                    return Ok(Entry::Waiting(Box::pin(async move {
                        Stage::Claimed(in_force, claim.await)
                    })));
                }
            },
        };
        self.admit(request, bound).map(Entry::Admitted)
    }

    fn to_record<'c, B>(&self, in_force: &'c InForce, request: &Request<B>) -> Record<'c> {
        let Some(usage) = in_force.usage() else { return Record::Nothing };
        let outer = own_grant(&self.settings, request);
        match self.claiming {
            _ if outer.is_some_and(|grant| grant.has_recorded(usage)) => Record::Done,
            Claiming::Record => Record::Use(usage),
            Claiming::Leave => Record::Nothing,
        }
    }

    /// The replay store has spoken.
    pub(super) fn claimed<B>(
        &self,
        request: &mut Request<B>,
        in_force: InForce,
        result: ClaimResult,
    ) -> Result<Entry, Rejection> {
        let bound = in_force
            .claimed(result, self.settings.replay.unrecorded)
            .map_err(|refused| self.refused(refused, Scheme::Dpop, request))?;
        self.admit(request, bound).map(Entry::Admitted)
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
        let expiry = match self.streams {
            Streams::Outlive => None,
            Streams::End => Expiry::of(&grant, &self.demand).map(Box::new),
        };
        self.prepare(request);
        request.extensions_mut().insert(grant);
        Ok(Reshape { authenticated: true, nonce, expiry, ..self.reshape(request) })
    }

    /// No token, and none is needed.
    pub(super) fn admit_anonymous<B>(&self, request: &mut Request<B>) -> Reshape {
        let anonymous =
            Anonymous { settings: Arc::clone(&self.settings), label: self.label(request) };
        self.prepare(request);
        request.extensions_mut().remove::<Grant>();
        request.extensions_mut().insert(anonymous);
        self.reshape(request)
    }

    /// Makes the request ready for the service inside: whoever reads a certificate there must not be
    /// deceived, and nobody gets more of the credentials than they are to have.
    fn prepare<B>(&self, request: &mut Request<B>) {
        self.settings.certificates.strip(request);
        self.credentials.prepare(request);
    }

    fn reshape<B>(&self, request: &Request<B>) -> Reshape {
        let accepts_proofs = self.constraint().accepts(Scheme::Dpop);
        Reshape {
            caching: self.settings.caching,
            varies: self.mode == Mode::Optional,
            accepts_proofs,
            authenticated: false,
            exposes: self.exposes(request),
            nonce: None,
            expiry: None,
        }
    }

    fn exposes<B>(&self, request: &Request<B>) -> Option<&'static [HeaderName]> {
        let exposes = exposes(&self.settings, request.headers());
        exposes.then(|| grpc::fields(grpc_type(request.method(), request.headers())))
    }

    fn label<B>(&self, request: &Request<B>) -> Label {
        let label = label(&self.settings, &RequestHead::of(request));
        Label { constraint: self.constraint(), ..label }
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

    pub(super) fn rejection<B>(&self, refusal: Refusal, request: &Request<B>) -> Rejection {
        let Refusal { kind, scheme } = refusal;
        let attempt = Attempt { scheme, ..Attempt::unclear(self.label(request)) };
        Rejection::new(kind, &self.settings, &self.demand, attempt)
    }
}

/// The scheme of a request: a proof was looked for under DPoP and nowhere else.
pub(super) const fn scheme_of(proof: Option<&Proof>) -> Scheme {
    match proof {
        Some(_) => Scheme::Dpop,
        None => Scheme::Bearer,
    }
}
