//! No body at all.

use http::StatusCode;

use super::envelope::Envelope;
use super::error_body::{ErrorBody, ErrorResponse};

/// Refuses with headers alone; the challenge says what there is to say.
///
/// Status, challenge, `no-store` and `Retry-After` are there as in every envelope. The reason
/// stands in `error_description` of the challenge where there is an error code, and always in the
/// log.
///
/// ```
/// use tower_resource_server::{Builder, render::Empty};
///
/// fn configured(builder: Builder) -> Builder {
///     builder.envelope(Empty::default())
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Empty;

impl Envelope for Empty {
    fn send_error(&self, _: StatusCode, _: &ErrorBody<'_>, _: &mut ErrorResponse) {}
}
