//! One JSON object, read strictly.
//!
//! JOSE headers and claims come from strangers. RFC 7519 §4 and RFC 7515 §4 let a recipient
//! refuse repeated member names; this reader does, and it bounds depth and member count.

#[cfg(feature = "mcp")]
mod array;
mod flat;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

#[cfg(feature = "mcp")]
pub(crate) use self::array::array;
use crate::clock::Timestamp;

const MAX_DEPTH: usize = 32;
const MAX_MEMBERS: usize = 512;

/// The text is not one JSON object as this module demands it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Malformed;

/// The member is there, but its value is not of the type asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct WrongType;

/// A string, or the strings of an array.
pub(crate) enum OneOrMany<'a> {
    One(Cow<'a, str>),
    Many(Vec<String>),
}

/// A name and the text of its value.
type Member<'a> = (Cow<'a, str>, &'a str);

/// The members of one JSON object, sorted.
pub(crate) struct Object<'a>(Vec<Member<'a>>);

impl<'a> Object<'a> {
    /// Reads exactly one UTF-8 JSON object: no repeated name, nothing after it (RFC 7515 §10.12),
    /// no lone surrogate, at most 32 levels deep.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Malformed> {
        match flat::read(text) {
            Some(members) => Self::of(members),
            None => Self::parse_nested(text, MAX_DEPTH),
        }
    }

    /// The same, so many levels deep at most, for texts that hardly ever are flat.
    pub(crate) fn parse_nested(text: &'a str, levels: usize) -> Result<Self, Malformed> {
        Self::of(read_fully(text, levels)?)
    }

    /// The same, whatever the values are: each that is used has to be read by itself.
    pub(crate) fn parse_outer(text: &'a str) -> Result<Self, Malformed> {
        let Members(members) = serde_json::from_str(text).map_err(|_| Malformed)?;
        Self::of(members)
    }

    fn of(mut members: Vec<Member<'a>>) -> Result<Self, Malformed> {
        members.sort_unstable_by(|a, b| order(&a.0, &b.0));
        if members.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(Malformed);
        }
        Ok(Self(members))
    }

    /// Without the members that are null, but for those of these names.
    pub(crate) fn without_nulls(mut self, but: &[&str]) -> Self {
        self.0.retain(|(name, value)| *value != "null" || but.contains(&&**name));
        self
    }

    pub(crate) fn raw(&self, name: &str) -> Option<&'a str> {
        let at = self.0.binary_search_by(|(member, _)| order(member, name)).ok()?;
        self.0.get(at).map(|(_, value)| *value)
    }

    #[cfg(feature = "mcp")]
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_ref())
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    pub(crate) fn string(&self, name: &str) -> Result<Option<Cow<'a, str>>, WrongType> {
        self.raw(name).map(string).transpose()
    }

    pub(crate) fn boolean(&self, name: &str) -> Result<Option<bool>, WrongType> {
        self.raw(name).map(|raw| serde_json::from_str(raw).map_err(|_| WrongType)).transpose()
    }

    /// A `NumericDate` (RFC 7519 §2): a JSON number, fractions allowed, up to the year 9999.
    pub(crate) fn date(&self, name: &str) -> Result<Option<Timestamp>, WrongType> {
        self.raw(name).map(date).transpose()
    }

    /// A string, or an array of strings (RFC 7519 §4.1.3).
    pub(crate) fn one_or_many(&self, name: &str) -> Result<Option<OneOrMany<'a>>, WrongType> {
        self.raw(name).map(one_or_many).transpose()
    }
}

/// All members in the order of the text, by serde_json.
fn read_fully(text: &str, levels: usize) -> Result<Vec<Member<'_>>, Malformed> {
    scan(text.as_bytes(), levels)?;
    let Members(members) = serde_json::from_str(text).map_err(|_| Malformed)?;
    Ok(members)
}

/// By length first, which settles most comparisons at once.
fn order(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn string(raw: &str) -> Result<Cow<'_, str>, WrongType> {
    let plain = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or(WrongType)?;
    if plain.contains('\\') {
        serde_json::from_str(raw).map(Cow::Owned).map_err(|_| WrongType)
    } else {
        Ok(Cow::Borrowed(plain))
    }
}

/// The end of the year 9999 in seconds. What lies beyond is no date anyone means.
const LAST_DATE: i64 = 253_402_300_799;

fn date(raw: &str) -> Result<Timestamp, WrongType> {
    let date = match raw.parse::<i64>() {
        Ok(seconds) => Timestamp::from_seconds(seconds),
        Err(_) => {
            serde_json::from_str(raw).map(Timestamp::from_seconds_f64).map_err(|_| WrongType)?
        }
    };
    let last = Timestamp::from_seconds(LAST_DATE);
    let first = Timestamp::from_seconds(-LAST_DATE);
    if (first..=last).contains(&date) { Ok(date) } else { Err(WrongType) }
}

fn one_or_many(raw: &str) -> Result<OneOrMany<'_>, WrongType> {
    if raw.starts_with('[') {
        return serde_json::from_str(raw).map(OneOrMany::Many).map_err(|_| WrongType);
    }
    string(raw).map(OneOrMany::One)
}

