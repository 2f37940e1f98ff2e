//! An authorization server in miniature: its metadata and keys, on a loopback port of its own.

use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use tokio::net::TcpListener;
use tower_resource_server::Algorithm;
use tower_resource_server::testing::{SigningKey, TestIssuer};

/// Starts the issuer, with a signing key that lives as long as the process.
pub(crate) async fn start() -> std::io::Result<TestIssuer> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let identifier = format!("http://{}", listener.local_addr()?);
    let key = SigningKey::generate(Algorithm::ES256).with_kid("embedded-1");
    let issuer = TestIssuer::with_key(identifier.as_str(), key);
    let (keys, metadata) = (issuer.jwks_json(), metadata(&identifier));
    let app = Router::new()
        .route("/jwks.json", get(move || async { Json(keys) }))
        .route("/.well-known/oauth-authorization-server", get(move || async { Json(metadata) }));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(issuer)
}

/// RFC 8414: what it says of itself.
fn metadata(identifier: &str) -> serde_json::Value {
    json!({
        "issuer": identifier,
        "jwks_uri": format!("{identifier}/jwks.json"),
        "response_types_supported": [],
    })
}
