//! The Tower layers, their services, and the one future that sequences the stages.
//!
//! Four layers make up the protection of a service. Three are made by a
//! [`ResourceServer`](crate::ResourceServer), so that they share its keys, its settings and the
//! memory of the tokens it has verified. The fourth stands by itself.
//!
//! | layer | made by | what it does |
//! |---|---|---|
//! | [`AuthenticateLayer`] | [`authenticate`](crate::ResourceServer::authenticate) | verifies the token and its proof, leaves a [`Grant`](crate::Grant) in the request |
//! | [`RequireLayer`] | [`require`](crate::ResourceServer::require) | demands more of that grant |
//! | [`RequireMethodsLayer`] | [`require_methods`](crate::ResourceServer::require_methods) | demands of each gRPC method what its rule says, and denies those without one |
//! | [`FormTokenLayer`] | [`new`](FormTokenLayer::new) | lets a form carry the token (RFC 6750 §2.2) |
//!
//! # Order
//!
//! From the outside in: [`FormTokenLayer`] if there is one, then [`AuthenticateLayer`], then
//! [`RequireLayer`] or [`RequireMethodsLayer`], then the application. Several `RequireLayer`s may
//! follow each other; all have to be met. CORS, tracing and
//! [`metadata_layer`](crate::ResourceServer::metadata_layer) go outside of all of them, whatever
//! reads bodies goes inside. The [quickstart](crate::guide::quickstart#the-order-of-layers) has the
//! whole table with the reasons.
//!
//! A wrong order fails closed. A `RequireLayer` or `RequireMethodsLayer` that finds no grant of its
//! own server answers 500 and logs why; it never takes a missing grant for a sufficient one.
//!
//! # What a request goes through
//!
//! 1. The head is read: is there a token, exactly one, in a place where one may stand, of a scheme
//!    that is accepted? Under the scheme DPoP, is there a proof, exactly one?
//! 2. The proof is checked, all of it but its key and whether it was used before (RFC 9449 §4.3).
//! 3. The token is looked up among those verified before. A new one is taken apart and its
//!    signature checked, or its issuer asked about it. Here a request may have to wait, for keys,
//!    for the answer, or until the issuer itself has been looked up.
//! 4. Times are compared with the clock, for known tokens too.
//! 5. Token and proof have to fit: a token bound to a key (`cnf`) needs a proof of that key, and a
//!    proof a token that is bound to its key. A token bound to a client certificate needs that
//!    certificate.
//! 6. The source of revoked tokens is asked, if there is one. Here a request waits if that does not
//!    know at once.
//! 7. The proof is recorded as used, unless it was used before. Here a request waits if the store is
//!    reached over a network.
//! 8. The requirement of the layer, if there is one, is put to the grant.
//!
//! The first that fails is the answer; the guide on [DPoP](crate::guide::dpop#which-error-comes-first)
//! has the whole order.
//!
//! The body is not touched by any of this, save by `FormTokenLayer`. For MCP servers there is one more
//! layer that reads it, [`RequireToolsLayer`](crate::ResourceServer::require_tools).
//!
//! # What becomes of the service
//!
//! All services here pass readiness and errors of the inner service through unchanged. A refusal is
//! a response, so the error type stays the inner one's. Only the body type changes, to
//! [`ResponseBody`], which is the inner body or the few bytes of a refusal. The inner service has
//! to be `Clone`: a request whose token is new keeps the very instance that `poll_ready` made
//! ready. If it is refused, or has to wait for keys or for a form, that instance is dropped, and
//! with it whatever its readiness had reserved, such as the permit of a concurrency limit; after a
//! wait another one is made ready. Strangers hold no permits. A request that waits for a replay
//! store keeps its instance: its sender has shown a good token and its key.
//!
//! # With axum
//!
//! ```
//! use axum::{Router, routing::get};
//! use tower_resource_server::{ResourceServer, Scopes};
//!
//! fn app(server: &ResourceServer) -> Router {
//!     Router::new()
//!         .route("/tools", get(|| async { "hammer, saw" }))
//!         .route_layer(server.require(Scopes::all(["tools/read"])))
//!         .layer(server.authenticate()) // outside, hence later in the source
//! }
//! ```
//!
//! # Without a router
//!
//! With `tower::ServiceBuilder` the first layer is the outermost, so the source reads from the
//! outside in. This stack serves the metadata document, takes tokens from forms too, and demands a
//! scope already in the challenge to those who bring no token:
//!
//! ```
//! use http::{Request, Response, StatusCode, header};
//! use http_body_util::Full;
//! use tower::{ServiceBuilder, ServiceExt};
//! use tower_resource_server::layer::FormTokenLayer;
//! use tower_resource_server::{Scopes, testing::TestIssuer};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
//! # let issuer = TestIssuer::new("https://as.example.com");
//! # let server = issuer.resource_server("https://api.example.com").build()?;
//! let service = ServiceBuilder::new()
//!     .layer(server.metadata_layer())
//!     .layer(FormTokenLayer::new())
//!     .layer(server.authenticate().require(Scopes::all(["notes/write"])))
//!     .service_fn(async |_| Ok::<_, std::io::Error>(Response::new(Full::from("noted"))));
//!
//! let form = |body: String| {
//!     Request::post("https://api.example.com/notes")
//!         .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
//!         .body(Full::from(body))
//!         .expect("a request")
//! };
//! let token = issuer.token().scope("notes/write").build();
//! let noted = service.clone().oneshot(form(format!("access_token={token}&text=hello"))).await?;
//! assert_eq!(noted.status(), StatusCode::OK);
//!
//! let refused = service.oneshot(form("text=hello".to_owned())).await?;
//! assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
//! let challenge = refused.headers()[header::WWW_AUTHENTICATE].to_str()?;
//! assert!(challenge.starts_with(r#"Bearer scope="notes/write", resource_metadata="#));
//! # Ok(())
//! # }
//! ```

mod authenticate;
mod body;
mod buffered;
mod caller;
mod expiry;
mod form;
mod future;
mod gate;
mod interaction;
mod methods;
mod request;
mod require;
mod require_methods;
mod reshape;

pub use self::authenticate::{Authenticate, AuthenticateLayer};
pub use self::body::ResponseBody;
pub use self::buffered::BufferedBody;
#[cfg(feature = "mcp")]
pub(crate) use self::buffered::{Buffer, Read};
#[cfg(feature = "mcp")]
pub(crate) use self::caller::{caller, demanded, fault, refusal};
pub use self::form::{FormTokenFuture, FormTokenLayer, FormTokens};
pub use self::future::ResponseFuture;
#[cfg(feature = "mcp")]
pub(crate) use self::future::{own, take_ready, taken};
pub use self::methods::Methods;
#[cfg(feature = "mcp")]
pub(crate) use self::request::is_preflight;
pub use self::require::{Require, RequireFuture, RequireLayer};
pub use self::require_methods::{RequireMethods, RequireMethodsLayer};
