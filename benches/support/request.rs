//! Requests as clients send them.

use http::Request;

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

/// What is signed, and the signature.
pub(crate) fn taken_apart(token: &str) -> (&str, Vec<u8>) {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let (message, signature) = token.rsplit_once('.').expect("a compact JWS");
    (message, URL_SAFE_NO_PAD.decode(signature).expect("base64url"))
}
