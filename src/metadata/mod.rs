//! The protected resource metadata document (RFC 9728), derived from the configuration.

mod document;
mod members;
mod service;
mod signed;

pub(crate) use self::document::Document;
pub use self::members::ResourceMetadata;
pub use self::service::{MetadataFuture, MetadataLayer, MetadataLayered, MetadataService};
