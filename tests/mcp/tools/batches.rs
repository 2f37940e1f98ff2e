//! Batches of messages (JSON-RPC 2.0 section 6, MCP 2025-03-26).

use serde_json::{Value, json};
use tower_resource_server::RejectionKind as Kind;

use super::{assert_plain, calling, message, post, through, tools, with_scope};
use crate::support::Bed;

fn batch(messages: &[Value]) -> http::Request<http_body_util::Full<bytes::Bytes>> {
    post(Value::from(messages).to_string())
}

#[tokio::test]
async fn a_batch_passes_where_all_its_messages_may() {
    let bed = Bed::new();
    let list = message("tools/list", &json!({}));
    let result = json!({ "jsonrpc": "2.0", "id": 1, "result": {} });
    through(&bed, tools(), batch(&[list.clone(), result.clone()])).await.assert_ok();
    let allowed = [calling("list_files"), list, calling("read_file"), result];
    through(&bed, tools(), batch(&allowed)).await.assert_ok();
}

#[tokio::test]
async fn one_forbidden_message_stops_the_batch_and_all_scopes_are_named() {
    let bed = Bed::new();
    let mixed = [calling("list_files"), calling("read_file"), calling("delete_file")];
    let answer = through(&bed, tools(), batch(&mixed)).await;
    answer.assert_s403("read delete");
    assert_eq!(answer.challenge().get("scope"), Some("read delete"));
    with_scope(&bed, "read delete", tools(), batch(&mixed)).await.assert_ok();

    let more = [calling("delete_file"), calling("write_file"), calling("delete_file")];
    through(&bed, tools(), batch(&more)).await.assert_s403("delete read write");
    with_scope(&bed, "delete read", tools(), batch(&more)).await.assert_s403("delete read write");
    with_scope(&bed, "delete read write", tools(), batch(&more)).await.assert_ok();

    let resource = message("resources/read", &json!({ "uri": "file:///a" }));
    let methods = [calling("read_file"), resource];
    through(&bed, tools(), batch(&methods)).await.assert_s403("read resources");
}

#[tokio::test]
async fn a_step_up_in_a_batch_names_the_scopes_too() {
    let bed = Bed::new();
    let mixed = [calling("pay"), calling("delete_file")];
    let answer = through(&bed, tools(), batch(&mixed)).await;
    let challenge = answer.challenge();
    assert_eq!(challenge.get("error"), Some("insufficient_user_authentication"));
    assert_eq!(challenge.get("acr_values"), Some("urn:mfa"));
    assert_eq!(challenge.get("scope"), Some("delete"));
    assert!(!answer.handled);
}

#[tokio::test]
async fn a_tool_that_is_not_listed_spoils_the_batch() {
    let bed = Bed::new();
    for messages in [
        [calling("read_file"), calling("format_disk")],
        [calling("format_disk"), calling("delete_file")],
    ] {
        let answer = through(&bed, tools(), batch(&messages)).await;
        assert_plain(&answer, 403, Kind::UnlistedTool);
    }
}

#[tokio::test]
async fn batches_of_something_else_are_no_messages() {
    let bed = Bed::new();
    let call = calling("read_file");
    for messages in [
        vec![],
        vec![json!([call.clone()])],
        vec![call.clone(), json!(1)],
        vec![call.clone(), json!({})],
        vec![call.clone(); 257],
    ] {
        let answer = through(&bed, tools(), batch(&messages)).await;
        assert_plain(&answer, 400, Kind::InvalidMessage);
    }
    through(&bed, tools(), batch(&vec![call; 256])).await.assert_ok();
}

#[tokio::test]
async fn revisions_with_header_fields_have_no_batches() {
    let bed = Bed::new();
    let mut request = batch(&[calling("read_file")]);
    let version = "2026-07-28".parse().expect("a field value");
    request.headers_mut().insert("mcp-protocol-version", version);
    let name = "read_file".parse().expect("a field value");
    request.headers_mut().insert("mcp-name", name);
    let method = "tools/call".parse().expect("a field value");
    request.headers_mut().insert("mcp-method", method);
    let answer = through(&bed, tools(), request).await;
    assert_plain(&answer, 400, Kind::InvalidMessage);
}
