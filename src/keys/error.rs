//! Why keys or metadata could not be refreshed.

use std::error::Error;
use std::fmt;

use http::{StatusCode, Uri};

use crate::fetch::{FetchError, FetchErrorKind};

/// Why keys could not be refreshed.
///
/// It is found in the log (target `tower_resource_server::keys`), in
/// [`Event::KeyRefreshFailed`](crate::Event::KeyRefreshFailed) and in
/// [`IssuerHealth::last_error`](crate::IssuerHealth::last_error). No request sees it: those that need
/// the keys are answered 503, those whose keys are loaded go on. What is tried again when is told in
/// the [guide](crate::guide::keys_and_outages#when-keys-are-fetched).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RefreshError {
    /// The content type is neither `application/jwk-set+json` nor `application/json`.
    ContentType,
    /// The fetch brought no answer.
    Fetch(FetchErrorKind),
    /// Where the keys are could not be found out.
    Metadata(MetadataError),
    /// The body is not a JWK Set.
    NotAKeySet,
    /// The set has keys, and none that this server can use.
    NoUsableKey,
    /// There is no tokio runtime to fetch in, or the fetch panicked.
    Runtime,
    /// The status is not 200.
    Status,
}

impl fmt::Display for RefreshError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ContentType => "the answer is not JSON by its content type",
            Self::Fetch(kind) => return FetchError::new(*kind).fmt(f),
            Self::Metadata(error) => return write!(f, "metadata: {error}"),
            Self::NotAKeySet => "the answer is not a JWK Set",
            Self::NoUsableKey => "no key of the set is usable with the configured algorithms",
            Self::Runtime => "the fetch could not run to its end inside a tokio runtime",
            Self::Status => "the answer's status is not 200",
        })
    }
}

impl Error for RefreshError {}

/// Why the metadata of an authorization server could not be had (RFC 8414).
///
/// It concerns issuers made with [`Issuer::discover`](crate::Issuer::discover). The log line
/// `metadata refresh failed` (target `tower_resource_server::keys`) names the URL and says more. The
/// last good document stays in use meanwhile, up to a day past its freshness.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum MetadataError {
    /// The content type is not `application/json`.
    ContentType,
    /// The fetch brought no answer.
    Fetch(FetchErrorKind),
    /// `jwks_uri` is missing or cannot be used: it is not https, or no URL.
    JwksUri,
    /// None of the well-known places has a document: each answered with a status from 400 to 499.
    NotFound,
    /// The body is not a JSON object with a string `issuer`.
    NotMetadata,
    /// `issuer` in the document is not the configured identifier, byte for byte (RFC 8414 §3.3).
    OtherIssuer,
    /// There is no tokio runtime to look it up in, or the look-up panicked.
    Runtime,
    /// No well-known place has a document, and one of them answered with a status that is not from
    /// 400 to 499: a redirect, or a server in trouble.
    Status,
}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ContentType => "the answer is not JSON by its content type",
            Self::Fetch(kind) => return FetchError::new(*kind).fmt(f),
            Self::JwksUri => "jwks_uri is missing or cannot be used",
            Self::NotFound => "no well-known place has a document",
            Self::NotMetadata => "the answer is not authorization server metadata",
            Self::OtherIssuer => "the document is that of another issuer",
            Self::Runtime => "the look-up could not run to its end inside a tokio runtime",
            Self::Status => "no answer of a well-known place has the status 200",
        })
    }
}

impl Error for MetadataError {}

impl From<MetadataError> for RefreshError {
    fn from(error: MetadataError) -> Self {
        Self::Metadata(error)
    }
}

/// Something that failed, and what is known of it beyond its kind: that is for the log alone.
#[derive(Debug)]
pub(crate) struct Failure<E> {
    pub(crate) error: E,
    pub(crate) cause: Option<String>,
    /// Where, unless that is several places.
    pub(crate) uri: Option<Uri>,
    /// It stands in the log already.
    pub(crate) told: bool,
}

impl<E> From<E> for Failure<E> {
    fn from(error: E) -> Self {
        Self { error, cause: None, uri: None, told: false }
    }
}

impl<E> Failure<E> {
    pub(crate) fn with_cause(error: E, cause: impl Into<String>) -> Self {
        Self { cause: Some(cause.into()), ..Self::from(error) }
    }

    /// A fetch that brought no answer.
    pub(crate) fn of_fetch(error: &FetchError, kind: impl Fn(FetchErrorKind) -> E) -> Self {
        let causes = error.causes();
        Self { cause: (!causes.is_empty()).then_some(causes), ..Self::from(kind(error.kind())) }
    }

    /// An answer of another status than 200.
    pub(crate) fn of_status(error: E, status: StatusCode) -> Self {
        Self::with_cause(error, format!("it is {}", status.as_u16()))
    }

    pub(crate) fn at(self, uri: &Uri) -> Self {
        Self { uri: Some(uri.clone()), ..self }
    }

    pub(crate) fn told(self) -> Self {
        Self { told: true, ..self }
    }
}
