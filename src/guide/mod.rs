//! Guides: how to use the crate, and why it is as it is.

/// From an empty project to a protected server.
#[doc = include_str!("quickstart.md")]
pub mod quickstart {}
/// Keycloak, Auth0, Okta, Entra and others: how each is configured, and what its preset relaxes.
#[doc = include_str!("authorization_servers.md")]
pub mod authorization_servers {}
/// Several authorization servers at once, and what belongs to each.
#[doc = include_str!("several_issuers.md")]
pub mod several_issuers {}
/// Tokens that say nothing by themselves, and how their issuer is asked (RFC 7662, RFC 9701).
#[doc = include_str!("opaque_tokens.md")]
pub mod opaque_tokens {}
/// How refusals look, and what an application may change about that.
#[doc = include_str!("envelopes.md")]
pub mod envelopes {}
/// Tokens bound to a key, and the proofs that go with them (DPoP, RFC 9449).
#[doc = include_str!("dpop.md")]
pub mod dpop {}
/// Tokens bound to client certificates (mutual TLS, RFC 8705), also behind a proxy (RFC 9440).
#[doc = include_str!("mutual_tls.md")]
pub mod mutual_tls {}
/// The URI that a proof names, behind proxies and under several names.
#[doc = include_str!("proxies_and_htu.md")]
pub mod proxies_and_htu {}
/// hyper servers and gateways: in front of other services, or behind one; what of the credentials
/// goes on.
#[doc = include_str!("gateways.md")]
pub mod gateways {}
/// MCP servers: the whole of what the protocol asks of a resource server, by revision.
#[doc = include_str!("mcp.md")]
pub mod mcp {}
/// The FAPI 2.0 Security Profile, clause by clause.
#[doc = include_str!("fapi2.md")]
pub mod fapi2 {}
/// gRPC: the form of refusals, what each method demands, and tonic servers.
#[doc = include_str!("tonic.md")]
pub mod tonic {}
/// Several processes: what they share, what they do not, and what each failure does.
#[doc = include_str!("scaling_out.md")]
pub mod scaling_out {}
/// What a route or a handler may demand of a token.
#[doc = include_str!("scopes.md")]
pub mod scopes {}
/// Where keys come from, when they are fetched, what an outage looks like, and health probes.
#[doc = include_str!("keys_and_outages.md")]
pub mod keys_and_outages {}
/// Every kind of refusal: its symptom, its cause and its fix.
#[doc = include_str!("error_catalogue.md")]
pub mod error_catalogue {}
/// What is defended, what is not, and what is left to those who deploy.
#[doc = include_str!("threat_model.md")]
pub mod threat_model {}
/// How to test an application that uses the crate.
#[doc = include_str!("testing.md")]
pub mod testing {}
