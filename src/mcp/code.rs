//! JSON-RPC error codes: those of JSON-RPC 2.0 §5.1 that are used here, and those that MCP adds.
//!
//! Codes from −32000 to −32019 are left from before MCP reserved any; those from −32020 to −32099
//! are the protocol's.

use crate::error::json_rpc;

/// The body is not JSON.
pub const PARSE_ERROR: i32 = json_rpc::PARSE_ERROR;
/// The body is JSON, and no request.
pub const INVALID_REQUEST: i32 = json_rpc::INVALID_REQUEST;
/// There is no such method, or it is hidden from the caller.
pub const METHOD_NOT_FOUND: i32 = json_rpc::METHOD_NOT_FOUND;
/// The parameters do not fit.
pub const INVALID_PARAMS: i32 = -32602;
/// The server is at fault.
pub const INTERNAL_ERROR: i32 = json_rpc::INTERNAL_ERROR;
/// A header field and the body disagree (2026-07-28).
pub const HEADER_MISMATCH: i32 = json_rpc::HEADER_MISMATCH;
/// The client lacks a capability that the request needs (2026-07-28).
pub const MISSING_CLIENT_CAPABILITY: i32 = -32021;
/// The protocol version is not one that the server speaks (2026-07-28).
pub const UNSUPPORTED_PROTOCOL_VERSION: i32 = json_rpc::UNSUPPORTED_PROTOCOL_VERSION;
/// The user has to visit a URL first (2025-11-25; later revisions forbid it).
pub const URL_ELICITATION_REQUIRED: i32 = -32042;
