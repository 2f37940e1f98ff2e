//! The official Rust MCP SDK (rmcp) on both sides, over real HTTP on loopback: its server behind this
//! crate's layers, and its client with its own authorization support. The client has no
//! authorization code of ours; what is ours is the browser, which carries URLs to and fro.
//!
//! Server and authorization server are those of the example `mcp`, so that its parts are tested too.
#![cfg(all(any(feature = "aws-lc-rs", feature = "rust-crypto"), feature = "http-client"))]

#[allow(dead_code, reason = "the example and its own tests use more of it")]
#[path = "../../examples/mcp/authorization_server_mock/mod.rs"]
mod authorization_server_mock;
mod bed;
mod browser;
mod discovery;
mod elicitation;
mod expiry;
#[path = "../../examples/mcp/mcp_server/mod.rs"]
mod mcp_server;
mod revisions;
mod sdk;
mod service;
mod step_up;
