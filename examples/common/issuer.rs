//! An authorization server in miniature: its metadata, its keys and a token endpoint, on a loopback
//! port of its own.

use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use tokio::net::TcpListener;
use tower_resource_server::Algorithm;
use tower_resource_server::testing::{SigningKey, TestIssuer};

use super::token_endpoint::TokenEndpoint;

/// Where tokens bound to a key are to be had.
pub(crate) fn token_endpoint(issuer: &TestIssuer) -> String {
    format!("{}/token", issuer.issuer())
}

/// Starts the issuer of tokens for `audience`, with a signing key that lives as long as the process.
pub(crate) async fn start(audience: &str) -> std::io::Result<TestIssuer> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let identifier = format!("http://{}", listener.local_addr()?);
    let key = SigningKey::generate(Algorithm::ES256).with_kid("embedded-1");
    let issuer = TestIssuer::with_key(identifier.as_str(), key);
    let tokens = TokenEndpoint {
        issuer: issuer.clone(),
        url: token_endpoint(&issuer),
        audience: audience.to_owned(),
    };
    let (keys, metadata) = (issuer.jwks_json(), metadata(&issuer));
    let app = Router::new()
        .route("/token", tokens.route())
        .route("/jwks.json", get(move || async { Json(keys) }))
        .route("/.well-known/oauth-authorization-server", get(move || async { Json(metadata) }));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(issuer)
}

/// RFC 8414, RFC 9449 §5.1: what it says of itself.
fn metadata(issuer: &TestIssuer) -> serde_json::Value {
    let identifier = issuer.issuer();
    json!({
        "issuer": identifier,
        "jwks_uri": format!("{identifier}/jwks.json"),
        "token_endpoint": token_endpoint(issuer),
        "token_endpoint_auth_methods_supported": ["none"],
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "dpop_signing_alg_values_supported": ["ES256"],
    })
}
