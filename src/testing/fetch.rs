//! Fetches that go by a script and never touch the network.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode, Uri};
use serde_json::Value;

use super::hold::Hold;
use super::script::{State, Step};
use crate::fetch::{Fetch, FetchErrorKind, FetchFuture, FetchLimits};

/// A [`Fetch`] that answers by a script and remembers what it was asked.
///
/// Each request takes the next turn in the queue, then the standing answer of its URI, then the one
/// of all, and fails with [`FetchErrorKind::Transport`] when there is none. Clones share script and
/// memory, so a test gives one to the resource server and keeps another; methods that write the
/// script return a clone too, for chaining. [`FetchLimits`] are ignored: what comes too late or is
/// too large is left to the crate to refuse.
///
/// For a server that answers by what it is asked there is
/// [`TestAuthorizationServer`](super::TestAuthorizationServer).
///
/// ```
/// use tower_resource_server::testing::{ScriptedFetch, TestIssuer};
///
/// let issuer = TestIssuer::new("https://as.example.com");
/// let fetch = ScriptedFetch::new().always_json(issuer.jwks_json());
/// fetch.respond(503, "text/plain", "the first request only");
/// assert_eq!(fetch.count(), 0);
/// ```
#[derive(Clone)]
pub struct ScriptedFetch {
    state: Arc<State>,
}

#[expect(
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "the clone returned is a convenience; the script is written either way"
)]
impl ScriptedFetch {
    /// A fetch with an empty script.
    #[must_use]
    pub fn new() -> Self {
        Self { state: Arc::new(State::new()) }
    }

    /// Queues one answer.
    ///
    /// # Panics
    ///
    /// When `status` or `content_type` is not legal in HTTP.
    pub fn respond(&self, status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.respond_with(answer(status, content_type, body.into()))
    }

    /// Queues one answer with whatever headers it has.
    pub fn respond_with(&self, answer: Response<Bytes>) -> Self {
        self.queue(Step::Answer(answer))
    }

    /// Sets the answer of all requests that find the queue empty.
    ///
    /// # Panics
    ///
    /// When `status` or `content_type` is not legal in HTTP.
    pub fn always(&self, status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.fall_back(Step::Answer(answer(status, content_type, body.into())))
    }

    /// Sets the answer of all requests that find the queue empty: 200 with that JSON.
    pub fn always_json(&self, body: impl Into<Value>) -> Self {
        self.fall_back(Step::Answer(answer(
            200,
            "application/json",
            body.into().to_string().into(),
        )))
    }

    /// Sets the answer of all requests to `uri` that find the queue empty.
    ///
    /// # Panics
    ///
    /// When `uri`, `status` or `content_type` is not legal in HTTP.
    pub fn at(&self, uri: &str, status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.stand(uri, Step::Answer(answer(status, content_type, body.into())))
    }

    /// Sets the answer of all requests to `uri` that find the queue empty: 200 with that JSON.
    ///
    /// # Panics
    ///
    /// When `uri` is not a URI.
    pub fn json_at(&self, uri: &str, body: impl Into<Value>) -> Self {
        self.at(uri, 200, "application/json", body.into().to_string())
    }

    /// Lets all requests to `uri` fail that find the queue empty.
    ///
    /// # Panics
    ///
    /// When `uri` is not a URI.
    pub fn fail_at(&self, uri: &str, kind: FetchErrorKind) -> Self {
        self.stand(uri, Step::Fail(kind))
    }

    /// Lets all requests to `uri` hang that find the queue empty.
    ///
    /// # Panics
    ///
    /// When `uri` is not a URI.
    pub fn hang_at(&self, uri: &str) -> Self {
        self.stand(uri, Step::Hang)
    }

    /// Lets all requests fail that find the queue empty.
    pub fn always_fail(&self, kind: FetchErrorKind) -> Self {
        self.fall_back(Step::Fail(kind))
    }

    /// Queues one failure.
    pub fn fail(&self, kind: FetchErrorKind) -> Self {
        self.queue(Step::Fail(kind))
    }

    /// Queues one request that never ends.
    pub fn hang(&self) -> Self {
        self.queue(Step::Hang)
    }

    /// Adds a header to every answer given from now on.
    ///
    /// # Panics
    ///
    /// When `name` or `value` is not legal in HTTP.
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().expect("`name` is a legal header name");
        let value = HeaderValue::from_str(value).expect("`value` is a legal header value");
        self.state.script().headers.insert(name, value);
        self.clone()
    }

    /// Keeps requests that arrive from now on waiting until the hold is released.
    ///
    /// They count, and take their turn in the script, on arrival.
    pub fn hold(&self) -> Hold {
        let (hold, gate) = Hold::new();
        self.state.script().gate = Some(gate);
        hold
    }

    /// How many requests have arrived.
    #[must_use]
    pub fn count(&self) -> usize {
        self.state.seen.count(|_| true)
    }

    /// The URIs of the requests in the order they arrived.
    #[must_use]
    pub fn requests(&self) -> Vec<Uri> {
        self.state.seen.look(|seen| seen.iter().map(|request| request.uri().clone()).collect())
    }

    /// The requests in the order they arrived, whole: method, header and body too.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Request<Bytes>> {
        self.state.seen.look(<[_]>::to_vec)
    }

    /// How many requests to `uri` have arrived.
    #[must_use]
    pub fn count_at(&self, uri: &str) -> usize {
        self.state.seen.count(|arrived| *arrived == *uri)
    }

    /// Waits until at least `count` requests have arrived.
    pub async fn arrived(&self, count: usize) {
        self.state.seen.until(count, |_| true).await;
    }

    fn queue(&self, step: Step) -> Self {
        self.state.script().queue.push_back(step);
        self.clone()
    }

    fn stand(&self, uri: &str, step: Step) -> Self {
        let uri = uri.parse().expect("`uri` is a URI");
        self.state.script().by_uri.insert(uri, step);
        self.clone()
    }

    fn fall_back(&self, step: Step) -> Self {
        self.state.script().fallback = Some(step);
        self.clone()
    }
}

impl Default for ScriptedFetch {
    fn default() -> Self {
        Self::new()
    }
}

impl Fetch for ScriptedFetch {
    fn fetch(&self, request: Request<Bytes>, _limits: FetchLimits) -> FetchFuture<'_> {
        Box::pin(async move { self.state.play(request).await })
    }
}

impl fmt::Debug for ScriptedFetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedFetch").field("requests", &self.requests()).finish_non_exhaustive()
    }
}

/// An answer of that status, content type and body.
pub(super) fn answer(status: u16, content_type: &str, body: Bytes) -> Response<Bytes> {
    let mut answer = Response::new(body);
    *answer.status_mut() = StatusCode::from_u16(status).expect("`status` is a legal status");
    let content_type = HeaderValue::from_str(content_type).expect("`content_type` is legal");
    answer.headers_mut().insert(CONTENT_TYPE, content_type);
    answer
}

#[cfg(test)]
#[path = "fetch_tests.rs"]
mod tests;
