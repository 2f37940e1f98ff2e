//! URIs in one form, so that `htu` can be compared with what was called (RFC 9449 §4.3).
//!
//! The form is that of RFC 3986 §6.2.2 and §6.2.3:
//!
//! - scheme and host in lower case, IPv6 addresses in their shortest form,
//! - no port where it is the scheme's own, or empty,
//! - escapes with upper-case digits, and none for unreserved characters,
//! - dot segments removed, escaped ones included; `/` for an empty path.
//!
//! Everything else tells URIs apart: case and trailing slashes of the path, `%2F` and `/`, other
//! ports. Characters that a path should escape but many clients do not, such as `|` and `[`, are
//! compared as they stand. Backslashes are refused, since some software reads them as slashes.

use std::net::Ipv6Addr;

/// Takes a URI apart at its first `?` or `#`.
pub(super) fn split_query(uri: &str) -> (&str, &str) {
    uri.split_at(uri.bytes().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(uri.len()))
}

/// Scheme, authority and path of a URI without query and fragment, as they are written.
pub(super) fn split(uri: &str) -> Option<(&str, &str, &str)> {
    let (scheme, after) = uri.split_once("://")?;
    let (authority, path) = after.split_at(after.find('/').unwrap_or(after.len()));
    Some((scheme, authority, path))
}

/// The normal form of an absolute http(s) URI without query and fragment.
pub(super) fn normalize(uri: &str) -> Option<String> {
    let (scheme, authority, raw) = split(uri)?;
    let mut normal = origin(scheme, authority)?;
    normal.push_str(&path(raw)?);
    Some(normal)
}

/// The normal form of scheme, host and port; `None` for userinfo and whatever else is no such
/// thing.
pub(super) fn origin(scheme: &str, authority: &str) -> Option<String> {
    let (scheme, default) = web_scheme(scheme)?;
    let (written, port) = split_port(authority)?;
    let host = host(written)?;
    Some(match port {
        Some(port) if port != default => format!("{scheme}://{host}:{port}"),
        _ => format!("{scheme}://{host}"),
    })
}

/// The normal form of a path.
pub(super) fn path(raw: &str) -> Option<String> {
    if raw.is_empty() {
        return Some("/".into());
    }
    if !raw.starts_with('/') || raw.contains(['?', '#']) {
        return None;
    }
    let decoded = decode_unreserved(raw)?;
    Some(if decoded.contains("/.") { remove_dots(&decoded) } else { decoded })
}

/// Whether a query or fragment is made of characters and escapes that a URI can have.
pub(super) fn is_sound(rest: &str) -> bool {
    rest.is_empty() || decode_unreserved(rest).is_some()
}

/// Whether a path that starts with a slash is its own normal form for certain.
pub(super) fn is_plain(path: &str) -> bool {
    let mut after_slash = false;
    path.bytes().all(|byte| {
        let begins_dots = after_slash && byte == b'.';
        after_slash = byte == b'/';
        is_usable(byte) && byte != b'%' && !begins_dots
    })
}

/// The scheme in lower case, and its port.
fn web_scheme(scheme: &str) -> Option<(&'static str, u16)> {
    [("https", 443), ("http", 80)].into_iter().find(|(name, _)| scheme.eq_ignore_ascii_case(name))
}

fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let end = if authority.starts_with('[') {
        authority.find(']')? + 1
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    let (host, rest) = authority.split_at(end);
    if matches!(rest, "" | ":") {
        return Some((host, None));
    }
    let digits = rest.strip_prefix(':')?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let port = digits.parse().ok().filter(|_| is_number)?;
    Some((host, Some(port)))
}

fn host(written: &str) -> Option<String> {
    if let Some(literal) = written.strip_prefix('[') {
        let address: Ipv6Addr = literal.strip_suffix(']')?.parse().ok()?;
        return Some(format!("[{address}]"));
    }
    let mut name = decode_unreserved(written)?;
    name.make_ascii_lowercase();
    let sub_delims = b"!$&'()*+,;=";
    let is_name =
        |name: &str| name.bytes().all(|byte| is_unreserved(byte) || sub_delims.contains(&byte));
    (!name.is_empty() && is_name(&name)).then_some(name)
}

/// Decodes escaped unreserved characters and leaves the other escapes, in upper case.
fn decode_unreserved(text: &str) -> Option<String> {
    let mut decoded = String::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            push_escaped(&mut decoded, escaped(bytes.next()?, bytes.next()?)?);
        } else if is_usable(byte) {
            decoded.push(char::from(byte));
        } else {
            return None;
        }
    }
    Some(decoded)
}

fn push_escaped(decoded: &mut String, byte: u8) {
    if is_unreserved(byte) {
        decoded.push(char::from(byte));
    } else {
        decoded.push('%');
        let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or('0');
        decoded.extend([byte >> 4, byte & 15].map(digit).map(|digit| digit.to_ascii_uppercase()));
    }
}

fn escaped(high: u8, low: u8) -> Option<u8> {
    let digit = |byte| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// RFC 3986 §5.2.4, for a path that starts with a slash.
fn remove_dots(path: &str) -> String {
    let mut clean = String::with_capacity(path.len());
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." => {}
            ".." => clean.truncate(clean.rfind('/').unwrap_or(0)),
            _ => {
                clean.push('/');
                clean.push_str(segment);
                continue;
            }
        }
        if segments.peek().is_none() {
            clean.push('/');
        }
    }
    clean
}

/// Visible ASCII other than the backslash.
const fn is_usable(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7e) && byte != b'\\'
}

/// RFC 3986 §2.3.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
#[path = "htu_tests.rs"]
mod tests;
