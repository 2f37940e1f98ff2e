//! Scopes per tool: what runs, and what is answered in its place.

mod batches;
mod bodies;
mod fields;
mod preset;
mod refusals;
mod sdk;
mod settings;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use tower_resource_server::mcp::Tools;
use tower_resource_server::testing::SigningKey;
use tower_resource_server::{
    Algorithm, AuthorizationDetails, Predicate, RejectionKind as Kind, Scopes, StepUp,
};

use crate::support::{Answer, Bed, RESOURCE, send};

/// What is behind the layer, in these tests.
fn tools() -> Tools {
    Tools::new()
        .any_token("list_files")
        .tool("read_file", Scopes::all(["read"]))
        .tool("write_file", Scopes::all(["read", "write"]))
        .tool("delete_file", Scopes::all(["delete"]))
        .tool("pay", StepUp::acr(["urn:mfa"]))
        .method("resources/read", Scopes::all(["resources"]))
}

fn post(body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let request = Request::post("/mcp").header("content-type", "application/json");
    request.body(Full::from(body.into())).expect("a request")
}

fn message(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params })
}

fn calling(tool: &str) -> Value {
    message("tools/call", &json!({ "name": tool, "arguments": {} }))
}

fn call(tool: &str) -> Request<Full<Bytes>> {
    post(calling(tool).to_string())
}

/// With a token of scope `read`.
async fn through(bed: &Bed, tools: Tools, request: Request<Full<Bytes>>) -> Answer {
    with_scope(bed, "read", tools, request).await
}

async fn with_scope(bed: &Bed, scope: &str, tools: Tools, request: Request<Full<Bytes>>) -> Answer {
    let request = bed.issuer.token().scope(scope).authorize(request);
    send((bed.server.authenticate(), bed.server.require_tools(tools)), request).await
}

/// A refusal without error code and challenge.
fn assert_plain(answer: &Answer, status: u16, kind: Kind) {
    assert_eq!(answer.kind(), Some(kind), "{answer:?}");
    assert_eq!(answer.status, status);
    assert!(!answer.handled);
    assert!(answer.all("www-authenticate").is_empty());
    assert_eq!(answer.all("cache-control"), ["no-store"]);
    assert_eq!(kind.error_code(), None);
}

#[tokio::test]
async fn each_tool_has_its_own_requirement() {
    let bed = Bed::new();
    for tool in ["list_files", "read_file"] {
        through(&bed, tools(), call(tool)).await.assert_ok();
    }
    let write = through(&bed, tools(), call("write_file")).await;
    // MCP-2026-07-28-R2-1: all that the operation needs, also what the token has.
    write.assert_s403("read write");
    assert_eq!(write.kind(), Some(Kind::InsufficientScope));
    through(&bed, tools(), call("delete_file")).await.assert_s403("delete");
    let again = through(&bed, tools(), call("write_file")).await;
    // MCP-2025-11-25-R4-1
    assert_eq!(write.all("www-authenticate"), again.all("www-authenticate"));
    with_scope(&bed, "write read", tools(), call("write_file")).await.assert_ok();
}

#[tokio::test]
async fn a_tool_may_ask_for_more_than_scopes() {
    let bed = Bed::new();
    let step_up = through(&bed, tools(), call("pay")).await;
    assert_eq!(step_up.status, StatusCode::UNAUTHORIZED);
    let challenge = step_up.challenge();
    assert_eq!(challenge.get("error"), Some("insufficient_user_authentication"));
    assert_eq!(challenge.get("acr_values"), Some("urn:mfa"));
    assert!(!step_up.handled);
    let layers = (bed.server.authenticate(), bed.server.require_tools(tools()));
    let strong = bed.issuer.token().claim("acr", "urn:mfa").authorize(call("pay"));
    send(layers, strong).await.assert_ok();

    let never = Predicate::new("The moon is not full", |_| false);
    let rules = Tools::new()
        .tool("howl", never)
        .tool("pay", AuthorizationDetails::of_type("payment").and(Scopes::all(["read"])));
    let howl = through(&bed, rules.clone(), call("howl")).await;
    assert_eq!(howl.kind(), Some(Kind::RequirementNotMet));
    let pay = through(&bed, rules, call("pay")).await;
    assert_eq!(pay.kind(), Some(Kind::InsufficientAuthorizationDetails));
}

#[tokio::test]
async fn a_tool_that_is_not_listed_is_open_to_nobody_unless_said() {
    let bed = Bed::new();
    for name in ["format_disk", "", "READ_FILE", "read_file ", "read\u{200b}_file", "../read_file"]
    {
        let answer = through(&bed, tools(), call(name)).await;
        assert_plain(&answer, 403, Kind::UnlistedTool);
    }
    let open = || tools().others_any_token();
    through(&bed, open(), call("format_disk")).await.assert_ok();
    through(&bed, open(), call("delete_file")).await.assert_s403("delete");
    // What cannot be listed is not among the others.
    for name in ["", " x", "delete_file\0", "delete_\u{200b}file", &"x".repeat(129)] {
        let answer = through(&bed, open(), call(name)).await;
        assert_plain(&answer, 403, Kind::UnlistedTool);
    }
    let guarded = || tools().others(Scopes::all(["admin"]));
    through(&bed, guarded(), call("format_disk")).await.assert_s403("admin");
    with_scope(&bed, "admin", guarded(), call("format_disk")).await.assert_ok();
    through(&bed, guarded(), call("list_files")).await.assert_ok();
    let nothing = through(&bed, Tools::default(), call("list_files")).await;
    assert_plain(&nothing, 403, Kind::UnlistedTool);
}

