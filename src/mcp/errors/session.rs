//! Calls that belong to no session.

use std::fmt;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::form::Describe;

/// The call names no session, or none that is there.
///
/// This is no lack of authorization, so it is no 401: a client would throw a good token away. A
/// request without a session id is answered 400. One whose session has ended, was never begun or
/// belongs to somebody else is answered 404, all alike, upon which a client begins a new one (MCP,
/// *Session Management*). Revisions without sessions, from 2026-07-28 on, have no use for it.
///
/// ```
/// use tower_resource_server::mcp::{SessionMissing, ToolError};
///
/// assert_eq!(ToolError::from(SessionMissing::unnamed()).status(), 400);
/// assert_eq!(ToolError::from(SessionMissing::unknown()).status(), 404);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SessionMissing {
    is_named: bool,
}

impl SessionMissing {
    /// The request has no session id.
    #[must_use]
    pub const fn unnamed() -> Self {
        Self { is_named: false }
    }

    /// There is no session of that id, for this caller.
    #[must_use]
    pub const fn unknown() -> Self {
        Self { is_named: true }
    }

    const fn sentence(self) -> &'static str {
        if self.is_named { "There is no such session" } else { "The request names no session" }
    }
}

impl Describe for SessionMissing {
    fn code(&self) -> &'static str {
        "SESSION_MISSING"
    }

    fn status(&self) -> StatusCode {
        if self.is_named { StatusCode::NOT_FOUND } else { StatusCode::BAD_REQUEST }
    }

    fn text(&self) -> String {
        self.sentence().to_owned()
    }

    fn error_code(&self, _: super::super::Revision) -> i32 {
        super::super::code::INVALID_REQUEST
    }

    fn meta(&self) -> Map<String, Value> {
        Map::new()
    }

    fn data(&self) -> Option<Value> {
        Some(json!({ "code": self.code() }))
    }
}

impl fmt::Display for SessionMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

impl std::error::Error for SessionMissing {}
