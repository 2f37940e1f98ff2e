//! Why a fetch failed.

use std::error::Error;
use std::fmt;

/// Why a fetch brought no answer.
///
/// Observers get the kind, as [`RefreshError::Fetch`](crate::RefreshError::Fetch). The chain of
/// sources goes into the log, so it should hold no secrets.
///
/// ```
/// use std::error::Error;
/// use tower_resource_server::fetch::{FetchError, FetchErrorKind};
///
/// let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
/// let error = FetchError::with_source(FetchErrorKind::Transport, refused);
/// assert_eq!(error.kind(), FetchErrorKind::Transport);
/// assert_eq!(error.to_string(), "the connection failed");
/// assert!(error.source().is_some());
/// ```
#[derive(Debug)]
pub struct FetchError {
    kind: FetchErrorKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// The kinds of [`FetchError`].
///
/// All of them have the same effect: loaded keys stay in use, and the next attempt waits for a
/// rest.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FetchErrorKind {
    /// The host resolves to a loopback, private or link-local address that is not allowed.
    ForbiddenAddress,
    /// The URL has a scheme other than https, or http to a host that is not loopback.
    ForbiddenScheme,
    /// No whole answer in time.
    Timeout,
    /// The body is longer than the limit.
    TooLarge,
    /// The connection, TLS or HTTP failed.
    Transport,
}

impl FetchErrorKind {
    const fn text(self) -> &'static str {
        match self {
            Self::ForbiddenAddress => "the host resolves to an address that is not allowed",
            Self::ForbiddenScheme => "the URL is neither https nor http on loopback",
            Self::Timeout => "no whole answer in time",
            Self::TooLarge => "the answer is larger than the limit",
            Self::Transport => "the connection failed",
        }
    }
}

impl FetchError {
    /// An error of that kind.
    #[must_use]
    pub const fn new(kind: FetchErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// An error of that kind and what caused it.
    #[must_use]
    pub fn with_source(
        kind: FetchErrorKind,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { kind, source: Some(source.into()) }
    }

    /// What went wrong.
    #[must_use]
    pub const fn kind(&self) -> FetchErrorKind {
        self.kind
    }

    /// The chain of sources as one text, for the log.
    pub(crate) fn causes(&self) -> String {
        let mut causes = Vec::new();
        let mut next = self.source();
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        causes.join(": ")
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.text())
    }
}

impl Error for FetchError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
