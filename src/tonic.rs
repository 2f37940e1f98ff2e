//! tonic: refusals as a [`Status`], the grant of a call (feature `tonic`).
//!
//! The layers need nothing of this. They go around tonic servers as around any Tower service, and
//! answer gRPC requests in the form of gRPC whether or not the feature is on: see the
//! [guide](crate::guide::tonic). What this module adds is for the methods of a service.
//!
//! ```
//! use tonic::{Request, Response, Status};
//! use tower_resource_server::{Scopes, tonic::grant};
//!
//! /// A method of a service that tonic serves.
//! async fn purge(request: Request<()>) -> Result<Response<String>, Status> {
//!     let grant = grant(&request)?;
//!     grant.require(Scopes::all(["tools/delete"]))?;
//!     Ok(Response::new(format!("purged by {}", grant.subject().unwrap_or("nobody"))))
//! }
//! ```
//!
//! # What [`grant`] finds
//!
//! | around the service | call | [`grant`] | [`optional_grant`] |
//! |---|---|---|---|
//! | `authenticate()` | valid token | the grant | `Some` |
//! | `authenticate()` | anything else | the layer has answered | the layer has answered |
//! | `authenticate().optional()` | no credentials | 16, `missing-credentials` | `None` |
//! | no layer | any | 13 | 13 |
//!
//! The last line is a mistake in the program, so it is answered as one and logged at level ERROR.

use std::sync::Arc;

use http::header::CONTENT_TYPE;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Status};

use crate::authorize::{Caller, Grant};
use crate::grpc;
use crate::rejection::Rejection;
use crate::render;

/// The refusal as gRPC says it.
///
/// The code is [`Rejection::grpc_code`], the message [`Rejection::description`], none where the
/// method conceals itself. The metadata are the header fields that a layer would send:
/// `www-authenticate`, each challenge by itself, `dpop-nonce`, `cache-control`, `retry-after`. The
/// rejection is the [source](std::error::Error::source) of the status.
///
/// It is logged and counted when the conversion happens, once for each status made.
///
/// ```
/// use tonic::{Code, Status};
/// use tower_resource_server::{Grant, Scopes};
///
/// fn may_add(grant: &Grant) -> Result<(), Status> {
///     Ok(grant.require(Scopes::all(["tools/write"]))?)
/// }
/// # use http::{Request, Response};
/// # use tower::{Layer, ServiceExt, service_fn};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
/// # let issuer = tower_resource_server::testing::TestIssuer::new("https://as.example.com");
/// # let server = issuer.resource_server("https://api.example.com").build()?;
/// # let service = server.authenticate().layer(service_fn(async |request: Request<()>| {
/// #     let grant = request.extensions().get::<Grant>().expect("authenticate is outside");
/// let status = may_add(grant).expect_err("the token has another scope");
/// assert_eq!(status.code(), Code::PermissionDenied);
/// let challenge = status.metadata().get("www-authenticate").expect("a challenge");
/// let challenge = challenge.to_str().expect("visible ASCII");
/// assert!(challenge.starts_with(r#"Bearer error="insufficient_scope", scope="tools/write""#));
/// #     Ok::<_, std::io::Error>(Response::new(http_body_util::Full::<bytes::Bytes>::default()))
/// # }));
/// # let request = issuer.token().scope("tools/read").authorize(Request::new(()));
/// # assert_eq!(service.oneshot(request).await?.status(), 200);
/// # Ok(())
/// # }
/// ```
impl From<Rejection> for Status {
    fn from(rejection: Rejection) -> Self {
        let (parts, _) = render::respond_to_call(&rejection).into_parts();
        let mut headers = parts.headers;
        // tonic writes these itself.
        headers.remove(CONTENT_TYPE);
        headers.remove(grpc::STATUS);
        headers.remove(grpc::MESSAGE);
        let code = Code::from_i32(i32::from(rejection.grpc_code()));
        let message = if rejection.is_concealed() { "" } else { rejection.description() };
        let metadata = MetadataMap::from_headers(headers);
        let mut status = Self::with_metadata(code, message, metadata);
        status.set_source(Arc::new(rejection));
        status
    }
}

/// The grant that the [`authenticate`](crate::ResourceServer::authenticate) layer around the service
/// has left in the extensions of the request.
///
/// # Errors
///
/// A status of code 16 with the challenges for an anonymous call that an optional layer let through;
/// of code 13 where there is no layer.
pub fn grant<T>(request: &Request<T>) -> Result<&Grant, Status> {
    Ok(caller(request)?.granted()?)
}

/// The same; `None` for an anonymous call that an optional layer let through.
///
/// It never stands for a token that did not verify: such a call does not reach the service.
///
/// # Errors
///
/// A status of code 13 where there is no layer.
pub fn optional_grant<T>(request: &Request<T>) -> Result<Option<&Grant>, Status> {
    Ok(match caller(request)? {
        Caller::Granted(grant) => Some(grant),
        Caller::Anonymous(_) => None,
    })
}

fn caller<T>(request: &Request<T>) -> Result<Caller<'_>, Status> {
    Caller::of(request.extensions()).ok_or_else(no_layer)
}

fn no_layer() -> Status {
    tracing::error!(
        target: "tower_resource_server::rejection",
        "a method asks for a Grant, but no authenticate layer is around its service"
    );
    Status::internal("The server is not configured for this request")
}
