//! Configuration: collected freely, checked once, then never changed.

mod build;
mod builder;
mod challenge;
mod danger;
mod error;
mod identity;
mod issuer;
mod settings;
mod trust;
pub(crate) mod uri;

pub use self::builder::{Builder, SharedCaching};
pub use self::danger::Danger;
pub(crate) use self::error::Fault;
pub use self::error::{ConfigError, ConfigFault};
pub use self::issuer::Issuer;
pub(crate) use self::settings::{CachePolicy, Resource, Settings};
