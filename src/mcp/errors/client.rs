//! Clients that speak another revision, or cannot do what a call needs.

use std::fmt;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::form::Describe;
use super::text::clean;
use crate::mcp::{Revision, code, negotiation};

/// Longer than any name of a revision.
const VERSION: usize = 64;

/// The client speaks a revision of the protocol that the server does not.
///
/// It is told which ones the server does speak: 400, code −32022, and −32602 to clients of a
/// revision before 2026-07-28, which do not know that code. The client's text is repeated to it in
/// one line, without invisible characters, and cut after 64 characters.
///
/// Where nothing else is known of the client, answer it as one of [`Revision::LATEST`].
///
/// ```
/// use serde_json::json;
/// use tower_resource_server::mcp::{Revision, ToolError, UnsupportedClientVersion};
///
/// let error = UnsupportedClientVersion::new("0.1.0").supported([Revision::LATEST]);
/// assert_eq!(ToolError::from(error).error(Revision::LATEST), json!({
///     "code": -32022,
///     "message": "Unsupported protocol version",
///     "data": { "requested": "0.1.0", "supported": ["2026-07-28"] },
/// }));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnsupportedClientVersion {
    requested: String,
    supported: Vec<Revision>,
}

impl UnsupportedClientVersion {
    /// The version that the client has named, where the server speaks all that this crate knows.
    #[must_use]
    pub fn new(requested: &str) -> Self {
        Self { requested: clean(requested, VERSION), supported: Revision::ALL.to_vec() }
    }

    /// The revisions that the server speaks.
    #[must_use]
    pub fn supported(self, revisions: impl IntoIterator<Item = Revision>) -> Self {
        Self { supported: revisions.into_iter().collect(), ..self }
    }

    /// What the client has named, in one line and cut.
    #[must_use]
    pub fn requested(&self) -> &str {
        &self.requested
    }
}

impl Describe for UnsupportedClientVersion {
    fn code(&self) -> &'static str {
        "UNSUPPORTED_CLIENT_VERSION"
    }

    fn status(&self) -> StatusCode {
        StatusCode::BAD_REQUEST
    }

    fn text(&self) -> String {
        "Unsupported protocol version".to_owned()
    }

    fn error_code(&self, revision: Revision) -> i32 {
        since_2026(revision, code::UNSUPPORTED_PROTOCOL_VERSION)
    }

    fn meta(&self) -> Map<String, Value> {
        negotiation(&self.supported, Some(&self.requested))
    }

    fn data(&self) -> Option<Value> {
        Some(self.meta().into())
    }
}

impl fmt::Display for UnsupportedClientVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unsupported protocol version {:?}", self.requested)
    }
}

impl std::error::Error for UnsupportedClientVersion {}

/// The client has not declared a capability that the call needs.
///
/// 400 and code −32021 with `data.requiredCapabilities`; −32602 to clients of a revision before
/// 2026-07-28, which do not know that code. For URLs to visit it is seldom needed:
/// [`AuthorizationRequired`](super::AuthorizationRequired) falls back to a text with a link.
///
/// ```
/// use serde_json::json;
/// use tower_resource_server::mcp::{MissingClientCapability, Revision, ToolError};
///
/// let error = ToolError::from(MissingClientCapability::url_elicitation());
/// assert_eq!(error.error(Revision::LATEST), json!({
///     "code": -32021,
///     "message": "Missing required client capability",
///     "data": { "requiredCapabilities": { "elicitation": { "url": {} } } },
/// }));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct MissingClientCapability {
    required: Value,
}

impl MissingClientCapability {
    /// The capabilities that are needed, as `ClientCapabilities` of the protocol has them. What is
    /// no JSON object counts as none.
    #[must_use]
    pub fn new(required: Value) -> Self {
        let required = if required.is_object() { required } else { json!({}) };
        Self { required }
    }

    /// Elicitations of the mode `url`.
    #[must_use]
    pub fn url_elicitation() -> Self {
        Self::new(json!({ "elicitation": { "url": {} } }))
    }
}

impl Describe for MissingClientCapability {
    fn code(&self) -> &'static str {
        "MISSING_CLIENT_CAPABILITY"
    }

    fn status(&self) -> StatusCode {
        StatusCode::BAD_REQUEST
    }

    fn text(&self) -> String {
        "Missing required client capability".to_owned()
    }

    fn error_code(&self, revision: Revision) -> i32 {
        since_2026(revision, code::MISSING_CLIENT_CAPABILITY)
    }

    fn meta(&self) -> Map<String, Value> {
        Map::from_iter([("requiredCapabilities".to_owned(), self.required.clone())])
    }

    fn data(&self) -> Option<Value> {
        Some(self.meta().into())
    }
}

impl fmt::Display for MissingClientCapability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("missing required client capability")
    }
}

impl std::error::Error for MissingClientCapability {}

/// A code that the protocol has defined in 2026-07-28.
fn since_2026(revision: Revision, code: i32) -> i32 {
    if revision >= Revision::V2026_07_28 { code } else { code::INVALID_PARAMS }
}
