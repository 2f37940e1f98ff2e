//! The `Forwarded` field (RFC 7239).
//!
//! `Forwarded: for=192.0.2.43;proto=https;host="api.example.com:8443", for="[2001:db8::1]:4711"`

use std::borrow::Cow;
use std::net::IpAddr;

use http::HeaderMap;
use http::header::FORWARDED;

use super::Report;
use crate::charset::is_token;

/// More proxies than this stand in no row.
const MAX_ELEMENTS: usize = 32;

const OWS: [char; 2] = [' ', '\t'];

/// Proto and host as the outermost trusted proxy saw them. `None` when a field does not parse.
///
/// Read from the left, an element replaces those before it unless its `for` is trusted: then the
/// one before was added by a trusted proxy as well.
pub(super) fn read(headers: &HeaderMap, is_trusted: impl Fn(IpAddr) -> bool) -> Option<Report<'_>> {
    let mut reached: Option<Element<'_>> = None;
    let mut count = 0;
    for field in headers.get_all(FORWARDED) {
        let mut text = skip_empty(field.to_str().ok()?);
        while !text.is_empty() {
            let (element, rest) = Element::parse(text)?;
            count += 1;
            if reached.is_none() || !element.client().is_some_and(&is_trusted) {
                reached = Some(element);
            }
            text = skip_empty(rest);
        }
    }
    (count <= MAX_ELEMENTS).then_some(())?;
    let Element { proto, host, .. } = reached.unwrap_or_default();
    Some(Report { scheme: proto, authority: host, prefix: None })
}

/// Empty elements of a list do not count (RFC 9110 §5.6.1.2).
fn skip_empty(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', ','])
}

/// What one proxy says. Parameters of other names are skipped.
#[derive(Default)]
struct Element<'a> {
    node: Option<Cow<'a, str>>,
    proto: Option<Cow<'a, str>>,
    host: Option<Cow<'a, str>>,
}

impl<'a> Element<'a> {
    /// The first element of a list, and what comes after its comma.
    fn parse(mut text: &'a str) -> Option<(Self, &'a str)> {
        let mut element = Self::default();
        loop {
            // Blanks around semicolons are not in the grammar, but they do occur.
            text = text.trim_start_matches(OWS);
            if !text.is_empty() && !text.starts_with([',', ';']) {
                let (name, value, rest) = pair(text)?;
                element.set(name, value)?;
                text = rest.trim_start_matches(OWS);
            }
            match text.strip_prefix(';') {
                Some(rest) => text = rest,
                None if text.is_empty() => return Some((element, text)),
                None => return text.strip_prefix(',').map(|rest| (element, rest)),
            }
        }
    }

    /// `None` when it is set already (RFC 7239 §4).
    fn set(&mut self, name: &str, value: Cow<'a, str>) -> Option<()> {
        let parameters =
            [("for", &mut self.node), ("proto", &mut self.proto), ("host", &mut self.host)];
        let named = parameters.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
        match named {
            Some((_, parameter)) => parameter.replace(value).is_none().then_some(()),
            None => Some(()),
        }
    }

    /// The address that `for` tells; `None` for hidden and unknown ones.
    fn client(&self) -> Option<IpAddr> {
        let node = self.node.as_deref()?;
        let (address, port) = match node.strip_prefix('[') {
            Some(literal) => {
                let (address, port) = literal.split_once(']')?;
                (IpAddr::V6(address.parse().ok()?), port)
            }
            None => {
                let (address, port) = node.split_at(node.find(':').unwrap_or(node.len()));
                (IpAddr::V4(address.parse().ok()?), port)
            }
        };
        let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(is_token);
        is_port.then_some(address)
    }
}

/// `token "=" ( token / quoted-string )`, and the rest.
fn pair(text: &str) -> Option<(&str, Cow<'_, str>, &str)> {
    let (name, after) = text.split_once('=')?;
    is_token(name).then_some(())?;
    if let Some(inside) = after.strip_prefix('"') {
        let (value, rest) = quoted(inside)?;
        return Some((name, value, rest));
    }
    let end = after.find([' ', '\t', ';', ',']).unwrap_or(after.len());
    let (value, rest) = after.split_at(end);
    is_token(value).then_some((name, Cow::Borrowed(value), rest))
}

/// The rest of a quoted-string, without what it escapes with, and what comes after it.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut escaped = false;
    let end = text.bytes().position(|byte| {
        let closes = !escaped && byte == b'"';
        escaped = !escaped && byte == b'\\';
        closes
    })?;
    let (value, rest) = text.split_at(end);
    Some((unescaped(value), rest.strip_prefix('"')?))
}

fn unescaped(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut chars = value.chars();
    let next = || match chars.next() {
        Some('\\') => chars.next(),
        other => other,
    };
    Cow::Owned(std::iter::from_fn(next).collect())
}
