//! Requests as clients send them.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request};

use super::Body;

/// A request as a client sends it.
pub(crate) fn request(token: Option<&str>) -> Request<Body> {
    let mut builder = Request::builder()
        .uri("/tools?page=2")
        .header("host", "api.example.com")
        .header("user-agent", "bench/1.0")
        .header("accept", "application/json");
    if let Some(token) = token {
        builder = builder.header("authorization", format!("Bearer {token}"));
    }
    builder.body(Body::default()).expect("a well-formed request")
}

/// A call of an MCP tool.
pub(crate) fn tool_call(token: &str, tool: &str) -> Request<Body> {
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{{}}}}}}"#
    );
    let mut call = request(Some(token)).map(|_| Body::from(body));
    *call.method_mut() = Method::POST;
    call.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    call
}

/// What is signed, and the signature.
pub(crate) fn taken_apart(token: &str) -> (&str, Vec<u8>) {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let (message, signature) = token.rsplit_once('.').expect("a compact JWS");
    (message, URL_SAFE_NO_PAD.decode(signature).expect("base64url"))
}
