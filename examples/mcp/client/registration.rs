//! How the client becomes known to an authorization server that has never heard of it (RFC 7591).

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use serde_json::json;

use super::discovery::AuthorizationServer;
use super::http::{Failure, Http};
use super::user::REDIRECT_URI;

/// Gives the client's id there. It is a public client: what runs at the user's keeps no secret.
pub(crate) async fn register(http: &Http, server: &AuthorizationServer) -> Result<String, Failure> {
    let metadata = json!({
        "client_name": "Example client",
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    });
    let request = Request::post(&server.registration_endpoint)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::from(Bytes::from(metadata.to_string())))?;
    let answer = http.send(request).await?;
    let body = answer.json();
    let id = body["client_id"].as_str().filter(|_| answer.status.is_success());
    Ok(id.ok_or("the authorization server does not register the client")?.to_owned())
}
