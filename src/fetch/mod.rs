//! Requests the crate itself makes: metadata of authorization servers, key sets, introspection.
//!
//! [`Fetch`] is the seam. There are three ways to fill it:
//!
//! | | for |
//! |---|---|
//! | nothing given | the embedded client (feature `http-client`): https, system roots, public addresses and [private hosts that are named](crate::Builder::allow_private_hosts) |
//! | [`TowerFetch`] | any Tower HTTP client: a proxy, a client certificate; for an authority of your own the embedded one [will do](crate::guide::keys_and_outages#a-client-of-your-own) |
//! | an implementation of your own | files, another process, tests |
//!
//! Issuers made with [`Issuer::discover`](crate::Issuer::discover) and
//! [`Issuer::jwks_uri`](crate::Issuer::jwks_uri), and those with
//! [`Introspection`](crate::Introspection), need one. Without `http-client`, and with nothing
//! given, [`build`](crate::Builder::build) reports a fault for them.
//!
//! # What is asked of it
//!
//! GET requests with `Accept` and `User-Agent`, without credentials and without a body: for each
//! issuer one at a time for its keys, and one at a time for its metadata. And, to introspection
//! endpoints, POST requests with a form and the credentials of this server, several at a time: the
//! body holds a token, and neither it nor the header is to be logged. `User-Agent` names the crate and
//! its version; a `Fetch` may put another name in its place.
//!
//! It answers with the whole response, whatever the status. It follows no redirect: an answer that is
//! not 200 counts as a failure, and a redirect could lead where the configuration never pointed.
//!
//! # What holds in any case
//!
//! The crate measures itself. A fetch that is not over a quarter of a second after the time-out is
//! dropped, a body over the limit is discarded, and a panic counts as a failure. Status, content
//! type and the keys themselves are judged outside as well. What an implementation alone can do is
//! check whom it talks to: certificates, schemes and addresses.
//!
//! # The default
//!
//! ```no_run
//! use tower_resource_server::{Issuer, ResourceServer};
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let server = ResourceServer::builder("https://api.example.com")
//!     .issuer(Issuer::jwks_uri("https://as.example.com", "https://as.example.com/jwks.json"))
//!     .fetch_timeout(std::time::Duration::from_secs(3))
//!     .build()?;
//! server.ready().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Another client
//!
//! Any Tower service from requests to responses will do; here one that answers by itself, as a
//! cache might:
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use tower::service_fn;
//! use tower_resource_server::fetch::TowerFetch;
//! use tower_resource_server::{Issuer, ResourceServer, testing::TestIssuer};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
//! let keys = TestIssuer::new("https://as.example.com").jwks_bytes();
//! let client = service_fn(move |request: Request<Full<Bytes>>| {
//!     assert_eq!(request.uri(), "https://as.example.com/jwks.json");
//!     let answer = Response::new(Full::new(keys.clone()));
//!     async { Ok::<_, std::io::Error>(answer) }
//! });
//!
//! let server = ResourceServer::builder("https://api.example.com")
//!     .issuer(Issuer::jwks_uri("https://as.example.com", "https://as.example.com/jwks.json"))
//!     .fetch(TowerFetch::new(client))
//!     .build()?;
//! server.ready().await?;
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "http-client")]
mod address;
mod bounded;
#[cfg(feature = "http-client")]
mod client;
mod error;
#[cfg(feature = "http-client")]
mod lookups;
mod reach;
mod tower;

use std::fmt::Debug;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};

#[cfg(feature = "http-client")]
pub(crate) use self::address::AddressPolicy;
pub(crate) use self::bounded::{GRACE, bounded};
#[cfg(feature = "http-client")]
pub(crate) use self::client::HttpClient;
pub use self::error::{FetchError, FetchErrorKind};
pub(crate) use self::reach::{Reach, canonical_host, ip_literal, is_localhost};
pub use self::tower::TowerFetch;

/// What a [`Fetch`] resolves to.
pub type FetchFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Response<Bytes>, FetchError>> + Send + 'a>>;

/// The seam through which the crate reaches an authorization server.
///
/// The embedded client implements it (feature `http-client`); [`TowerFetch`] makes one of any
/// Tower HTTP client. An implementation follows no redirect. The crate holds it to its
/// [`FetchLimits`] from outside as well: an answer that comes late or is too large is discarded.
///
/// For tests there is `ScriptedFetch` in the `testing` module.
///
/// ```
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use tower_resource_server::fetch::{Fetch, FetchFuture, FetchLimits};
///
/// /// Counts what another client fetches.
/// #[derive(Debug)]
/// struct Counted<F>(F, std::sync::atomic::AtomicU64);
///
/// impl<F: Fetch> Fetch for Counted<F> {
///     fn fetch(&self, request: Request<Bytes>, limits: FetchLimits) -> FetchFuture<'_> {
///         self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
///         self.0.fetch(request, limits)
///     }
/// }
/// ```
pub trait Fetch: Debug + Send + Sync + 'static {
    /// Sends `request` and collects the answer within `limits`.
    ///
    /// It runs in a task of its own, on the runtime that was current when a request or
    /// [`ready`](crate::ResourceServer::ready) asked for keys. Answers of every status are `Ok`; an
    /// error says that there is no answer.
    fn fetch(&self, request: Request<Bytes>, limits: FetchLimits) -> FetchFuture<'_>;
}

/// Bounds of one fetch.
///
/// The time is set with [`fetch_timeout`](crate::Builder::fetch_timeout), the size is fixed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct FetchLimits {
    /// Longest body read, in bytes. Default 512 KiB.
    pub max_bytes: usize,
    /// Longest time for the whole fetch, from the beginning to the last byte read. Default 5 s.
    pub timeout: Duration,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self { max_bytes: 512 * 1024, timeout: Duration::from_secs(5) }
    }
}
