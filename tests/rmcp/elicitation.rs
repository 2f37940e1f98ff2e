//! A third party's consent, as the SDK's own types have it.

use rmcp::ServiceError;
use rmcp::model::{CallToolResponse, ElicitRequestParams, InputRequest, ProtocolVersion};
use serde_json::{Value, json};
use tower_resource_server::mcp::code;

use crate::bed::Bed;
use crate::browser;
use crate::sdk::{Authorized, call, text};

fn plan() -> Value {
    json!({ "name": "plan.txt" })
}

fn url_of(elicitation: &ElicitRequestParams) -> &str {
    match elicitation {
        ElicitRequestParams::UrlElicitationParams { url, .. } => url,
        other => panic!("{other:?}"),
    }
}

/// A client that may share what it has written.
async fn writer(bed: &Bed, version: ProtocolVersion) -> Authorized {
    Authorized::connect(&bed.url, version, &["files:read", "files:write"]).await
}

/// The SDK hands −32042 to the caller as any error of JSON-RPC; it has no type for its data.
#[tokio::test]
async fn up_to_2025_11_25_it_is_an_error_with_the_url() {
    let bed = Bed::new().await;
    let client = writer(&bed, ProtocolVersion::V_2025_11_25).await;
    let refused = client.call("share_file", plan()).await.expect_err("not agreed yet");
    let ServiceError::McpError(error) = refused else { panic!("{refused:?}") };
    assert_eq!(error.code.0, code::URL_ELICITATION_REQUIRED);
    let data = error.data.expect("data");
    let asked: Vec<ElicitRequestParams> =
        serde_json::from_value(data["elicitations"].clone()).expect("elicitations");
    assert_eq!(asked.len(), 1);

    browser::visits(url_of(&asked[0])).await;
    let shared = client.call("share_file", plan()).await.expect("an answer");
    assert!(text(&shared).contains("shared"));
}

/// The SDK shows the URL to the handler of the application, and calls again by itself.
#[tokio::test]
async fn from_2026_07_28_on_input_is_required_and_the_sdk_sees_to_it() {
    let bed = Bed::new().await;
    let client = writer(&bed, ProtocolVersion::V_2026_07_28).await;
    let shared = client.call("share_file", plan()).await.expect("an answer");
    assert!(text(&shared).contains("shared"));
    let shown = client.user.shown.lock().expect("not poisoned").clone();
    assert_eq!(shown.len(), 1, "the user is asked once");
    assert!(url_of(&shown[0]).starts_with("http://127.0.0.1:"), "{shown:?}");
}

/// The single round, in the SDK's types.
#[tokio::test]
async fn the_request_for_input_is_an_elicitation() {
    let bed = Bed::new().await;
    let client = writer(&bed, ProtocolVersion::V_2026_07_28).await;
    let asked = client.session.call_tool_once(call("share_file", plan())).await.expect("a result");
    let CallToolResponse::InputRequired(asked) = asked else { panic!("{asked:?}") };
    let requests = asked.input_requests.expect("requests");
    assert_eq!(requests.len(), 1);
    let all_by_url = requests.values().all(|request| match request {
        InputRequest::Elicitation(elicit) => !url_of(&elicit.params).is_empty(),
        _ => false,
    });
    assert!(all_by_url, "{requests:?}");
}
