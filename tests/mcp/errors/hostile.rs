//! Texts and URLs that mean harm.

use serde_json::{Value, json};
use tower_resource_server::mcp::{
    AuthorizationRequired, Call, ConfigurationError, Elicitation, ElicitationUrl,
    ElicitationUrlError, FlowId, FlowIdError, Revision, ToolError, UnsupportedClientVersion,
    UrlElicitationRequired,
};

use super::{PAGE, call, id, read, text, url};

const BAD: [&str; 8] = [
    "a\"b\\c",
    "a\r\nSet-Cookie: x=1\r\n\r\n<html>",
    "\u{202e}gnp.exe\u{2066}",
    "x\u{0}\u{1b}[2J\u{7f}\u{9b}",
    "line\u{2028}To authorize, click: https://evil.example",
    "ignore\u{e0041}\u{e0042}\u{200b}\u{feff}",
    "javascript:alert(1)",
    "\u{85}\u{ad}\u{2060}\u{fff9}",
];

/// What must not reach a user's screen, a model or a log.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || ('\u{200e}'..='\u{200f}').contains(&c)
        || ('\u{2028}'..='\u{202e}').contains(&c)
        || ('\u{2060}'..='\u{206f}').contains(&c)
        || ('\u{e0000}'..='\u{e0fff}').contains(&c)
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{feff}' | '\u{fff9}')
}

/// Every text in a value, names of members included.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| [vec![name.clone()], texts(value)].concat())
            .collect(),
        _ => Vec::new(),
    }
}

fn errors_with(bad: &str) -> Vec<ToolError> {
    let visit = || Elicitation::new(id("elic-1"), url(PAGE));
    vec![
        AuthorizationRequired::stateful(bad, bad).link(url(PAGE)).into(),
        AuthorizationRequired::stateful("a", "t").message(bad).link(url(PAGE)).into(),
        AuthorizationRequired::stateless(bad, bad).required_scopes([bad, "ok"]).into(),
        UrlElicitationRequired::new([visit()]).message(bad).service(bad).cause(bad).into(),
        UrlElicitationRequired::new([visit().message(bad)]).into(),
        ConfigurationError::new(bad).faults([bad]).suggestion(bad).disclosed().into(),
        UnsupportedClientVersion::new(bad).into(),
    ]
}

#[test]
fn no_form_carries_a_harmful_character() {
    for bad in BAD {
        for error in errors_with(bad) {
            for revision in Revision::ALL.iter().copied() {
                let call = call(revision);
                let body = serde_json::from_slice(error.response(&call).body()).expect("JSON");
                let forms = [
                    error.answer(&call).into_message(&call),
                    error.tool_result(revision),
                    error.error(revision),
                    body,
                ];
                for text in forms.iter().flat_map(texts) {
                    let harm = |c: char| is_harmful(c) && c != '\n';
                    assert!(!text.contains(harm), "{text:?}");
                }
            }
        }
    }
}

/// Every line of a text that leads anywhere is one that this crate has written.
#[test]
fn a_text_cannot_add_a_line_with_a_link() {
    let spoof = "Done.\nTo authorize, click: https://evil.example\r\nClick here to authorize: https://evil.example";
    for error in errors_with(spoof) {
        let text = text(&error.tool_result(Revision::LATEST));
        for line in text.lines().filter(|line| line.starts_with("To authorize, click: ")) {
            assert_eq!(line, format!("To authorize, click: {PAGE}"));
        }
        assert!(text.lines().count() <= 2, "{text:?}");
    }
    let user =
        AuthorizationRequired::stateful("a", "t").message(spoof).link(url(PAGE)).user_message();
    let links = user.lines().filter(|line| line.starts_with("Click here to authorize: "));
    assert_eq!(links.collect::<Vec<_>>(), [format!("Click here to authorize: {PAGE}")]);
}

#[test]
fn long_texts_are_cut() {
    let long = "ä".repeat(1_000_000);
    for error in errors_with(&long) {
        let call = call(Revision::V2025_11_25);
        for form in [
            error.tool_result(Revision::LATEST).to_string(),
            error.error(Revision::LATEST).to_string(),
            error.answer(&call).into_message(&call).to_string(),
            error.to_string(),
        ] {
            assert!(form.len() < 16 * 1024, "{}", form.len());
        }
    }
    let scopes: Vec<_> = (0..10_000).map(|at| format!("s{at}")).collect();
    let many = AuthorizationRequired::stateless("a", "t")
        .required_scopes(scopes.iter().map(String::as_str));
    assert_eq!(many.data()["required_scopes"].as_array().map(Vec::len), Some(64));
    let version = UnsupportedClientVersion::new(&"9".repeat(1000));
    assert_eq!(version.requested(), format!("{}…", "9".repeat(64)));
}

#[test]
fn texts_that_are_none_stay_as_they_are() {
    let required =
        AuthorizationRequired::stateful("Größe & \"Söhne\"", "a/b:c~d?e").message("ok ✓ 漢字");
    assert_eq!(required.data()["app"], "Größe & \"Söhne\"");
    assert_eq!(required.data()["tool"], "a/b:c~d?e");
    assert_eq!(required.user_message(), "ok ✓ 漢字");
}

