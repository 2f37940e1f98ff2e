//! A token in a form (RFC 6750 §2.2): found by a layer outside, judged with the others here.

use std::borrow::Cow;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method};

use super::RequestHead;
use crate::error::RejectionKind;
use crate::field;
use crate::media_type;

/// What a form held; in the request's extensions, where no client can put it.
#[derive(Clone)]
pub(crate) struct FormToken(pub(crate) Result<Option<Box<str>>, RejectionKind>);

pub(super) fn presented<'a>(head: &RequestHead<'a>) -> Result<Option<Cow<'a, str>>, RejectionKind> {
    match head.extensions().get::<FormToken>() {
        None => Ok(None),
        Some(FormToken(Ok(token))) => Ok(token.as_deref().map(Cow::Borrowed)),
        Some(FormToken(Err(kind))) => Err(*kind),
    }
}

/// Whether a request of that head may carry its token in the body: a method whose body has a
/// meaning, and the one content type of forms.
pub(crate) fn is_form(method: &Method, headers: &HeaderMap) -> bool {
    let has_body = [Method::POST, Method::PUT, Method::PATCH].contains(method);
    let Ok(Some(value)) = field::single(headers, &CONTENT_TYPE) else { return false };
    has_body && media_type::is(value, "application/x-www-form-urlencoded")
}

/// The `access_token` of a whole form body.
pub(crate) fn find(body: &[u8]) -> FormToken {
    FormToken(parameter(body))
}

fn parameter(body: &[u8]) -> Result<Option<Box<str>>, RejectionKind> {
    let malformed = RejectionKind::MalformedAuthorization;
    let mut values = body.split(|&byte| byte == b'&').filter_map(|pair| {
        let at = pair.iter().position(|&byte| byte == b'=')?;
        (decode(pair.get(..at)?)?.as_slice() == b"access_token").then(|| pair.get(at + 1..))
    });
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(RejectionKind::MultipleCredentials);
    }
    // The whole body is ASCII when it carries a token.
    let token = value.filter(|_| body.is_ascii()).and_then(decode).ok_or(malformed)?;
    let token = String::from_utf8(token).map_err(|_| malformed)?;
    // An empty value is an omitted parameter (RFC 6749 §3.1).
    Ok((!token.is_empty()).then(|| token.into_boxed_str()))
}

/// `application/x-www-form-urlencoded`: `+` is a space, `%` begins an octet.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = std::str::from_utf8(after.get(..2)?).ok()?;
                rest = after.get(2..)?;
                digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then_some(())?;
                u8::from_str_radix(digits, 16).ok()?
            }
            plain => plain,
        });
    }
    Some(decoded)
}
