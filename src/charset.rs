//! The character sets of OAuth parameters (RFC 6749 appendix A, RFC 6750 §3).

use std::borrow::Cow;

/// `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`.
pub(crate) fn is_scope_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte != b' ' && is_description_byte(byte))
}

/// `error_uri`: `%x21 / %x23-5B / %x5D-7E`.
pub(crate) fn is_uri_text(text: &str) -> bool {
    is_scope_token(text)
}

/// `error_description`: `%x20-21 / %x23-5B / %x5D-7E`. Whatever else stands in it becomes `?`.
pub(crate) fn description(text: &str) -> Cow<'_, str> {
    if text.bytes().all(is_description_byte) {
        return Cow::Borrowed(text);
    }
    let replaced = text.chars().map(|c| match u8::try_from(c) {
        Ok(byte) if is_description_byte(byte) => c,
        _ => '?',
    });
    Cow::Owned(replaced.collect())
}

const fn is_description_byte(byte: u8) -> bool {
    matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}

/// What a quoted-string can carry as it is sent: visible ASCII, space and tab (RFC 9110 §5.6.4).
pub(crate) fn is_quotable(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'\t' || matches!(byte, 0x20..=0x7e))
}

/// RFC 9110 §5.6.2.
pub(crate) fn is_token(text: &str) -> bool {
    let special = b"!#$%&'*+-.^_`|~";
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || special.contains(&b))
}
