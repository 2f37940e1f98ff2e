//! Refusals for want of a better token for this server, when the HTTP response has begun already.
//!
//! As a response they have their challenge. In a tool result there is no header field to put one
//! into, so `_meta` says what the challenge would.

use std::fmt;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Map, Value};

use super::answer::Answer;
use super::call::Call;
use super::form::{Describe, in_revision};
use super::text::{self, clean};
use crate::authorize::Grant;
use crate::mcp::Revision;
use crate::rejection::Rejection;
use crate::render::{self, ErrorBody, ErrorData};

/// The member of `_meta` in which some clients look for challenges, to start the flow by themselves.
const CHALLENGES: &str = "mcp/www_authenticate";

/// The caller has to authenticate, or to do so again.
///
/// As an HTTP response it is a 401 with the challenge of the server, through its envelope. The layer
/// answers like that by itself where it has reason to. This is for what only the application can
/// know: that the account was closed meanwhile, say, or that a tool is not for anonymous callers.
///
/// ```
/// use tower_resource_server::{Grant, mcp::{ToolError, Unauthorized}};
///
/// fn check(grant: &Grant, is_closed: bool) -> Result<(), ToolError> {
///     if is_closed { Err(Unauthorized::again(grant).message("The account was closed"))? }
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Unauthorized {
    rejection: Rejection,
    message: Option<String>,
}

impl Unauthorized {
    /// The token of that grant counts no longer: the client has to throw it away (`invalid_token`,
    /// kind `revoked-token`).
    #[must_use]
    pub fn again(grant: &Grant) -> Self {
        Self::by(Rejection::revoked(grant))
    }

    /// What a layer would answer.
    pub(super) const fn by(rejection: Rejection) -> Self {
        Self { rejection, message: None }
    }

    /// A message for the tool result. The HTTP response keeps the text of the kind, which is safe in
    /// any challenge.
    #[must_use]
    pub fn message(self, message: &str) -> Self {
        Self { message: Some(clean(message, text::SENTENCE)), ..self }
    }

    /// The refusal, as the `authenticate` layer would make it.
    #[must_use]
    pub const fn rejection(&self) -> &Rejection {
        &self.rejection
    }
}

impl Describe for Unauthorized {
    fn code(&self) -> &'static str {
        "UNAUTHORIZED"
    }

    fn status(&self) -> StatusCode {
        self.rejection.status()
    }

    fn text(&self) -> String {
        self.message.clone().unwrap_or_else(|| self.rejection.text())
    }

    fn meta(&self) -> Map<String, Value> {
        self.rejection.meta()
    }

    fn error_code(&self, revision: Revision) -> i32 {
        self.rejection.error_code(revision)
    }

    fn data(&self) -> Option<Value> {
        self.rejection.data()
    }

    fn answer(&self, call: &Call) -> Answer {
        Answer::ToolResult(self.tool_result(call.revision()))
    }

    fn response(&self, _: &Call) -> Response<Bytes> {
        render::respond(&self.rejection)
    }
}

impl fmt::Display for Unauthorized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl std::error::Error for Unauthorized {}

impl Describe for Rejection {
    fn code(&self) -> &'static str {
        match self.status().as_u16() {
            401 => "UNAUTHORIZED",
            403 => "FORBIDDEN",
            404 => "NOT_FOUND",
            503 => "UNAVAILABLE",
            500.. => "INTERNAL_ERROR",
            _ => "INVALID_REQUEST",
        }
    }

    fn status(&self) -> StatusCode {
        self.status()
    }

    fn text(&self) -> String {
        render::told(self).0.detail().to_owned()
    }

    fn meta(&self) -> Map<String, Value> {
        let (body, challenges) = render::told(self);
        let mut meta = members(&body);
        if !challenges.is_empty() {
            let settings = &self.details().settings.challenge;
            if let Some(url) = &settings.resource_metadata {
                meta.insert("resource_metadata".to_owned(), url.as_str().into());
            }
            let lines = challenges.iter().filter_map(|line| line.to_str().ok()).collect();
            meta.insert(CHALLENGES.to_owned(), lines);
        }
        meta
    }

    fn error_code(&self, revision: Revision) -> i32 {
        in_revision(render::told(self).0.json_rpc_code(), revision)
    }

    fn data(&self) -> Option<Value> {
        Some(members(&render::told(self).0).into())
    }

    fn answer(&self, call: &Call) -> Answer {
        Answer::ToolResult(self.tool_result(call.revision()))
    }

    fn response(&self, _: &Call) -> Response<Bytes> {
        render::respond(self)
    }
}

/// As in the body of the JSON-RPC envelope.
fn members(body: &ErrorBody<'_>) -> Map<String, Value> {
    match serde_json::to_value(ErrorData::of(body)) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}
