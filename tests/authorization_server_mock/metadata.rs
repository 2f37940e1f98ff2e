//! What the server says of itself, and of tokens to those who may ask.

use http::StatusCode;
use serde_json::json;

use crate::bed::{Bed, basic};

#[tokio::test]
async fn its_metadata_is_at_both_places() {
    let bed = Bed::new().await;
    let document = bed.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(document, bed.get("/.well-known/openid-configuration").await.json());
    assert_eq!(document["issuer"], bed.base);
    assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(document["dpop_signing_alg_values_supported"], json!(["ES256"]));
    for (name, path) in [
        ("authorization_endpoint", "/authorize"),
        ("token_endpoint", "/token"),
        ("registration_endpoint", "/register"),
        ("introspection_endpoint", "/introspect"),
        ("jwks_uri", "/jwks.json"),
    ] {
        assert_eq!(document[name], format!("{}{path}", bed.base));
    }
}

#[tokio::test]
async fn introspection_is_for_the_resource_server() {
    let bed = Bed::new().await;
    let client = bed.public().await;
    let token = bed.tokens(&client, &[]).await["access_token"].clone();
    assert_eq!(bed.introspect(&token).await["sub"], "alice");
    // AS-R7662-2.2-1
    assert_eq!(bed.introspect(&json!("x")).await, json!({ "active": false }));
    let form = [("token", token.as_str().expect("a token"))];
    for field in [basic("example-api", "wrong"), basic(&client, "")] {
        let answer = bed.post("/introspect", &[("authorization", &field)], &form).await;
        // AS-R7662-2.3-1
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.field("cache-control"), Some("no-store"));
        assert!(!answer.text().contains("active"));
    }
}
