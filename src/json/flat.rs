//! The quick way to read what tokens and proofs mostly are: an object of strings and whole numbers,
//! without escapes.
//!
//! It says what a text holds or says nothing, and never that a text is wrong. Whatever it does not
//! know is left to the full reader: nested values, escapes, fractions, and everything malformed.

use std::borrow::Cow;

use super::Member;

/// More members than tokens have.
const MOST: usize = 64;

/// The members in the order of the text, repeated names included.
pub(super) fn read(text: &str) -> Option<Vec<Member<'_>>> {
    let mut reader = Reader { text, at: 0 };
    let mut members = Vec::with_capacity(16);
    reader.punctuation(b'{')?;
    if reader.punctuation(b'}').is_none() {
        loop {
            reader.space();
            let name = reader.string()?;
            reader.punctuation(b':')?;
            reader.space();
            members.push((Cow::Borrowed(name), reader.value()?));
            if reader.punctuation(b',').is_some() && members.len() < MOST {
                continue;
            }
            reader.punctuation(b'}')?;
            break;
        }
    }
    reader.space();
    (reader.at == text.len()).then_some(members)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn space(&mut self) {
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        self.at += self.rest().iter().take_while(|byte| is_space(byte)).count();
    }

    /// That byte, and the space before it.
    fn punctuation(&mut self, byte: u8) -> Option<()> {
        self.space();
        (self.rest().first() == Some(&byte)).then(|| self.at += 1)
    }

    /// The content of a string that holds no escape. Control characters are not allowed in one (RFC
    /// 8259 §7).
    fn string(&mut self) -> Option<&'a str> {
        let content = self.rest().strip_prefix(b"\"")?;
        let length = plain(content);
        if content.get(length) != Some(&b'"') {
            return None;
        }
        let start = self.at + 1;
        self.at = start + length + 1;
        self.text.get(start..start + length)
    }

    /// A value as it is written: a string, or a whole number.
    fn value(&mut self) -> Option<&'a str> {
        let start = self.at;
        if self.rest().first() == Some(&b'"') {
            self.string()?;
        } else {
            self.at += whole_number(self.rest())?;
        }
        self.text.get(start..self.at)
    }
}

/// How many bytes precede the first quote, backslash or control character. Eight are looked at
/// together, since most of a token is such bytes.
fn plain(text: &[u8]) -> usize {
    let (eights, rest) = text.as_chunks::<8>();
    for (count, eight) in eights.iter().enumerate() {
        let found = special(u64::from_le_bytes(*eight));
        if found != 0 {
            return 8 * count + found.trailing_zeros() as usize / 8;
        }
    }
    let special = |byte: &u8| *byte == b'"' || *byte == b'\\' || *byte < 0x20;
    8 * eights.len() + rest.iter().position(special).unwrap_or(rest.len())
}

/// The high bit of each byte that is special; exact for the lowest, and only a byte above a special
/// one may be marked by mistake, through the borrow.
fn special(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    (below(quote, 1) | below(backslash, 1) | below(word, 0x20)) & HIGH
}

/// The length of a whole number, without a leading zero (RFC 8259 §6), that nothing continues.
fn whole_number(text: &[u8]) -> Option<usize> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let leading_zero = count > 1 && digits.first() == Some(&b'0');
    let ends = matches!(digits.get(count), Some(b',' | b'}' | b' ' | b'\t' | b'\n' | b'\r'));
    (count > 0 && !leading_zero && ends).then(|| text.len() - digits.len() + count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::{MAX_DEPTH, Malformed};

    fn read_fully(text: &str) -> Result<Vec<Member<'_>>, Malformed> {
        crate::json::read_fully(text, MAX_DEPTH)
    }

    fn agrees(text: &str) {
        if let Some(members) = read(text) {
            assert_eq!(read_fully(text).as_ref(), Ok(&members), "{text}");
        }
    }

    #[test]
    fn what_tokens_and_proofs_hold_is_read() {
        for text in [
            "{}",
            " { } ",
            r#"{"a":"b"}"#,
            r#"{"jti":"x","htm":"GET","htu":"https://h/p?q","iat":1700000000,"ath":"y","é":"ü"}"#,
            "{ \"a\" :\t-1 ,\n\"b\" : 0\r} ",
            r#"{"a":"","a":""}"#,
        ] {
            assert_eq!(read(text), read_fully(text).ok(), "{text}");
            assert!(read(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_it_does_not_know_is_left_alone() {
        for text in [
            "",
            "{",
            "}",
            "{}x",
            "{,}",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{"a":01}"#,
            r#"{"a":-}"#,
            r#"{"a":1.5}"#,
            r#"{"a":1e3}"#,
            r#"{"a":+1}"#,
            r#"{"a":"\n"}"#,
            "{\"a\":\"\n\"}",
            r#"{"a":[]}"#,
            r#"{"a":{}}"#,
            r#"{"a":true}"#,
            r#"{'a':1}"#,
            r#"{"a":1"b":2}"#,
            r#"{"a":1 2}"#,
            "[]",
            "\u{feff}{}",
            r#"{"a":1}{}"#,
            r#"{a:1}"#,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn every_byte_is_told_at_every_place() {
        for byte in 0..=u8::MAX {
            let special = byte == b'"' || byte == b'\\' || byte < 0x20;
            for at in 0..20 {
                let mut text = [b'a'; 20];
                text[at] = byte;
                assert_eq!(plain(&text), if special { at } else { 20 }, "{byte} at {at}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn it_never_says_other_than_the_full_reader(
            text in r#"[{}":,a0-1.e \\\[\]\t\n]{0,24}"#,
        ) {
            agrees(&text);
            agrees(&format!("{{\"a\":{text}}}"));
            agrees(&format!("{{\"a{text}\":1}}"));
            agrees(&format!("{{\"a\":1{text}"));
        }

        #[test]
        fn nor_about_any_text(text in "\\PC{0,16}|.{0,16}") {
            agrees(&text);
            agrees(&format!("{{\"{text}\":\"{text}\"}}"));
        }
    }
}
