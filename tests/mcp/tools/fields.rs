//! `Mcp-Method` and `Mcp-Name` of revision 2026-07-28.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use http_body_util::Full;
use serde_json::{Value, json};
use tower_resource_server::mcp::Tools;
use tower_resource_server::{RejectionKind as Kind, Scopes};

use super::{assert_plain, call, calling, message, post, through, tools};
use crate::support::{Bed, send};

const VERSION: &str = "mcp-protocol-version";

fn with(mut request: Request<Full<Bytes>>, lines: &[(&'static str, &str)]) -> Request<Full<Bytes>> {
    for (name, value) in lines {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a field value");
        request.headers_mut().append(HeaderName::from_static(name), value);
    }
    request
}

/// A message of that revision with its fields.
fn modern(request: Request<Full<Bytes>>, method: &str, name: Option<&str>) -> Request<Full<Bytes>> {
    let request = with(request, &[(VERSION, "2026-07-28"), ("mcp-method", method)]);
    match name {
        Some(name) => with(request, &[("mcp-name", name)]),
        None => request,
    }
}

#[tokio::test]
async fn fields_that_agree_with_the_body_change_nothing() {
    let bed = Bed::new();
    let modern = |tool| modern(call(tool), "tools/call", Some(tool));
    through(&bed, tools(), modern("read_file")).await.assert_ok();
    through(&bed, tools(), modern("delete_file")).await.assert_s403("delete");
    let answer = through(&bed, tools(), modern("format_disk")).await;
    assert_plain(&answer, 403, Kind::UnlistedTool);
}

#[tokio::test]
async fn fields_that_say_something_else_are_refused() {
    let bed = Bed::new();
    let tools_call = Some("tools/call");
    let cases: [(&str, Option<&str>, Option<&str>); 9] = [
        // A harmless tool in the field, and the other way round.
        ("delete_file", tools_call, Some("list_files")),
        ("list_files", tools_call, Some("delete_file")),
        ("delete_file", Some("tools/list"), None),
        ("list_files", Some("tools/list"), Some("list_files")),
        ("list_files", Some("Tools/Call"), Some("list_files")),
        ("list_files", tools_call, Some("List_Files")),
        ("list_files", tools_call, None),
        ("list_files", None, Some("list_files")),
        ("list_files", None, None),
    ];
    for (tool, method, name) in cases {
        let mut request = with(call(tool), &[(VERSION, "2026-07-28")]);
        if let Some(method) = method {
            request = with(request, &[("mcp-method", method)]);
        }
        if let Some(name) = name {
            request = with(request, &[("mcp-name", name)]);
        }
        let answer = through(&bed, tools().others_any_token(), request).await;
        assert_plain(&answer, 400, Kind::HeaderMismatch);
    }
}

#[tokio::test]
async fn fields_are_there_once_and_readable() {
    let bed = Bed::new();
    let good = || modern(call("read_file"), "tools/call", Some("read_file"));
    for line in [
        ("mcp-name", "read_file"),
        ("mcp-method", "tools/call"),
        (VERSION, "2026-07-28"),
        (VERSION, "2025-11-25"),
    ] {
        let answer = through(&bed, tools(), with(good(), &[line])).await;
        assert_plain(&answer, 400, Kind::HeaderMismatch);
    }
    for name in ["r\u{e9}ad", "=?base64?!?=", "=?base64?cmVhZF9maWxl", "=?base64?/w==?="] {
        let answer =
            through(&bed, tools(), modern(call("read_file"), "tools/call", Some(name))).await;
        assert_plain(&answer, 400, Kind::HeaderMismatch);
    }
}

#[tokio::test]
async fn names_that_no_field_can_carry_come_in_base64() {
    let bed = Bed::new();
    let names = [
        ("read_file", "=?base64?cmVhZF9maWxl?="),
        ("Hello, \u{4e16}\u{754c}", "=?base64?SGVsbG8sIOS4lueVjA==?="),
        ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
    ];
    for (name, field) in names {
        let rules = Tools::new().tool(name, Scopes::all(["read"]));
        let request = modern(call(name), "tools/call", Some(field));
        through(&bed, rules.clone(), request).await.assert_ok();
        let request = modern(call("other"), "tools/call", Some(field));
        let answer = through(&bed, rules.others_any_token(), request).await;
        assert_plain(&answer, 400, Kind::HeaderMismatch);
    }
    let literal = modern(call("=?base64?literal?="), "tools/call", Some("=?base64?literal?="));
    let answer = through(&bed, tools(), literal).await;
    assert_plain(&answer, 400, Kind::HeaderMismatch);
}

#[tokio::test]
async fn prompts_and_resources_have_names_too() {
    let bed = Bed::new();
    let ask = |method: &str, params: Value| post(message(method, &params).to_string());
    let prompt = || ask("prompts/get", json!({ "name": "greet" }));
    through(&bed, tools(), modern(prompt(), "prompts/get", Some("greet"))).await.assert_ok();
    let wrong = through(&bed, tools(), modern(prompt(), "prompts/get", Some("other"))).await;
    assert_plain(&wrong, 400, Kind::HeaderMismatch);
    let resource = || ask("resources/read", json!({ "uri": "file:///a b" }));
    let good = modern(resource(), "resources/read", Some("file:///a b"));
    through(&bed, tools(), good).await.assert_s403("resources");
    let missing = through(&bed, tools(), modern(resource(), "resources/read", None)).await;
    assert_plain(&missing, 400, Kind::HeaderMismatch);
    let list = ask("tools/list", json!({}));
    through(&bed, tools(), modern(list, "tools/list", None)).await.assert_ok();
}

#[tokio::test]
async fn notifications_and_the_old_handshake_may_lack_them() {
    let bed = Bed::new();
    let note = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled" }).to_string();
    let version = [(VERSION, "2026-07-28")];
    through(&bed, tools(), with(post(note.clone()), &version)).await.assert_ok();
    let hello = message("initialize", &json!({})).to_string();
    through(&bed, tools(), with(post(hello), &version)).await.assert_ok();
    let answer = through(&bed, tools(), modern(post(note), "tools/call", None)).await;
    assert_plain(&answer, 400, Kind::HeaderMismatch);
    let response = json!({ "jsonrpc": "2.0", "id": 1, "result": {} }).to_string();
    through(&bed, tools(), with(post(response.clone()), &version)).await.assert_ok();
    let answer = through(&bed, tools(), modern(post(response), "tools/call", None)).await;
    assert_plain(&answer, 400, Kind::HeaderMismatch);
}

#[tokio::test]
async fn revisions_without_these_fields_go_by_the_body_alone() {
    let bed = Bed::new();
    for version in [None, Some("2025-03-26"), Some("2025-06-18"), Some("2025-11-25"), Some("x")] {
        let lie = [("mcp-method", "tools/call"), ("mcp-name", "list_files")];
        let mut request = with(call("delete_file"), &lie);
        if let Some(version) = version {
            request = with(request, &[(VERSION, version)]);
        }
        through(&bed, tools(), request.clone()).await.assert_s403("delete");
        through(&bed, tools().trust_headers(), request).await.assert_s403("delete");
    }
}

#[tokio::test]
async fn the_version_in_a_message_is_that_of_its_field() {
    let bed = Bed::new();
    let mut body = calling("read_file");
    body["params"]["_meta"] = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28" });
    let of = || post(body.to_string());
    through(&bed, tools(), modern(of(), "tools/call", Some("read_file"))).await.assert_ok();
    for request in [of(), with(of(), &[(VERSION, "2025-11-25")])] {
        let answer = through(&bed, tools(), request).await;
        assert_plain(&answer, 400, Kind::HeaderMismatch);
    }
}

#[tokio::test]
async fn fields_are_trusted_where_that_is_said() {
    let bed = Bed::new();
    let trusting = || tools().trust_headers();
    // Not read here: the server inside is to compare them.
    let other = |tool, name| modern(call(tool), "tools/call", Some(name));
    through(&bed, trusting(), other("delete_file", "read_file")).await.assert_ok();
    through(&bed, trusting(), other("read_file", "delete_file")).await.assert_s403("delete");
    let unlisted = through(&bed, trusting(), other("read_file", "format_disk")).await;
    assert_plain(&unlisted, 403, Kind::UnlistedTool);
    let nameless = through(&bed, trusting(), modern(call("read_file"), "tools/call", None)).await;
    assert_plain(&nameless, 400, Kind::HeaderMismatch);
    let twice = with(other("read_file", "read_file"), &[("mcp-name", "list_files")]);
    assert_plain(&through(&bed, trusting(), twice).await, 400, Kind::HeaderMismatch);
    // Without a method there is nothing to trust.
    let version = [(VERSION, "2026-07-28")];
    let bare = through(&bed, trusting(), with(call("delete_file"), &version)).await;
    assert_plain(&bare, 400, Kind::HeaderMismatch);
}

/// A service may look at no method, and at the fields of no content.
#[tokio::test]
async fn a_preflight_that_calls_a_tool_is_a_call() {
    let bed = Bed::new();
    let preflight = || {
        let request = Request::options("/mcp").header("origin", "https://app.example.com");
        let request = request.header("access-control-request-method", "POST");
        request.body(Full::from(calling("list_files").to_string())).expect("a request")
    };
    let layers = || (bed.server.authenticate(), bed.server.require_tools(tools().trust_headers()));
    for tool in ["list_files", "delete_file", "format_disk"] {
        let answer = send(layers(), modern(preflight(), "tools/call", Some(tool))).await;
        assert_eq!(answer.kind(), Some(Kind::MissingCredentials), "{tool}");
        assert!(!answer.handled, "{tool}");
    }
    let answer = send(layers(), modern(preflight(), "resources/read", Some("file:///a"))).await;
    assert_eq!(answer.kind(), Some(Kind::MissingCredentials));
    // Those of browsers have no such fields, and no content.
    send(layers(), preflight().map(|_| Full::default())).await.assert_ok();
}
