//! The Authorization field: `auth-scheme 1*SP token68` (RFC 9110 §11.4, §11.6.2).

use super::{CredentialPolicy, Refusal};
use crate::charset;
use crate::error::RejectionKind;
use crate::scheme::Scheme;

/// A well-formed Authorization field of a scheme that is known.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Authorization<'a> {
    /// No credentials: an empty field, or a scheme and nothing after it (RFC 9110 §11.4).
    Empty,
    Token(Scheme, &'a str),
}

pub(super) fn parse<'a>(
    line: &'a [u8],
    policy: &CredentialPolicy,
) -> Result<Authorization<'a>, Refusal> {
    let line = trim(line);
    let (name, credentials) = split(line);
    let scheme = Scheme::from_name(name);
    let refuse = |kind| Err(Refusal { kind, scheme });
    if is_too_long(line, policy) {
        return refuse(RejectionKind::TokenTooLarge);
    }
    if name.is_empty() {
        return Ok(Authorization::Empty);
    }
    if !std::str::from_utf8(name).is_ok_and(charset::is_token) {
        return refuse(RejectionKind::MalformedAuthorization);
    }
    let Some(known) = scheme else { return refuse(RejectionKind::UnsupportedScheme) };
    if credentials.is_empty() {
        return Ok(Authorization::Empty);
    }
    match token(credentials, policy) {
        Ok(token) => Ok(Authorization::Token(known, token)),
        Err(kind) => refuse(kind),
    }
}

/// Longer than any scheme with a token of the longest length.
pub(super) fn is_too_long(line: &[u8], policy: &CredentialPolicy) -> bool {
    trim(line).len() > policy.max_token_bytes.saturating_add(MAX_SCHEME)
}

/// Room for the scheme and the spaces after it, on top of the token's own limit.
const MAX_SCHEME: usize = 32;

fn token<'a>(bytes: &'a [u8], policy: &CredentialPolicy) -> Result<&'a str, RejectionKind> {
    if bytes.len() > policy.max_token_bytes {
        return Err(RejectionKind::TokenTooLarge);
    }
    let allowed = if policy.lenient_charset { is_lenient(bytes) } else { is_token68(bytes) };
    match std::str::from_utf8(bytes) {
        Ok(token) if allowed => Ok(token),
        _ => Err(RejectionKind::MalformedAuthorization),
    }
}

/// Optional whitespace around a field value is not part of it (RFC 9110 §5.5).
fn trim(line: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = line.iter().position(|byte| !is_space(byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !is_space(byte)).map_or(start, |last| last + 1);
    line.get(start..end).unwrap_or_default()
}

/// At the first space; all the spaces there belong to neither part.
fn split(line: &[u8]) -> (&[u8], &[u8]) {
    let end = line.iter().position(|&byte| byte == b' ').unwrap_or(line.len());
    let (scheme, rest) = line.split_at(end);
    let start = rest.iter().position(|&byte| byte != b' ').unwrap_or(rest.len());
    (scheme, rest.get(start..).unwrap_or_default())
}

/// `token68 = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="` (RFC 9110 §11.2).
fn is_token68(bytes: &[u8]) -> bool {
    let end = bytes.iter().rposition(|&byte| byte != b'=').map_or(0, |last| last + 1);
    let (body, _padding) = bytes.split_at(end);
    // Without an early exit the compiler checks many bytes at once.
    !body.is_empty() && body.iter().fold(true, |good, &byte| good & is_token68_byte(byte))
}

const fn is_token68_byte(byte: u8) -> bool {
    // `-./` and the digits stand in one row.
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let digit_or_mark = byte.wrapping_sub(b'-') < 13;
    letter | digit_or_mark | (byte == b'_') | (byte == b'~') | (byte == b'+')
}

/// Any visible ASCII but the comma, which could hide a second credential.
fn is_lenient(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| byte.is_ascii_graphic() && *byte != b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: CredentialPolicy = CredentialPolicy {
        max_token_bytes: 64,
        max_proof_bytes: 64,
        lenient_charset: false,
        strict_query: false,
        require_https: false,
        header_only: false,
        source: None,
    };

    fn bearer(kind: RejectionKind) -> Refusal {
        Refusal { kind, scheme: Some(Scheme::Bearer) }
    }

    #[test]
    fn a_refusal_knows_the_scheme_that_was_tried() {
        let tried = |line: &str| parse(line.as_bytes(), &POLICY).expect_err(line).scheme;
        assert_eq!(tried("DPoP a b"), Some(Scheme::Dpop));
        assert_eq!(tried("Basic a b"), None);
        assert_eq!(tried("Be/arer a"), None);
    }

    #[test]
    fn spaces_and_case_do_not_matter_where_the_grammar_says_so() {
        for line in ["Bearer TOK", "bEaReR TOK", "Bearer   TOK", "  Bearer TOK\t "] {
            assert_eq!(
                parse(line.as_bytes(), &POLICY),
                Ok(Authorization::Token(Scheme::Bearer, "TOK")),
                "{line}"
            );
        }
    }

    #[test]
    fn empty_credentials_are_no_credentials() {
        for line in ["", " ", "Bearer", "Bearer "] {
            assert_eq!(parse(line.as_bytes(), &POLICY), Ok(Authorization::Empty), "{line:?}");
        }
    }

    #[test]
    fn only_the_lenient_charset_takes_other_visible_characters() {
        let lenient = CredentialPolicy { lenient_charset: true, ..POLICY };
        let refused = Err(bearer(RejectionKind::MalformedAuthorization));
        assert_eq!(parse(b"Bearer a$b", &POLICY), refused);
        let token = Authorization::Token(Scheme::Bearer, "a$b");
        assert_eq!(parse(b"Bearer a$b", &lenient), Ok(token));
        for line in ["Bearer a,b", "Bearer a b", "Bearer a\u{e9}"] {
            assert_eq!(parse(line.as_bytes(), &lenient), refused, "{line}");
        }
    }

    #[test]
    fn token68_is_exactly_its_alphabet() {
        let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        for byte in 0..=u8::MAX {
            assert_eq!(is_token68_byte(byte), alphabet(byte), "{byte}");
        }
    }

    #[test]
    fn size_is_judged_before_grammar() {
        let long = format!("Bearer {}", "$".repeat(65));
        assert_eq!(parse(long.as_bytes(), &POLICY), Err(bearer(RejectionKind::TokenTooLarge)));
    }
}
