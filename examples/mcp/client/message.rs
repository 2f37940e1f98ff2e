//! MCP's messages as they go over HTTP, in the form of each revision.

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use serde_json::{Value, json};
use tower_resource_server::mcp::Revision;

use super::http::Failure;

/// A request to the server, before it has a token on it.
pub(crate) struct Message<'a> {
    pub(crate) method: &'a str,
    /// The tool, if it is one that is called.
    pub(crate) name: Option<&'a str>,
    pub(crate) params: Value,
    /// None in a notification.
    pub(crate) id: Option<u32>,
}

impl Message<'_> {
    /// The HTTP request that carries it.
    pub(crate) fn to_request(
        &self,
        url: &str,
        revision: Revision,
        session: Option<&str>,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let mut request = Request::post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json, text/event-stream");
        // The handshake comes before the revision is agreed upon.
        if self.method != "initialize" {
            request = request.header("mcp-protocol-version", revision.as_str());
        }
        if let Some(session) = session {
            request = request.header("mcp-session-id", session);
        }
        if revision.has_message_fields() {
            request = request.header("mcp-method", self.method);
            if let Some(name) = self.name {
                request = request.header("mcp-name", name);
            }
        }
        Ok(request.body(Full::from(self.body(revision).to_string()))?)
    }

    fn body(&self, revision: Revision) -> Value {
        let mut params = self.params.clone();
        // Without sessions, each request says by itself who sends it.
        if !revision.has_sessions() {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": revision.as_str(),
                "io.modelcontextprotocol/clientInfo": info(),
                "io.modelcontextprotocol/clientCapabilities": capabilities(),
            });
        }
        let mut body = json!({ "jsonrpc": "2.0", "method": self.method, "params": params });
        if let Some(id) = self.id {
            body["id"] = json!(id);
        }
        body
    }
}

/// The parameters of `initialize`, for revisions that have it.
pub(crate) fn initialize(revision: Revision) -> Value {
    json!({
        "protocolVersion": revision.as_str(),
        "clientInfo": info(),
        "capabilities": capabilities(),
    })
}

fn info() -> Value {
    json!({ "name": "example-client", "version": "1" })
}

/// It can show its user a URL.
fn capabilities() -> Value {
    json!({ "elicitation": { "url": {} } })
}
