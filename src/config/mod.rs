//! Configuration: collected freely, checked once, then never changed.

mod audiences;
mod build;
mod builder;
mod challenge;
mod client;
mod client_authentication;
mod danger;
mod dpop;
mod error;
mod fapi2;
mod fapi2_rules;
mod identity;
mod introspection;
mod introspector;
mod issuer;
#[cfg(feature = "mcp")]
mod mcp_rules;
mod private_hosts;
mod proofs;
mod resolver;
mod settings;
mod trust;

pub(crate) use self::build::MAX_LEEWAY;
pub use self::builder::{Builder, SharedCaching};
pub use self::client_authentication::ClientAuthentication;
pub use self::danger::Danger;
pub use self::dpop::Dpop;
pub(crate) use self::error::Fault;
pub use self::error::{ConfigError, ConfigFault};
pub use self::fapi2::Fapi2;
pub use self::introspection::Introspection;
pub use self::issuer::Issuer;
pub(crate) use self::resolver::Allowed;
pub use self::resolver::{AllowedIssuers, IssuerResolver, ResolveError, ResolveFuture};
pub(crate) use self::settings::{CachePolicy, Recalled, Replay, Resource, Settings};
