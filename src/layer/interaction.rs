//! `x-fapi-interaction-id`, by which client and server find one call in both their logs.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::field;

pub(super) const INTERACTION_ID: HeaderName = HeaderName::from_static("x-fapi-interaction-id");

/// The id of a request, where it has exactly one and that is a UUID. No other field of a
/// client's is ever sent back.
pub(super) fn interaction_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = field::single(headers, &INTERACTION_ID).ok().flatten();
    id.filter(|id| is_uuid(id.as_bytes())).cloned()
}

/// RFC 9562 §4, in either case and of any version.
fn is_uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
