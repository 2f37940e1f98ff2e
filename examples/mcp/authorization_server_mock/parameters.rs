//! The parameters of a request (RFC 6749 §3.1, §3.2, Appendix B).

use std::collections::HashSet;
use std::fmt::Write as _;

pub(super) struct Parameters {
    pairs: Vec<(String, String)>,
}

impl Parameters {
    /// None if the text is not form-encoded UTF-8. What cannot be decoded for certain is not
    /// guessed at: `state` has to go back as it came.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let pairs = text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
        Some(Self { pairs: pairs.map(pair).collect::<Option<_>>()? })
    }

    /// The value of the parameter, if it is there once. An empty one is an omitted one.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.pairs.iter().filter(|(seen, _)| seen == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) if !value.is_empty() => Some(value),
            _ => None,
        }
    }

    /// All of them, for what may be there more than once.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let values = self.pairs.iter().filter(move |(seen, _)| seen == name);
        values.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Whether there are two of a kind. A `resource` may have others beside it (RFC 8707 §2).
    pub(super) fn repeat(&self) -> bool {
        let mut seen = HashSet::new();
        let mut names = self.pairs.iter().map(|(name, _)| name).filter(|name| *name != "resource");
        !names.all(|name| seen.insert(name))
    }
}

fn pair(text: &[u8]) -> Option<(String, String)> {
    let end = text.iter().position(|byte| *byte == b'=').unwrap_or(text.len());
    let (name, value) = (&text[..end], text.get(end + 1..).unwrap_or_default());
    Some((decoded(name)?, decoded(value)?))
}

pub(super) fn decoded(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => digit(rest.next()?)? << 4 | digit(rest.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// A space becomes `%20`, which decoders of forms and those of URIs read alike.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
