//! Stage 5: from a refusal to a response.
//!
//! What a refusal *means* is fixed by the crate: its status, its challenges, that no cache keeps
//! it, when to try again. What it *looks like* is the envelope's to say: the body, its content
//! type, and further headers. [`Envelope`] is the trait, and four come with the crate.
//!
//! | envelope | body | content type |
//! |---|---|---|
//! | [`OAuthJson`], the default | `error`, `error_description`, … (RFC 6749 §5.2) | `application/json` |
//! | [`ProblemJson`] | problem details (RFC 9457) and the OAuth members | `application/problem+json` |
//! | [`JsonRpc`] | a JSON-RPC 2.0 error | `application/json` |
//! | [`Empty`] | none | none |
//!
//! One is chosen with [`Builder::envelope`](crate::Builder::envelope) and serves the layers, the
//! extractors and the [`Rejection`]s of handlers alike. The parts a hook is
//! handed are [`ErrorBody`], which says what there is to say; [`Challenges`], which are computed
//! already; and [`ErrorResponse`], the response under construction.
//!
//! # How a refusal becomes a response
//!
//! 1. Status, challenges, `DPoP-Nonce` and `Retry-After` are settled from the kind of the refusal and
//!    the layer.
//! 2. The hooks run in this order: [`no_store`](Envelope::no_store),
//!    [`www_authenticate`](Envelope::www_authenticate) if there are challenges,
//!    [`send_error`](Envelope::send_error).
//! 3. What they broke of the first step is put right.
//! 4. For a HEAD request the body is dropped and its length kept (RFC 9110 §9.3.2).
//! 5. The [`Rejection`] goes into the extensions of the response, one event into
//!    the log, one to the [`Observer`](crate::Observer).
//!
//! # The default
//!
//! ```
//! use http::{Request, StatusCode, header};
//! use tower::ServiceExt;
//! # use tower_resource_server::testing::TestIssuer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
//! # let issuer = TestIssuer::new("https://as.example.com");
//! let server = issuer.resource_server("https://api.example.com").build()?;
//! let app = axum::Router::new().fallback(|| async {}).layer(server.authenticate());
//!
//! let token = issuer.token().audience("https://other.example.com");
//! let request = token.authorize(Request::new(String::new()));
//! let response = app.oneshot(request).await?;
//! assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
//! assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
//! let body = axum::body::to_bytes(response.into_body(), 4096).await?;
//! let body: serde_json::Value = serde_json::from_slice(&body)?;
//! assert_eq!(body["error"], "invalid_token");
//! assert_eq!(body["error_description"], "The access token is meant for another resource");
//! # Ok(())
//! # }
//! ```
//!
//! # One hook changed
//!
//! For less than a whole envelope, the builder takes each hook as a closure. Here every refusal
//! names the gateway that made it; the body stays that of the envelope:
//!
//! ```
//! use http::{Request, header};
//! use tower::ServiceExt;
//! use tower_resource_server::render::ProblemJson;
//! # use tower_resource_server::testing::TestIssuer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
//! # let issuer = TestIssuer::new("https://as.example.com");
//! let server = issuer
//!     .resource_server("https://api.example.com")
//!     .envelope(ProblemJson::default())
//!     .no_store(|headers| {
//!         headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
//!         headers.insert("x-refused-by", header::HeaderValue::from_static("gateway-1"));
//!     })
//!     .build()?;
//! let app = axum::Router::new().fallback(|| async {}).layer(server.authenticate());
//!
//! let response = app.oneshot(Request::new(String::new())).await?;
//! assert_eq!(response.headers()["x-refused-by"], "gateway-1");
//! assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
//! # Ok(())
//! # }
//! ```
//!
//! The [guide](crate::guide::envelopes) shows a whole envelope of an application's own.

mod challenge;
mod empty;
mod envelope;
mod error_body;
mod grpc;
mod hooks;
mod json_rpc;
mod oauth;
mod plan;
mod problem;
mod report;
mod restore;

#[cfg(feature = "mcp")]
use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method, Response};

pub use self::challenge::Challenges;
pub(crate) use self::challenge::{ChallengeOrder, ChallengeSettings};
pub use self::empty::Empty;
pub use self::envelope::Envelope;
pub use self::error_body::{ErrorBody, ErrorResponse};
pub(crate) use self::grpc::Ending;
pub(crate) use self::hooks::Hooks;
#[cfg(feature = "mcp")]
pub(crate) use self::json_rpc::ErrorData;
pub use self::json_rpc::JsonRpc;
pub use self::oauth::OAuthJson;
use self::plan::Plan;
pub use self::problem::ProblemJson;
pub(crate) use self::report::report;
use crate::cors;
use crate::grpc::{MediaType, fields};
use crate::rejection::Rejection;

