//! axum: extractors, refusals as responses, the metadata document as a router (feature `axum`).
//!
//! The layers need nothing of this: they go around axum routers as around any Tower service. What
//! this module adds are three conveniences.
//!
//! - **Extractors.** [`Grant`] and [`Claims<T>`](Claims) in the arguments of a handler. Both need
//!   an [`authenticate`](crate::ResourceServer::authenticate) layer around the route.
//! - **Refusals as responses.** A [`Rejection`] is an axum response, rendered by the envelope of
//!   its server, so that `grant.require(…)?` suffices in a handler.
//! - **The metadata document as a [`Router`]**, to be merged.
//!
//! ```
//! use axum::{Router, routing::get};
//! use tower_resource_server::{Grant, Rejection, ResourceServer, Scopes};
//!
//! async fn whoami(grant: Grant) -> String {
//!     grant.subject().unwrap_or("nobody").to_owned()
//! }
//!
//! async fn purge(grant: Grant) -> Result<&'static str, Rejection> {
//!     grant.require(Scopes::all(["tools/delete"]))?;
//!     Ok("purged")
//! }
//!
//! fn app(server: &ResourceServer) -> Router {
//!     Router::new()
//!         .route("/whoami", get(whoami))
//!         .route("/tools", get(whoami).layer(server.require(Scopes::all(["tools/read"]))))
//!         .route("/purge", get(purge))
//!         .layer(server.authenticate())
//!         .merge(server.metadata())
//! }
//! ```
//!
//! # What an extractor finds
//!
//! | around the route | request | `Grant`, `Claims<T>` | `Option<Grant>` |
//! |---|---|---|---|
//! | `authenticate()` | valid token | the grant, the claims | `Some` |
//! | `authenticate()` | anything else | the layer has answered | the layer has answered |
//! | `authenticate().optional()` | no credentials | 401, `missing-credentials` | `None` |
//! | either | a CORS preflight | 401, `missing-credentials` | `None` |
//! | no layer | any | 500 | 500 |
//!
//! The last line is a mistake in the program, so it is answered as one and logged at level ERROR.
//! An extractor never takes a missing layer for an anonymous caller.
//!
//! With several servers in one process, the extractors give the grant of the innermost
//! `authenticate` layer, whichever server that belongs to, or none if that one found none.
//!
//! # Routes
//!
//! Each `.layer(…)` of axum goes around what was added *before* it. Routes and fallbacks added
//! later are not protected. `.route_layer(…)` leaves the fallback unprotected. In a nested router
//! the log still shows the path as the client sent it, since axum keeps it.
//!
//! # One router, two demands
//!
//! A customised application: anonymous reading, writing with a scope, an envelope of problem
//! details, and a part that takes a whole set of claims:
//!
//! ```
//! use axum::{Router, routing::{get, post}};
//! use serde::Deserialize;
//! use tower_resource_server::axum::Claims;
//! use tower_resource_server::render::ProblemJson;
//! use tower_resource_server::{Builder, ConfigError, Grant, Scopes};
//!
//! #[derive(Deserialize)]
//! struct Tenant {
//!     tenant: String,
//! }
//!
//! async fn read(grant: Option<Grant>) -> &'static str {
//!     if grant.is_some() { "all notes" } else { "public notes" }
//! }
//!
//! async fn write(Claims(claims): Claims<Tenant>) -> String {
//!     format!("noted for {}", claims.tenant)
//! }
//!
//! fn app(builder: Builder) -> Result<Router, ConfigError> {
//!     let server = builder.envelope(ProblemJson::default()).build()?;
//!     let writing = server.authenticate().require(Scopes::all(["notes/write"]));
//!     let reading = server.authenticate().optional();
//!     Ok(Router::new()
//!         .route("/notes", get(read).layer(reading).merge(post(write).layer(writing)))
//!         .merge(server.metadata()))
//! }
//! ```

use axum::Router;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::authorize::{Caller, Grant};
use crate::metadata::MetadataService;
use crate::rejection::Rejection;
use crate::render;

/// The response that the server's envelope makes of the refusal.
///
/// It is logged and counted when the conversion happens, once for each response made. A rejection
/// that a handler drops, to try something else, leaves no trace.
impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        render::respond(&self).map(Into::into)
    }
}

/// Why an extractor found no grant.
///
/// As a response it is the refusal of the server's envelope, or, without any layer around the
/// route, a bare 500: there is no server whose envelope could be asked.
#[derive(Debug)]
pub struct GrantRejection(Kind);

