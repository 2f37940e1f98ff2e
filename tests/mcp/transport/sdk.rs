//! The official SDK inside the layer, and outside as a client.

use std::sync::Arc;

use http::{Method, Request, StatusCode};
use http_body_util::Full;
use rmcp::model::{
    ListToolsResult, PaginatedRequestParams, ProtocolVersion, ServerCapabilities, ServerConfig,
    Tool,
};
use rmcp::service::{RequestContext, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{
    ClientLifecycleMode, ClientServiceExt, ErrorData, RoleClient, RoleServer, ServerHandler,
};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt};
use tower_resource_server::RejectionKind;
use tower_resource_server::mcp::{Mcp, Revision};

use super::{SESSION, VERSION, bed, bed_of, with};
use crate::support::{Answer, Bed, read};

#[derive(Clone)]
struct Server;

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(vec![Tool::new("hammer", "", Arc::default())]))
    }
}

/// With sessions, in the revisions that have them.
fn endpoint() -> StreamableHttpService<Server, LocalSessionManager> {
    let config = StreamableHttpServerConfig::default().disable_allowed_hosts();
    StreamableHttpService::new(|| Ok(Server), Arc::default(), config)
}

async fn ask(
    bed: &Bed,
    endpoint: &StreamableHttpService<Server, LocalSessionManager>,
    request: Request<Full<bytes::Bytes>>,
) -> Answer {
    let service = bed.server.mcp().layer(endpoint.clone());
    let response = service.oneshot(request).await.expect("infallible");
    // A stream goes on; what counts here is the head.
    let (parts, body) = response.into_parts();
    let is_stream =
        parts.headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
    if is_stream {
        read(http::Response::from_parts(parts, Full::<bytes::Bytes>::default()), true).await
    } else {
        read(http::Response::from_parts(parts, body), true).await
    }
}

fn message(token: &str, lines: &[(&str, &str)], body: &Value) -> Request<Full<bytes::Bytes>> {
    let usual = [
        ("host", "api.example.com"),
        ("accept", "application/json, text/event-stream"),
        ("content-type", "application/json"),
    ];
    let request = with(token, Method::POST, &[&usual, lines].concat());
    request.map(|_| Full::from(body.to_string()))
}

#[tokio::test]
async fn its_sessions_are_tied_to_their_users_and_end_when_it_says() {
    let (bed, endpoint) = (bed(), endpoint());
    let token = |subject: &str| bed.issuer.token().subject(subject).build();
    let client = json!({ "name": "test", "version": "1" });
    let params =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
    let first = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params });
    let answer = ask(&bed, &endpoint, message(&token("alice"), &[], &first)).await;
    assert_eq!(answer.status, StatusCode::OK);
    let id = answer.all(SESSION)[0].to_owned();
    let lines = [(VERSION, "2025-11-25"), (SESSION, id.as_str())];
    let note = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let noted = ask(&bed, &endpoint, message(&token("alice"), &lines, &note)).await;
    assert_eq!(noted.status, StatusCode::ACCEPTED);
    let foreign = ask(&bed, &endpoint, message(&token("mallory"), &lines, &note)).await;
    assert_eq!(foreign.kind(), Some(RejectionKind::UnknownSession));
    let end = |subject| {
        let host = [("host", "api.example.com")];
        with(&token(subject), Method::DELETE, &[&host, &lines[..]].concat())
    };
    let foreign = ask(&bed, &endpoint, end("mallory")).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    assert_eq!(foreign.kind(), Some(RejectionKind::UnknownSession));
    let still = ask(&bed, &endpoint, message(&token("alice"), &lines, &note)).await;
    assert_eq!(still.status, StatusCode::ACCEPTED, "nobody else ended it");
    assert!(ask(&bed, &endpoint, end("alice")).await.status.is_success());
    let ended = ask(&bed, &endpoint, message(&token("alice"), &lines, &note)).await;
    assert_eq!((ended.status, ended.kind()), (StatusCode::NOT_FOUND, None), "its own word");
}

type Client = RunningService<RoleClient, ()>;

/// Its client, on a port of the server's own.
async fn connect(bed: &Bed, lifecycle: ClientLifecycleMode) -> Client {
    let app = axum::Router::new().route_service("/mcp", endpoint()).layer(bed.server.mcp());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let uri = format!("http://{}/mcp", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let config = StreamableHttpClientTransportConfig::with_uri(uri).auth_header(bed.token());
    let transport = StreamableHttpClientTransport::from_config(config);
    ().serve_with_lifecycle(transport, lifecycle).await.expect("a common version")
}

async fn works(client: Client, version: &str) {
    assert_eq!(client.list_all_tools().await.expect("a list").len(), 1);
    let info = client.peer_info().expect("a peer");
    let spoken = serde_json::to_value(&info).expect("JSON").to_string();
    assert!(spoken.contains(version), "{spoken}");
    client.cancel().await.expect("an end");
}

#[tokio::test]
async fn its_client_uses_sessions_through_the_layer() {
    for mcp in [Mcp::new(), Mcp::new().revisions([Revision::V2025_06_18, Revision::V2025_11_25])] {
        works(connect(&bed_of(mcp), ClientLifecycleMode::Initialize).await, "2025-").await;
    }
}

#[tokio::test]
async fn its_client_finds_a_version_that_is_spoken() {
    let preferred_versions = vec![
        serde_json::from_value::<ProtocolVersion>(json!("2027-01-01")).expect("a version"),
        ProtocolVersion::V_2026_07_28,
    ];
    let lifecycle = ClientLifecycleMode::Discover { preferred_versions };
    let bed = bed_of(Mcp::new().revisions([Revision::V2026_07_28]));
    works(connect(&bed, lifecycle).await, "2026-07-28").await;
}

#[tokio::test]
async fn its_client_falls_back_where_the_latest_is_not_spoken() {
    let lifecycle = ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        legacy_version: None,
    };
    let bed = bed_of(Mcp::new().revisions([Revision::V2025_06_18, Revision::V2025_11_25]));
    works(connect(&bed, lifecycle).await, "2025-").await;
}