/// The response of a refusal, through the hooks of its server; logged and counted here, once.
pub(crate) fn respond(rejection: &Rejection) -> Response<Bytes> {
    respond_as(rejection, rejection.details().attempt.label.grpc)
}

/// The same, to a gRPC call in any case.
#[cfg(feature = "tonic")]
pub(crate) fn respond_to_call(rejection: &Rejection) -> Response<Bytes> {
    let media_type = rejection.details().attempt.label.grpc;
    respond_as(rejection, Some(media_type.unwrap_or(MediaType::Grpc)))
}

fn respond_as(rejection: &Rejection, call: Option<MediaType>) -> Response<Bytes> {
    let label = &rejection.details().attempt.label;
    let mut response = match call {
        Some(media_type) if rejection.is_concealed() => {
            grpc::unimplemented(rejection, media_type, &label.method)
        }
        _ => dressed(&Plan::of(rejection, call.is_some()), call),
    };
    if label.exposes {
        cors::expose(response.headers_mut(), fields(call));
    }
    if label.method == Method::HEAD {
        empty_for_head(&mut response);
    }
    response.extensions_mut().insert(rejection.clone());
    report(rejection);
    response
}

/// The end of a response that was begun; logged and counted as a refusal.
pub(crate) fn end(rejection: &Rejection) -> Ending {
    report(rejection);
    match rejection.details().attempt.label.grpc {
        Some(media_type) => grpc::end(&Plan::of(rejection, true), media_type),
        None => Ending::Nothing,
    }
}

/// What the hooks make of the plan, put right.
fn dressed(plan: &Plan<'_>, call: Option<MediaType>) -> Response<Bytes> {
    let hooks = &plan.rejection.details().settings.hooks;
    // A hook that panics must cost neither the connection nor the challenge.
    let mut response = catch_unwind(AssertUnwindSafe(|| hooks.run(plan))).unwrap_or_else(|_| {
        restore::warn_of_panic();
        Hooks::default().run(plan)
    });
    restore::restore(plan, &mut response);
    if let Some(media_type) = call {
        grpc::shape(plan, media_type, &mut response);
    }
    response
}

/// The response that the server's envelope makes of the refusal, for handlers without a framework.
///
/// It is logged and counted when the conversion happens. With axum a [`Rejection`] is a response by
/// itself.
///
/// ```
/// use bytes::Bytes;
/// use http::{Request, Response, StatusCode};
/// use http_body_util::Full;
/// use tower::{Layer, ServiceExt, service_fn};
/// use tower_resource_server::{Grant, Scopes, testing::TestIssuer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
/// # let issuer = TestIssuer::new("https://as.example.com");
/// # let server = issuer.resource_server("https://api.example.com").build()?;
/// let purge = service_fn(async |request: Request<()>| {
///     let grant = request.extensions().get::<Grant>().expect("authenticate is around");
///     let answer = match grant.require(Scopes::all(["tools/delete"])) {
///         Ok(()) => Response::new(Bytes::from("purged")),
///         Err(rejection) => rejection.into(),
///     };
///     Ok::<_, std::convert::Infallible>(answer.map(Full::new))
/// });
/// let service = server.authenticate().layer(purge);
///
/// let narrow = issuer.token().scope("tools/read").authorize(Request::new(()));
/// assert_eq!(service.oneshot(narrow).await?.status(), StatusCode::FORBIDDEN);
/// # Ok(())
/// # }
/// ```
impl From<Rejection> for Response<Bytes> {
    fn from(rejection: Rejection) -> Self {
        respond(&rejection)
    }
}

/// What a refusal says, for forms that are no HTTP response.
#[cfg(feature = "mcp")]
pub(crate) fn told(rejection: &Rejection) -> (ErrorBody<'_>, Cow<'_, Challenges>) {
    let plan = Plan::of(rejection, false);
    (ErrorBody::new(&plan), plan.challenges)
}

/// HEAD has the header fields of GET and no body (RFC 9110 §9.3.2). Where GET has none either,
/// whether a length of zero is announced is the server's to say, for both alike.
fn empty_for_head(response: &mut Response<Bytes>) {
    let length = std::mem::take(response.body_mut()).len();
    if length > 0 {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
}
