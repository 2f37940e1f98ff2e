//! Keys where the issuer's own metadata says (RFC 8414, OpenID Connect Discovery).

mod bed;
mod documents;
mod life;
mod places;
#[cfg(feature = "http-client")]
mod sockets;
