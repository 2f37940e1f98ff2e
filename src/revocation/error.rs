//! Why it cannot be said whether a token was revoked.

use std::error::Error;
use std::fmt;

/// Why it cannot be said whether a token was revoked.
///
/// It is found in the log (target `tower_resource_server::revocation`) and in
/// [`Event::RevocationUnknown`](crate::Event::RevocationUnknown). The request is answered 503, as
/// `revocation-unavailable`, unless it was
/// [chosen to accept it](crate::Danger::accept_unknown_status).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RevocationError {
    /// There is no tokio runtime to wait in, or its timers are not enabled.
    Runtime,
    /// The source answered [`RevocationUnavailable`](crate::RevocationUnavailable).
    Source,
    /// The source gave no answer within the [`fetch_timeout`](crate::Builder::fetch_timeout).
    Timeout,
}

impl fmt::Display for RevocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Runtime => "there is no tokio runtime with timers to wait in",
            Self::Source => "the source of revoked tokens cannot say",
            Self::Timeout => "the source of revoked tokens gave no answer in time",
        })
    }
}

impl Error for RevocationError {}
