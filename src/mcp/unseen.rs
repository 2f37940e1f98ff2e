//! Characters that nobody sees, and behind which a text can hide something.

/// Controls, marks that turn the direction of writing, and what carries text that nobody sees: tags
/// and the further variation selectors. Joiners are none, for scripts need them.
pub(super) fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}
