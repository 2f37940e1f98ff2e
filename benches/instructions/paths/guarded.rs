//! What stands behind the layer that authenticates: demands of a route, and of MCP's tools.

use tower_layer::Layer;
use tower_resource_server::mcp::Tools;
use tower_resource_server::{Algorithm, Scopes};

use crate::fixture::{digest, issuer, server, token};
use crate::scenario::Scenario;
use crate::support::{Bare, request, tool_call};

fn route(scope: &str) -> Scenario {
    let issuer = issuer(Algorithm::ES256);
    let server = server(&issuer, |builder| builder);
    let guarded = server.authenticate().layer(server.require(Scopes::all([scope])).layer(Bare));
    let token = token(&issuer, 0).build();
    Scenario::repeating(guarded, &request(Some(&token))).beside(digest(&token))
}

pub(crate) fn scope_present() -> Scenario {
    route("read")
}

pub(crate) fn scope_missing() -> Scenario {
    route("write")
}

/// A call of that tool, whose body is there at once.
fn tool(name: &str) -> Scenario {
    let issuer = issuer(Algorithm::ES256);
    let server = server(&issuer, |builder| builder);
    let tools = Tools::new().tool("read_file", Scopes::all(["read"])).any_token("list_files");
    let guarded = server.authenticate().layer(server.require_tools(tools).layer(Bare));
    let token = token(&issuer, 0).build();
    Scenario::repeating(guarded, &tool_call(&token, name)).beside(digest(&token))
}

pub(crate) fn tool_listed() -> Scenario {
    tool("read_file")
}

pub(crate) fn tool_unlisted() -> Scenario {
    tool("format_disk")
}
