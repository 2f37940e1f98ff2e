//! The seam through which an application gives refusals its own shape.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::challenge::Challenges;
use super::oauth;
use super::plan::Plan;
use crate::rejection::Rejection;

/// The response under construction: body, content type and further headers are a hook's to set.
pub type ErrorResponse = Response<Bytes>;

/// How refusals look: three hooks, each with a default.
///
/// They run in the order [`no_store`](Self::no_store), [`www_authenticate`](Self::www_authenticate),
/// [`send_error`](Self::send_error). They control bytes, never semantics: afterwards the library
/// puts right the status, the challenges, `no-store`, `Retry-After` and the framing, and warns once
/// per process if it had to. A hook that panics becomes the default rendering.
///
/// For HEAD, the body is not sent. See the [guide](crate::guide::envelopes) for examples.
pub trait Envelope: Send + Sync + 'static {
    /// Writes the body, its content type, and any further header.
    fn send_error(&self, status: StatusCode, error: &ErrorBody<'_>, response: &mut ErrorResponse) {
        let _ = status;
        oauth::write(error, response);
    }

    /// Writes the challenges, which arrive computed. Each is to be sent verbatim.
    fn www_authenticate(&self, challenges: &Challenges, headers: &mut HeaderMap) {
        append_challenges(challenges, headers);
    }

    /// Writes the caching headers of a refusal.
    fn no_store(&self, headers: &mut HeaderMap) {
        headers.insert(CACHE_CONTROL, NO_STORE);
    }
}

pub(super) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

pub(super) fn append_challenges(challenges: &Challenges, headers: &mut HeaderMap) {
    for challenge in challenges.iter() {
        headers.append(WWW_AUTHENTICATE, challenge.clone());
    }
}

/// What a refusal says, for the body.
///
/// `error` and its companions equal those of the challenge. They are absent where RFC 6750 §3.1
/// wants no error information, and on 5xx; the kind and its explanation are there always.
#[derive(Clone, Copy, Debug)]
pub struct ErrorBody<'a> {
    rejection: &'a Rejection,
    error: Option<&'static str>,
}

impl<'a> ErrorBody<'a> {
    pub(super) fn new(plan: &Plan<'a>) -> Self {
        Self { rejection: plan.rejection, error: plan.error() }
    }

    /// The OAuth error code.
    #[must_use]
    pub const fn error(&self) -> Option<&'static str> {
        self.error
    }

    /// The text beside the error code.
    #[must_use]
    pub fn error_description(&self) -> Option<&'a str> {
        self.error.map(|_| self.rejection.description())
    }

    /// The configured `error_uri`, beside an error code.
    #[must_use]
    pub fn error_uri(&self) -> Option<&'a str> {
        let challenge = &self.rejection.details().settings.challenge;
        self.error.and(challenge.error_uri.as_deref())
    }

    /// The scopes the operation needs, space-separated, when they are what is missing.
    #[must_use]
    pub fn scope(&self) -> Option<&'a str> {
        let missing = self.error == Some("insufficient_scope")
            || self.error.is_some() && self.rejection.details().shortfall.scope;
        self.rejection.scope().filter(|_| missing)
    }

    /// The stable name of the kind; of a concealed route, `not-found`.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        if self.rejection.is_concealed() { "not-found" } else { self.rejection.kind().name() }
    }

    /// A text for developers, whether or not there is an error code.
    #[must_use]
    pub fn detail(&self) -> &'a str {
        if self.rejection.is_concealed() { "Not found" } else { self.rejection.description() }
    }

    /// Where the kind is explained. None for a concealed route.
    #[must_use]
    pub fn documentation_url(&self) -> Option<String> {
        (!self.rejection.is_concealed()).then(|| self.rejection.documentation_url())
    }

    /// The refusal itself.
    #[must_use]
    pub const fn rejection(&self) -> &'a Rejection {
        self.rejection
    }
}
