//! Scopes that are missing.
//!
//! The SDK does not step up by itself: a call that is refused with 403 fails with an error that has
//! the challenge and the scopes. The application asks its user, has the SDK request those scopes
//! on top of the granted ones, and calls again. Everything but that decision is the SDK's.

use rmcp::model::ProtocolVersion;
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::sdk::{Authorized, insufficient_scope, nothing, text, upgrade};

fn note() -> Value {
    json!({ "name": "todo.txt", "text": "Buy milk" })
}

#[tokio::test]
async fn a_403_says_what_to_ask_for() {
    for version in [ProtocolVersion::V_2025_11_25, ProtocolVersion::V_2026_07_28] {
        let bed = Bed::new().await;
        let client = Authorized::connect(&bed.url, version, &["files:read"]).await;
        let refused = client.call("write_file", note()).await.expect_err("no such scope");
        let refused = insufficient_scope(&refused);
        assert!(refused.can_upgrade());
        assert_eq!(refused.get_required_scope(), Some("files:write"));
        let files = client.call("list_files", nothing()).await.expect("an answer");
        assert_eq!(text(&files), "plan.txt", "the tool has not run");

        upgrade(&client, "files:write").await;
        let written = client.call("write_file", note()).await.expect("an answer");
        assert_eq!(text(&written), "todo.txt written");
        let granted = client.manager.lock().await.get_current_scopes().await;
        assert_eq!(granted, ["files:read", "files:write"], "nothing was lost");
    }
}

/// A tool that finds out by itself cannot answer 403 any more. The challenge is in its result, where
/// the SDK leaves it to the application.
#[tokio::test]
async fn a_result_says_it_where_the_tool_finds_out() {
    for version in [ProtocolVersion::V_2025_11_25, ProtocolVersion::V_2026_07_28] {
        let bed = Bed::new().await;
        let client = Authorized::connect(&bed.url, version, &["files:read"]).await;
        let plan = json!({ "name": "plan.txt" });
        let refused = client.call("delete_file", plan.clone()).await.expect("a result");
        assert_eq!(refused.is_error, Some(true));
        let meta = refused.meta.expect("what a program needs");
        assert_eq!(meta["scope"], "files:delete");
        let challenge = meta["mcp/www_authenticate"][0].as_str().expect("a challenge");
        assert!(challenge.starts_with("Bearer error=\"insufficient_scope\""), "{challenge}");

        upgrade(&client, "files:delete").await;
        let deleted = client.call("delete_file", plan).await.expect("a result");
        assert!(text(&deleted).starts_with("plan.txt deleted"), "{deleted:?}");
    }
}
