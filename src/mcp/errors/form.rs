//! The forms that all errors have: what each type says of itself, and what is made of it.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::call::Call;
use crate::error::json_rpc;
use crate::mcp::Revision;

/// What an error says of itself. Its texts are clean already.
pub(super) trait Describe {
    /// Its name, the same in every form.
    fn code(&self) -> &'static str;

    fn status(&self) -> StatusCode;

    /// For the user and the model; a link stands in a line of its own.
    fn text(&self) -> String;

    /// In one sentence, without a link.
    fn message(&self) -> String {
        self.text()
    }

    /// The members of `_meta` besides the name.
    fn meta(&self) -> Map<String, Value> {
        Map::new()
    }

    fn error_code(&self, revision: Revision) -> i32 {
        in_revision(json_rpc::of_status(self.status()), revision)
    }

    /// `data` of the error object.
    fn data(&self) -> Option<Value> {
        None
    }

    fn answer(&self, call: &Call) -> Answer {
        Answer::Error(self.error(call.revision()))
    }

    fn response(&self, call: &Call) -> Response<Bytes> {
        let error = Answer::Error(self.error(call.revision()));
        json_response(self.status(), &error.into_message(call))
    }

    fn tool_result(&self, revision: Revision) -> Value {
        let mut meta = self.meta();
        meta.insert("code".to_owned(), self.code().into());
        let content = json!([{ "type": "text", "text": self.text() }]);
        let mut result = json!({ "content": content, "isError": true, "_meta": meta });
        // Each result of this revision says of what type it is.
        if revision >= Revision::V2026_07_28 {
            result["resultType"] = "complete".into();
        }
        result
    }

    fn error(&self, revision: Revision) -> Value {
        let mut error = json!({ "code": self.error_code(revision), "message": self.message() });
        if let Some(data) = self.data() {
            error["data"] = data;
        }
        error
    }
}

/// Clients of older revisions know −32001 and −32003 from other servers; from 2026-07-28 on, new
/// servers should use no code of that range.
pub(super) const fn in_revision(code: i32, revision: Revision) -> i32 {
    match code {
        code if revision.has_sessions() => json_rpc::before_2026(code),
        -32019..=-32000 => json_rpc::INVALID_REQUEST,
        code => code,
    }
}

/// No challenge: these are not about the token that the request came with.
pub(super) fn json_response(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
