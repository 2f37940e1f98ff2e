//! Texts that others wrote, made fit for people, models and logs.
//!
//! What a tool says goes to a user's screen and into a model's context. A text from elsewhere must
//! not hide anything there, nor look like another line.

use crate::mcp::unseen::is_unseen;

/// Names: of an app, a tool, a service.
pub(super) const NAME: usize = 128;
/// Sentences.
pub(super) const SENTENCE: usize = 1024;
/// Scopes of one error, and the bytes of one.
pub(super) const SCOPES: usize = 64;
pub(super) const SCOPE: usize = 256;

/// The text in one line, without characters that cannot be seen, cut after so many.
pub(super) fn clean(text: &str, longest: usize) -> String {
    let mut cleaned = String::with_capacity(text.len().min(longest));
    for (at, c) in text.chars().enumerate() {
        if at == longest {
            cleaned.push('…');
            break;
        }
        cleaned.push(shown(c));
    }
    cleaned
}

fn shown(c: char) -> char {
    match c {
        '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
        c if is_unseen(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_in_its_line_and_in_sight() {
        assert_eq!(clean("a\r\nb\u{2028}c\td", 99), "a  b c d");
        assert_eq!(clean("\u{202e}evil\u{0}\u{1b}[31m", 99), "\u{fffd}evil\u{fffd}\u{fffd}[31m");
        assert_eq!(clean("tag\u{e0041}\u{200b}", 99), "tag\u{fffd}\u{fffd}");
        assert_eq!(clean("caf\u{e9} \u{645}\u{200c}\u{646} \"q\" \\", 99), "café م‌ن \"q\" \\");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(clean("äöü", 3), "äöü");
        assert_eq!(clean("äöüß", 3), "äöü…");
        assert_eq!(clean("", 0), "");
    }
}
