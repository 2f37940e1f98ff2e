//! The limits of a fetch, held from outside: whatever the `Fetch` does about them.

use std::time::Duration;

use bytes::Bytes;
use http::header::USER_AGENT;
use http::{HeaderValue, Request, Response};
use tokio::time::timeout;

use super::{Fetch, FetchError, FetchErrorKind, FetchLimits};

/// What a `Fetch` gets on top of its own time-out before it is dropped.
pub(crate) const GRACE: Duration = Duration::from_millis(250);

/// Firewalls refuse requests without one, and the answer looks as if the document were not there.
const NAME: HeaderValue =
    HeaderValue::from_static(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")));

/// An answer within the limits, whatever its status.
pub(crate) async fn bounded(
    fetch: &dyn Fetch,
    mut request: Request<Bytes>,
    limits: FetchLimits,
) -> Result<Response<Bytes>, FetchError> {
    request.headers_mut().insert(USER_AGENT, NAME);
    let answer = fetch.fetch(request, limits);
    let answer = timeout(limits.timeout.saturating_add(GRACE), answer).await;
    let answer = answer.map_err(|_| FetchError::new(FetchErrorKind::Timeout))??;
    if answer.body().len() > limits.max_bytes {
        return Err(FetchError::new(FetchErrorKind::TooLarge));
    }
    Ok(answer)
}
