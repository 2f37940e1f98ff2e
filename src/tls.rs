//! The cryptography of TLS, for whatever connects somewhere.

use ::rustls::crypto::CryptoProvider;

/// What to say where [`provider`] has none.
pub(crate) const NO_PROVIDER: &str = "TLS needs the feature aws-lc-rs or rust-crypto";

/// Named here, since the process-wide default belongs to the application and may be unset.
#[cfg(feature = "aws-lc-rs")]
pub(crate) fn provider() -> Option<CryptoProvider> {
    Some(::rustls::crypto::aws_lc_rs::default_provider())
}

#[cfg(all(feature = "rust-crypto", not(feature = "aws-lc-rs")))]
pub(crate) fn provider() -> Option<CryptoProvider> {
    Some(::rustls::crypto::ring::default_provider())
}

#[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
pub(crate) fn provider() -> Option<CryptoProvider> {
    None
}
