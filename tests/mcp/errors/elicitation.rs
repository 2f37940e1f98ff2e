//! URLs to visit.

use serde_json::{Value, json};
use tower_resource_server::mcp::{
    Answer, Call, Elicitation, Revision, ToolError, UrlElicitationRequired,
};

use super::{call, id, text, url};

fn visit(name: &str) -> Elicitation {
    Elicitation::new(id(name), url(&format!("https://mcp.example.com/connect/{name}")))
}

#[test]
fn several_urls_stand_in_one_error() {
    let required = UrlElicitationRequired::new([
        visit("github"),
        visit("jira").message("Jira needs another consent"),
    ])
    .service("broker")
    .cause("consent_required");
    assert_eq!(
        required.to_error(Revision::V2025_11_25),
        Some(json!({
            "code": -32042,
            "message": "Consent is required to proceed",
            "data": { "elicitations": [
                {
                    "mode": "url",
                    "elicitationId": "github",
                    "url": "https://mcp.example.com/connect/github",
                    "message": "Consent is required to proceed (broker: consent_required)",
                },
                {
                    "mode": "url",
                    "elicitationId": "jira",
                    "url": "https://mcp.example.com/connect/jira",
                    "message": "Jira needs another consent",
                },
            ]},
        }))
    );
    let result = required.to_input_required(Revision::V2026_07_28).expect("URLs");
    let requests = result["inputRequests"].as_object().expect("requests");
    assert_eq!(requests.keys().collect::<Vec<_>>(), ["github", "jira"]);
    assert_eq!(result.get("requestState"), None, "the application has supplied none");
}

#[test]
fn the_message_names_service_and_cause_as_far_as_they_are_known() {
    let message = |required: UrlElicitationRequired| {
        let error = required.to_error(Revision::V2025_11_25).expect("a URL");
        error["data"]["elicitations"][0]["message"].as_str().expect("a text").to_owned()
    };
    let one = || UrlElicitationRequired::new([visit("github")]);
    assert_eq!(message(one()), "Consent is required to proceed");
    assert_eq!(message(one().service("github")), "Consent is required to proceed (github)");
    assert_eq!(
        message(one().cause("token expired")),
        "Consent is required to proceed (unknown_service: token expired)"
    );
    assert_eq!(
        message(one().message("Please consent").service("github").cause("x")),
        "Please consent (github: x)"
    );
}

#[test]
fn each_special_form_belongs_to_one_revision() {
    let required = UrlElicitationRequired::new([visit("github")]);
    for revision in Revision::ALL.iter().copied() {
        let has_error = revision == Revision::V2025_11_25;
        let asks = revision == Revision::V2026_07_28;
        assert_eq!(required.to_error(revision).is_some(), has_error, "{revision}");
        assert_eq!(required.to_input_required(revision).is_some(), asks, "{revision}");
    }
}

#[test]
fn without_a_url_there_is_only_a_text() {
    let none = UrlElicitationRequired::new([]).request_state("sealed");
    for revision in Revision::ALL.iter().copied() {
        assert_eq!(none.to_error(revision), None);
        assert_eq!(none.to_input_required(revision), None);
        let Answer::ToolResult(result) = ToolError::from(none.clone()).answer(&call(revision))
        else {
            panic!("{revision}");
        };
        assert_eq!(text(&result), "Consent is required to proceed");
    }
}

#[test]
fn a_client_that_shows_no_urls_gets_them_in_a_text() {
    let error = ToolError::from(UrlElicitationRequired::new([visit("github"), visit("jira")]));
    let Answer::ToolResult(result) = error.answer(&Call::new(Revision::V2025_11_25)) else {
        panic!("nothing was declared");
    };
    assert_eq!(
        text(&result),
        "Consent is required to proceed\n\
         To authorize, click: https://mcp.example.com/connect/github\n\
         To authorize, click: https://mcp.example.com/connect/jira"
    );
    assert_eq!(result["_meta"]["code"], "URL_ELICITATION_REQUIRED");
}

#[test]
fn as_an_http_response_it_is_403_without_a_challenge() {
    let error = ToolError::from(UrlElicitationRequired::new([visit("github")]));
    let response = error.response(&call(Revision::V2026_07_28));
    assert_eq!(response.status(), 403);
    assert!(!response.headers().contains_key("www-authenticate"));
    let body: Value = serde_json::from_slice(response.body()).expect("JSON");
    assert_eq!(body["error"], "consent_required");
    assert_eq!(body["elicitations"][0]["elicitationId"], "github");
}

#[test]
fn ids_are_unique_and_their_number_is_bounded() {
    let twice = UrlElicitationRequired::new([visit("a"), visit("b"), visit("a")]);
    assert_eq!(twice.elicitations().len(), 2);
    let many = UrlElicitationRequired::new((0..10_000).map(|at| visit(&format!("n{at}"))));
    assert_eq!(many.elicitations().len(), 16);
}
