//! `application/x-www-form-urlencoded`, for queries and forms.

use std::fmt::Write as _;

pub(crate) fn encode(pairs: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| format!("{}={}", escaped(name), escaped(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

pub(crate) fn decode(form: &str) -> Vec<(String, String)> {
    let pairs = form.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (plain(name), plain(value))).collect()
}

/// Unreserved characters as they are, and those of URLs and scopes that forms and queries may have
/// unescaped, for the sake of who reads the output.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => escaped.push('+'),
            b'-' | b'.' | b'_' | b'~' | b':' | b'/' => escaped.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => escaped.push(char::from(byte)),
            _ => {
                let _ = write!(escaped, "%{byte:02X}");
            }
        }
    }
    escaped
}

fn plain(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'+' => b' ',
            b'%' => digit(bytes.next()) * 16 + digit(bytes.next()),
            _ => byte,
        });
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// What is no digit counts as none: such an escape is broken, and so is the value.
fn digit(byte: Option<u8>) -> u8 {
    let value = byte.and_then(|byte| char::from(byte).to_digit(16)).unwrap_or_default();
    u8::try_from(value).unwrap_or_default()
}
