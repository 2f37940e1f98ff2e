//! What MCP asks of authorization, row by row.

use http::{Method, Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use tower::ServiceExt;
use tower_resource_server::mcp::{Mcp, McpLayer};
use tower_resource_server::testing::{Flaw, TestIssuer};
use tower_resource_server::{ResourceServer, Scopes};

use super::{Endpoint, VERSION, ask, bare, bed, post, with};
use crate::support::{Answer, Bed, ISSUER, RESOURCE, read};

const ROOT: &str = "/.well-known/oauth-protected-resource";

async fn get(server: &ResourceServer, path: &str) -> Answer {
    let request = Request::get(path).body(Full::<bytes::Bytes>::default()).expect("a request");
    read(server.metadata().oneshot(request).await.expect("infallible"), false).await
}

/// The layer of `GET /r` of the matrix.
fn reading(bed: &Bed) -> McpLayer {
    bed.server.mcp().require(Scopes::all(["read"]))
}

#[tokio::test]
async fn the_metadata_document_is_where_clients_look() {
    let issuer = TestIssuer::new(ISSUER);
    let resource = "https://api.example.com/team/mcp";
    let server = issuer.resource_server(resource).mcp(Mcp::new()).build().expect("valid");
    let path = format!("{ROOT}/team/mcp");
    for place in [path.as_str(), ROOT] {
        let answer = get(&server, place).await;
        assert_eq!(answer.status, StatusCode::OK, "{place}");
        let document = answer.json();
        // MCP-2025-06-18-R1-1: at least one.
        assert_eq!(document["authorization_servers"], json!(["https://as.example.com"]));
        assert_eq!(document["resource"], resource);
        assert_eq!(document["bearer_methods_supported"], json!(["header"]));
    }
    let answer = ask(server.mcp(), bare(Method::POST, &[])).await;
    answer.assert_n401();
    // MCP-2025-06-18-R2-1, MCP-2025-11-25-R1-1: the challenge and both well-known places.
    let expected = format!("https://api.example.com{path}");
    assert_eq!(answer.challenge().get("resource_metadata"), Some(expected.as_str()));
}

#[tokio::test]
async fn a_token_is_meant_for_this_server() {
    let bed = bed();
    let token = |audience: Value| bed.issuer.token().claim("aud", audience).build();
    for audience in [
        json!("https://other.example.com"),
        json!([]),
        json!(["https://api.example.com/"]),
        json!("HTTPS://API.EXAMPLE.COM"),
    ] {
        // MCP-2025-06-18-R3-1: the audience is the resource, byte for byte.
        ask(bed.server.mcp(), post(&token(audience), &[])).await.assert_t401();
    }
    let both = json!(["https://other.example.com", RESOURCE]);
    ask(bed.server.mcp(), post(&token(both), &[])).await.assert_ok();
}

#[tokio::test]
async fn the_token_goes_no_further() {
    let bed = bed();
    let layer = bed.server.mcp().authenticate(bed.server.authenticate().strip_credentials());
    let upstream = Endpoint::default();
    let token = bed.token();
    for version in ["2025-06-18", "2026-07-28"] {
        let request = post(&token, &[(VERSION, version)]);
        upstream.ask(layer.clone(), request).await.assert_ok();
    }
    for seen in upstream.seen() {
        // MCP-2025-06-18-R5-1: what is called upstream sees no token of the client's.
        assert!(!seen.headers.contains_key("authorization"));
        assert!(!format!("{:?}", seen.headers).contains(&token));
    }
    assert_eq!(upstream.seen().len(), 2);
}

#[tokio::test]
async fn a_token_in_the_query_is_none() {
    let bed = bed();
    let mut request = bare(Method::POST, &[]);
    let uri = format!("/mcp?access_token={}", bed.token());
    *request.uri_mut() = uri.parse().expect("a URI");
    // MCP-2025-06-18-R7-1: ignored.
    ask(bed.server.mcp(), request).await.assert_n401();
    let mut request = post(&bed.token(), &[]);
    *request.uri_mut() = uri.parse().expect("a URI");
    ask(bed.server.mcp(), request).await.assert_ok();
}

#[tokio::test]
async fn the_status_says_what_is_wrong() {
    let bed = bed();
    let authorized = |value: &str| bare(Method::POST, &[("authorization", value.as_bytes())]);
    let expired = bed.issuer.token().flaw(Flaw::Expired).build();
    let narrow = bed.issuer.token().scope("write").build();
    let token = bed.token();
    // MCP-2025-06-18-R8-1: authorization required or invalid, not enough, malformed.
    for (request, status, error) in [
        (bare(Method::POST, &[]), 401, None),
        (authorized("Basic dTpw"), 401, None),
        (authorized("Bearer abc"), 401, Some("invalid_token")),
        (post(&expired, &[]), 401, Some("invalid_token")),
        (post(&narrow, &[]), 403, Some("insufficient_scope")),
        (authorized("Bearer a b"), 400, Some("invalid_request")),
        (
            with(&token, Method::POST, &[("authorization", "Bearer x")]),
            400,
            Some("invalid_request"),
        ),
        (post(&token, &[]), 200, None),
    ] {
        let answer = ask(reading(&bed), request).await;
        assert_eq!(answer.status, status, "{answer:?}");
        let challenges = answer.challenges();
        let found = challenges.first().and_then(|challenge| challenge.get("error"));
        assert_eq!(found, error);
        assert_eq!(challenges.is_empty(), status == 200);
    }
}

#[tokio::test]
async fn challenges_name_the_scopes_to_ask_for() {
    let bed = bed();
    for _ in 0..2 {
        let answer = ask(reading(&bed), bare(Method::POST, &[])).await;
        answer.assert_n401();
        // MCP-2025-11-25-R2-1: already without a token; MCP-2025-11-25-R4-1: the same each time.
        assert_eq!(answer.challenge().get("scope"), Some("read"));
    }
    let narrow = bed.issuer.token().scope("other").build();
    for _ in 0..2 {
        let answer = ask(reading(&bed), post(&narrow, &[])).await;
        answer.assert_s403("read");
        let challenge = answer.challenge();
        // MCP-2025-11-25-R3-1: error, scope, resource_metadata and a description, which is the last.
        let names = ["error", "scope", "resource_metadata", "error_description"];
        assert_eq!(challenge.names(), names);
        assert_eq!(challenge.scheme, "Bearer");
    }
}

#[tokio::test]
async fn all_scopes_of_an_operation_are_named_at_once() {
    let bed = bed();
    let both = bed.server.mcp().require(Scopes::all(["read", "write"]));
    ask(both.clone(), bare(Method::POST, &[])).await.assert_n401();
    for scope in ["none", "read", "write"] {
        let token = bed.issuer.token().scope(scope).build();
        // MCP-2026-07-28-R2-1: not one after the other.
        ask(both.clone(), post(&token, &[])).await.assert_s403("read write");
    }
}

#[tokio::test]
async fn a_wider_scope_suffices() {
    let bed = Bed::with(|builder| {
        builder.mcp(Mcp::new()).scope_includes("admin", "write").scope_includes("write", "read")
    });
    for scope in ["admin", "write", "read"] {
        let token = bed.issuer.token().scope(scope).build();
        // MCP-2026-07-28-R1-1: scope hierarchies are considered.
        ask(reading(&bed), post(&token, &[])).await.assert_ok();
    }
    let token = bed.issuer.token().scope("write").build();
    let layer = bed.server.mcp().require(Scopes::all(["admin"]));
    ask(layer, post(&token, &[])).await.assert_s403("admin");
}

#[tokio::test]
async fn offline_access_is_not_asked_for() {
    let bed = bed();
    let layer = bed.server.mcp().require(Scopes::all(["read", "offline_access"]));
    let answer = ask(layer.clone(), bare(Method::POST, &[])).await;
    // MCP-2026-07-28-R3-1: neither in challenges nor in scopes_supported.
    assert_eq!(answer.challenge().get("scope"), Some("read"));
    let answer = ask(layer, post(&bed.issuer.token().scope("write").build(), &[])).await;
    answer.assert_s403("read");
    assert!(!answer.text().contains("offline_access"));
    let document = get(&bed.server, ROOT).await.json();
    assert_eq!(document["scopes_supported"], json!(["read"]));
}

#[tokio::test]
async fn the_resource_stands_as_it_was_configured() {
    let issuer = TestIssuer::new(ISSUER);
    for resource in ["https://api.example.com", "https://api.example.com/mcp"] {
        let server = issuer.resource_server(resource).mcp(Mcp::new()).build().expect("valid");
        // MCP-2026-07-28-R5-1: no slash is added.
        assert_eq!(get(&server, ROOT).await.json()["resource"], resource);
        let slash = issuer.token().audience(format!("{resource}/")).build();
        ask(server.mcp(), post(&slash, &[])).await.assert_t401();
    }
    // Other spellings are accepted where they are listed.
    let upper = "HTTPS://API.example.com";
    let server = issuer.resource_server(RESOURCE).audience(RESOURCE).audience(upper);
    let server = server.mcp(Mcp::new()).build().expect("valid");
    ask(server.mcp(), post(&issuer.token().audience(upper).build(), &[])).await.assert_ok();
}
