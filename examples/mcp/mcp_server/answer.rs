//! What a tool has done, or what kept it from that, in the SDK's types.

use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock, InputRequiredResult};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower_resource_server::mcp::{Answer, Call, Revision, ToolError};

/// An error is told in the form that the revision has for it, if the client can take it.
pub(super) fn of(
    done: Result<String, ToolError>,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let error = match done {
        Ok(text) => return Ok(CallToolResult::success(vec![ContentBlock::text(text)]).into()),
        Err(error) => error,
    };
    match error.answer(&call(context)) {
        Answer::ToolResult(result) => Ok(read::<CallToolResult>(result)?.into()),
        Answer::InputRequired(result) => Ok(read::<InputRequiredResult>(result)?.into()),
        Answer::Error(error) => Err(read(error)?),
        _ => Err(ErrorData::internal_error("an answer of an unknown kind", None)),
    }
}

/// Who calls: the revision, and what the client has said it can do.
fn call(context: &RequestContext<RoleServer>) -> Call {
    let version = context.protocol_version();
    let revision = version.and_then(|version| Revision::from_name(version.as_str()));
    let capabilities = serde_json::to_value(context.client_capabilities()).unwrap_or_default();
    Call::new(revision.unwrap_or(Revision::V2025_06_18)).capabilities(&capabilities)
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value)
        .map_err(|_| ErrorData::internal_error("an answer could not be read", None))
}
