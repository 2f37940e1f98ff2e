//! The seam through which an application gives refusals its own shape.

use http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::challenge::Challenges;
use super::error_body::{ErrorBody, ErrorResponse};
use super::oauth::{self, OAuthJson};

/// How refusals look: three hooks, each with a default.
///
/// They run in the order [`no_store`](Self::no_store),
/// [`www_authenticate`](Self::www_authenticate), [`send_error`](Self::send_error). They control
/// bytes, never semantics: afterwards the library puts right the status, the challenges,
/// `DPoP-Nonce`, `no-store`, `Retry-After` and the framing, and warns once per process if it had
/// to. A hook that
/// panics becomes the default rendering.
///
/// For HEAD, the body is not sent. See the [guide](crate::guide::envelopes) for examples.
///
/// A hook sees no part of the request, save what the [`members`](ErrorBody::members) of a kind
/// repeat. What it writes can therefore not depend on who asks, nor give back what a client sent. It
/// runs on the request path, for refusals only: it should be quick and must not block. `Allow` of a
/// 405 is set afterwards too.
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
    /// There is one for each scheme that the route accepts, so expect several. The default appends
    /// each in a field line of its own (RFC 9110 §11.6.1). It is not called for
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

// What every envelope does unless it says otherwise.
impl Envelope for OAuthJson {}
