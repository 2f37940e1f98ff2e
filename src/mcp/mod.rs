//! MCP servers (feature `mcp`): what the Model Context Protocol asks of a resource server.
//!
//! What differs between the revisions of the protocol hangs on [`Revision`].

pub mod code;
mod errors;
mod revision;

pub use self::errors::{
    Answer, AuthorizationRequired, Call, ConfigurationError, Elicitation, ElicitationUrl,
    ElicitationUrlError, FlowId, FlowIdError, InternalError, MissingClientCapability,
    SessionMissing, SessionMode, ToolError, Unauthorized, UnsupportedClientVersion,
    UrlElicitationRequired, grant,
};
pub use self::revision::Revision;
