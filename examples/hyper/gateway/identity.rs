//! Who calls, in the words of the gateway.
//!
//! | field | |
//! |---|---|
//! | `x-authenticated-issuer` | who issued the token |
//! | `x-authenticated-subject` | `sub`, unique within that issuer; absent if the token has none |
//! | `x-authenticated-client` | `client_id`; absent if the token has none |
//! | `x-granted-scope` | the scopes, with a space between them; may be empty |
//!
//! All are absent where nobody was asked for a token. Bytes that are no visible ASCII, and `%`, are
//! percent-encoded.

use std::fmt::Write as _;

use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use tower_resource_server::Grant;

pub(crate) fn tell(head: &mut Parts) {
    let Some(grant) = head.extensions.remove::<Grant>() else { return };
    let headers = &mut head.headers;
    set(headers, "x-authenticated-issuer", Some(encode(grant.issuer())));
    set(headers, "x-authenticated-subject", grant.subject().map(encode));
    set(headers, "x-authenticated-client", grant.client_id().map(encode));
    let scopes: Vec<_> = grant.scopes().map(encode).collect();
    set(headers, "x-granted-scope", Some(scopes.join(" ")));
}

fn set(headers: &mut HeaderMap, name: &'static str, value: Option<String>) {
    if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
        headers.insert(name, value);
    }
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