#[derive(Debug)]
enum Kind {
    /// The request is anonymous, or its claims do not fit: the server's envelope answers.
    Refused(Box<Rejection>),
    /// No layer has looked at the request, so there is not even an envelope.
    NoLayer,
}

impl IntoResponse for GrantRejection {
    fn into_response(self) -> Response {
        match self.0 {
            Kind::Refused(rejection) => rejection.into_response(),
            Kind::NoLayer => {
                tracing::error!(
                    target: "tower_resource_server::rejection",
                    "a handler asks for a Grant, but no authenticate layer is around its route"
                );
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// The grant, or a refusal: 401 for anonymous requests, 500 without an `authenticate` layer.
///
/// It clones the grant in the request's extensions, which costs a few reference counts.
impl<S: Send + Sync> FromRequestParts<S> for Grant {
    type Rejection = GrantRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, GrantRejection> {
        granted(parts).cloned()
    }
}

/// `None` for anonymous requests that an optional layer let through; still 500 without a layer.
///
/// `None` also stands for a CORS preflight that passed the layers. It never stands for a token that
/// did not verify: such a request does not reach the handler.
impl<S: Send + Sync> OptionalFromRequestParts<S> for Grant {
    type Rejection = GrantRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, GrantRejection> {
        Ok(match caller(parts)? {
            Caller::Granted(grant) => Some(grant.clone()),
            Caller::Anonymous(_) => None,
        })
    }
}

fn granted(parts: &Parts) -> Result<&Grant, GrantRejection> {
    caller(parts)?.granted().map_err(refused)
}

fn caller(parts: &Parts) -> Result<Caller<'_>, GrantRejection> {
    Caller::of(&parts.extensions).ok_or(GrantRejection(Kind::NoLayer))
}

fn refused(rejection: Rejection) -> GrantRejection {
    GrantRejection(Kind::Refused(Box::new(rejection)))
}

/// The claims of the token as a type of the application's.
///
/// A token whose claims do not fit is refused as `requirement-not-met`, with 403: it is good, and
/// another of its kind would fit no better. It deserializes the claims as the token carries them,
/// at each use. The checks of the layer are done by then; this adds only a shape. Claims that are
/// not always there should be an `Option` of the type.
///
/// ```
/// use axum::{Router, body::Body, routing::get};
/// use http::{Request, StatusCode};
/// use serde::Deserialize;
/// use tower::ServiceExt;
/// use tower_resource_server::axum::Claims;
/// # use tower_resource_server::testing::TestIssuer;
///
/// #[derive(Deserialize)]
/// struct Profile {
///     sub: String,
///     email: Option<String>,
///     level: u8,
/// }
///
/// async fn me(Claims(profile): Claims<Profile>) -> String {
///     format!("{} {} {}", profile.sub, profile.email.unwrap_or_default(), profile.level)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
/// # let issuer = TestIssuer::new("https://as.example.com");
/// # let server = issuer.resource_server("https://api.example.com").build()?;
/// let app = Router::new().route("/", get(me)).layer(server.authenticate());
/// let request = || Request::new(Body::empty());
///
/// let fits = issuer.token().claim("level", 3).authorize(request());
/// assert_eq!(app.clone().oneshot(fits).await?.status(), StatusCode::OK);
///
/// let lacks = issuer.token().authorize(request());
/// assert_eq!(app.oneshot(lacks).await?.status(), StatusCode::FORBIDDEN);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs, reason = "extractors are taken apart in handler signatures")]
pub struct Claims<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Claims<T> {
    type Rejection = GrantRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, GrantRejection> {
        let grant = granted(parts)?;
        grant.claims().map(Self).map_err(|_| refused(Rejection::claims(grant)))
    }
}

impl<S: Clone + Send + Sync + 'static> From<MetadataService> for Router<S> {
    fn from(service: MetadataService) -> Self {
        let mut router = Self::new();
        for path in service.paths() {
            router = router.route_service(&pattern(path), service.clone());
        }
        router
    }
}

/// The path as axum writes routes: braces are doubled. Segments that begin as captures once did
/// become captures, since no escape for them survives a merge; the service compares the whole
/// path anyway.
fn pattern(path: &str) -> String {
    let segments = path.split('/').enumerate().map(|(at, segment)| {
        if segment.starts_with([':', '*']) {
            format!("{{segment{at}}}")
        } else {
            segment.replace('{', "{{").replace('}', "}}")
        }
    });
    segments.collect::<Vec<_>>().join("/")
}
