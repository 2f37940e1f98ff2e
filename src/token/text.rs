//! A piece of a token's payload, without a copy of it where none is needed.

use std::borrow::Cow;

/// A text of the payload: where it stands there, or its own copy when it had to be unescaped.
#[derive(Debug)]
pub(super) enum Text {
    Span { start: usize, end: usize },
    Own(Box<str>),
}

impl Text {
    /// `value` was read from `payload`.
    pub(super) fn of(value: Cow<'_, str>, payload: &str) -> Self {
        match value {
            Cow::Borrowed(slice) => Self::span(slice, payload),
            Cow::Owned(unescaped) => Self::Own(unescaped.into_boxed_str()),
        }
    }

    fn span(slice: &str, payload: &str) -> Self {
        let start = (slice.as_ptr() as usize).wrapping_sub(payload.as_ptr() as usize);
        let end = start.wrapping_add(slice.len());
        match payload.get(start..end) {
            Some(_) => Self::Span { start, end },
            None => Self::Own(slice.into()),
        }
    }

    /// The text, given the payload it was read from.
    pub(super) fn read<'a>(&'a self, payload: &'a str) -> &'a str {
        match self {
            Self::Span { start, end } => payload.get(*start..*end).unwrap_or_default(),
            Self::Own(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_reads_as_it_was_read() {
        let payload = String::from(r#"{"sub":"user-1"}"#);
        let span = Text::of(Cow::Borrowed(&payload[8..14]), &payload);
        assert!(matches!(span, Text::Span { start: 8, end: 14 }));
        assert_eq!(span.read(&payload), "user-1");
        assert_eq!(Text::of(Cow::Owned("a/b".to_owned()), &payload).read(&payload), "a/b");
        assert_eq!(Text::of(Cow::Borrowed("elsewhere"), &payload).read(&payload), "elsewhere");
    }
}
