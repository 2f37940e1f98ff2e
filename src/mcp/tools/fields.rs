//! `Mcp-Method` and `Mcp-Name`, which repeat a message in header fields (2026-07-28).

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::message::{Content, Message, TOOLS_CALL, named_by};
use crate::error::RejectionKind;
use crate::field::{self, Repeated};
use crate::mcp::{PROTOCOL_VERSION, Revision};

const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// A header field is missing, or says something else than the message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Mismatch;

/// Whether the fields say what the messages say. A proxy may have acted upon the fields.
pub(super) fn check(headers: &HeaderMap, content: &Content<'_>) -> Result<(), RejectionKind> {
    agree(headers, content).map_err(|Mismatch| RejectionKind::HeaderMismatch)?;
    let is_batch = matches!(content, Content::Batch(_));
    // The fields repeat one message.
    if is_batch && has_fields(headers) { Err(RejectionKind::InvalidMessage) } else { Ok(()) }
}

fn agree(headers: &HeaderMap, content: &Content<'_>) -> Result<(), Mismatch> {
    let version = single(headers, &PROTOCOL_VERSION)?;
    let named = content.messages().iter().filter_map(|message| message.version.as_deref());
    if named.into_iter().any(|named| Some(named) != version) {
        return Err(Mismatch);
    }
    match content {
        Content::One(message) if has_fields(headers) => repeat(headers, message),
        _ => Ok(()),
    }
}

/// Whether the request is of a revision that has these fields.
fn has_fields(headers: &HeaderMap) -> bool {
    let version = single(headers, &PROTOCOL_VERSION).ok().flatten();
    version.and_then(Revision::from_name).is_some_and(Revision::has_message_fields)
}

fn repeat(headers: &HeaderMap, message: &Message<'_>) -> Result<(), Mismatch> {
    // What notifications have is not laid down, and `initialize` belongs to revisions before.
    let may_be_absent = message.is_notification || message.method.as_deref() == Some("initialize");
    let holds = |field: Option<&str>, own: Option<&str>| match field {
        Some(field) => Some(field) == own,
        None => own.is_none() || may_be_absent,
    };
    if !holds(single(headers, &METHOD)?, message.method.as_deref()) {
        return Err(Mismatch);
    }
    let is_named = message.method.as_deref().is_some_and(|method| named_by(method).is_some());
    if is_named && !holds(name(headers)?.as_deref(), message.name.as_deref()) {
        return Err(Mismatch);
    }
    Ok(())
}

/// What the fields say, where the server inside compares them with the message. None where there are
/// no fields to go by.
pub(super) fn message(headers: &HeaderMap) -> Result<Option<Message<'_>>, RejectionKind> {
    let told = if has_fields(headers) { told(headers) } else { Ok(None) };
    told.map_err(|Mismatch| RejectionKind::HeaderMismatch)
}

fn told(headers: &HeaderMap) -> Result<Option<Message<'_>>, Mismatch> {
    let Some(method) = single(headers, &METHOD)? else { return Ok(None) };
    let name = name(headers)?;
    if method == TOOLS_CALL && name.is_none() {
        return Err(Mismatch);
    }
    let method = Some(Cow::Borrowed(method));
    Ok(Some(Message { method, name, ..Message::default() }))
}

fn name(headers: &HeaderMap) -> Result<Option<Cow<'_, str>>, Mismatch> {
    single(headers, &NAME)?.map(decoded).transpose()
}

/// `=?base64?…?=` stands for a text that a field cannot carry as it is.
fn decoded(value: &str) -> Result<Cow<'_, str>, Mismatch> {
    let encoded = value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?="));
    let Some(encoded) = encoded else { return Ok(Cow::Borrowed(value)) };
    let bytes = STANDARD.decode(encoded).map_err(|_| Mismatch)?;
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| Mismatch)
}

/// The value of a field that is there once at most, of visible ASCII.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Mismatch> {
    let value = field::single(headers, name).map_err(|Repeated| Mismatch)?;
    value.map(HeaderValue::to_str).transpose().map_err(|_| Mismatch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_decoded_where_they_are_marked() {
        for (value, name) in [
            ("get_weather", "get_weather"),
            ("file:///a b.json", "file:///a b.json"),
            ("=?base64?SGVsbG8sIOS4lueVjA==?=", "Hello, \u{4e16}\u{754c}"),
            ("=?base64?IHBhZGRlZCA=?=", " padded "),
            ("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=", "=?base64?literal?="),
            ("=?base64??=", ""),
            // The marks are case-sensitive, and both are needed.
            ("=?BASE64?eA==?=", "=?BASE64?eA==?="),
            ("=?base64?eA==", "=?base64?eA=="),
        ] {
            assert_eq!(decoded(value).as_deref(), Ok(name), "{value}");
        }
        for value in ["=?base64?eA?=", "=?base64?e A=?=", "=?base64?eB==?=", "=?base64?/w==?="] {
            assert_eq!(decoded(value), Err(Mismatch), "{value}");
        }
    }
}
