//! Against an authorization server that nobody here wrote: oidc-provider, run by Node on loopback.
//!
//! The embedded client speaks with it over HTTP. Skipped with a visible line where Node or npm is
//! missing or npm cannot install, unless `TRS_REQUIRE_PROGRAMS` demands them.
#![cfg(all(feature = "http-client", any(feature = "aws-lc-rs", feature = "rust-crypto")))]

mod api;
mod app;
mod dpop;
mod install;
mod opaque;
mod provider;
mod rotation;
mod tokens;
