//! Tokens that expire while a client is at work.

use std::time::Duration;

use http::StatusCode;
use rmcp::model::ProtocolVersion;
use serde_json::Value;

use crate::bed::Bed;
use crate::browser;
use crate::sdk::{Authorized, authorize, connect_without_token, nothing, text};

const VERSIONS: [ProtocolVersion; 2] =
    [ProtocolVersion::V_2025_11_25, ProtocolVersion::V_2026_07_28];

/// The SDK refreshes by itself, and the caller notices nothing.
#[tokio::test]
async fn an_expired_token_is_refreshed_within_the_call() {
    for version in VERSIONS {
        let bed = Bed::new().await;
        let client = Authorized::connect(&bed.url, version, &["files:read"]).await;
        let first = client.token().await;
        bed.expire_tokens();
        let files = client.call("list_files", nothing()).await.expect("an answer");
        assert_eq!(text(&files), "plan.txt");
        assert_ne!(client.token().await, first, "there is a new token");
    }
}

/// Uses the refresh token as somebody who has copied it, so that it is no good to the client.
async fn steal_refresh_token(client: &Authorized, token_endpoint: &str) {
    let credentials = client.manager.lock().await.get_credentials().await.expect("credentials");
    let (id, tokens) = credentials;
    let tokens: Value = serde_json::to_value(tokens).expect("JSON");
    let refresh_token = tokens["refresh_token"].as_str().expect("a refresh token");
    let form = format!("grant_type=refresh_token&client_id={id}&refresh_token={refresh_token}");
    assert_eq!(browser::posts(token_endpoint, form).await, StatusCode::OK);
}

/// Where the refresh token is no good either, the challenge comes up, and starts the whole flow.
#[tokio::test]
async fn a_client_whose_refresh_token_is_refused_has_its_user_log_in_again() {
    for version in VERSIONS {
        let bed = Bed::new().await;
        let client = Authorized::connect(&bed.url, version, &["files:read"]).await;
        steal_refresh_token(&client, &bed.token_endpoint()).await;
        bed.expire_tokens();
        let refused = client.call("list_files", nothing()).await.expect_err("all is lost");
        assert!(refused.is_authorization_required(), "{refused:?}");
        let challenge = refused.auth_challenge().expect("a challenge");
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");

        let fresh = authorize(&bed.url, challenge, &["files:read"]).await;
        *client.manager.lock().await = fresh;
        let files = client.call("list_files", nothing()).await.expect("an answer");
        assert_eq!(text(&files), "plan.txt", "on the connection that is open already");
    }
}

/// A client that the authorization server has forgotten. The SDK takes that for a passing failure
/// of the refresh and keeps the challenge to itself; a request without a token brings it out.
#[tokio::test]
async fn a_client_that_is_forgotten_begins_anew() {
    let bed = Bed::new().await;
    let version = ProtocolVersion::V_2026_07_28;
    let client = Authorized::connect(&bed.url, version.clone(), &["files:read"]).await;
    bed.clock.advance(Duration::from_secs(48 * 3600));
    let refused = client.call("list_files", nothing()).await.expect_err("it is not known");
    assert!(!refused.is_authorization_required(), "{refused:?}");
    assert_eq!(refused.auth_challenge(), None);

    let refused = connect_without_token(&bed.url, version).await.expect_err("no token");
    let challenge = refused.auth_challenge().expect("a challenge");
    let fresh = authorize(&bed.url, challenge, &["files:read"]).await;
    *client.manager.lock().await = fresh;
    let files = client.call("list_files", nothing()).await.expect("an answer");
    assert_eq!(text(&files), "plan.txt");
}
