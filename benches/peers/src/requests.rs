//! Requests as clients send them.

use http::{HeaderValue, Request};
use tower_resource_server::testing::{ProofBuilder, SigningKey};

use crate::Body;

/// What proofs name.
pub const URI: &str = "https://api.example.com/tools";

/// A request, made once and cloned as often as it is sent.
pub type Template = Request<()>;

/// Without credentials.
///
/// # Panics
///
/// Never: what it is built of is well-formed.
#[must_use]
pub fn anonymous() -> Template {
    Request::builder()
        .uri("/tools")
        .header("host", "api.example.com")
        .header("user-agent", "bench/1.0")
        .header("accept", "application/json")
        .body(())
        .expect("a well-formed request")
}

/// With that token, as `Bearer`.
#[must_use]
pub fn bearer(token: &str) -> Template {
    with(anonymous(), "authorization", &format!("Bearer {token}"))
}

/// With that token, as `DPoP`, and no proof.
#[must_use]
pub fn dpop_without_proof(token: &str) -> Template {
    with(anonymous(), "authorization", &format!("DPoP {token}"))
}

/// With that token, as `DPoP`, and a proof.
#[must_use]
pub fn dpop(token: &str, proof: &ProofBuilder) -> Template {
    with(dpop_without_proof(token), "dpop", &proof.build())
}

/// A proof for these requests.
pub fn proof(key: &SigningKey, token: &str) -> ProofBuilder {
    key.proof("GET", URI).token(token)
}

/// The request with one more field line.
///
/// # Panics
///
/// If the value is not visible ASCII.
#[must_use]
pub fn with(mut request: Template, name: &'static str, value: &str) -> Template {
    let value = HeaderValue::try_from(value).expect("visible ASCII");
    request.headers_mut().append(name, value);
    request
}

/// One of it to send.
#[must_use]
pub fn sent(template: &Template) -> Request<Body> {
    template.clone().map(|()| Body::empty())
}
