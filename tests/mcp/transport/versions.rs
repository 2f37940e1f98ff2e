//! `MCP-Protocol-Version`, and what the version says of the method.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tower_resource_server::mcp::{Mcp, Revision, code};
use tower_resource_server::render::{Empty, OAuthJson, ProblemJson};
use tower_resource_server::{Builder, RejectionKind};

use super::{Endpoint, VERSION, ask, bare, bed, bed_of, post, with};
use crate::support::{Answer, Bed};

fn assert_400(answer: &Answer, kind: RejectionKind) {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
    assert_eq!(answer.kind(), Some(kind));
    assert!(!answer.handled);
    assert!(answer.all("www-authenticate").is_empty());
    assert_eq!(answer.all("cache-control"), ["no-store"]);
}

/// The JSON-RPC error of a body that is one.
fn error(answer: &Answer) -> Value {
    let body = answer.json();
    assert_eq!(answer.all("content-type"), ["application/json"]);
    assert_eq!((&body["jsonrpc"], body.get("id")), (&"2.0".into(), None));
    body["error"].clone()
}

#[tokio::test]
async fn each_revision_that_is_spoken_passes_and_the_endpoint_learns_it() {
    let bed = bed();
    let endpoint = Endpoint::default();
    for revision in Revision::ALL {
        let request = post(&bed.token(), &[(VERSION, revision.as_str())]);
        endpoint.ask(bed.server.mcp(), request).await.assert_ok();
    }
    let seen: Vec<_> = endpoint.seen().into_iter().filter_map(|seen| seen.revision).collect();
    assert_eq!(seen, Revision::ALL);
}

#[tokio::test]
async fn requests_from_before_the_field_pass_where_such_versions_are_spoken() {
    let bed = bed();
    let endpoint = Endpoint::default();
    for lines in [&[][..], &[(VERSION, "2025-03-26")]] {
        let mut request = post(&bed.token(), lines);
        // What an outer layer has left there counts for nothing.
        request.extensions_mut().insert(Revision::LATEST);
        endpoint.ask(bed.server.mcp(), request).await.assert_ok();
    }
    assert!(endpoint.seen().iter().all(|seen| seen.revision.is_none()));
}

#[tokio::test]
async fn a_server_of_the_latest_revision_alone_demands_the_field() {
    let bed = bed_of(Mcp::new().revisions([Revision::V2026_07_28]));
    let answer = ask(bed.server.mcp(), post(&bed.token(), &[])).await;
    assert_400(&answer, RejectionKind::MissingProtocolVersion);
    let error = error(&answer);
    assert_eq!(error["code"], code::HEADER_MISMATCH);
    // So that the user of an older client is told what would do.
    assert_eq!(error["data"]["supported"], json!(["2026-07-28"]));
    let older = ask(bed.server.mcp(), post(&bed.token(), &[(VERSION, "2025-03-26")])).await;
    assert_400(&older, RejectionKind::UnsupportedProtocolVersion);
}

#[tokio::test]
async fn a_version_that_is_not_spoken_is_answered_with_those_that_are() {
    let bed = bed_of(Mcp::new().revisions([Revision::V2025_11_25, Revision::V2026_07_28]));
    for requested in ["1999-12-31", "2025-06-18", "2026-07-29", "draft", "\"<b>\"", "2025-11-25,"] {
        let answer = ask(bed.server.mcp(), post(&bed.token(), &[(VERSION, requested)])).await;
        assert_400(&answer, RejectionKind::UnsupportedProtocolVersion);
        let error = error(&answer);
        assert_eq!(error["code"], code::UNSUPPORTED_PROTOCOL_VERSION);
        assert_eq!(error["data"]["supported"], json!(["2026-07-28", "2025-11-25"]));
        assert_eq!(error["data"]["requested"], requested);
        assert!(!error["message"].as_str().expect("a text").contains(requested));
        for (name, value) in &answer.headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            assert!(!value.contains(requested), "{name}: {value}");
        }
    }
}

