//! How an issuer that is asked about tokens answers: what goes wrong, and how often.

use std::error::Error;
use std::fmt;

use crate::clock::Timestamp;
use crate::fetch::{FetchError, FetchErrorKind};

/// Why an authorization server could not be asked about a token, or its answer not be believed.
///
/// It is found in the log (target `tower_resource_server::introspection`) and in
/// [`Event::IntrospectionFailed`](crate::Event::IntrospectionFailed). The request is answered 503,
/// as `introspection-unavailable`: none of this is the client's fault. Nothing of it is remembered,
/// so that the next request tries again; but for [`Metadata`](Self::Metadata), after which no look-up
/// is begun for a rest of 1 s to 30 s.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum IntrospectionError {
    /// As many calls are under way, or were begun this second, as are allowed.
    Busy,
    /// The content type is not the one that was asked for.
    ContentType,
    /// This server has no credentials to send, or they cannot be sent.
    Credentials,
    /// The call brought no answer.
    Fetch(FetchErrorKind),
    /// The issuer's keys could not be loaded, so that a signed answer could not be verified.
    KeysUnavailable,
    /// The answer is not a JSON object with a boolean `active`.
    Malformed,
    /// The issuer's metadata could not be looked up, or names no usable endpoint.
    Metadata,
    /// The endpoint does not accept this server's credentials (RFC 7662 §2.3): its status is 401 or
    /// 403.
    Refused,
    /// There is no tokio runtime to ask in, or the call panicked.
    Runtime,
    /// The answer is not signed as RFC 9701 has it: by a key of the issuer, with an accepted
    /// algorithm, for this server and this call.
    Signature,
    /// The status is not 200.
    Status,
    /// A member of an active answer has the wrong type.
    WrongType,
}

impl fmt::Display for IntrospectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "too many calls are under way or were begun this second",
            Self::ContentType => "the answer's content type is not the one asked for",
            Self::Credentials => "there are no credentials to send",
            Self::Fetch(kind) => return FetchError::new(*kind).fmt(f),
            Self::KeysUnavailable => "the keys that verify signed answers are unavailable",
            Self::Malformed => "the answer is not a JSON object with a boolean named active",
            Self::Metadata => "the endpoint could not be learnt from the issuer's metadata",
            Self::Refused => "the endpoint does not accept the credentials of this server",
            Self::Runtime => "the call could not run to its end inside a tokio runtime",
            Self::Signature => "the answer is not signed by the issuer for this server",
            Self::Status => "the answer's status is not 200",
            Self::WrongType => "a member of the answer has the wrong type",
        })
    }
}

impl Error for IntrospectionError {}

/// The failures of one endpoint at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trouble {
    /// So many calls in a row.
    pub(crate) failures: u32,
    pub(crate) last: Option<(IntrospectionError, Timestamp)>,
    /// It is not known where to ask.
    pub(crate) lost: bool,
}