#[tokio::test]
async fn wider_scopes_include_what_a_tool_needs() {
    let bed = Bed::with(|builder| {
        builder.scope_includes("admin", "write").scope_includes("write", "read")
    });
    // MCP-2026-07-28-R1-1
    with_scope(&bed, "admin", tools(), call("write_file")).await.assert_ok();
    with_scope(&bed, "write", tools(), call("write_file")).await.assert_ok();
    with_scope(&bed, "read", tools(), call("write_file")).await.assert_s403("read write");
}

#[tokio::test]
async fn other_methods_need_a_token_and_what_is_set_for_them() {
    let bed = Bed::new();
    let ask = |method| post(message(method, &json!({ "uri": "file:///a" })).to_string());
    for method in ["initialize", "tools/list", "ping", "prompts/list", "server/discover"] {
        through(&bed, tools(), ask(method)).await.assert_ok();
    }
    through(&bed, tools(), ask("resources/read")).await.assert_s403("resources");
    with_scope(&bed, "resources", tools(), ask("resources/read")).await.assert_ok();
    let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    through(&bed, tools(), post(initialized.to_string())).await.assert_ok();
    for response in [
        json!({ "jsonrpc": "2.0", "id": 1, "result": { "method": "tools/call" } }),
        json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -1, "message": "no" } }),
    ] {
        through(&bed, tools(), post(response.to_string())).await.assert_ok();
    }
    // No request, and some servers run it all the same.
    let mut quiet = calling("delete_file");
    quiet.as_object_mut().expect("an object").remove("id");
    through(&bed, tools(), post(quiet.to_string())).await.assert_s403("delete");
}

#[tokio::test]
async fn requests_without_a_body_run_no_tool() {
    let bed = Bed::new();
    for method in ["GET", "DELETE", "HEAD", "OPTIONS"] {
        let request = Request::builder().method(method).uri("/mcp");
        let request = request.body(Full::default()).expect("a request");
        through(&bed, tools(), request).await.assert_ok();
    }
    // The service inside may not look at the method.
    for method in ["GET", "PUT", "DELETE", "OPTIONS", "FOO"] {
        let mut request = call("delete_file");
        *request.method_mut() = method.parse().expect("a method");
        through(&bed, tools(), request.clone()).await.assert_s403("delete");
        request.headers_mut().remove("content-type");
        let answer = through(&bed, tools(), request).await;
        assert_plain(&answer, 415, Kind::UnsupportedMediaType);
    }
}

#[tokio::test]
async fn the_challenge_is_of_the_scheme_that_was_tried() {
    let bed = Bed::new();
    let key = SigningKey::generate(Algorithm::ES256);
    let token = bed.issuer.token().scope("read").bound_to(&key).build();
    let proof = key.proof("POST", &format!("{RESOURCE}/mcp")).token(&token).clock(&bed.clock);
    let request = proof.authorize(call("delete_file"));
    let answer =
        send((bed.server.authenticate(), bed.server.require_tools(tools())), request).await;
    answer.assert_s403("delete");
    assert_eq!(answer.schemes(), ["DPoP"]);
    assert!(answer.challenge().get("algs").is_some());
}

#[tokio::test]
async fn anonymous_callers_are_told_what_to_ask_for() {
    let bed = Bed::new();
    let layers = || (bed.server.authenticate().optional(), bed.server.require_tools(tools()));
    let list = post(message("tools/list", &json!({})).to_string());
    send(layers(), list).await.assert_ok();
    let read = send(layers(), call("read_file")).await;
    read.assert_n401();
    assert_eq!(read.challenge().get("scope"), Some("read"));
    send(layers(), call("list_files")).await.assert_n401();
    send(layers(), call("format_disk")).await.assert_n401();
    assert_plain(&send(layers(), post("{")).await, 400, Kind::MalformedMessage);
}

#[tokio::test]
async fn nothing_passes_without_a_layer_that_verifies_tokens() {
    let bed = Bed::new();
    let other = Bed::new();
    let token = other.token();
    let get = Request::get("/mcp").body(Full::default()).expect("a request");
    for request in [call("list_files"), get] {
        let alone = send(bed.server.require_tools(tools()), request.clone()).await;
        assert_plain(&alone, 500, Kind::MissingAuthentication);
        let mut request = request;
        let value = format!("Bearer {token}").parse().expect("a field value");
        request.headers_mut().insert("authorization", value);
        // A grant of another server counts for nothing.
        let layers = (other.server.authenticate(), bed.server.require_tools(tools()));
        assert_plain(&send(layers, request).await, 500, Kind::MissingAuthentication);
    }
}
