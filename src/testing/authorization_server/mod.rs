//! A whole authorization server, as far as a resource server speaks with one.

mod client;
mod condition;
mod endpoint;
mod form;
mod introspection;
mod keys;
mod state;
mod tokens;
mod trust;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{Request, Response, Uri};
use serde_json::Value;

pub use self::condition::{Condition, Garbage};
pub use self::endpoint::{Endpoint, MetadataLocation};
use self::state::State;
use super::TestIssuer;
use super::arrivals::Arrivals;
use super::hold::Hold;
use crate::fetch::{Fetch, FetchError, FetchFuture, FetchLimits};

/// An authorization server in memory, reached through the seam [`Fetch`].
///
/// It answers what a resource server asks: its metadata (RFC 8414, OpenID Connect Discovery 1.0),
/// its key set, and what it knows of a token (RFC 7662). It can rotate its keys, revoke tokens, be
/// down, slow or mad, and it remembers each request. Clones are the same server: a test gives one
/// to the resource server and keeps another. Methods that change the server return a clone too, for
/// chaining.
///
/// [`FetchLimits`] are ignored: what comes too late or is too large is left to the crate to refuse.
///
/// # Defaults
///
/// - It is up, and its metadata is at every [`MetadataLocation`].
/// - One key is published, that of its [`TestIssuer`].
/// - It knows no token, and asks no authentication of who asks about one.
/// - No `Cache-Control`.
///
/// ```
/// # use http::{Request, Response, StatusCode};
/// # use tower::{Layer, ServiceExt, service_fn};
/// use tower_resource_server::testing::{Condition, Endpoint, TestAuthorizationServer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
/// let authorization_server = TestAuthorizationServer::new("https://as.example.com");
/// let server = authorization_server.resource_server("https://api.example.com").build()?;
/// # let inner = service_fn(async |_: Request<()>| {
/// #     Ok::<_, std::convert::Infallible>(Response::new(http_body_util::Empty::<bytes::Bytes>::new()))
/// # });
/// # let app = server.authenticate().layer(inner);
///
/// let request = || authorization_server.token().authorize(Request::new(()));
/// assert_eq!(app.clone().oneshot(request()).await?.status(), StatusCode::OK);
/// assert_eq!(authorization_server.count(Endpoint::Jwks), 1);
///
/// // With the keys loaded, its outage is not ours.
/// authorization_server.set(Condition::Down);
/// assert_eq!(app.oneshot(request()).await?.status(), StatusCode::OK);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TestAuthorizationServer {
    shared: Arc<Shared>,
}

struct Shared {
    identifier: String,
    state: Mutex<State>,
    arrivals: Arrivals,
}

#[expect(
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "the clone returned is a convenience; the server is changed either way"
)]
impl TestAuthorizationServer {
    /// A server of that identifier with a random ES256 key of the id `test-1`.
    #[must_use]
    pub fn new(identifier: impl Into<String>) -> Self {
        Self::of(TestIssuer::new(identifier))
    }

    /// The server of that issuer: its identifier, its key, its clock.
    #[must_use]
    pub fn of(issuer: TestIssuer) -> Self {
        let identifier = issuer.issuer().to_owned();
        let state = Mutex::new(State::new(issuer));
        Self { shared: Arc::new(Shared { identifier, state, arrivals: Arrivals::new() }) }
    }

    /// What issues its tokens at present.
    #[must_use]
    pub fn issuer(&self) -> TestIssuer {
        self.state().issuer.clone()
    }

    /// The URL of that endpoint: for [`Endpoint::Metadata`] where RFC 8414 has it, for
    /// [`Endpoint::Other`] the identifier.
    #[must_use]
    pub fn url(&self, endpoint: Endpoint) -> String {
        let identifier = &self.shared.identifier;
        match endpoint {
            Endpoint::Introspection => endpoint::introspection(identifier),
            Endpoint::Jwks => endpoint::jwks(identifier),
            Endpoint::Metadata => MetadataLocation::OAuth.url(identifier),
            Endpoint::Other => identifier.clone(),
        }
    }

    /// Has the metadata document in these places alone.
    pub fn metadata_at(&self, locations: impl IntoIterator<Item = MetadataLocation>) -> Self {
        self.change(|state| state.locations = locations.into_iter().collect())
    }

