//! A third party's consent.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use rmcp::ErrorData;
use rmcp::model::{ElicitRequestParams, InputRequest, InputRequiredResult};
use serde_json::{Value, json};
use tower_resource_server::mcp::{
    Answer, AuthorizationRequired, Call, FlowId, Revision, SessionMode, ToolError,
};

use super::{PAGE, call, id, read, slack, text, url};

const SENTENCE: &str =
    "Authorization required for slack. Please authorize to use slack:send_message.";

fn body(error: &ToolError) -> Value {
    let response = error.response(&Call::new(Revision::LATEST));
    serde_json::from_slice(response.body()).expect("JSON")
}

#[test]
fn as_an_http_response_it_is_403_with_what_is_needed_and_no_challenge() {
    let error = ToolError::from(slack());
    let response = error.response(&call(Revision::LATEST));
    assert_eq!(response.status(), 403);
    assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    assert!(!response.headers().contains_key(WWW_AUTHENTICATE), "it is not about this token");
    assert_eq!(
        body(&error),
        json!({
            "error": "authorization_required",
            "app": "slack",
            "tool": "slack:send_message",
            "auth_url": PAGE,
            "message": SENTENCE,
            "required_scopes": ["chat:write", "users:read"],
            "session_mode": "stateful",
            "elicit_id": "elic-1",
            "supports_incremental": true,
        })
    );
}

#[test]
fn as_a_tool_result_it_has_the_link_in_its_text_and_the_rest_in_meta() {
    let result = ToolError::from(slack()).tool_result(Revision::V2025_06_18);
    assert_eq!(
        result,
        json!({
            "content": [{ "type": "text", "text": format!("{SENTENCE}\nTo authorize, click: {PAGE}") }],
            "isError": true,
            "_meta": {
                "code": "AUTHORIZATION_REQUIRED",
                "authorization_required": true,
                "app": "slack",
                "tool": "slack:send_message",
                "auth_url": PAGE,
                "required_scopes": ["chat:write", "users:read"],
                "session_mode": "stateful",
                "supports_incremental": true,
                "elicit_id": "elic-1",
                "pending_auth_id": "pending-1",
            },
        })
    );
}

#[test]
fn as_an_elicitation_for_the_application_to_show() {
    assert_eq!(
        slack().elicit_response(),
        Some(json!({
            "elicitId": "elic-1",
            "authUrl": PAGE,
            "message": SENTENCE,
            "appId": "slack",
            "toolId": "slack:send_message",
        }))
    );
    let app = || AuthorizationRequired::stateful("slack", "slack:send_message");
    assert_eq!(app().elicit_response(), None, "no URL");
    assert_eq!(app().link(url(PAGE)).at_once().elicit_response(), None, "not incremental");
    let stateless = AuthorizationRequired::stateless("slack", "slack:send_message");
    assert_eq!(stateless.link(url(PAGE)).elicit_response(), None, "stateless");
}

#[test]
fn as_messages_for_the_user() {
    assert_eq!(slack().user_message(), format!("{SENTENCE}\nClick here to authorize: {PAGE}"));
    assert_eq!(
        slack().cancelled_message(),
        "Authorization was cancelled. You are not authorized to use slack:send_message."
    );
    let own = slack().message("Slack wants to know you.");
    assert_eq!(
        own.user_message(),
        format!("Slack wants to know you.\nClick here to authorize: {PAGE}")
    );
    assert_eq!(own.to_string(), "Slack wants to know you.");
}

#[test]
fn a_stateless_server_tells_the_user_to_authenticate_anew() {
    let stateless = AuthorizationRequired::stateless("slack", "slack:send_message").link(url(PAGE));
    let sentence = "You are not authorized to use slack:send_message. Please re-authenticate to access this tool.";
    assert!(!stateless.can_use_link());
    assert_eq!(stateless.user_message(), sentence);
    assert_eq!(stateless.url_elicitation(), None);

    let error = ToolError::from(stateless);
    let data = json!({
        "error": "authorization_required",
        "app": "slack",
        "tool": "slack:send_message",
        "message": sentence,
        "session_mode": "stateless",
        "supports_incremental": false,
    });
    assert_eq!(body(&error), data);
    for revision in Revision::ALL.iter().copied() {
        let Answer::ToolResult(result) = error.answer(&call(revision)) else {
            panic!("{revision}: nothing to visit");
        };
        assert_eq!(text(&result), sentence);
        assert!(!result.to_string().contains(PAGE));
        assert_eq!(error.error(revision)["data"], data);
    }
}

