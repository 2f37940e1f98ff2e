//! Calls that belong to no session.

use std::fmt;

use http::StatusCode;
use serde_json::{Map, Value};

use super::form::Describe;
use crate::error::RejectionKind;
use crate::mcp::Revision;

/// The call names no session, or none that is there.
///
/// This is no lack of authorization, so it is no 401: a client would throw a good token away. A
/// request without a session id is answered 400. One whose session has ended, was never begun or
/// belongs to somebody else is answered 404, all alike, upon which a client begins a new one (MCP,
/// *Session Management*). Revisions without sessions, from 2026-07-28 on, have no use for it.
///
/// The layer of [`ResourceServer::mcp`](crate::ResourceServer::mcp) answers the same by itself, for
/// servers that let it look after their sessions.
///
/// ```
/// use tower_resource_server::mcp::{SessionMissing, ToolError};
///
/// assert_eq!(ToolError::from(SessionMissing::unnamed()).status(), 400);
/// assert_eq!(ToolError::from(SessionMissing::unknown()).status(), 404);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SessionMissing {
    kind: RejectionKind,
}

impl SessionMissing {
    /// The request has no session id.
    #[must_use]
    pub const fn unnamed() -> Self {
        Self { kind: RejectionKind::MissingSession }
    }

    /// There is no session of that id, for this caller.
    #[must_use]
    pub const fn unknown() -> Self {
        Self { kind: RejectionKind::UnknownSession }
    }
}

/// The same words as in the refusal of a layer.
impl Describe for SessionMissing {
    fn code(&self) -> &'static str {
        "SESSION_MISSING"
    }

    fn status(&self) -> StatusCode {
        self.kind.status()
    }

    fn text(&self) -> String {
        self.kind.description().to_owned()
    }

    fn error_code(&self, _: Revision) -> i32 {
        self.kind.json_rpc_code()
    }

    fn meta(&self) -> Map<String, Value> {
        Map::from_iter([("kind".to_owned(), self.kind.name().into())])
    }

    fn data(&self) -> Option<Value> {
        Some(self.meta().into())
    }
}

impl fmt::Display for SessionMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.description())
    }
}

impl std::error::Error for SessionMissing {}
