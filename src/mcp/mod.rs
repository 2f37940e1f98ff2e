//! MCP servers (feature `mcp`): what the Model Context Protocol asks of a resource server.
//!
//! [`Mcp`] makes a server an MCP server, and the layer of
//! [`ResourceServer::mcp`](crate::ResourceServer::mcp) goes around its endpoint. [`Tools`] says what
//! each tool demands, and [`ToolError`] what keeps a tool from its work. What differs between the
//! revisions of the protocol hangs on [`Revision`]. The [guide](crate::guide::mcp) has a whole
//! example.

pub mod code;
mod errors;
mod preset;
mod revision;
mod server;
mod tools;
mod transport;
mod unseen;

pub use self::errors::{
    Answer, AuthorizationRequired, Call, ConfigurationError, Elicitation, ElicitationUrl,
    ElicitationUrlError, FlowId, FlowIdError, InternalError, MissingClientCapability,
    SessionMissing, SessionMode, ToolError, Unauthorized, UnsupportedClientVersion,
    UrlElicitationRequired, grant,
};
pub use self::preset::Mcp;
pub(crate) use self::preset::SessionBinding;
pub use self::revision::Revision;
use self::revision::negotiation;
pub use self::tools::{McpToolsLayer, RequireTools, RequireToolsFuture, RequireToolsLayer, Tools};
pub use self::transport::{
    McpLayer, McpService, OriginCheck, ProtocolCheck, ProtocolFuture, SealedSessions,
    SessionSecretError,
};
pub(crate) use self::transport::{Origins, PROTOCOL_VERSION, Transport, Versions};
