//! What a body asks for: the method of each message, and what it is called upon.
//!
//! Whoever runs the message may read it with another parser. So nothing is let through that two
//! parsers could understand differently: names that occur twice, or that differ in case alone.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use crate::error::RejectionKind;
use crate::json::{Object, array};

/// As deep as serde_json reads a value.
const LEVELS: usize = 128;

pub(super) const TOOLS_CALL: &str = "tools/call";

/// One message, as far as rules depend on it.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Message<'a> {
    /// None of a response.
    pub(super) method: Option<Cow<'a, str>>,
    /// What `Mcp-Name` repeats: the name of a tool or a prompt, the URI of a resource.
    pub(super) name: Option<Cow<'a, str>>,
    pub(super) is_notification: bool,
    /// The protocol version that its `_meta` names.
    pub(super) version: Option<Cow<'a, str>>,
}

/// The messages of one body.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Content<'a> {
    One(Message<'a>),
    /// Up to 2025-03-26.
    Batch(Vec<Message<'a>>),
}

impl<'a> Content<'a> {
    pub(super) fn read(body: &'a [u8]) -> Result<Self, RejectionKind> {
        let text = std::str::from_utf8(body).map_err(|_| RejectionKind::MalformedMessage)?;
        Self::of(text).ok_or_else(|| {
            let is_json = serde_json::from_str::<IgnoredAny>(text).is_ok();
            if is_json { RejectionKind::InvalidMessage } else { RejectionKind::MalformedMessage }
        })
    }

    fn of(text: &'a str) -> Option<Self> {
        if !text.trim_start().starts_with('[') {
            return Message::read(text).map(Self::One);
        }
        let messages = array(text).ok()?;
        // JSON-RPC 2.0 §6: an empty batch is no request.
        if messages.is_empty() {
            return None;
        }
        messages.into_iter().map(Message::read).collect::<Option<_>>().map(Self::Batch)
    }

    pub(super) fn messages(&self) -> &[Message<'a>] {
        match self {
            Self::One(message) => std::slice::from_ref(message),
            Self::Batch(messages) => messages,
        }
    }
}

impl<'a> Message<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let message = Object::parse_nested(text, LEVELS).ok()?;
        let is_response = message.contains("result") || message.contains("error");
        let version = message.string("jsonrpc").ok()?;
        if version.as_deref() != Some("2.0") || has_lookalike(&message, ["method", "params"]) {
            return None;
        }
        match message.string("method").ok()? {
            None if is_response => Some(Self::default()),
            Some(method) if !is_response => {
                let is_notification = !message.contains("id");
                Self { is_notification, ..Self::default() }.calling(method, message.raw("params"))
            }
            _ => None,
        }
    }

    fn calling(self, method: Cow<'a, str>, params: Option<&'a str>) -> Option<Self> {
        let member = named_by(&method);
        let (name, version) = match params {
            Some(params) if params.starts_with('{') => read_params(params, member)?,
            // By position: no method of MCP has such.
            Some(_) if member.is_some() => return None,
            _ => (None, None),
        };
        let nameless = method == TOOLS_CALL && name.is_none();
        (!nameless).then_some(Self { method: Some(method), name, version, ..self })
    }
}

/// The member of `params` that says what a method is called upon (2026-07-28).
pub(super) fn named_by(method: &str) -> Option<&'static str> {
    match method {
        TOOLS_CALL | "prompts/get" => Some("name"),
        "resources/read" => Some("uri"),
        _ => None,
    }
}

type Text<'a> = Option<Cow<'a, str>>;

/// The name in `params`, and the protocol version in its `_meta`.
fn read_params<'a>(text: &'a str, member: Option<&str>) -> Option<(Text<'a>, Text<'a>)> {
    let params = Object::parse_nested(text, LEVELS).ok()?;
    if has_lookalike(&params, ["name", "uri"]) {
        return None;
    }
    let name = member.map(|member| params.string(member)).transpose().ok()?.flatten();
    let version = match params.raw("_meta") {
        Some(meta) if meta.starts_with('{') => {
            let meta = Object::parse_nested(meta, LEVELS).ok()?;
            meta.string("io.modelcontextprotocol/protocolVersion").ok()?
        }
        _ => None,
    };
    Some((name, version))
}

/// Whether a member is called like one of those but for case: to parsers that ignore case it would
/// be the same member once more.
fn has_lookalike(object: &Object<'_>, names: [&str; 2]) -> bool {
    let resembles = |name: &str, known: &str| name != known && folded(name).eq(folded(known));
    object.names().any(|name| names.iter().any(|known| resembles(name, known)))
}

/// Both ways, since there are letters whose lower case is ASCII, and others whose upper case is.
fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase).flat_map(char::to_uppercase)
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
