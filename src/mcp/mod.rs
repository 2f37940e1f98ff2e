//! MCP servers (feature `mcp`): what the Model Context Protocol asks of a resource server.
//!
//! What differs between the revisions of the protocol hangs on [`Revision`].

pub mod code;
mod revision;

pub use self::revision::Revision;
