//! What is sent in answer to a call.

use serde_json::{Value, json};

use super::call::Call;

/// An error as the protocol has it: what goes into the `error` or the `result` of the answer.
///
/// The values are plain JSON. With an SDK they are deserialized into its types, and returned from
/// the tool as it returns the like:
///
/// ```
/// use rmcp::ErrorData;
/// use rmcp::model::{CallToolResponse, CallToolResult, InputRequiredResult};
/// use tower_resource_server::mcp::Answer;
///
/// fn in_types_of_the_sdk(answer: Answer) -> Result<CallToolResponse, ErrorData> {
///     let unreadable = |_| ErrorData::internal_error("an answer could not be read", None);
///     match answer {
///         Answer::ToolResult(result) => {
///             let result: CallToolResult = serde_json::from_value(result).map_err(unreadable)?;
///             Ok(result.into())
///         }
///         Answer::InputRequired(result) => {
///             let result: InputRequiredResult = serde_json::from_value(result).map_err(unreadable)?;
///             Ok(result.into())
///         }
///         Answer::Error(error) => Err(serde_json::from_value(error).map_err(unreadable)?),
///         _ => Err(ErrorData::internal_error("an answer of a kind that is not known", None)),
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Answer {
    /// An error object of JSON-RPC: `code`, `message`, and `data` where there is any.
    Error(Value),
    /// `InputRequiredResult` (2026-07-28): the client asks the user, then calls again.
    InputRequired(Value),
    /// `CallToolResult` with `isError`: a text for user and model, and `_meta`.
    ToolResult(Value),
}

impl Answer {
    /// The whole JSON-RPC response to that call.
    ///
    /// Where the call has no id, there is none: MCP knows no null ids.
    #[must_use]
    pub fn into_message(self, call: &Call) -> Value {
        let (member, value) = match self {
            Self::Error(error) => ("error", error),
            Self::InputRequired(result) | Self::ToolResult(result) => ("result", result),
        };
        let mut message = json!({ "jsonrpc": "2.0", (member): value });
        if !call.request_id().is_null() {
            message["id"] = call.request_id().clone();
        }
        message
    }
}
