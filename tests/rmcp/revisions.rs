//! Revisions of the protocol: sessions where there are any, and versions that nobody speaks.

use rmcp::ClientLifecycleMode;
use rmcp::model::ProtocolVersion;
use rmcp::service::ClientInitializeError;
use rmcp::transport::auth::AuthorizationManager;
use serde_json::json;

use crate::bed::Bed;
use crate::sdk::{Authorized, User, authorize, connect_without_token, nothing, text};

/// A version that no server speaks yet.
fn future() -> ProtocolVersion {
    serde_json::from_value(json!("2099-01-01")).expect("a version")
}

/// Of a user who may read.
async fn manager(url: &str) -> AuthorizationManager {
    let refused = connect_without_token(url, ProtocolVersion::V_2026_07_28).await;
    let refused = refused.expect_err("no token");
    authorize(url, refused.auth_challenge().expect("a challenge"), &["files:read"]).await
}

async fn discover(
    url: &str,
    preferred_versions: Vec<ProtocolVersion>,
) -> Result<Authorized, ClientInitializeError> {
    let lifecycle = ClientLifecycleMode::Discover { preferred_versions };
    Authorized::begin(url, User::default(), lifecycle, manager(url).await).await
}

#[tokio::test]
async fn the_sdk_comes_down_to_a_version_from_the_list_of_a_400() {
    let bed = Bed::new().await;
    let versions = vec![future(), ProtocolVersion::V_2026_07_28];
    let client = discover(&bed.url, versions).await.expect("a connection");
    let files = client.call("list_files", nothing()).await.expect("an answer");
    assert_eq!(text(&files), "plan.txt");
}

#[tokio::test]
async fn the_sdk_reports_the_list_where_it_speaks_none_of_it() {
    let bed = Bed::new().await;
    let refused = discover(&bed.url, vec![future()]).await.err().expect("no such version");
    let ClientInitializeError::NoCompatibleProtocolVersion { server_supported, .. } = refused
    else {
        panic!("{refused:?}")
    };
    assert!(server_supported.contains(&ProtocolVersion::V_2026_07_28), "{server_supported:?}");
    assert!(server_supported.contains(&ProtocolVersion::V_2025_06_18), "{server_supported:?}");
}

/// A client that can do both finds out by itself what the server speaks.
#[tokio::test]
async fn the_sdk_discovers_before_it_initializes() {
    let bed = Bed::new().await;
    let lifecycle = ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        legacy_version: Some(ProtocolVersion::V_2025_11_25),
    };
    let manager = manager(&bed.url).await;
    let client = Authorized::begin(&bed.url, User::default(), lifecycle, manager).await;
    let client = client.expect("a connection");
    let server = client.session.peer_info().expect("the server");
    assert_eq!(server.protocol_version, ProtocolVersion::V_2026_07_28);
}

/// Sessions come and go with the layer around them: the SDK ends its own, and begins another.
#[tokio::test]
async fn sessions_of_the_sdk_begin_and_end() {
    for version in [ProtocolVersion::V_2025_06_18, ProtocolVersion::V_2025_11_25] {
        let bed = Bed::new().await;
        for _ in 0..2 {
            let client = Authorized::connect(&bed.url, version.clone(), &["files:read"]).await;
            for _ in 0..2 {
                let files = client.call("list_files", nothing()).await.expect("an answer");
                assert_eq!(text(&files), "plan.txt");
            }
            client.session.cancel().await.expect("a clean end");
        }
    }
}
