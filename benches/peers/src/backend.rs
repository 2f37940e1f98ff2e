//! What jsonwebtoken 11 verifies with, where a crate takes the default of the process.

use jsonwebtoken::crypto::{CryptoProvider, aws_lc, rust_crypto};

/// Makes aws-lc-rs the default of this process.
///
/// # Panics
///
/// If a default was chosen before.
pub fn aws_lc_rs() {
    install(&aws_lc::DEFAULT_PROVIDER);
}

/// Makes RustCrypto the default of this process.
///
/// # Panics
///
/// If a default was chosen before.
pub fn rust_crypto() {
    install(&rust_crypto::DEFAULT_PROVIDER);
}

fn install(provider: &'static CryptoProvider) {
    assert!(provider.install_default().is_ok(), "the first thing that a bench does");
}