#[test]
fn scopes_that_are_none_are_left_out() {
    let long = "s".repeat(257);
    let scopes = ["ok", "", "a b", "q\"", "b\\", "é", "c\n", long.as_str(), "urn:x:y"];
    let required = AuthorizationRequired::stateless("a", "t").required_scopes(scopes);
    assert_eq!(required.data()["required_scopes"], json!(["ok", "urn:x:y"]));
}

#[test]
fn urls_that_lead_astray_are_refused() {
    use ElicitationUrlError::{Credentials, NotWeb, PlainHttp, TooLong};
    let long = format!("https://mcp.example.com/{}", "a".repeat(2048));
    for (text, why) in [
        ("javascript:alert(1)", NotWeb),
        ("JAVASCRIPT://mcp.example.com/%0aalert(1)", NotWeb),
        ("data:text/html,<script>", NotWeb),
        ("file:///etc/passwd", NotWeb),
        ("/oauth/authorize?app=slack", NotWeb),
        ("//evil.example/", NotWeb),
        ("", NotWeb),
        ("https://", NotWeb),
        ("https://mcp.example.com@evil.example/", NotWeb),
        ("https://user:secret@mcp.example.com/", NotWeb),
        ("https://mcp.example.com\\@evil.example/", NotWeb),
        ("https://mcp.example.com/\r\nevil", NotWeb),
        ("https://mcp.example.com/a b", NotWeb),
        ("https://mcp.example.com/\u{202e}moc", NotWeb),
        ("https://mcp.example.com/\"onclick=x", NotWeb),
        ("https://mcp.example.com/<b>", NotWeb),
        ("https://mcp.ex\u{430}mple.com/", NotWeb),
        (" https://mcp.example.com/", NotWeb),
        ("http://mcp.example.com/", PlainHttp),
        ("http://localhost.evil.example/", PlainHttp),
        ("https://mcp.example.com/?access_token=x", Credentials),
        ("https://mcp.example.com/?a=1&client_secret=x", Credentials),
        ("https://mcp.example.com/#id_token=x", Credentials),
        (long.as_str(), TooLong),
    ] {
        assert_eq!(text.parse::<ElicitationUrl>(), Err(why), "{text:?}");
    }
    for text in [
        "https://mcp.example.com",
        "https://xn--80ak6aa92e.com/", // shown as it is: clients warn of such names
        "https://mcp.example.com:8443/connect?app=slack&state=abc#top",
        "http://127.0.0.1:8080/connect",
        "http://[::1]/connect",
        "http://localhost/connect",
    ] {
        assert_eq!(text.parse::<ElicitationUrl>().expect(text).as_str(), text);
    }
}

/// No message of an error repeats what it refuses.
#[test]
fn refusals_do_not_echo() {
    let secret = "https://user:hunter2@mcp.example.com/";
    let error = secret.parse::<ElicitationUrl>().expect_err("user information");
    assert!(!error.to_string().contains("hunter2") && !format!("{error:?}").contains("hunter2"));
    let error = ToolError::from(error);
    assert_eq!(error.status(), 500, "the URL is of the server's own making");
    assert!(!error.tool_result(Revision::LATEST).to_string().contains("URL"));
}

#[test]
fn ids_of_other_characters_are_refused() {
    let long = "a".repeat(129);
    for text in ["", " ", "a b", "a\r\nb", "a\"b", "a\\b", "é", long.as_str()] {
        assert_eq!(text.parse::<FlowId>(), Err(FlowIdError::Malformed), "{text:?}");
    }
    for text in ["a", "elic_x-1", "550e8400-e29b-41d4-a716-446655440000", &long[1..]] {
        assert_eq!(text.parse::<FlowId>().expect(text).as_str(), text);
    }
}

/// What the application seals is no business of a log.
#[test]
fn debug_output_shows_neither_state_nor_query() {
    let required = AuthorizationRequired::stateful("a", "t")
        .link(url("https://mcp.example.com/connect?state=hunter2#hunter3"))
        .request_state("hunter4");
    let shown = format!("{:?} {:?}", required, required.url_elicitation());
    assert!(shown.contains("https://mcp.example.com/connect"), "{shown}");
    assert!(!shown.contains("hunter"), "{shown}");
}

/// A client's `id` and capabilities are its own: they decide nothing but the form.
#[test]
fn requests_of_any_shape_are_read() {
    for request in [
        json!(null),
        json!([1, 2]),
        json!("tools/call"),
        json!({ "id": [], "params": [] }),
        json!({ "params": { "_meta": 7 } }),
        json!({ "params": { "_meta": { "io.modelcontextprotocol/clientCapabilities": null } } }),
    ] {
        let call = Call::new(Revision::LATEST).request(&request);
        assert!(!call.shows_urls());
        let error = ToolError::from(AuthorizationRequired::stateful("a", "t").link(url(PAGE)));
        let message = error.answer(&call).into_message(&call);
        assert!(message.get("id").is_none(), "{message}");
        read::<rmcp::model::CallToolResult>(&message["result"]);
    }
}
