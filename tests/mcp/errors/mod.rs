//! What tools raise, by revision.

mod authorization;
mod elicitation;
mod faults;
mod hostile;
mod refused;

use rmcp::ErrorData;
use rmcp::model::{CallToolResult, InputRequiredResult, JsonRpcError};
use serde_json::{Value, json};
use tower_resource_server::mcp::{
    Answer, AuthorizationRequired, Call, ElicitationUrl, FlowId, Revision, ToolError,
};

const PAGE: &str = "https://mcp.example.com/connect/slack?flow=7";

fn url(text: &str) -> ElicitationUrl {
    text.parse().expect("a URL to send users to")
}

fn id(text: &str) -> FlowId {
    text.parse().expect("an id")
}

/// A call of a client that has declared that it shows URLs.
fn call(revision: Revision) -> Call {
    Call::new(revision).id(1).capabilities(&json!({ "elicitation": { "url": {} } }))
}

/// A consent of which everything is known.
fn slack() -> AuthorizationRequired {
    AuthorizationRequired::stateful("slack", "slack:send_message")
        .link(url(PAGE))
        .elicitation_id(id("elic-1"))
        .pending_id(id("pending-1"))
        .required_scopes(["chat:write", "users:read"])
}

/// Every error, with texts in them that no client may see as they are.
fn all() -> Vec<ToolError> {
    use tower_resource_server::mcp::{
        ConfigurationError, Elicitation, InternalError, MissingClientCapability, SessionMissing,
        UnsupportedClientVersion, UrlElicitationRequired,
    };
    let visit = Elicitation::new(id("elic-2"), url("https://mcp.example.com/connect/github"));
    vec![
        slack().into(),
        AuthorizationRequired::stateless("slack", "slack:send_message").into(),
        UrlElicitationRequired::new([visit]).into(),
        UrlElicitationRequired::new([]).into(),
        SessionMissing::unnamed().into(),
        SessionMissing::unknown().into(),
        ConfigurationError::new("no provider").faults(["set one"]).into(),
        ConfigurationError::new("no provider").faults(["set one"]).disclosed().into(),
        InternalError::caused_by("the password is hunter2").into(),
        UnsupportedClientVersion::new("0.1.0").into(),
        MissingClientCapability::url_elicitation().into(),
    ]
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"))
}

/// The text of a tool result, as the SDK reads it.
fn text(result: &Value) -> String {
    let result: CallToolResult = read(result);
    assert_eq!(result.is_error, Some(true));
    let content = result.content.first().and_then(|content| content.as_text()).expect("a text");
    content.text.clone()
}

#[test]
fn the_sdk_reads_every_form_of_every_error() {
    for error in all() {
        for revision in Revision::ALL.iter().copied() {
            let result = error.tool_result(revision);
            let typed = read::<CallToolResult>(&result);
            assert_eq!(typed.is_error, Some(true), "{error}");
            assert_eq!(typed.result_type.is_some(), revision == Revision::V2026_07_28);
            assert_eq!(serde_json::to_value(typed).expect("JSON"), result, "{error}");

            let object = error.error(revision);
            let typed = read::<ErrorData>(&object);
            assert_eq!(serde_json::to_value(typed).expect("JSON"), object, "{error}");
        }
    }
}

#[test]
fn every_answer_is_a_message_of_the_protocol() {
    for error in all() {
        for revision in Revision::ALL.iter().copied() {
            let call = call(revision);
            let answer = error.answer(&call);
            let message = answer.clone().into_message(&call);
            assert_eq!(message["jsonrpc"], "2.0");
            assert_eq!(message["id"], 1);
            match answer {
                Answer::Error(_) => drop(read::<JsonRpcError>(&message)),
                Answer::ToolResult(_) => drop(read::<CallToolResult>(&message["result"])),
                Answer::InputRequired(_) => drop(read::<InputRequiredResult>(&message["result"])),
                other => panic!("{other:?}"),
            }
        }
    }
}

/// The code belongs to 2025-11-25 alone; the others must not send it, nor 2026-07-28 −32002 or any
/// code that it does not define.
#[test]
fn no_revision_sees_a_code_of_another() {
    let mut seen = 0;
    for error in all() {
        for revision in Revision::ALL.iter().copied() {
            let call = call(revision);
            let forms =
                [error.answer(&call).into_message(&call)["error"].clone(), error.error(revision)];
            for code in forms.iter().filter_map(|form| form["code"].as_i64()) {
                let allowed: &[i64] = match revision {
                    Revision::V2026_07_28 => &[-32600, -32603, -32021, -32022],
                    Revision::V2025_11_25 => &[-32600, -32602, -32603, -32003, -32042],
                    _ => &[-32600, -32602, -32603, -32003],
                };
                assert!(allowed.contains(&code), "{revision} {code} {error}");
                seen += usize::from(code == -32042);
            }
        }
    }
    assert_eq!(seen, 2, "once for the app, once for the URLs, both under 2025-11-25");
}

#[test]
fn an_id_is_given_back_and_nothing_else_is() {
    let error = ToolError::from(AuthorizationRequired::stateless("a", "t"));
    for (id, shown) in [
        (json!("x"), Some(json!("x"))),
        (json!(7), Some(json!(7))),
        (json!({ "evil": 1 }), None),
        (json!(null), None),
    ] {
        let call = Call::new(Revision::V2025_06_18).id(id);
        assert_eq!(error.answer(&call).into_message(&call).get("id"), shown.as_ref());
    }
}

#[test]
fn what_a_client_has_declared_is_read_exactly() {
    let declared = |capabilities: Value| Call::new(Revision::LATEST).capabilities(&capabilities);
    assert!(declared(json!({ "elicitation": { "url": {} } })).shows_urls());
    for less in [
        json!({}),
        json!(null),
        json!({ "elicitation": {} }),
        json!({ "elicitation": { "form": {} } }),
        json!({ "elicitation": { "url": null } }),
        json!({ "elicitation": { "url": true } }),
        json!({ "elicitation": "url" }),
    ] {
        assert!(!declared(less.clone()).shows_urls(), "{less}");
    }
    // There is no such mode in that revision, whatever its client says.
    let declared = json!({ "elicitation": { "url": {} } });
    assert!(!Call::new(Revision::V2025_06_18).capabilities(&declared).shows_urls());
}
