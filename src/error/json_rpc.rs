//! The codes of JSON-RPC error objects, and which of them a refusal gets.

use http::StatusCode;

/// JSON-RPC 2.0 §5.1.
pub(crate) const PARSE_ERROR: i32 = -32700;
pub(crate) const INVALID_REQUEST: i32 = -32600;
pub(crate) const METHOD_NOT_FOUND: i32 = -32601;
pub(crate) const INTERNAL_ERROR: i32 = -32603;

/// MCP 2026-07-28.
pub(crate) const HEADER_MISMATCH: i32 = -32020;
pub(crate) const UNSUPPORTED_PROTOCOL_VERSION: i32 = -32022;

/// Of no standard, but clients know them from other servers.
const UNAUTHORIZED: i32 = -32001;
const FORBIDDEN: i32 = -32003;

/// Where nothing but the status says what is wrong.
pub(crate) const fn of_status(status: StatusCode) -> i32 {
    match status.as_u16() {
        401 => UNAUTHORIZED,
        403 => FORBIDDEN,
        500.. => INTERNAL_ERROR,
        _ => INVALID_REQUEST,
    }
}

/// The code for clients of revisions before 2026-07-28, to which those that MCP has reserved since
/// mean nothing.
pub(crate) const fn before_2026(code: i32) -> i32 {
    match code {
        -32099..=-32020 => INVALID_REQUEST,
        _ => code,
    }
}
