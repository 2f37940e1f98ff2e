//! What a response must be, before any hook has a say.
//!
//! The plan is made from the refusal alone. It is what the response is compared with after the
//! hooks ran, so that they have no way to influence it.

use std::borrow::Cow;

use http::{HeaderValue, StatusCode};

use super::challenge::{self, Challenges};
use crate::error::RejectionKind;
use crate::rejection::Rejection;

/// The parts of a response that hooks may write, and may not change.
pub(super) struct Plan<'a> {
    pub(super) rejection: &'a Rejection,
    /// Whether there is a body for a hook to write; the answer to a gRPC call has none.
    pub(super) has_body: bool,
    pub(super) status: StatusCode,
    pub(super) challenges: Cow<'a, Challenges>,
    pub(super) retry_after: Option<HeaderValue>,
    /// What else there is than the method that was used (RFC 9110 §15.5.6).
    pub(super) allow: Option<HeaderValue>,
    /// The one `DPoP-Nonce` (RFC 9449 §8).
    pub(super) nonce: Option<&'a HeaderValue>,
}

const POST: HeaderValue = HeaderValue::from_static("POST");

impl<'a> Plan<'a> {
    pub(super) fn of(rejection: &'a Rejection, is_call: bool) -> Self {
        let status = rejection.status();
        let outage = status == StatusCode::SERVICE_UNAVAILABLE;
        Self {
            rejection,
            has_body: !is_call,
            status: if is_call { StatusCode::OK } else { status },
            challenges: challenges(rejection),
            allow: (status == StatusCode::METHOD_NOT_ALLOWED && !is_call).then_some(POST),
            retry_after: outage.then(|| rejection.details().settings.retry_after.clone()),
            nonce: rejection.details().nonce.as_ref(),
        }
    }

    /// The error code, unless the answer must not tell.
    pub(super) fn error(&self) -> Option<&'static str> {
        if self.rejection.is_concealed() { None } else { self.rejection.kind().error_code() }
    }
}

/// Challenges depend on the layer, the kind and the scheme that was tried, and are built once for
/// each; except where the reason of a predicate or the scopes of a step-up come in, and where the
/// demand is a handler's or leaves it to the layer around it what is accepted.
fn challenges(rejection: &Rejection) -> Cow<'_, Challenges> {
    let kind = rejection.kind();
    if is_final(kind) || rejection.is_concealed() {
        return Cow::Owned(Challenges::default());
    }
    let details = rejection.details();
    let tried = details.attempt.scheme;
    let varies = match details.demand.constraint {
        None => tried.is_none(),
        Some(own) => own != details.constraint(),
    };
    if varies || !details.is_fixed() {
        Cow::Owned(challenge::build(rejection))
    } else {
        let build = || challenge::build(rejection);
        Cow::Borrowed(details.demand.challenges(kind, tried, build))
    }
}

/// Nothing that a client could bring would help: the fault is ours, or nobody may do this.
fn is_final(kind: RejectionKind) -> bool {
    kind.status() != StatusCode::UNAUTHORIZED && kind.error_code().is_none()
}