    /// Sets a member of the metadata document, whatever it was; null leaves it out.
    ///
    /// Endpoints stay where they are.
    pub fn metadata_member(&self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.change(|state| drop(state.members.insert(name.into(), value.into())))
    }

    /// Adds a header to every right answer from now on, in place of one of that name.
    ///
    /// ```
    /// use tower_resource_server::testing::TestAuthorizationServer;
    ///
    /// let server = TestAuthorizationServer::new("https://as.example.com");
    /// server.with_header("cache-control", "max-age=3600");
    /// ```
    ///
    /// # Panics
    ///
    /// When `name` or `value` is not legal in HTTP.
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().expect("`name` is a legal header name");
        let value = HeaderValue::from_str(value).expect("`value` is a legal header value");
        self.change(|state| drop(state.headers.insert(name, value)))
    }

    /// Sets the condition of every endpoint.
    pub fn set(&self, condition: Condition) -> Self {
        self.change(|state| state.conditions.set_all(condition))
    }

    /// Sets the condition of one endpoint.
    pub fn set_at(&self, endpoint: Endpoint, condition: Condition) -> Self {
        self.change(|state| state.conditions.set(endpoint, condition))
    }

    /// Keeps requests that arrive from now on waiting until the hold is released.
    ///
    /// They count on arrival, and are answered by what is so when they are let go.
    pub fn hold(&self) -> Hold {
        let (hold, gate) = Hold::new();
        self.state().gate = Some(gate);
        hold
    }

    /// How many requests to that endpoint have arrived.
    #[must_use]
    pub fn count(&self, endpoint: Endpoint) -> usize {
        self.shared.arrivals.count(|url| self.asked(url) == endpoint)
    }

    /// The requests to that endpoint, whole, in the order they arrived.
    #[must_use]
    pub fn requests(&self, endpoint: Endpoint) -> Vec<Request<Bytes>> {
        let to = |seen: &[Request<Bytes>]| {
            let those = seen.iter().filter(|request| self.asked(request.uri()) == endpoint);
            those.cloned().collect()
        };
        self.shared.arrivals.look(to)
    }

    /// Waits until at least `least` requests to that endpoint have arrived.
    pub async fn arrived(&self, endpoint: Endpoint, least: usize) {
        self.shared.arrivals.until(least, |url| self.asked(url) == endpoint).await;
    }

    /// What it answers to that request when it is up; the request is not kept.
    ///
    /// That is all it takes to have it serve on a socket.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http::{Request, StatusCode};
    /// use tower_resource_server::testing::{Endpoint, TestAuthorizationServer};
    ///
    /// let server = TestAuthorizationServer::new("https://as.example.com");
    /// let request = Request::get(server.url(Endpoint::Jwks)).body(Bytes::new())?;
    /// assert_eq!(server.answer(&request).status(), StatusCode::OK);
    /// # Ok::<(), http::Error>(())
    /// ```
    #[must_use]
    pub fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        self.state().answer(self.asked(request.uri()), request)
    }

    fn change(&self, change: impl FnOnce(&mut State)) -> Self {
        change(&mut self.state());
        self.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked(&self, url: &Uri) -> Endpoint {
        Endpoint::of(&self.shared.identifier, url)
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, FetchError> {
        let (endpoint, gate) = (self.asked(request.uri()), self.state().gate.clone());
        self.shared.arrivals.record(request.clone());
        if let Some(gate) = gate {
            gate.passed().await;
        }
        let condition = self.state().conditions.at(endpoint);
        if let Some(delay) = condition.delay() {
            tokio::time::sleep(delay).await;
        }
        condition.step(self.answer(&request)).perform().await
    }
}

impl Fetch for TestAuthorizationServer {
    fn fetch(&self, request: Request<Bytes>, _limits: FetchLimits) -> FetchFuture<'_> {
        Box::pin(self.exchange(request))
    }
}

/// Shows neither tokens nor requests, which hold secrets.
impl fmt::Debug for TestAuthorizationServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (state, requests) = (self.state(), self.shared.arrivals.count(|_| true));
        f.debug_struct("TestAuthorizationServer")
            .field("identifier", &self.shared.identifier)
            .field("conditions", &state.conditions)
            .field("requests", &requests)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
