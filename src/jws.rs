//! The compact serialization (RFC 7515 §7.1), taken apart and not judged.

use std::borrow::Cow;

use crate::base64url;
use crate::json::Object;

/// The parts of a compact JWS, still encoded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Compact<'a> {
    /// What is signed: header, dot, payload.
    pub(crate) signing_input: &'a str,
    pub(crate) header: &'a str,
    pub(crate) payload: &'a str,
    pub(crate) signature: &'a str,
}

impl<'a> Compact<'a> {
    /// `None` unless there are exactly three parts. Five make a JWE, which is no signature.
    pub(crate) fn split(text: &'a str) -> Option<Self> {
        let (header, rest) = text.split_once('.')?;
        let (payload, signature) = rest.split_once('.')?;
        if signature.contains('.') {
            return None;
        }
        let signing_input = text.get(..header.len() + 1 + payload.len())?;
        Some(Self { signing_input, header, payload, signature })
    }
}

/// Room for the text of a small part, so that it need not be allocated.
pub(crate) struct Room([u8; 512]);

impl Room {
    pub(crate) const fn new() -> Self {
        Self([0; 512])
    }

    /// A part that is UTF-8 text, in here if it fits.
    pub(crate) fn decode_text<'a>(&'a mut self, part: &str) -> Option<Cow<'a, str>> {
        if part.len() > self.0.len() {
            return decode_text(part).map(Cow::Owned);
        }
        let length = base64url::decode_into(part, &mut self.0)?;
        std::str::from_utf8(self.0.get(..length)?).ok().map(Cow::Borrowed)
    }
}

/// A part that is UTF-8 text.
pub(crate) fn decode_text(part: &str) -> Option<String> {
    String::from_utf8(base64url::decode(part)?).ok()
}

/// Whether a header asks for more than is understood here: nothing critical is (RFC 7515 §4.1.11),
/// and JWTs are base64url-encoded (RFC 7797 §7).
pub(crate) fn needs_extension(header: &Object<'_>) -> bool {
    let unencoded = header.contains("b64") && header.boolean("b64") != Ok(Some(true));
    header.contains("crit") || unencoded
}

/// Whether a `typ` or `cty` names that type: case does not matter, and `application/` may precede
/// it (RFC 7515 §4.1.9).
pub(crate) fn is_type(value: &str, short: &str) -> bool {
    short_type(value).eq_ignore_ascii_case(short)
}

/// A `typ` or `cty` without the `application/` that may precede it.
pub(crate) fn short_type(value: &str) -> &str {
    const PREFIX: &str = "application/";
    match value.split_at_checked(PREFIX.len()) {
        Some((prefix, subtype)) if prefix.eq_ignore_ascii_case(PREFIX) => subtype,
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_parts_and_no_other_number() {
        let split = Compact::split("a.b.c").expect("three parts");
        assert_eq!((split.signing_input, split.header, split.payload), ("a.b", "a", "b"));
        assert_eq!(split.signature, "c");
        for text in ["", "a", "a.b", "a.b.c.d", "a.b.c."] {
            assert_eq!(Compact::split(text), None, "{text}");
        }
    }

    #[test]
    fn text_is_the_same_in_either_place() {
        let long = "e30".to_owned() + &"ICAg".repeat(200);
        for part in ["e30", "", "e3", "e30=", "_w", "e30 ", &long, &long[1..]] {
            let mut room = Room::new();
            let text = room.decode_text(part).map(Cow::into_owned);
            assert_eq!(text, decode_text(part), "{part}");
        }
    }

    #[test]
    fn types_are_compared_as_media_types() {
        for value in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
            assert!(is_type(value, "at+jwt"), "{value}");
        }
        for value in ["", "jwt", "application/", "text/at+jwt", "application/application/at+jwt"] {
            assert!(!is_type(value, "at+jwt"), "{value}");
        }
    }
}