#[tokio::test]
async fn a_field_that_is_no_version_is_not_given_back() {
    let bed = bed();
    let long = "2026-07-28".repeat(1000);
    let values: [&[u8]; 8] = [
        b"",
        b"2026-07-28 2025-11-25",
        b"2026-07-28, 2026-07-28",
        b"2026\t07\t28",
        b"2026-07-28\xff",
        "２０２６-07-28".as_bytes(),
        long.as_bytes(),
        b"123456789012345678901234567890123",
    ];
    for value in values {
        let authorization = format!("Bearer {}", bed.token());
        let lines = [("authorization", authorization.as_bytes()), (VERSION, value)];
        let answer = ask(bed.server.mcp(), bare(Method::POST, &lines)).await;
        assert_400(&answer, RejectionKind::MalformedProtocolVersion);
        let error = error(&answer);
        assert_eq!(error["code"], code::HEADER_MISMATCH);
        assert_eq!(error["data"]["requested"], Value::Null);
        assert_eq!(error["data"]["supported"].as_array().map(Vec::len), Some(3));
    }
    let twice = post(&bed.token(), &[(VERSION, "2026-07-28"), (VERSION, "2026-07-28")]);
    let answer = ask(bed.server.mcp(), twice).await;
    assert_400(&answer, RejectionKind::MalformedProtocolVersion);
}

#[tokio::test]
async fn a_legacy_server_does_not_pass_for_a_modern_one() {
    // Clients of both kinds stop looking for `initialize` when they see one of the new codes.
    let bed = bed_of(Mcp::new().revisions([Revision::V2025_06_18, Revision::V2025_11_25]));
    for (value, kind) in [
        ("2026-07-28", RejectionKind::UnsupportedProtocolVersion),
        ("a b", RejectionKind::MalformedProtocolVersion),
    ] {
        let answer = ask(bed.server.mcp(), post(&bed.token(), &[(VERSION, value)])).await;
        assert_400(&answer, kind);
        assert_eq!(error(&answer)["code"], code::INVALID_REQUEST);
        assert_eq!(error(&answer)["data"]["supported"], json!(["2025-11-25", "2025-06-18"]));
    }
}

#[tokio::test]
async fn other_envelopes_name_the_versions_too_if_they_have_a_place() {
    let answer = async |change: fn(Builder) -> Builder| {
        let bed = Bed::with(|builder| change(builder.mcp(Mcp::new())));
        ask(bed.server.mcp(), post(&bed.token(), &[(VERSION, "1999-12-31")])).await
    };
    let problem = answer(|builder| builder.envelope(ProblemJson::default())).await;
    let body = problem.json();
    assert_eq!((&body["status"], &body["requested"]), (&json!(400), &json!("1999-12-31")));
    assert_eq!(body["supported"].as_array().map(Vec::len), Some(3));
    for change in
        [(|builder| builder.envelope(OAuthJson::default())) as fn(Builder) -> Builder, |builder| {
            builder.envelope(Empty::default())
        }]
    {
        let answer = answer(change).await;
        assert_400(&answer, RejectionKind::UnsupportedProtocolVersion);
        assert!(answer.body.is_empty());
    }
}

#[tokio::test]
async fn the_latest_revision_knows_post_alone() {
    let bed = bed();
    for method in [Method::GET, Method::DELETE, Method::PUT, Method::HEAD, Method::OPTIONS] {
        let request = with(&bed.token(), method.clone(), &[(VERSION, "2026-07-28")]);
        let answer = ask(bed.server.mcp(), request).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(answer.all("allow"), ["POST"]);
        assert_eq!(answer.kind(), Some(RejectionKind::MethodNotAllowed));
        assert!(!answer.handled);
        // The earlier ones have streams and an end of sessions; other methods are the endpoint's.
        let request = with(&bed.token(), method, &[(VERSION, "2025-11-25")]);
        ask(bed.server.mcp(), request).await.assert_ok();
    }
}

#[tokio::test]
async fn strangers_learn_nothing_of_versions() {
    let bed = bed();
    for value in ["1999-12-31", "2026-07-28", "a b"] {
        let answer = ask(bed.server.mcp(), bare(Method::GET, &[(VERSION, value.as_bytes())])).await;
        answer.assert_n401();
        assert!(!answer.text().contains("2025-11-25"));
    }
}
