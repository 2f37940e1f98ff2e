//! axum: extractors, refusals as responses, the metadata document as a router.
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

use axum::Router;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::authorize::{Anonymous, Grant};
use crate::error::RejectionKind;
use crate::metadata::MetadataService;
use crate::rejection::Rejection;
use crate::render;

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        render::respond(&self).map(Into::into)
    }
}

/// Why an extractor found no grant.
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
impl<S: Send + Sync> FromRequestParts<S> for Grant {
    type Rejection = GrantRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, GrantRejection> {
        grant(parts)?.ok_or_else(|| missing(parts))
    }
}

/// `None` for anonymous requests that an optional layer let through; still 500 without a layer.
impl<S: Send + Sync> OptionalFromRequestParts<S> for Grant {
    type Rejection = GrantRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, GrantRejection> {
        grant(parts)
    }
}

fn grant(parts: &Parts) -> Result<Option<Grant>, GrantRejection> {
    match parts.extensions.get::<Grant>() {
        Some(grant) => Ok(Some(grant.clone())),
        None if parts.extensions.get::<Anonymous>().is_some() => Ok(None),
        None => Err(GrantRejection(Kind::NoLayer)),
    }
}

fn missing(parts: &Parts) -> GrantRejection {
    GrantRejection(match parts.extensions.get::<Anonymous>() {
        None => Kind::NoLayer,
        Some(Anonymous { settings, label }) => {
            let kind = RejectionKind::MissingCredentials;
            let demand = std::sync::Arc::default();
            Kind::Refused(Box::new(Rejection::new(kind, settings, &demand, label.clone(), None)))
        }
    })
}

/// The claims of the token as a type of the application's.
///
/// A token whose claims do not fit is refused as `requirement-not-met`, with 403: it is good, and
/// another of its kind would fit no better.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs, reason = "extractors are taken apart in handler signatures")]
pub struct Claims<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Claims<T> {
    type Rejection = GrantRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, GrantRejection> {
        let grant = grant(parts)?.ok_or_else(|| missing(parts))?;
        let refused = || GrantRejection(Kind::Refused(Box::new(Rejection::claims(&grant))));
        grant.claims().map(Self).map_err(|_| refused())
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
