//! Authorization server metadata (RFC 8414, OpenID Connect Discovery): where the keys are.
//!
//! [`location`] says where the document may be, [`document`] what of it is believed, and
//! [`MetadataSource`] when it is asked for. Nothing in a document is believed unless its `issuer` is
//! the configured identifier, byte for byte; otherwise whoever can answer for one path of a host
//! could speak for another issuer on it (RFC 8414 §6.2).
//!
//! What the document says of algorithms is not looked at. `id_token_signing_alg_values_supported` is
//! about other tokens, and what is accepted is the configuration's to say (RFC 8725 §3.1).

mod document;
mod location;
mod source;

pub(crate) use self::document::{ServerMetadata, shown};
pub(crate) use self::location::candidates;
pub(crate) use self::source::MetadataSource;
