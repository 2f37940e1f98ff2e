//! The authorization server of the example `mcp`, over real HTTP on loopback.

#[allow(dead_code, reason = "the command line is the example's alone")]
#[path = "../../examples/mcp/authorization_server_mock/mod.rs"]
mod authorization_server_mock;

mod authorization;
mod bad_input;
mod bed;
mod bounds;
mod clients;
mod consent;
mod dpop;
mod flags;
mod grants;
mod metadata;
mod prompts;
mod tokens;
