//! No body at all.

use http::StatusCode;

use super::envelope::{Envelope, ErrorBody, ErrorResponse};

/// Refuses with headers alone; the challenge says what there is to say.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Empty;

impl Envelope for Empty {
    fn send_error(&self, _: StatusCode, _: &ErrorBody<'_>, _: &mut ErrorResponse) {}
}