#[test]
fn each_revision_has_its_own_form() {
    let error = ToolError::from(slack().request_state("sealed"));

    let Answer::ToolResult(result) = error.answer(&call(Revision::V2025_06_18)) else {
        panic!("2025-06-18 knows no URLs");
    };
    assert_eq!(text(&result), format!("{SENTENCE}\nTo authorize, click: {PAGE}"));

    let Answer::Error(object) = error.answer(&call(Revision::V2025_11_25)) else {
        panic!("2025-11-25 has a code for it");
    };
    assert_eq!(
        object,
        json!({
            "code": -32042,
            "message": SENTENCE,
            "data": { "elicitations": [{
                "mode": "url", "elicitationId": "elic-1", "url": PAGE, "message": SENTENCE,
            }]},
        })
    );
    let typed: ErrorData = read(&object);
    let elicited: ElicitRequestParams = read(&typed.data.expect("data")["elicitations"][0]);
    assert_url(&elicited, "elic-1");

    let Answer::InputRequired(result) = error.answer(&call(Revision::V2026_07_28)) else {
        panic!("2026-07-28 asks for input");
    };
    assert_eq!(
        result,
        json!({
            "resultType": "input_required",
            "inputRequests": { "elic-1": {
                "method": "elicitation/create",
                "params": { "mode": "url", "url": PAGE, "message": SENTENCE },
            }},
            "requestState": "sealed",
        })
    );
    let typed: InputRequiredResult = read(&result);
    assert_eq!(typed.request_state.as_deref(), Some("sealed"));
    let requests = typed.input_requests.expect("requests");
    let InputRequest::Elicitation(request) = &requests["elic-1"] else { panic!("{requests:?}") };
    assert_url(&request.params, "");
}

fn assert_url(params: &ElicitRequestParams, expected_id: &str) {
    let ElicitRequestParams::UrlElicitationParams { message, url, elicitation_id, .. } = params
    else {
        panic!("{params:?}");
    };
    assert_eq!(
        (message.as_str(), url.as_str(), elicitation_id.as_str()),
        (SENTENCE, PAGE, expected_id)
    );
}

/// A server must not send an elicitation of a mode that the client has not declared.
#[test]
fn a_client_that_has_not_said_that_it_shows_urls_gets_a_text() {
    let error = ToolError::from(slack());
    for revision in Revision::ALL.iter().copied() {
        let Answer::ToolResult(result) = error.answer(&Call::new(revision)) else {
            panic!("{revision}");
        };
        assert!(text(&result).ends_with(PAGE));
    }
}

#[test]
fn without_a_url_there_is_no_elicitation_in_any_revision() {
    let error = ToolError::from(AuthorizationRequired::stateful("slack", "slack:send_message"));
    for revision in Revision::ALL.iter().copied() {
        let Answer::ToolResult(result) = error.answer(&call(revision)) else {
            panic!("{revision}")
        };
        assert_eq!(text(&result), SENTENCE);
        assert_eq!(result["_meta"]["supports_incremental"], true);
    }
}

#[test]
fn an_app_that_takes_all_consents_at_once_has_no_link() {
    let error = ToolError::from(slack().at_once());
    let result = error.tool_result(Revision::LATEST);
    assert_eq!(result["_meta"]["supports_incremental"], false);
    assert_eq!(result["_meta"]["session_mode"], SessionMode::Stateful.as_str());
    assert!(!result.to_string().contains(PAGE));
}

#[test]
fn ids_are_random_unless_given() {
    let app = || AuthorizationRequired::stateful("slack", "slack:post").link(url(PAGE));
    let ids: Vec<FlowId> =
        (0..64).map(|_| app().elicitation().expect("a link").id().clone()).collect();
    for (at, id) in ids.iter().enumerate() {
        assert!(id.as_str().len() == 27 && id.as_str().starts_with("elic_"), "{id}");
        assert!(!ids[..at].contains(id), "{id} twice");
    }
    // One and the same in every form, so that the application can keep it.
    let once = app();
    let kept = once.elicitation().expect("a link").id().clone();
    assert_eq!(once.elicit_response().expect("a link")["elicitId"], kept.as_str());
    assert_eq!(once.data()["elicit_id"], kept.as_str());
    let given =
        AuthorizationRequired::stateful("a", "t").elicitation_id(id("own-1")).link(url(PAGE));
    assert_eq!(given.data()["elicit_id"], "own-1");
}

#[test]
fn optional_members_are_absent_and_never_null() {
    let bare = AuthorizationRequired::stateful("slack", "slack:post");
    let error = ToolError::from(bare.clone());
    for object in [bare.data(), error.tool_result(Revision::LATEST)["_meta"].clone()] {
        let object = object.as_object().expect("an object").clone();
        for name in ["auth_url", "required_scopes", "elicit_id", "pending_auth_id"] {
            assert!(!object.contains_key(name), "{name}");
        }
        assert!(object.values().all(|value| !value.is_null()));
    }
}