/// Checks what serde_json passes over in values it skips: nesting depth, and that escaped
/// surrogates come in pairs. Everything else of the grammar is serde_json's to check.
fn scan(text: &[u8], levels: usize) -> Result<(), Malformed> {
    let openings = text.iter().filter(|byte| matches!(byte, b'{' | b'[')).count();
    // Nothing escaped and few brackets, as in most tokens: nothing of the kind can be there.
    if openings <= levels && !text.contains(&b'\\') {
        return Ok(());
    }
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => at = end_of_string(text, at + 1)?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > levels {
            return Err(Malformed);
        }
        at += 1;
    }
    Ok(())
}

/// The index of the quote that ends the string whose content begins at `at`.
fn end_of_string(text: &[u8], mut at: usize) -> Result<usize, Malformed> {
    loop {
        match text.get(at) {
            Some(b'"') => return Ok(at),
            Some(b'\\') => at += escape_length(text.get(at..).unwrap_or_default())?,
            Some(_) => at += 1,
            None => return Err(Malformed),
        }
    }
}

fn escape_length(text: &[u8]) -> Result<usize, Malformed> {
    match unicode_escape(text) {
        None => Ok(2),
        Some(0xD800..=0xDBFF) => match unicode_escape(text.get(6..).unwrap_or_default()) {
            Some(0xDC00..=0xDFFF) => Ok(12),
            _ => Err(Malformed),
        },
        Some(0xDC00..=0xDFFF) => Err(Malformed),
        Some(_) => Ok(6),
    }
}

fn unicode_escape(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

struct Members<'a>(Vec<Member<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor).map(Members)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Vec<Member<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(16);
        while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
            if members.len() == MAX_MEMBERS {
                return Err(serde::de::Error::custom("too many members"));
            }
            members.push((name, value.get()));
        }
        Ok(members)
    }
}

/// A member name, borrowed from the text unless it holds escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Name<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Name(Cow::Borrowed(name)))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Name(Cow::Owned(name.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> bool {
        Object::parse(text).is_err()
    }

    #[test]
    fn members_are_found_by_their_unescaped_name() {
        let object = Object::parse(r#" {"al\u0067":"ES256","n":1.5,"b":true} "#).expect("valid");
        assert_eq!(object.string("alg"), Ok(Some(Cow::Borrowed("ES256"))));
        assert_eq!(object.date("n"), Ok(Some(Timestamp::from_millis(1500))));
        assert_eq!(object.boolean("b"), Ok(Some(true)));
        assert_eq!(object.string("n"), Err(WrongType));
        assert!(!object.contains("x"));
    }

    #[test]
    fn anything_but_one_object_is_refused() {
        for text in ["", "null", "[]", "\"x\"", "{} {}", "{}x", "\u{feff}{}", "{\"a\":}", "{'a':1}"]
        {
            assert!(refused(text), "{text}");
        }
    }

    #[test]
    fn nulls_can_be_left_out() {
        let text = r#"{"a": null ,"b":"null","c":null,"d":[null]}"#;
        let object = Object::parse(text).expect("valid").without_nulls(&["c"]);
        assert_eq!(object.raw("a"), None);
        assert_eq!(object.raw("b"), Some("\"null\""));
        assert_eq!((object.raw("c"), object.raw("d")), (Some("null"), Some("[null]")));
    }

    #[test]
    fn repeated_names_are_refused_even_when_escaped() {
        assert!(refused(r#"{"a":1,"a":1}"#));
        assert!(refused(r#"{"alg":1,"al\u0067":1}"#));
    }

    #[test]
    fn lone_surrogates_are_refused_wherever_they_stand() {
        assert!(refused(r#"{"x":{"y":"\ud800"}}"#));
        assert!(refused(r#"{"x":"\udc00"}"#));
        assert!(refused(r#"{"\ud800x":1}"#));
        assert!(Object::parse(r#"{"x":"\ud83d\ude00 \\u"}"#).is_ok());
    }

    #[test]
    fn depth_and_member_count_are_bounded() {
        let deep =
            |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(Object::parse(&deep(MAX_DEPTH - 1)).is_ok());
        assert!(refused(&deep(MAX_DEPTH)));
        let wide = |n: usize| {
            let members: Vec<_> = (0..n).map(|i| format!("\"m{i}\":0")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert!(Object::parse(&wide(MAX_MEMBERS)).is_ok());
        assert!(refused(&wide(MAX_MEMBERS + 1)));
    }

    #[test]
    fn numbers_of_any_size_are_read_or_refused_without_wrapping() {
        let refused = ["1e308", "1e999", "-9223372036854775808", "99999999999999999999", "1e12"];
        for number in refused {
            let text = format!(r#"{{"n":{number}}}"#);
            assert_eq!(Object::parse(&text).expect("valid").date("n"), Err(WrongType), "{number}");
        }
        let object = Object::parse(r#"{"last":253402300799,"early":-1.5e0}"#).expect("valid");
        assert_eq!(object.date("last"), Ok(Some(Timestamp::from_seconds(253_402_300_799))));
        assert_eq!(object.date("early"), Ok(Some(Timestamp::from_millis(-1500))));
    }
}
