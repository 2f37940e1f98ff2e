//! The way from a tool to the grant of its request.

use http::Extensions;

use super::internal::InternalError;
use super::refused::Unauthorized;
use super::tool_error::ToolError;
use crate::authorize::{Caller, Grant};

/// The grant of the request that a tool runs for.
///
/// SDKs hand the extensions of the HTTP request on: with the official one they are in the
/// `http::request::Parts` among the extensions of the request's context.
///
/// # Errors
///
/// [`ToolError::Unauthorized`] where the request is anonymous, which an
/// [`optional`](crate::layer::AuthenticateLayer::optional) layer has let through;
/// [`ToolError::Internal`] where no layer has looked at it. A missing layer is never taken for an
/// anonymous caller.
///
/// ```
/// use tower_resource_server::mcp::{self, ToolError};
/// use tower_resource_server::Scopes;
///
/// fn delete_all(extensions: &http::Extensions) -> Result<&'static str, ToolError> {
///     mcp::grant(extensions)?.require(Scopes::all(["notes/delete"]))?;
///     Ok("deleted")
/// }
///
/// let error = delete_all(&http::Extensions::new()).unwrap_err();
/// assert_eq!(error.status(), 500); // no authenticate layer is around it
/// ```
pub fn grant(extensions: &Extensions) -> Result<&Grant, ToolError> {
    let Some(caller) = Caller::of(extensions) else {
        tracing::error!(
            target: "tower_resource_server::rejection",
            "a tool asks for a Grant, but no authenticate layer is around its server"
        );
        return Err(InternalError::new().into());
    };
    caller.granted().map_err(|missing| Unauthorized::by(missing).into())
}
