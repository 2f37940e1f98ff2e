//! MCP: the layers of the feature `mcp`, from outside.
#![cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]

mod errors;
#[allow(dead_code, reason = "shared with another test program")]
#[path = "../it/support.rs"]
mod support;
mod tools;
mod transport;
