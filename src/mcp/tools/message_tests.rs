use super::*;

fn read(body: &str) -> Result<Content<'_>, RejectionKind> {
    Content::read(body.as_bytes())
}

fn call(name: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":{name}}}}}"#)
}

fn one(body: &str) -> Message<'_> {
    match read(body) {
        Ok(Content::One(message)) => message,
        other => panic!("{body}: {other:?}"),
    }
}

fn invalid(body: &str) {
    assert_eq!(read(body), Err(RejectionKind::InvalidMessage), "{body}");
}

#[test]
fn method_and_name_are_read_unescaped() {
    for body in [
        call(r#""get_weather""#),
        call(r#""get\u005fweather""#),
        call(r#""get_weather""#).replace("tools/call", r"tool\u0073\/call"),
        call(r#""get_weather""#).replace("method", r"meth\u006fd"),
        format!(" \n{}\t ", call(r#""get_weather""#)),
    ] {
        let message = one(&body);
        assert_eq!(message.method.as_deref(), Some(TOOLS_CALL), "{body}");
        assert_eq!(message.name.as_deref(), Some("get_weather"), "{body}");
        assert!(!message.is_notification);
    }
    let pair = call(r#""\ud83d\ude00""#);
    assert_eq!(one(&pair).name.as_deref(), Some("\u{1f600}"));
}

#[test]
fn names_stand_where_the_method_has_them() {
    let of = |method: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{"name":"n","uri":"u"}}}}"#
        )
    };
    let name = |method: &str| one(&of(method)).name.map(Cow::into_owned);
    assert_eq!(name("prompts/get").as_deref(), Some("n"));
    assert_eq!(name("resources/read").as_deref(), Some("u"));
    assert_eq!(name("resources/subscribe"), None);
    assert_eq!(name("tools/Call"), None);
}

#[test]
fn the_version_of_the_message_is_read() {
    let of = |meta: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"_meta":{meta}}}}}"#)
    };
    let named = of(r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#);
    assert_eq!(one(&named).version.as_deref(), Some("2026-07-28"));
    assert_eq!(one(&of(r#"{"progressToken":1}"#)).version, None);
    invalid(&of(r#"{"io.modelcontextprotocol/protocolVersion":1}"#));
}

#[test]
fn responses_and_notifications_are_told_apart() {
    let result = r#"{"jsonrpc":"2.0","id":1,"result":{"name":"x"}}"#;
    assert_eq!(one(result), Message::default());
    assert_eq!(one(r#"{"jsonrpc":"2.0","id":1,"error":{"code":1}}"#), Message::default());
    assert!(one(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).is_notification);
    invalid(r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#);
    invalid(r#"{"jsonrpc":"2.0","id":1}"#);
}

#[test]
fn what_is_no_json_is_told_from_what_is_no_message() {
    for body in
        ["", " ", "{", "tools/call", "\u{feff}{}", "{'a':1}", "{}{}", "[{}", "{\"a\":\"\n\"}"]
    {
        assert_eq!(read(body), Err(RejectionKind::MalformedMessage), "{body:?}");
    }
    assert_eq!(Content::read(b"{\"a\":\"\xff\"}"), Err(RejectionKind::MalformedMessage));
    let utf_16: Vec<u8> = call(r#""x""#).encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(Content::read(&utf_16), Err(RejectionKind::MalformedMessage));
    for body in ["null", "1", "\"tools/call\"", "{}", "[]", "[1]", "[[]]", "[null]"] {
        invalid(body);
    }
}

#[test]
fn messages_without_what_a_message_needs_are_invalid() {
    invalid(&call(r#""x""#).replace(r#""2.0""#, r#""1.0""#));
    invalid(&call(r#""x""#).replace(r#""2.0""#, "2.0"));
    invalid(&call(r#""x""#).replace(r#""tools/call""#, r#"["tools/call"]"#));
    invalid(&call("1"));
    invalid(&call("null"));
    invalid(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#);
    invalid(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}"#);
    invalid(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["x"]}"#);
    invalid(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":null}"#);
    assert_eq!(one(r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"#).name, None);
}

#[test]
fn nothing_passes_that_parsers_could_read_in_two_ways() {
    let twice =
        |member: &str| call(r#""x""#).replace(r#""method""#, &format!(r#"{member},"method""#));
    let inner = |member: &str| call(&format!(r#""x",{member}"#));
    for member in [r#""method":"ping""#, r#""m\u0065thod":"ping""#, r#""params":{}"#, r#""id":2"#] {
        invalid(&twice(member));
    }
    // To parsers that ignore case: long s and the sign for Kelvin are no exotic cases to them.
    for member in [r#""Method":"ping""#, r#""METHOD":1"#, r#""Params":{}"#, r#""param\u017f":{}"#] {
        invalid(&twice(member));
    }
    for member in [r#""name":"y""#, r#""n\u0061me":"y""#, r#""Name":"y""#, r#""URI":"y""#] {
        invalid(&inner(member));
    }
    invalid(&call(r#""\ud800""#));
    invalid(&inner(r#""a":"\udc00""#));
    // Arguments are the tool's.
    one(&inner(r#""arguments":{"name":1,"Name":2}"#));
}

#[test]
fn depth_and_number_are_bounded() {
    let deep = |levels: usize| {
        let arguments = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        call(&format!(r#""x","arguments":{arguments}"#))
    };
    one(&deep(LEVELS - 2));
    invalid(&deep(LEVELS - 1));
    invalid(&deep(100_000));
    let batch = |count| format!("[{}]", vec![call(r#""x""#); count].join(","));
    assert_eq!(read(&batch(2)).map(|content| content.messages().len()), Ok(2));
    invalid(&batch(1000));
}
