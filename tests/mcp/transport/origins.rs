//! `Origin`: which web pages may call.

use http::{HeaderValue, Method, StatusCode};
use tower_resource_server::mcp::Mcp;
use tower_resource_server::render::{Empty, JsonRpc, OAuthJson, ProblemJson};
use tower_resource_server::testing::TestIssuer;
use tower_resource_server::{Builder, RejectionKind, ResourceServer};

use super::{ask, bare, bed, bed_of, post, with};
use crate::support::{Answer, Bed, ISSUER};

fn assert_refused(answer: &Answer, why: &str) {
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{why}");
    assert_eq!(answer.kind(), Some(RejectionKind::InvalidOrigin), "{why}");
    assert!(!answer.handled, "{why}");
    assert!(answer.all("www-authenticate").is_empty(), "{why}");
    assert_eq!(answer.all("cache-control"), ["no-store"]);
    assert!(!answer.text().contains("insufficient_scope"), "{why}");
}

const HOSTILE: [&str; 17] = [
    "https://evil.example",
    "null",
    "NULL",
    "",
    "*",
    "https://api.example.com.evil.example",
    "https://evil.example/https://api.example.com",
    "https://api.example.com@evil.example",
    "https://user@api.example.com",
    "https://api.example.com/",
    "https://api.example.com?",
    "https://api.example.com:444",
    "https://api.example.com:",
    "http://api.example.com",
    "//api.example.com",
    "https://api.example.com, https://api.example.com",
    "https://api.example.com https://evil.example",
];

#[tokio::test]
async fn a_page_that_may_not_call_is_refused_whatever_token_it_has() {
    let bed = bed();
    for origin in HOSTILE {
        // MCP-2026-07-28-R7-1: 403, and not for want of a scope.
        let answer = ask(bed.server.mcp(), post(&bed.token(), &[("origin", origin)])).await;
        assert_refused(&answer, origin);
        assert!(!answer.text().contains("evil"), "{origin}");
        for credentials in ["", "Bearer abc", "Bearer a b", "Digest x"] {
            let lines = [("origin", origin.as_bytes()), ("authorization", credentials.as_bytes())];
            assert_refused(&ask(bed.server.mcp(), bare(Method::POST, &lines)).await, origin);
        }
    }
    let bytes = [("origin", b"https://api.example.com\xff".as_slice())];
    assert_refused(&ask(bed.server.mcp(), bare(Method::POST, &bytes)).await, "bytes");
}

#[tokio::test]
async fn two_origins_are_none() {
    let bed = bed();
    let own = "https://api.example.com";
    let request = post(&bed.token(), &[("origin", own), ("origin", own)]);
    assert_refused(&ask(bed.server.mcp(), request).await, "twice");
}

#[tokio::test]
async fn the_pages_of_the_server_may_call_and_so_may_what_is_no_page() {
    let bed = bed();
    ask(bed.server.mcp(), post(&bed.token(), &[])).await.assert_ok();
    for origin in
        ["https://api.example.com", "HTTPS://API.Example.com", "https://api.example.com:443"]
    {
        ask(bed.server.mcp(), post(&bed.token(), &[("origin", origin)])).await.assert_ok();
    }
}

#[tokio::test]
async fn pages_can_be_allowed() {
    let allowed =
        ["https://app.example.com:8443", "chrome-extension://abcdef", "http://[::1]:3000"];
    let mcp = Mcp::new().allowed_origins(allowed).allowed_origins(["HTTPS://Other.example:443"]);
    let bed = bed_of(mcp);
    let origins = allowed.into_iter().chain(["https://other.example", "https://api.example.com"]);
    for origin in origins {
        ask(bed.server.mcp(), post(&bed.token(), &[("origin", origin)])).await.assert_ok();
    }
    for origin in ["https://app.example.com", "chrome-extension://abcdeg", "http://[::1]:3001"] {
        let request = post(&bed.token(), &[("origin", origin)]);
        assert_refused(&ask(bed.server.mcp(), request).await, origin);
    }
}

fn local(resource: &str) -> (TestIssuer, ResourceServer) {
    let issuer = TestIssuer::new(ISSUER);
    let server = issuer.resource_server(resource).mcp(Mcp::new()).build();
    (issuer, server.expect("a valid configuration"))
}

#[tokio::test]
async fn a_server_on_loopback_is_called_from_loopback_alone() {
    for resource in ["http://localhost:8080/mcp", "http://127.0.0.1:8080", "http://[::1]:8080/mcp"]
    {
        let (issuer, server) = local(resource);
        let token = issuer.token().audience(resource).build();
        for origin in [
            "http://localhost:6274",
            "http://127.0.0.1",
            "https://[::1]:3000",
            "http://127.8.8.8:1",
            "http://LocalHost:8080",
        ] {
            ask(server.mcp(), post(&token, &[("origin", origin)])).await.assert_ok();
        }
        // A name of the attacker's that leads to this machine.
        for origin in [
            "http://evil.example:8080",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
            "http://0.0.0.0:8080",
            "ftp://localhost",
            "null",
            "http://10.0.0.1",
        ] {
            assert_refused(&ask(server.mcp(), post(&token, &[("origin", origin)])).await, origin);
        }
    }
}

#[tokio::test]
async fn a_preflight_is_one_of_its_page() {
    let bed = bed();
    let preflight = |origin: &str| {
        let lines = [
            ("origin", origin.as_bytes()),
            ("access-control-request-method", b"POST"),
            ("access-control-request-headers", b"authorization"),
        ];
        bare(Method::OPTIONS, &lines)
    };
    // The CORS layer or the endpoint answers it, without a token and without a version.
    ask(bed.server.mcp(), preflight("https://api.example.com")).await.assert_ok();
    assert_refused(&ask(bed.server.mcp(), preflight("https://evil.example")).await, "a preflight");
}

#[tokio::test]
async fn each_envelope_says_it() {
    let answer = async |change: fn(Builder) -> Builder| {
        let bed = Bed::with(|builder| change(builder.mcp(Mcp::new())));
        ask(bed.server.mcp(), post(&bed.token(), &[("origin", "https://evil.example")])).await
    };
    let json_rpc = answer(|builder| builder.envelope(JsonRpc::default())).await;
    assert_eq!(json_rpc.json()["error"]["code"], -32003);
    assert_eq!(json_rpc.json()["error"]["data"]["kind"], "invalid-origin");
    let problem = answer(|builder| builder.envelope(ProblemJson::default())).await;
    assert_eq!(problem.json()["status"], 403);
    assert_eq!(problem.json()["error"], serde_json::Value::Null);
    for change in
        [(|builder| builder.envelope(OAuthJson::default())) as fn(Builder) -> Builder, |builder| {
            builder.envelope(Empty::default())
        }]
    {
        let answer = answer(change).await;
        assert_refused(&answer, "no body");
        assert!(answer.body.is_empty());
    }
}

#[tokio::test]
async fn a_gateway_with_grpc_says_it_in_grpc() {
    let bed = bed();
    let mut request = with(&bed.token(), Method::POST, &[("origin", "https://evil.example")]);
    let grpc = HeaderValue::from_static("application/grpc");
    request.headers_mut().insert("content-type", grpc);
    let answer = ask(bed.server.mcp(), request).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.all("grpc-status"), ["7"]);
}
