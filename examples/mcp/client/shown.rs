//! What is printed of an exchange: all that helps to follow it, and never a secret.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, header};
use serde_json::Value;

use super::http::Answer;

/// The fields of requests that the story is about.
const OF_REQUESTS: [&str; 4] = ["mcp-protocol-version", "mcp-session-id", "mcp-method", "mcp-name"];

/// Those of answers.
const OF_ANSWERS: [HeaderName; 3] =
    [header::WWW_AUTHENTICATE, header::RETRY_AFTER, HeaderName::from_static("mcp-session-id")];

/// Members, parameters and fields that would let whoever reads the output act for the user.
const SECRETS: [&str; 7] = [
    "access_token",
    "client_secret",
    "code",
    "code_verifier",
    "mcp-session-id",
    "refresh_token",
    "state",
];

/// Members of metadata that the client has a use for. Documents have many more.
const OF_METADATA: [&str; 9] = [
    "authorization_endpoint",
    "authorization_servers",
    "code_challenge_methods_supported",
    "issuer",
    "registration_endpoint",
    "resource",
    "resource_name",
    "scopes_supported",
    "token_endpoint",
];

/// As wide as a line of JSON gets before it goes on in the next.
const WIDTH: usize = 90;

pub(super) fn request(head: &Parts, body: &Bytes) {
    let uri = head.uri.to_string();
    let (address, query) = uri.split_once('?').unwrap_or((&uri, ""));
    println!("  > {} {address}", head.method);
    pairs('>', query);
    let authorization = head.headers.get(header::AUTHORIZATION);
    if let Some((scheme, _)) = authorization.and_then(|it| it.to_str().ok()?.split_once(' ')) {
        println!("  > authorization: {scheme} (the token)");
    }
    if head.headers.contains_key("dpop") {
        println!("  > dpop: (a proof)");
    }
    fields('>', &head.headers, OF_REQUESTS.map(HeaderName::from_static));
    content('>', &head.headers, body, serde_json::from_slice(body).unwrap_or_default());
}

pub(super) fn answer(answer: &Answer) {
    println!("  < {}", answer.status);
    if let Some(location) = answer.field(header::LOCATION) {
        let (address, query) = location.split_once('?').unwrap_or((location, ""));
        println!("  < location: {address}");
        pairs('<', query);
    }
    fields('<', &answer.headers, OF_ANSWERS);
    content('<', &answer.headers, &answer.body, answer.json());
}

fn fields<const N: usize>(mark: char, headers: &HeaderMap, names: [HeaderName; N]) {
    for name in names {
        for value in headers.get_all(&name) {
            let value = value.to_str().unwrap_or("(unreadable)");
            println!("  {mark} {name}: {}", hidden(name.as_str(), value));
        }
    }
}

/// JSON, forms and plain text; anything else is left out.
fn content(mark: char, headers: &HeaderMap, body: &Bytes, json: Value) {
    let text = String::from_utf8_lossy(body);
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    match kind.and_then(|kind| kind.split(';').next()) {
        Some("application/x-www-form-urlencoded") => pairs(mark, &text),
        Some("text/plain") => println!("  {mark} {}", text.trim()),
        _ if json.is_null() => {}
        _ => lines(mark, &redacted(json).to_string()),
    }
}

/// Each in a line of its own.
fn pairs(mark: char, form: &str) {
    for pair in form.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        println!("  {mark}     {name}={}", hidden(name, value));
    }
}

/// Without secrets, and without what every message of the client says anew.
fn redacted(mut json: Value) -> Value {
    let Value::Object(members) = &mut json else { return json };
    if members.contains_key("issuer") || members.contains_key("resource") {
        members.retain(|name, _| OF_METADATA.contains(&name.as_str()));
    }
    if let Some(params) = members.get_mut("params").and_then(Value::as_object_mut) {
        params.remove("_meta");
    }
    for (name, value) in members {
        if let Value::String(text) = value {
            *text = hidden(name, text).to_owned();
        }
    }
    json
}

/// Broken after commas where it gets too wide. Those within texts have a space after them.
fn lines(mark: char, json: &str) {
    let mut line = String::new();
    for piece in json.split_inclusive(',') {
        let may_break = !line.is_empty() && !piece.starts_with(' ');
        if may_break && line.len() + piece.len() > WIDTH {
            println!("  {mark} {line}");
            line = "    ".to_owned();
        }
        line.push_str(piece);
    }
    println!("  {mark} {line}");
}

fn hidden<'a>(name: &str, value: &'a str) -> &'a str {
    if SECRETS.contains(&name) { "(hidden)" } else { value }
}
