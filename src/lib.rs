//! Tower layers that make a service a conforming OAuth 2 resource server.
//!
//! A resource server is an API that is called with access tokens. This crate checks those tokens,
//! hands what they grant to the application, and answers all other requests as the RFCs say, with
//! challenges that clients understand. It goes around any Tower service that speaks the types of
//! the [`http`] crate: an axum router, a tonic or hyper server, a stack of one's own.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use tower_resource_server::{Grant, Issuer, ResourceServer, Scopes};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let server = ResourceServer::builder("https://api.example.com")
//!         .issuer(Issuer::discover("https://as.example.com"))
//!         .build()?;
//!
//!     let app = Router::new()
//!         .route("/whoami", get(whoami))
//!         .route("/tools", get(tools).layer(server.require(Scopes::all(["tools/read"]))))
//!         .layer(server.authenticate()) // every route above needs a valid token
//!         .merge(server.metadata()); // the RFC 9728 document is public
//!
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//!     axum::serve(listener, app).await?;
//!     Ok(())
//! }
//!
//! async fn whoami(grant: Grant) -> String {
//!     grant.subject().unwrap_or("nobody").to_owned()
//! }
//!
//! async fn tools() -> &'static str {
//!     "hammer, saw"
//! }
//! ```
//!
//! # What it does
//!
//! - [`authenticate`](ResourceServer::authenticate) lets only requests with a valid JWT access
//!   token through (RFC 9068, RFC 6750): signature, issuer, audience, type and time. A [`Profile`]
//!   says where the tokens of Keycloak, Auth0, Okta, Entra and others differ, and a [`ClaimMapper`]
//!   where those of any other server do.
//! - A token bound to a key is accepted with a **DPoP proof** of that key (RFC 9449) and in no other
//!   way; each proof once, on one machine or on many. So a stolen token is worthless. Who demands
//!   bound tokens says so with [`SenderConstraint`], for the server or for single routes; nonces and
//!   the window of proofs are set with [`Dpop`].
//! - [`require`](ResourceServer::require) demands scopes, [`AuthorizationDetails`] (RFC 9396), a
//!   strong or recent authentication (RFC 9470), or whatever a [`Predicate`] tests, of a route;
//!   [`Grant::require`] does it within a handler.
//! - A token bound to a **client certificate** (mutual TLS, RFC 8705) is accepted on connections of
//!   that client and in no other way: see [`ClientCertificate`], and
//!   [`client_cert_field`](Builder::client_cert_field) for proxies that forward it (RFC 9440).
//! - [`fapi2`](Builder::fapi2) holds a server to the FAPI 2.0 Security Profile.
//! - An **MCP server** (feature `mcp`) is made by one setting, `Builder::mcp`: challenges that MCP
//!   clients understand, origins, protocol versions, sessions that are tied to their users, scopes per
//!   tool.
//! - **gRPC** requests are answered in the form of gRPC: see the guide on [`tonic`](guide::tonic).
//!   [`require_methods`](ResourceServer::require_methods) says what each method demands.
//! - Refusals carry `WWW-Authenticate` challenges for the schemes that are accepted, with the scopes
//!   to ask for, the algorithms of proofs and the metadata document to look at. Their bodies are an
//!   [`Envelope`](render::Envelope)'s to shape.
//! - **Opaque tokens** are looked up at their issuer (RFC 7662), beside signed ones on one server if
//!   need be: see [`Introspection`]. Answers are remembered briefly, and may be signed (RFC 9701).
//! - Keys are found through the **metadata** of the authorization server (RFC 8414, OpenID Connect
//!   Discovery), behind a URL, or in a static [`JwkSet`]. They are fetched one at a time, refreshed
//!   before they age, and stay in use while the authorization server is down;
//!   [`health`](ResourceServer::health) tells how they are.
//! - **Several issuers** may be trusted, each with keys, algorithms, audiences and a profile of its
//!   own; an [`IssuerResolver`] finds more of them while the server runs.
//! - A [`Revocation`] is asked whether a token was revoked; [`DenyList`] is one in memory. For
//!   gateways, [`strip_credentials`](layer::AuthenticateLayer::strip_credentials) takes the token out
//!   of what is passed on.
//! - [`metadata`](ResourceServer::metadata) serves the protected resource metadata document (RFC
//!   9728).
//!
//! A refusal is a response: the error type of a layered service is that of the service itself.
//!
//! # What it does not check
//!
//! - whether a signed token was **revoked**: it is good until it expires, unless the issuer is asked
//!   about [every token](Introspection::every_token), or a [`Revocation`] of yours knows.
//! - **client certificates** beyond their thumbprint: whom to believe is the TLS layer's to say.
//! - **what a proof does not cover**: query, other header fields and body of a request.
//! - **encrypted tokens** (JWE): nothing is decrypted here. Their issuer can be asked about them, else
//!   they are refused.
//! - whether *this* subject may act on *this* record: that is the application's to decide.
//!
//! # Guides
//!
//! | guide | about |
//! |---|---|
//! | [`quickstart`](guide::quickstart) | from an empty project to a protected server |
//! | [`authorization_servers`](guide::authorization_servers) | Keycloak, Auth0, Okta, Entra and others: how each is configured |
//! | [`several_issuers`](guide::several_issuers) | several authorization servers at once |
//! | [`opaque_tokens`](guide::opaque_tokens) | tokens about which the issuer is asked |
//! | [`scopes`](guide::scopes) | what a route or a handler may demand |
//! | [`dpop`](guide::dpop) | tokens bound to a key, proofs, nonces |
//! | [`mutual_tls`](guide::mutual_tls) | tokens bound to client certificates, also behind a proxy |
//! | [`proxies_and_htu`](guide::proxies_and_htu) | the URI that a proof names, behind proxies |
//! | [`tonic`](guide::tonic) | gRPC: the form of refusals, what each method demands, tonic servers |
//! | [`gateways`](guide::gateways) | hyper servers; in front of other services, or behind a gateway |
//! | [`mcp`](guide::mcp) | MCP servers: what the protocol asks of them, by revision |
//! | [`fapi2`](guide::fapi2) | the FAPI 2.0 Security Profile as one setting |
//! | [`scaling_out`](guide::scaling_out) | several processes: what they share, what each failure does |
//! | [`envelopes`](guide::envelopes) | how refusals look |
//! | [`keys_and_outages`](guide::keys_and_outages) | discovery, when keys are fetched, what an outage looks like, probes |
//! | [`testing`](guide::testing) | testing an application that uses the crate |
//! | [`error_catalogue`](guide::error_catalogue) | every kind of refusal, its cause and its fix |
//! | [`threat_model`](guide::threat_model) | what is defended, and what is left to those who deploy |
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `aws-lc-rs` | yes | signatures by aws-lc-rs; it serves where both backends are on, unless [`crypto_backend`](Builder::crypto_backend) chooses |
//! | `rust-crypto` | | signatures by the RustCrypto crates |
//! | `http-client` | yes | the client that fetches metadata and key sets, and introspects |
//! | `axum` | | extractors, refusals as responses, the metadata document as a router |
//! | `tonic` | | refusals as `tonic::Status`; answers in gRPC form need no feature |
//! | `mcp` | | MCP servers: the transport's rules, scopes per tool, errors that tools raise |
//! | `redis` | | a replay store that several machines share, in Redis or Valkey |
//! | `testing` | | an authorization server, tokens, proofs, a clock and scripted fetches for tests |
//! | `full` | | all of these |
//!
//! Without a backend nothing can be verified, so that [`build`](Builder::build) fails. Without
//! `http-client`, discovery, key set URLs and introspection need a client given with
//! [`fetch`](Builder::fetch). Features only add.
//!
//! The `http-client` takes its TLS from aws-lc-rs; with `rust-crypto` alone, from ring. So does
//! `redis`.
//!
//! # Rust version
//!
//! The crate needs Rust 1.88.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod algorithm;
mod authorize;
#[cfg(feature = "axum")]
pub mod axum;
mod base64url;
mod cache_control;
mod charset;
mod clock;
mod config;
mod cors;
mod credentials;
mod error;
pub mod fetch;
mod field;
mod flight;
mod grpc;
pub mod guide;
mod json;
mod jws;
mod keys;
pub mod layer;
#[cfg(feature = "mcp")]
pub mod mcp;
mod media_type;
pub mod metadata;
mod observe;
mod pace;
mod proof;
mod random;
mod rejection;
pub mod render;
mod revocation;
mod scheme;
mod server;
#[cfg(feature = "testing")]
pub mod testing;
mod timer;
#[cfg(any(feature = "http-client", feature = "redis"))]
mod tls;
mod token;
#[cfg(feature = "tonic")]
pub mod tonic;
mod uri;

