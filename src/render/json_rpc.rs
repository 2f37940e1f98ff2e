//! JSON-RPC 2.0 error objects, as MCP clients expect them.

use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};

use super::envelope::Envelope;
use super::error_body::{ErrorBody, ErrorResponse};
use super::oauth::{self, OAuthMembers};

/// A JSON-RPC 2.0 error without `id`, since most refusals come before the body is read.
///
/// JSON-RPC 2.0 §5 has `id` null there. MCP has no null ids: where the id is not known, it is left out,
/// and its TypeScript SDK takes a message with a null one for no message at all.
///
/// `data` holds the kind, the OAuth members where there is an error code, and the further
/// [`members`](ErrorBody::members) of kinds that have some.
///
/// HTTP status, challenge and caching are those of every envelope, so a client that follows the MCP
/// authorization rules finds the metadata document as usual; the body is for clients that hand
/// every answer to a JSON-RPC parser.
///
/// | refusal | code |
/// |---|---|
/// | 400, 404 of a session, 405, 408, 413, 415 | −32600, *Invalid Request* of JSON-RPC 2.0 |
/// | 400, a body that is not JSON | −32700, *Parse error* of JSON-RPC 2.0 |
/// | 400 for want of a good `MCP-Protocol-Version`, or of fields that agree with the message | −32020, `HeaderMismatch` of MCP 2026-07-28 |
/// | 400, a protocol version that the server does not speak | −32022, `UnsupportedProtocolVersion` of MCP 2026-07-28 |
/// | 401 | −32001 |
/// | 403 | −32003 |
/// | 404, concealed | −32601, *Method not found* of JSON-RPC 2.0 |
/// | 500, 503 | −32603, *Internal error* of JSON-RPC 2.0 |
///
/// The codes from −32000 to −32099 are left to servers by JSON-RPC 2.0 §5.1. −32001 and −32003 are
/// this crate's choice and mean what they mean in other servers; MCP says that clients must not rely
/// on them, and the status and the challenge say it all. The two of MCP 2026-07-28 become −32600 where
/// the server speaks no such version, since clients would take them for a sign that it does.
///
/// ```
/// use tower_resource_server::{Builder, render::JsonRpc};
///
/// fn configured(builder: Builder) -> Builder {
///     builder.envelope(JsonRpc::default())
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct JsonRpc;

#[derive(Serialize)]
struct Message<'a> {
    jsonrpc: &'a str,
    error: Error<'a>,
}

#[derive(Serialize)]
struct Error<'a> {
    code: i32,
    message: &'a str,
    data: ErrorData<'a>,
}

/// What a refusal says besides its code and its text.
#[derive(Serialize)]
pub(crate) struct ErrorData<'a> {
    kind: &'a str,
    #[serde(flatten)]
    oauth: OAuthMembers<'a>,
    #[serde(flatten)]
    members: Option<&'a Map<String, Value>>,
}

impl<'a> ErrorData<'a> {
    pub(crate) fn of(error: &ErrorBody<'a>) -> Self {
        Self {
            kind: error.kind_name(),
            oauth: OAuthMembers::of(error).without_uri(),
            members: error.members(),
        }
    }
}

impl Envelope for JsonRpc {
    fn send_error(&self, _: StatusCode, error: &ErrorBody<'_>, response: &mut ErrorResponse) {
        let data = ErrorData::of(error);
        let error = Error { code: error.json_rpc_code(), message: error.detail(), data };
        let message = Message { jsonrpc: "2.0", error };
        oauth::json(&message, HeaderValue::from_static("application/json"), response);
    }
}
