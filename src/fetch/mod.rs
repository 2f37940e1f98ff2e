//! Requests the crate itself makes: key sets today, discovery and introspection by the same seam.

#[cfg(feature = "http-client")]
mod address;
#[cfg(feature = "http-client")]
mod client;
mod error;
mod tower;

use std::fmt::Debug;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};

#[cfg(feature = "http-client")]
pub(crate) use self::address::AddressPolicy;
#[cfg(feature = "http-client")]
pub(crate) use self::client::HttpClient;
pub use self::error::{FetchError, FetchErrorKind};
pub use self::tower::TowerFetch;

/// What a [`Fetch`] resolves to.
pub type FetchFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Response<Bytes>, FetchError>> + Send + 'a>>;

/// The seam through which the crate reaches an authorization server.
///
/// The embedded client implements it (feature `http-client`); [`TowerFetch`] makes one of any
/// Tower HTTP client. An implementation follows no redirect. The crate holds it to its
/// [`FetchLimits`] from outside as well: an answer that comes late or is too large is discarded.
pub trait Fetch: Debug + Send + Sync + 'static {
    /// Sends `request` and collects the answer within `limits`.
    fn fetch(&self, request: Request<Bytes>, limits: FetchLimits) -> FetchFuture<'_>;
}

/// Bounds of one fetch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct FetchLimits {
    /// Longest body read, in bytes. Default 512 KiB.
    pub max_bytes: usize,
    /// Longest time from the first byte sent to the last byte read. Default 5 s.
    pub timeout: Duration,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self { max_bytes: 512 * 1024, timeout: Duration::from_secs(5) }
    }
}
