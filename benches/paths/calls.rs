//! Requests of protocols on top of HTTP: a gRPC call that is refused, calls of MCP tools.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use tower_layer::Layer;
use tower_resource_server::mcp::Tools;
use tower_resource_server::{Algorithm, Scopes};

use super::{Answer, Beside, Client, Path, Plan, Server};
use crate::support::{self, Bare, issuer, layered, request, server};

pub(crate) fn plans() -> Vec<Plan> {
    let tool = |(name, tool, status): (&str, &'static str, _)| {
        Plan::new(format!("mcp/{name}"), move |_| tool_call(tool, status))
    };
    let mut plans = vec![Plan::new("grpc/no-credentials", |_| grpc_refusal())];
    plans.extend(
        [
            ("tool-with-scope", "read_file", StatusCode::OK),
            ("tool-for-any-token", "list_files", StatusCode::OK),
            ("tool-not-listed", "format_disk", StatusCode::FORBIDDEN),
        ]
        .map(tool),
    );
    plans
}

/// A gRPC call that carries no token.
fn grpc_refusal() -> Path {
    let server = server(&issuer(Algorithm::ES256), |builder| builder);
    let mut call = request(None);
    call.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    let clients = [0, 1].map(|_| Client::new([call.clone()]));
    let besides = vec![Beside::bare(&clients[0], None)];
    let answer = Answer { status: StatusCode::OK, challenges: 2 };
    Path { besides, answer, ..Path::accepted(clients, Server::Kept(Box::new(layered(&server)))) }
}

/// What reading the message costs as well, where the body is there at once.
fn tool_call(tool: &str, status: StatusCode) -> Path {
    let issuer = issuer(Algorithm::ES256);
    let server = server(&issuer, |builder| builder);
    let tools = Tools::new().tool("read_file", Scopes::all(["read"])).any_token("list_files");
    let service = server.authenticate().layer(server.require_tools(tools).layer(Bare));
    let client = |_| Client::new([support::tool_call(&issuer.token().scope("read").build(), tool)]);
    let clients = [0, 1].map(client);
    let besides = vec![Beside::bare(&clients[0], None)];
    let answer = Answer { status, challenges: 0 };
    Path { besides, answer, ..Path::accepted(clients, Server::Kept(Box::new(service))) }
}
