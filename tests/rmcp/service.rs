//! A client that acts for itself, with no user and no browser.

use rmcp::ClientLifecycleMode;
use rmcp::model::ProtocolVersion;
use rmcp::transport::ClientCredentialsConfig;
use rmcp::transport::auth::OAuthState;
use serde_json::json;

use crate::bed::{Bed, SERVICE};
use crate::sdk::{Authorized, User, insufficient_scope, text};

#[tokio::test]
async fn a_service_gets_tokens_with_its_own_credentials() {
    let bed = Bed::new().await;
    let mut state = OAuthState::new(&bed.url, None).await.expect("a URL");
    let config = ClientCredentialsConfig::ClientSecret {
        client_id: SERVICE.0.to_owned(),
        client_secret: SERVICE.1.to_owned(),
        scopes: vec!["files:write".to_owned()],
        resource: Some(bed.url.clone()),
    };
    state.authenticate_client_credentials(config).await.expect("a token");
    let manager = state.into_authorization_manager().expect("authorized");
    let lifecycle =
        ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] };
    let client = Authorized::begin(&bed.url, User::default(), lifecycle, manager).await;
    let client = client.expect("a connection");

    let log = json!({ "name": "log.txt", "text": "all quiet" });
    let written = client.call("write_file", log).await.expect("an answer");
    assert_eq!(text(&written), "log.txt written");
    let shared = client.call("share_file", json!({ "name": "log.txt" })).await;
    let refused = shared.expect_err("no such scope");
    assert_eq!(insufficient_scope(&refused).get_required_scope(), Some("files:read"));
}
