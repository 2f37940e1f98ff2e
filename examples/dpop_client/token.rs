//! A token that is bound to a key (RFC 9449 §5): its request has a proof that names the key.

use std::error::Error;

use http::{Request, header};
use http_body_util::Full;
use serde_json::Value;

use crate::exchange::Http;
use crate::proof::{self, ProofKey};

/// Asks for one.
///
/// Authorization servers may ask for nonces too, with 400 and theirs in `DPoP-Nonce` (§8). The one of
/// the examples does not.
pub(crate) async fn bound(
    http: &Http,
    key: &ProofKey,
    uri: &str,
    scope: &str,
) -> Result<String, Box<dyn Error>> {
    println!("# A token bound to the key of this proof");
    let proof = key.proof(&proof::Request { method: "POST", uri, token: None, nonce: None });
    let form = format!("grant_type=client_credentials&scope={}", scope.replace(' ', "+"));
    let request = Request::post(uri)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("dpop", proof)
        .body(Full::from(form))?;
    let answer = http.send(request).await?;
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    println!("token_type {}, scope {}\n", body["token_type"], body["scope"]);
    let kind = body["token_type"].as_str().unwrap_or_default();
    match body["access_token"].as_str() {
        Some(token) if answer.status.is_success() && kind.eq_ignore_ascii_case("dpop") => {
            Ok(token.to_owned())
        }
        // Another type would be a token that is not bound, whatever was asked for (§5).
        _ => Err("the token endpoint gives no token bound to the key".into()),
    }
}
