//! Bodies of refusals: RFC 6749 section 5.2 and RFC 9457.

use std::path::Path;

use http::{Method, StatusCode};
use serde_json::Value;
use tower_resource_server::render::{Empty, JsonRpc, OAuthJson, ProblemJson};
use tower_resource_server::testing::Flaw;
use tower_resource_server::{Builder, Predicate, RejectionKind, Scopes, StepUp};

use crate::support::{Answer, Bed, bearer, faults, get, refusals, refusals_of, send, table};

const URI: &str = "https://docs.example.com/errors";

fn problem(builder: Builder) -> Builder {
    builder.envelope(ProblemJson::default())
}

fn text<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    body[name].as_str()
}

fn is_description(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

/// The refusals of a server that have a body.
async fn bodies(change: impl FnOnce(Builder) -> Builder) -> Vec<(Answer, Value)> {
    let answers = refusals(change).await.into_iter();
    let answers = answers.filter(|answer| !answer.body.is_empty());
    answers.map(|answer| (answer.json(), answer)).map(|(body, answer)| (answer, body)).collect()
}

#[tokio::test]
async fn body_members_hold_the_characters_of_the_challenge() {
    let bodies = bodies(|builder| builder.error_uri(URI)).await;
    assert_eq!(bodies.len(), 5);
    for (_, body) in bodies {
        // R6749-5.2-1: the same filter as in the field.
        assert!(text(&body, "error").is_some_and(is_description));
        assert!(text(&body, "error_description").is_some_and(is_description));
        // R6749-5.2-2: checked where it is configured, and sent as it is.
        assert_eq!(text(&body, "error_uri"), Some(URI));
    }
    for uri in ["https://h/a b", "https://h/\"x\"", "https://h/\u{e9}", "https://h/\\"] {
        // R6749-5.2-2
        assert_eq!(faults(|builder| builder.error_uri(uri)), ["error_uri"]);
    }
}

#[tokio::test]
async fn a_reason_with_other_characters_reaches_no_body() {
    for change in [problem, |builder: Builder| builder.envelope(JsonRpc::default())] {
        let bed = Bed::with(change);
        for vector in table("error_description_charset") {
            let reason = vector["input"].as_str().expect("a description");
            let needed = Predicate::new(reason, |_| false);
            let layer = bed.server.authenticate().require(needed);
            let answer = send(layer, bearer(&bed.token())).await;
            let found = answer.json().to_string().contains(&Value::from(reason).to_string());
            // R6749-5.2-1: whether it is a description or the text of another envelope.
            assert_eq!(Some(found), vector["allowed"].as_bool(), "{reason}");
        }
    }
}

#[tokio::test]
async fn scopes_are_read_leniently_and_written_strictly() {
    let bed = Bed::new();
    let both = || bed.server.authenticate().require(Scopes::all(["read", "write"]));
    for scope in ["read  write", " write read ", "  write   read"] {
        let token = bed.issuer.token().scope(scope).build();
        // R6749-3.3-1: empty names between spaces are dropped on input.
        send(both(), bearer(&token)).await.assert_ok();
    }
    let token = bed.issuer.token().scope("  read  ").build();
    let answer = send(both(), bearer(&token)).await;
    answer.assert_s403("read write");
    // R6749-3.3-1: single spaces on output, in field and body.
    assert_eq!(answer.challenge().get("scope"), Some("read write"));
    assert_eq!(text(&answer.json(), "scope"), Some("read write"));
    for vector in table("scope_charset") {
        let names = vector["input"].as_str().expect("a scope").split(' ');
        let result = bed.server.try_require(Scopes::all(names));
        // R6749-3.3-1: what is not a list of scope-tokens cannot be configured.
        assert_eq!(Some(result.is_ok()), vector["allowed"].as_bool());
    }
}

#[tokio::test]
async fn the_oauth_body_mirrors_the_challenge() {
    let answers = refusals(|b| b.envelope(OAuthJson::default()).error_uri(URI)).await;
    let mut mirrored = 0;
    for answer in answers.iter().filter(|answer| !answer.challenges().is_empty()) {
        let challenge = answer.challenge();
        if challenge.get("error").is_none() {
            // R6749-5.2-3: no body and no type of one beside an N401.
            assert!(answer.body.is_empty() && answer.all("content-type").is_empty());
            continue;
        }
        assert_eq!(answer.all("content-type"), ["application/json"]);
        let body = answer.json();
        for name in ["error", "error_description", "error_uri"] {
            // R6749-5.2-3: member by member.
            assert_eq!(text(&body, name), challenge.get(name), "{name}");
        }
        mirrored += 1;
    }
    assert_eq!(mirrored, 5);
}

#[tokio::test]
async fn the_body_names_scopes_where_they_are_missing() {
    let bed = Bed::new();
    let step_up = || StepUp::acr(["urn:mfa"]).and(Scopes::all(["write"]));
    let layer = bed.server.authenticate().require(step_up());
    let answer = send(layer.clone(), bearer(&bed.token())).await;
    assert_eq!(text(&answer.json(), "scope"), Some("write"));
    let answer = send(layer, bearer(&bed.issuer.token().scope("write").build())).await;
    assert_eq!(text(&answer.json(), "scope"), None);
    assert_eq!(answer.challenge().get("scope"), None);
}

#[tokio::test]
async fn outages_and_bugs_have_no_oauth_body() {
    for answer in refusals(|builder| builder).await {
        if answer.status.is_server_error() || answer.status == StatusCode::NOT_FOUND {
            assert!(answer.body.is_empty() && answer.challenges().is_empty());
        }
    }
}

#[tokio::test]
async fn problem_details_say_what_rfc_9457_asks_for() {
    let bodies = bodies(problem).await;
    let statuses: Vec<_> = bodies.iter().map(|(answer, _)| answer.status.as_u16()).collect();
    assert_eq!(statuses, [401, 400, 401, 403, 403, 401, 404, 503, 500]);
    for (answer, body) in bodies {
        // R9457-3-1: an object of that type.
        assert_eq!(answer.all("content-type"), ["application/problem+json"]);
        assert!(body.is_object() && text(&body, "detail").is_some());
        // R9457-3.1.2-1
        assert_eq!(body["status"], answer.status.as_u16());
        // R9457-3.1.1-1: an absolute URI; without a type, the title is the phrase of the status.
        assert_eq!(text(&body, "title"), answer.status.canonical_reason());
        let kind = text(&body, "type");
        assert!(kind.is_none_or(|kind| kind.starts_with("https://")), "{kind:?}");
        assert_eq!(kind.is_none(), answer.status == StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn problem_types_can_point_elsewhere() {
    let bed = Bed::with(|builder| problem(builder).documentation(URI));
    let answer = send(bed.server.authenticate(), get(&[])).await;
    // R9457-3.1.1-1: at the kind's place in one's own catalogue.
    assert_eq!(answer.json()["type"], format!("{URI}#missing-credentials"));
    for uri in ["/errors", "errors", "https://h/a b"] {
        // R9457-3.1.1-1: absolute or not at all.
        assert_eq!(faults(|builder| builder.documentation(uri)), ["documentation"]);
    }
}

#[tokio::test]
async fn bodies_carry_the_oauth_members() {
    let json_rpc = |builder: Builder| builder.envelope(JsonRpc::default());
    let mut stepped = 0;
    for change in [problem, |builder: Builder| builder, json_rpc] {
        for (answer, body) in bodies(|builder| change(builder).error_uri(URI)).await {
            let body = body.pointer("/error/data").unwrap_or(&body);
            let challenges = answer.challenges();
            let said = |name| challenges.first().and_then(|challenge| challenge.get(name));
            for name in ["error", "error_description", "acr_values"] {
                // R9457-3.2-1: the same as the challenge says, absent where it says nothing.
                assert_eq!(text(body, name), said(name), "{name}");
            }
            let age = body.get("max_age").and_then(Value::as_u64).map(|age| age.to_string());
            // R9457-3.2-1: the time is a number of seconds.
            assert_eq!(age.as_deref(), said("max_age"));
            stepped += usize::from(age.is_some());
            let rejection = answer.rejection.as_ref().expect("a refusal");
            assert_eq!(rejection.acr_values(), said("acr_values"));
            assert_eq!(rejection.max_age().map(|age| age.as_secs().to_string()), age);
        }
    }
    assert_eq!(stepped, 3, "one of each form");
    for (answer, body) in bodies(|builder| problem(builder).error_uri(URI)).await {
        let challenges = answer.challenges();
        let said = challenges.first().and_then(|challenge| challenge.get("error_uri"));
        assert_eq!(text(&body, "error_uri"), said);
    }
}

#[tokio::test]
async fn details_are_fixed_texts() {
    let bed = Bed::with(problem);
    for flaw in Flaw::ALL {
        let token = bed.issuer.token().subject("alice-subject").flaw(flaw).build();
        let answer = bed.bearer(&token).await;
        let kind = answer.kind().expect("refused");
        // R9457-3.1.4-1: the text of the kind, whatever the token was.
        assert_eq!(text(&answer.json(), "detail"), Some(kind.description()));
        assert!(!answer.text().contains("alice-subject"));
    }
}

#[tokio::test]
async fn what_is_accepted_does_not_change_the_body() {
    let accepting = |value: &'static str| {
        move |mut request: http::Request<_>| {
            let value = http::HeaderValue::from_static(value);
            request.headers_mut().insert("accept", value);
            request
        }
    };
    for envelope in [|builder: Builder| builder, problem] {
        let plain = refusals(envelope).await;
        for accept in ["text/html", "application/problem+json", "*/*;q=0", ""] {
            for (answer, plain) in refusals_of(envelope, accepting(accept)).await.iter().zip(&plain)
            {
                // R9457-4-1: problem details only where they are configured, and then always.
                assert_eq!((&answer.headers, &answer.body), (&plain.headers, &plain.body));
            }
        }
    }
}

#[tokio::test]
async fn head_gets_no_body_from_any_envelope() {
    let head = |mut request: http::Request<_>| {
        *request.method_mut() = Method::HEAD;
        request
    };
    let json_rpc = |builder: Builder| builder.envelope(JsonRpc::default());
    for envelope in [|builder: Builder| builder, problem, json_rpc] {
        let answers = refusals_of(envelope, head).await;
        // R9457-4-1
        assert!(answers.iter().all(|answer| answer.body.is_empty()));
    }
}

#[test]
fn nothing_cites_rfc_7807() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open = vec![root.join("src"), root.join("examples")];
    open.extend(["README.md", "CHANGELOG.md"].map(|name| root.join(name)));
    let mut read = 0;
    while let Some(path) = open.pop() {
        if let Ok(entries) = path.read_dir() {
            open.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            // R9457-5-1: it is obsolete.
            assert!(!text.contains("7807"), "{}", path.display());
            read += 1;
        }
    }
    assert!(read > 50, "only {read} files were found");
}

#[tokio::test]
async fn json_rpc_bodies_are_error_objects_without_an_id() {
    let bodies = bodies(|builder| builder.envelope(JsonRpc::default())).await;
    let code = |body: &Value| body["error"]["code"].as_i64();
    let codes: Vec<_> = bodies.iter().filter_map(|(_, body)| code(body)).collect();
    assert_eq!(codes, [-32001, -32600, -32001, -32003, -32003, -32001, -32601, -32603, -32603]);
    for (answer, body) in bodies {
        assert_eq!(answer.all("content-type"), ["application/json"]);
        assert_eq!(body["jsonrpc"], "2.0");
        assert!(body.get("id").is_none(), "SDKs take a null id for no message");
        let challenges = answer.challenges();
        let expected = challenges.first().and_then(|challenge| challenge.get("error"));
        assert_eq!(text(&body["error"]["data"], "error"), expected);
        assert!(text(&body["error"], "message").is_some());
    }
}

#[tokio::test]
async fn the_empty_envelope_sends_headers_alone() {
    let plain = refusals(|builder| builder).await;
    let empty = refusals(|builder| builder.envelope(Empty::default())).await;
    for (empty, plain) in empty.iter().zip(&plain) {
        assert!(empty.body.is_empty() && empty.all("content-type").is_empty());
        assert_eq!(empty.all("www-authenticate"), plain.all("www-authenticate"));
        assert_eq!((empty.status, empty.kind()), (plain.status, plain.kind()));
    }
}

#[tokio::test]
async fn a_concealed_route_says_not_found_in_every_envelope() {
    let json_rpc = |builder: Builder| builder.envelope(JsonRpc::default());
    for envelope in [|builder: Builder| builder.error_uri(URI), problem, json_rpc] {
        let answers = refusals(envelope).await;
        let concealed = answers.iter().find(|answer| answer.status == StatusCode::NOT_FOUND);
        let answer = concealed.expect("a concealed route");
        assert_eq!(answer.kind(), Some(RejectionKind::InsufficientScope));
        let text = answer.text();
        for word in ["scope", "write", "token", "error_", URI] {
            assert!(!text.contains(word), "{word}: {text}");
        }
    }
}
