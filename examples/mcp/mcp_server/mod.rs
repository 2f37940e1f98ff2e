//! The MCP server: a few tools over files, by the official SDK (rmcp), protected by this crate's
//! layers.
//!
//! | tool | what a call takes |
//! |---|---|
//! | `list_files` | a valid token |
//! | `write_file` | the scope `files:write`, demanded before the tool runs |
//! | `delete_file` | `files:write` for one's own files, `files:delete` for others: the tool finds out |
//! | `share_file` | `files:read`, and that the user has agreed at the drive, a third party |

mod answer;
mod drive;
mod files;
mod tools;

use std::sync::Arc;

use axum::Router;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tower_resource_server::mcp::{Mcp, Tools};
use tower_resource_server::{Builder, ConfigError, ResourceMetadata, Scopes};

use self::drive::Drive;
use self::files::Files;
use self::tools::FileTools;

/// Where MCP's messages go to.
pub(crate) const PATH: &str = "/mcp";

/// All that its tokens may grant.
pub(crate) const SCOPES: [&str; 3] = ["files:read", "files:write", "files:delete"];

/// The server as a router. `builder` says which resource it is and whom it trusts; `base` is its
/// public base URL.
pub(crate) fn app(builder: Builder, base: &str) -> Result<Router, ConfigError> {
    let metadata = ResourceMetadata::new().name("Example file server").scopes_supported(SCOPES);
    let server = builder.mcp(Mcp::new()).metadata(metadata).build()?;
    let drive = Arc::new(Drive::new(base));
    let endpoint = Router::new()
        .route_service(PATH, endpoint(Arc::clone(&drive)))
        .layer(server.mcp().try_tools(demands())?);
    Ok(endpoint.merge(server.metadata()).merge(drive.page()))
}

/// What each tool demands of the token. One that is not listed would be open to nobody.
fn demands() -> Tools {
    Tools::new()
        .any_token("list_files")
        .tool("write_file", Scopes::all(["files:write"]))
        .any_token("delete_file")
        .tool("share_file", Scopes::all(["files:read"]))
}

/// The SDK's transport around the tools, with sessions for the revisions that have them.
fn endpoint(drive: Arc<Drive>) -> StreamableHttpService<FileTools, LocalSessionManager> {
    let tools = FileTools::new(Files::default(), drive);
    let config = StreamableHttpServerConfig::default();
    StreamableHttpService::new(move || Ok(tools.clone()), Arc::default(), config)
}
