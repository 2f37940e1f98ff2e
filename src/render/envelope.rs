//! The seam through which an application gives refusals its own shape.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::challenge::Challenges;
use super::oauth;
use super::plan::Plan;
use crate::rejection::Rejection;

/// The response under construction: body, content type and further headers are a hook's to set.
///
/// Its body is [`Bytes`], whatever the body type of the application is. Its status is set already,
/// and so are the headers of the hooks that ran before.
pub type ErrorResponse = Response<Bytes>;

/// How refusals look: three hooks, each with a default.
///
/// They run in the order [`no_store`](Self::no_store),
/// [`www_authenticate`](Self::www_authenticate), [`send_error`](Self::send_error). They control
/// bytes, never semantics: afterwards the library puts right the status, the challenges,
/// `no-store`, `Retry-After` and the framing, and warns once per process if it had to. A hook that
/// panics becomes the default rendering.
///
/// For HEAD, the body is not sent. See the [guide](crate::guide::envelopes) for examples.
///
/// A hook sees no part of the request. What it writes can therefore not depend on who asks, nor
/// give back what a client sent. It runs on the request path, for refusals only: it should be quick
/// and must not block.
///
/// ```
/// use http::{HeaderValue, StatusCode, header};
/// use tower_resource_server::render::{Envelope, ErrorBody, ErrorResponse};
///
/// /// `{"errors":[{"id":…,"text":…}]}`, like all errors of this application.
/// struct Errors;
///
/// impl Envelope for Errors {
///     fn send_error(&self, _: StatusCode, error: &ErrorBody<'_>, response: &mut ErrorResponse) {
///         let body = serde_json::json!({
///             "errors": [{ "id": error.kind_name(), "text": error.detail() }],
///         });
///         let json = HeaderValue::from_static("application/json");
///         response.headers_mut().insert(header::CONTENT_TYPE, json);
///         *response.body_mut() = body.to_string().into();
///     }
/// }
///
/// # use tower::ServiceExt;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
/// # let issuer = tower_resource_server::testing::TestIssuer::new("https://as.example.com");
/// let server = issuer.resource_server("https://api.example.com").envelope(Errors).build()?;
/// # let app = axum::Router::new().fallback(|| async {}).layer(server.authenticate());
/// # let response = app.oneshot(http::Request::new(String::new())).await?;
/// # assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
/// # let body = axum::body::to_bytes(response.into_body(), 4096).await?;
/// # let body: serde_json::Value = serde_json::from_slice(&body)?;
/// # assert_eq!(body["errors"][0]["id"], "missing-credentials");
/// # Ok(())
/// # }
/// ```
pub trait Envelope: Send + Sync + 'static {
    /// Writes the body, its content type, and any further header.
    ///
    /// The default writes the body of [`OAuthJson`](super::OAuthJson). The status is given to be
    /// read; setting another on the response is undone. `Content-Length` and its like are removed,
    /// since the server frames the body, and `Retry-After` of a 503 is set afterwards.
    fn send_error(&self, status: StatusCode, error: &ErrorBody<'_>, response: &mut ErrorResponse) {
        let _ = status;
        oauth::write(error, response);
    }

    /// Writes the challenges, which arrive computed. Each is to be sent verbatim.
    ///
    /// The default appends each in a field line of its own (RFC 9110 §11.6.1). It is not called for
    /// refusals without a challenge: 5xx, and the 404 of a concealed route. A hook that leaves a
    /// challenge out, changes it or adds one has that undone.
    fn www_authenticate(&self, challenges: &Challenges, headers: &mut HeaderMap) {
        append_challenges(challenges, headers);
    }

    /// Writes the caching headers of a refusal.
    ///
    /// The default sets `Cache-Control: no-store`. Other directives may stand beside it in the same
    /// line; a refusal without `no-store`, or with two lines, gets that one directive alone.
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
///
/// None of its texts holds anything that the client sent: they are fixed for the kind, or come from
/// the configuration, or are the reason of a [`Predicate`](crate::Predicate).
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
    ///
    /// `invalid_request`, `invalid_token`, `insufficient_scope` (RFC 6750 §3.1) or
    /// `insufficient_user_authentication` (RFC 9470 §3). `None` on a 401 without credentials or of
    /// another scheme, on 5xx, and for a concealed route.
    #[must_use]
    pub const fn error(&self) -> Option<&'static str> {
        self.error
    }

    /// The text beside the error code.
    ///
    /// Printable ASCII without quotes and backslashes (RFC 6750 §3). For a failed predicate it is
    /// the predicate's reason.
    #[must_use]
    pub fn error_description(&self) -> Option<&'a str> {
        self.error.map(|_| self.rejection.description())
    }

    /// The configured `error_uri`, beside an error code.
    ///
    /// It is the same for every kind: see [`Builder::error_uri`](crate::Builder::error_uri). For a
    /// page on this very kind there is [`documentation_url`](Self::documentation_url).
    #[must_use]
    pub fn error_uri(&self) -> Option<&'a str> {
        let challenge = &self.rejection.details().settings.challenge;
        self.error.and(challenge.error_uri.as_deref())
    }

    /// The scopes the operation needs, space-separated, when they are what is missing.
    ///
    /// All of them, not only those that the token lacks. `None` beside `invalid_token`, even where
    /// the challenge names scopes to ask for.
    #[must_use]
    pub fn scope(&self) -> Option<&'a str> {
        let missing = self.error == Some("insufficient_scope")
            || self.error.is_some() && self.rejection.details().shortfall.scope;
        self.rejection.scope().filter(|_| missing)
    }

    /// The stable name of the kind; of a concealed route, `not-found`.
    ///
    /// Names do not change between versions, so clients and dashboards may rely on them. The
    /// [error catalogue](crate::guide::error_catalogue) lists them all.
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
    ///
    /// Its [`kind`](Rejection::kind) is the true one even of a concealed route. An envelope that
    /// writes it out reveals what was to be hidden.
    #[must_use]
    pub const fn rejection(&self) -> &'a Rejection {
        self.rejection
    }
}
