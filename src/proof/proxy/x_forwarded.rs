//! `X-Forwarded-Proto`, `-Host` and `-Prefix`: no standard, but what many proxies send.

use std::borrow::Cow;

use http::{HeaderMap, HeaderValue};

use super::Report;

/// `None` when a field cannot be read.
pub(super) fn read(headers: &HeaderMap) -> Option<Report<'_>> {
    let nearest = |name| last(headers, name);
    Some(Report {
        scheme: nearest("x-forwarded-proto")?.map(Cow::Borrowed),
        authority: nearest("x-forwarded-host")?.map(Cow::Borrowed),
        prefix: match nearest("x-forwarded-prefix")? {
            Some(prefix) if !prefix.starts_with('/') => return None,
            prefix => prefix.map(|prefix| prefix.strip_suffix('/').unwrap_or(prefix)),
        },
    })
}

/// The last value of the last field, if there is one; `None` when it is not ASCII.
fn last<'a>(headers: &'a HeaderMap, name: &str) -> Option<Option<&'a str>> {
    let field = headers.get_all(name).iter().next_back().map(HeaderValue::to_str);
    let value =
        |text: &'a str| text.rsplit(',').next().map(|value| value.trim_matches([' ', '\t']));
    field.transpose().ok().map(|text| text.and_then(value))
}
