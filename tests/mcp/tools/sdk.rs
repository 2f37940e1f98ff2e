//! The official SDK inside the layer, and outside as a client.

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderValue, Request};
use http_body_util::Full;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt as _};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt};
use tower_resource_server::RejectionKind as Kind;
use tower_resource_server::mcp::{Mcp, Revision, Tools};

use super::{calling, post, tools};
use crate::support::{Answer, Bed, read};

/// Runs every tool, and remembers which.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<Vec<String>>>);

impl Server {
    fn ran(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("no panic"))
    }

    fn service(&self) -> StreamableHttpService<Self, LocalSessionManager> {
        let config = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true)
            .disable_allowed_hosts();
        let server = self.clone();
        StreamableHttpService::new(move || Ok(server.clone()), Arc::default(), config)
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tool = |name: &'static str| Tool::new(name, "", Arc::default());
        Ok(ListToolsResult::with_all_items(vec![tool("read_file"), tool("delete_file")]))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.0.lock().expect("no panic").push(Cow::into_owned(request.name));
        Ok(CallToolResult::success(vec![ContentBlock::text("done")]).into())
    }
}

/// A call as clients of that revision send it.
fn as_sent(revision: Revision, tool: &str, field: &str) -> Request<Full<Bytes>> {
    let mut body = calling(tool);
    if revision.has_message_fields() {
        body["params"]["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": revision.as_str(),
            "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": {},
        });
    }
    let mut request = post(body.to_string());
    let headers = request.headers_mut();
    let value = |text: &str| HeaderValue::from_str(text).expect("a field value");
    headers.insert("mcp-protocol-version", value(revision.as_str()));
    headers.insert("host", value("api.example.com"));
    headers.insert("accept", value("application/json, text/event-stream"));
    if revision.has_message_fields() {
        headers.insert("mcp-method", value("tools/call"));
        headers.insert("mcp-name", value(field));
    }
    request
}

async fn through(
    bed: &Bed,
    server: &Server,
    rules: Tools,
    request: Request<Full<Bytes>>,
) -> Answer {
    let service = bed.server.mcp().tools(rules).layer(server.service());
    let request = bed.issuer.token().scope("read").authorize(request);
    let response =
        service.oneshot(request).await.unwrap_or_else(|never: Infallible| match never {});
    read(response, false).await
}

fn mcp() -> Bed {
    Bed::with(|builder| builder.mcp(Mcp::new()))
}

#[tokio::test]
async fn in_each_revision_a_tool_runs_for_those_who_may() {
    let (bed, server) = (mcp(), Server::default());
    for revision in Revision::ALL.iter().copied() {
        for rules in [tools(), tools().trust_headers()] {
            let request = as_sent(revision, "read_file", "read_file");
            let answer = through(&bed, &server, rules.clone(), request).await;
            assert_eq!(answer.status, 200, "{revision}: {answer:?}");
            assert_eq!(answer.json()["result"]["content"][0]["text"], "done");
            assert_eq!(server.ran(), ["read_file"]);

            let request = as_sent(revision, "delete_file", "delete_file");
            through(&bed, &server, rules, request).await.assert_s403("delete");
            assert!(server.ran().is_empty());
        }
    }
}

#[tokio::test]
async fn a_lie_in_the_fields_runs_nothing_also_where_they_are_trusted() {
    let (bed, server) = (mcp(), Server::default());
    let lie = || as_sent(Revision::V2026_07_28, "delete_file", "read_file");
    for (rules, ours) in [(tools(), true), (tools().trust_headers(), false)] {
        let answer = through(&bed, &server, rules, lie()).await;
        // The same answer, by whoever compares.
        assert_eq!(answer.status, 400, "{answer:?}");
        assert_eq!(answer.json()["error"]["code"], -32020);
        assert_eq!(answer.kind(), ours.then_some(Kind::HeaderMismatch));
        assert!(server.ran().is_empty());
    }
}

/// A server on a port of its own, and its address.
async fn serving(bed: &Bed, server: &Server) -> String {
    let app = axum::Router::new()
        .route_service("/mcp", server.service())
        .layer(bed.server.mcp().tools(tools()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}/mcp")
}

#[tokio::test]
async fn its_client_calls_tools_through_the_layer() {
    let (bed, server) = (mcp(), Server::default());
    let uri = serving(&bed, &server).await;
    let config = StreamableHttpClientTransportConfig::with_uri(uri).auth_header(bed.token());
    let transport = StreamableHttpClientTransport::from_config(config);
    let client = ().serve(transport).await.expect("a server");
    let listed = client.list_all_tools().await.expect("a list");
    assert_eq!(listed.len(), 2);
    let result = client.call_tool(CallToolRequestParams::new("read_file")).await.expect("a result");
    let result: Value = serde_json::to_value(result).expect("JSON");
    assert_eq!(result["content"][0]["text"], "done");
    let refused = client.call_tool(CallToolRequestParams::new("delete_file")).await;
    assert!(refused.is_err());
    assert_eq!(server.ran(), ["read_file"]);
    client.cancel().await.expect("an end");
}
