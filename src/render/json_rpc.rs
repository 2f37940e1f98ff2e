//! JSON-RPC 2.0 error objects, as MCP clients expect them.

use http::{HeaderValue, StatusCode};
use serde::Serialize;

use super::envelope::Envelope;
use super::error_body::{ErrorBody, ErrorResponse};
use super::oauth;

/// A JSON-RPC 2.0 error with `id` null, since the refusal comes before the body is read.
///
/// Codes: −32600 for malformed requests, −32001 for 401, −32003 for 403, −32002 for a concealed
/// route, −32603 for 5xx. `data` holds the kind, and the OAuth members where there is an error
/// code.
///
/// HTTP status, challenge and caching are those of every envelope, so a client that follows the MCP
/// authorization rules finds the metadata document as usual; the body is for clients that hand
/// every answer to a JSON-RPC parser.
///
/// | status | code |
/// |---|---|
/// | 400 | −32600, *Invalid Request* of JSON-RPC 2.0 |
/// | 401 | −32001 |
/// | 403 | −32003 |
/// | 404, concealed | −32002 |
/// | 500, 503 | −32603, *Internal error* of JSON-RPC 2.0 |
///
/// The codes from −32000 to −32099 are left to servers by JSON-RPC 2.0 §5.1; these three are this
/// crate's choice.
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
    id: Option<u8>,
    error: Error<'a>,
}

#[derive(Serialize)]
struct Error<'a> {
    code: i32,
    message: &'a str,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
}

impl Envelope for JsonRpc {
    fn send_error(&self, status: StatusCode, error: &ErrorBody<'_>, response: &mut ErrorResponse) {
        let data = Data {
            kind: error.kind_name(),
            error: error.error(),
            error_description: error.error_description(),
            scope: error.scope(),
        };
        let error = Error { code: code(status), message: error.detail(), data };
        let message = Message { jsonrpc: "2.0", id: None, error };
        oauth::json(&message, HeaderValue::from_static("application/json"), response);
    }
}

const fn code(status: StatusCode) -> i32 {
    match status.as_u16() {
        401 => -32001,
        403 => -32003,
        404 => -32002,
        400..=499 => -32600,
        _ => -32603,
    }
}
