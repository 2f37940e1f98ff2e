//! The tools, as the SDK has them.

use std::sync::Arc;

use http::request::Parts;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{CallToolResponse, ServerCapabilities, ServerConfig};
use rmcp::schemars::JsonSchema;
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler, tool, tool_handler, tool_router};
use serde::Deserialize;
use tower_resource_server::mcp::{self, InternalError, ToolError};
use tower_resource_server::{Grant, Scopes};

use super::answer;
use super::drive::Drive;
use super::files::Files;

#[derive(Clone)]
pub(super) struct FileTools {
    files: Files,
    drive: Arc<Drive>,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Named {
    /// The name of the file.
    name: String,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Written {
    /// The name of the file.
    name: String,
    /// What is to stand in it.
    text: String,
}

type Context = RequestContext<RoleServer>;
type Answer = Result<CallToolResponse, ErrorData>;

#[tool_router]
impl FileTools {
    pub(super) fn new(files: Files, drive: Arc<Drive>) -> Self {
        Self { files, drive }
    }

    #[tool(description = "List the files")]
    async fn list_files(&self) -> String {
        self.files.names()
    }

    #[tool(description = "Write a file")]
    async fn write_file(&self, Parameters(file): Parameters<Written>, context: Context) -> Answer {
        answer::of(self.write(file, &context), &context)
    }

    #[tool(description = "Delete a file")]
    async fn delete_file(&self, Parameters(file): Parameters<Named>, context: Context) -> Answer {
        answer::of(self.delete(&file.name, &context), &context)
    }

    #[tool(description = "Share a file at the drive")]
    async fn share_file(&self, Parameters(file): Parameters<Named>, context: Context) -> Answer {
        answer::of(self.share(&file.name, &context), &context)
    }
}

#[tool_handler]
impl ServerHandler for FileTools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}

/// What the tools do. Everything that keeps one from it goes up with `?`.
impl FileTools {
    fn write(&self, file: Written, context: &Context) -> Result<String, ToolError> {
        let done = format!("{} written", file.name);
        let fits = self.files.write(user(context)?, file.name, file.text);
        if fits { Ok(done) } else { Ok("there is no room for it".to_owned()) }
    }

    /// What it takes depends on the arguments, so no layer can demand it.
    fn delete(&self, name: &str, context: &Context) -> Result<String, ToolError> {
        let is_own = self.files.is_owned_by(user(context)?, name);
        let scope = if is_own { "files:write" } else { "files:delete" };
        grant(context)?.require(Scopes::all([scope]))?;
        Ok(match self.files.delete(name) {
            Some(text) => format!("{name} deleted, which said: {text}"),
            None => format!("{name} is not there"),
        })
    }

    /// It is the user's agreement with the drive that may be missing, not the client's with this
    /// server.
    fn share(&self, name: &str, context: &Context) -> Result<String, ToolError> {
        let user = user(context)?;
        if !self.files.is_there(name) {
            return Ok(format!("{name} is not there"));
        }
        if !self.drive.has_agreed(user) {
            return Err(self.drive.ask(user, "share_file")?.into());
        }
        Ok(format!("{name} shared"))
    }
}

/// The SDK hands the head of the HTTP request on, and with it what the layers have left there.
fn grant(context: &Context) -> Result<&Grant, ToolError> {
    match context.extensions.get::<Parts>() {
        Some(parts) => mcp::grant(&parts.extensions),
        None => Err(InternalError::new().into()),
    }
}

/// Tokens by RFC 9068 have a subject; what others have would have to be thought about.
fn user(context: &Context) -> Result<&str, ToolError> {
    grant(context)?.subject().ok_or_else(|| InternalError::new().into())
}
