//! Faults of this server, of which a client learns nothing but a name.

use std::error::Error;
use std::fmt;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::form::Describe;
use crate::random;

/// `err_` and 16 hexadecimal digits: what a user can tell, and a log can be searched for.
///
/// There is none where the operating system gives no random bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct ErrorId(Option<Box<str>>);

impl ErrorId {
    pub(super) fn new() -> Self {
        let bytes = random::bytes::<8>();
        Self(bytes.map(|bytes| format!("err_{:016x}", u64::from_be_bytes(bytes)).into()))
    }

    pub(super) fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The text that stands for all that is not told.
    pub(super) fn sentence(&self) -> String {
        match self.get() {
            Some(id) => format!("Internal error. Please contact support with error ID: {id}"),
            None => "Internal error. Please contact support.".to_owned(),
        }
    }

    pub(super) fn members(&self) -> Map<String, Value> {
        self.get().map(|id| ("errorId".to_owned(), id.into())).into_iter().collect()
    }
}

/// A tool failed, and why is not for the client to know.
///
/// The client gets an error id and nothing else. The cause is kept for
/// [`source`](std::error::Error::source). Nothing is logged here, since nobody but the application
/// can say what may stand in the cause:
///
/// ```
/// use tower_resource_server::mcp::{InternalError, Revision, ToolError};
///
/// let cause = std::io::Error::other("db-7.internal refused the password of app");
/// let error = InternalError::caused_by(cause);
/// eprintln!("{:?}: {:?}", error.error_id(), std::error::Error::source(&error));
///
/// let result = ToolError::from(error).tool_result(Revision::LATEST);
/// let text = result["content"][0]["text"].as_str().unwrap();
/// assert!(text.starts_with("Internal error. Please contact support with error ID: err_"));
/// assert!(!result.to_string().contains("db-7"));
/// ```
#[derive(Debug)]
pub struct InternalError {
    id: ErrorId,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl InternalError {
    /// A failure with a new id.
    #[must_use]
    pub fn new() -> Self {
        Self { id: ErrorId::new(), source: None }
    }

    /// As [`new`](Self::new), with a cause that the client is not told.
    pub fn caused_by(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: Some(cause.into()), ..Self::new() }
    }

    /// `err_` and 16 hexadecimal digits. None where the operating system gives no random bytes.
    #[must_use]
    pub fn error_id(&self) -> Option<&str> {
        self.id.get()
    }
}

impl Default for InternalError {
    fn default() -> Self {
        Self::new()
    }
}

impl Describe for InternalError {
    fn code(&self) -> &'static str {
        "INTERNAL_ERROR"
    }

    fn status(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    fn text(&self) -> String {
        self.id.sentence()
    }

    fn meta(&self) -> Map<String, Value> {
        self.id.members()
    }

    fn data(&self) -> Option<Value> {
        self.id.get().map(|id| json!({ "errorId": id }))
    }
}

/// What the client is told; the cause is the [source](std::error::Error::source).
impl fmt::Display for InternalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id.sentence())
    }
}

impl Error for InternalError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
