//! From a bare 401 to a tool's answer.

use rmcp::model::ProtocolVersion;
use rmcp::transport::auth::{AuthorizationManager, AuthorizationMetadataSource};

use crate::bed::Bed;
use crate::sdk::{Authorized, connect_without_token, nothing, text};

const VERSIONS: [ProtocolVersion; 3] =
    [ProtocolVersion::V_2025_06_18, ProtocolVersion::V_2025_11_25, ProtocolVersion::V_2026_07_28];

#[tokio::test]
async fn a_bare_401_is_all_it_takes() {
    for version in VERSIONS {
        let bed = Bed::new().await;
        let client = Authorized::connect(&bed.url, version.clone(), &["files:read"]).await;
        let tools = client.session.list_all_tools().await.expect("a list");
        let mut names: Vec<_> = tools.iter().map(|tool| tool.name.as_ref()).collect();
        names.sort_unstable();
        assert_eq!(names, ["delete_file", "list_files", "share_file", "write_file"], "{version}");
        let files = client.call("list_files", nothing()).await.expect("an answer");
        assert_eq!(text(&files), "plan.txt", "{version}");
    }
}

/// RFC 6750 §3.1: no error code where nothing was done wrong.
#[tokio::test]
async fn the_sdk_is_shown_a_challenge_and_no_error() {
    let bed = Bed::new().await;
    for version in VERSIONS {
        let refused = connect_without_token(&bed.url, version).await.expect_err("no token");
        assert!(refused.is_authorization_required(), "{refused:?}");
        let challenge = refused.auth_challenge().expect("a challenge");
        assert!(challenge.starts_with("Bearer "), "{challenge}");
        assert!(!challenge.contains("error"), "{challenge}");
    }
}

/// Without the challenge the SDK asks the resource, and finds its way just so.
#[tokio::test]
async fn the_sdk_finds_the_metadata_by_itself() {
    let bed = Bed::new().await;
    let manager = AuthorizationManager::new(&bed.url).await.expect("a URL");
    let found = manager.resolve_metadata().await.expect("metadata");
    assert_eq!(found.source, AuthorizationMetadataSource::ProtectedResourceMetadata);
    assert!(found.metadata.registration_endpoint.is_some());
}
