//! Tower layers that make a service a conforming OAuth 2 resource server.
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
mod credentials;
mod error;
pub mod fetch;
pub mod guide;
mod json;
mod keys;
pub mod layer;
pub mod metadata;
mod observe;
mod proof;
mod rejection;
pub mod render;
mod server;
#[cfg(feature = "testing")]
pub mod testing;
mod token;

pub use self::algorithm::{Algorithm, UnknownAlgorithm};
pub use self::authorize::{ClaimsError, Grant, Predicate, Requirement, Scopes, StepUp};
pub use self::clock::{Clock, SystemClock};
pub use self::config::{Builder, ConfigError, ConfigFault, Danger, Issuer, SharedCaching};
pub use self::credentials::{CredentialSource, RequestHead, SecureTransport};
pub use self::error::RejectionKind;
pub use self::keys::{CryptoBackend, JwkSet, JwkSetError, RefreshError};
pub use self::metadata::ResourceMetadata;
pub use self::observe::{Event, Observer};
pub use self::proof::Binding;
pub use self::rejection::Rejection;
pub use self::server::{NotReady, ResourceServer};
pub use self::token::Profile;
