//! Header fields that a request may have once.

use http::{HeaderMap, HeaderName, HeaderValue};

/// There are several lines of one name, and nothing says which of them counts.
#[derive(Debug)]
pub(crate) struct Repeated;

/// The one line of that name, if there is any.
pub(crate) fn single<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'h HeaderValue>, Repeated> {
    let mut lines = headers.get_all(name).iter();
    match (lines.next(), lines.next()) {
        (line, None) => Ok(line),
        (_, Some(_)) => Err(Repeated),
    }
}
