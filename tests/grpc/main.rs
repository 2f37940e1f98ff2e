//! gRPC: answers in its own form, to a real tonic client and to raw frames.
#![cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]

#[allow(dead_code, reason = "shared with another test program")]
#[path = "../it/support.rs"]
mod support;
