//! The protected resource metadata document (RFC 9728), derived from the configuration.
//!
//! A client that gets a 401 looks at `resource_metadata` of the challenge, fetches the document
//! there, and learns which authorization servers issue tokens for this resource and which scopes
//! exist. The document has to say what the server enforces, so most of it is derived and not
//! written twice:
//!
//! | member | from |
//! |---|---|
//! | `resource` | the identifier given to [`ResourceServer::builder`](crate::ResourceServer::builder) |
//! | `authorization_servers` | the issuers, in their order |
//! | `bearer_methods_supported` | `["header"]`, unless set; absent where no bearer token is accepted |
//! | `dpop_signing_alg_values_supported` | [`Dpop::algorithms`](crate::Dpop::algorithms); absent where no proof is accepted |
//! | `dpop_bound_access_tokens_required` | `true` where the server and all its layers accept bound tokens only |
//! | `tls_client_certificate_bound_access_tokens` | `true` where the server or a layer asks for certificates ([`SenderConstraint`](crate::SenderConstraint)), or [`client_cert_field`](crate::Builder::client_cert_field) is set |
//! | `scopes_supported` | the requirements of all layers made so far |
//! | everything else | [`ResourceMetadata`] |
//!
//! It lies at the well-known path between host and path of the resource identifier (RFC 9728 §3.1),
//! is public, cacheable for an hour, and has an `ETag`. Nothing in it comes from the request.
//!
//! # Serving it
//!
//! [`MetadataService`] answers its path and 404 elsewhere: for a route, or, with the `axum`
//! feature, as a router to be merged. [`MetadataLayer`] answers its path and passes everything else
//! on: for stacks without a router. Both go *outside* `authenticate`.
//!
//! ```
//! use axum::{Router, routing::get};
//! use tower_resource_server::ResourceServer;
//!
//! fn app(server: &ResourceServer) -> Router {
//!     Router::new()
//!         .route("/notes", get(|| async { "…" }))
//!         .layer(server.authenticate())
//!         .merge(server.metadata()) // after the layer, hence public
//! }
//! ```
//!
//! # With members of its own
//!
//! ```
//! use http::{Request, Response};
//! use http_body_util::{BodyExt, Full};
//! use tower::{ServiceBuilder, ServiceExt};
//! use tower_resource_server::{ResourceMetadata, Scopes, testing::TestIssuer};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
//! # let issuer = TestIssuer::new("https://as.example.com");
//! let server = issuer
//!     .resource_server("https://api.example.com/notes")
//!     .metadata(ResourceMetadata::new().name("Notes").max_age(300))
//!     .build()?;
//! let service = ServiceBuilder::new()
//!     .layer(server.metadata_layer())
//!     .layer(server.authenticate().require(Scopes::all(["notes/read"])))
//!     .service_fn(async |_: Request<()>| Ok::<_, std::io::Error>(Response::new(Full::from("…"))));
//!
//! let path = "/.well-known/oauth-protected-resource/notes";
//! let response = service.oneshot(Request::get(path).body(())?).await?;
//! assert_eq!(response.headers()["cache-control"], "public, max-age=300");
//! let json = response.into_body().collect().await?.to_bytes();
//! assert_eq!(serde_json::from_slice::<serde_json::Value>(&json)?, serde_json::json!({
//!     "resource": "https://api.example.com/notes",
//!     "authorization_servers": ["https://as.example.com"],
//!     "bearer_methods_supported": ["header"],
//!     "scopes_supported": ["notes/read"],
//!     "resource_name": "Notes",
//!     "dpop_signing_alg_values_supported":
//!         ["ES256", "EdDSA", "Ed25519", "ES384", "PS256", "RS256"],
//! }));
//! # Ok(())
//! # }
//! ```

mod document;
mod members;
mod service;
mod signed;

pub(crate) use self::document::{Document, Facts};
pub use self::members::ResourceMetadata;
pub use self::service::{MetadataFuture, MetadataLayer, MetadataLayered, MetadataService};
