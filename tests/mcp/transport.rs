//! What an MCP server asks of its transport, and the preset that makes one.

mod origins;
mod preset;
mod rows;
mod sdk;
mod sessions;
mod versions;

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_resource_server::mcp::{Mcp, McpLayer, Revision};

use crate::support::{Answer, Bed, read};

const VERSION: &str = "mcp-protocol-version";
const SESSION: &str = "mcp-session-id";

fn bed() -> Bed {
    bed_of(Mcp::new())
}

fn bed_of(mcp: Mcp) -> Bed {
    Bed::with(|builder| builder.mcp(mcp))
}

/// A request without a token.
fn bare(method: Method, lines: &[(&str, &[u8])]) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri("/mcp");
    for (name, value) in lines {
        request = request.header(*name, HeaderValue::from_bytes(value).expect("a field value"));
    }
    request.body(Full::default()).expect("a test request is well formed")
}

/// A request with that token.
fn with(token: &str, method: Method, lines: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let authorization = format!("Bearer {token}");
    let mut all = vec![("authorization", authorization.as_bytes())];
    all.extend(lines.iter().map(|(name, value)| (*name, value.as_bytes())));
    bare(method, &all)
}

fn post(token: &str, lines: &[(&str, &str)]) -> Request<Full<Bytes>> {
    with(token, Method::POST, lines)
}

/// What the endpoint inside sees of a request.
#[derive(Clone, Debug)]
struct Seen {
    headers: HeaderMap,
    revision: Option<Revision>,
}

/// The endpoint inside: begins a session with every POST that names none, and repeats the id of
/// every other.
#[derive(Clone, Default)]
struct Endpoint {
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Endpoint {
    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }

    fn answer(&self, request: &Request<Full<Bytes>>) -> Response<Full<Bytes>> {
        let headers = request.headers().clone();
        let revision = request.extensions().get::<Revision>().copied();
        let mut seen = self.seen.lock().expect("no panic");
        let new = HeaderValue::try_from(format!("session-{}", seen.len())).expect("a field value");
        let id = headers.get(SESSION).cloned().unwrap_or(new);
        seen.push(Seen { headers, revision });
        let mut response = Response::new(Full::default());
        response.headers_mut().insert(SESSION, id);
        response
    }

    async fn ask(&self, layer: McpLayer, request: Request<Full<Bytes>>) -> Answer {
        let before = self.seen().len();
        let endpoint = self.clone();
        let service = layer.layer(service_fn(move |request: Request<Full<Bytes>>| {
            let response = endpoint.answer(&request);
            async { Ok::<_, Infallible>(response) }
        }));
        let response = service.oneshot(request).await.expect("infallible");
        read(response, self.seen().len() > before).await
    }
}

/// The answer of an endpoint of its own.
async fn ask(layer: McpLayer, request: Request<Full<Bytes>>) -> Answer {
    Endpoint::default().ask(layer, request).await
}