pub use self::algorithm::{Algorithm, UnknownAlgorithm};
pub use self::authorize::{
    AuthorizationDetails, ClaimsError, Grant, Predicate, Requirement, Scopes, StepUp,
};
pub use self::clock::{Clock, SystemClock};
pub use self::config::{
    AllowedIssuers, Builder, ClientAuthentication, ConfigError, ConfigFault, Danger, Dpop, Fapi2,
    Introspection, Issuer, IssuerResolver, ResolveError, ResolveFuture, SharedCaching,
};
pub use self::credentials::{Credential, CredentialSource, RequestHead, SecureTransport};
pub use self::error::RejectionKind;
pub use self::keys::{
    CertificateThumbprint, CryptoBackend, Health, IntrospectionError, IssuerHealth, JwkSet,
    JwkSetError, KeyState, MetadataError, PrivateKey, PrivateKeyError, RefreshError, Thumbprint,
};
pub use self::layer::Methods;
pub use self::metadata::ResourceMetadata;
pub use self::observe::{Event, Observer};
pub use self::proof::certificate::ClientCertificate;
pub use self::proof::nonce::{AcceptedNonce, NonceIssuer, NonceSecretError, SealedNonces};
pub use self::proof::proxy::{PeerAddress, TrustedProxies};
#[cfg(feature = "redis")]
pub use self::proof::replay::redis::{RedisConfigError, RedisReplayStore};
pub use self::proof::replay::{
    Claim, ClaimOutcome, ClaimResult, MemoryReplayStore, ProofUse, ReplayStore, ReplayStoreError,
};
pub use self::proof::{Binding, Freshness};
pub use self::rejection::Rejection;
pub use self::revocation::{
    DenyList, DenyListFull, Revocation, RevocationCheck, RevocationError, RevocationResult,
    RevocationUnavailable, TokenFacts, TokenStatus,
};
pub use self::scheme::SenderConstraint;
pub use self::server::{NotReady, ResourceServer};
pub use self::token::{ClaimMapper, Profile, VouchedBy};
