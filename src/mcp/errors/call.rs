//! Whom an error is told, and as what.

use serde_json::Value;

use crate::mcp::Revision;

const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// The call that is answered with an error: the revision that its client speaks, what the client
/// can do, and the `id` to answer to.
///
/// Without more than a revision, nothing is expected of the client: it gets texts, with links in
/// them, in place of elicitations. A server must not send an elicitation to a client that has not
/// declared that it can show it.
///
/// ```
/// use serde_json::json;
/// use tower_resource_server::mcp::{Call, Revision};
///
/// // Up to 2025-11-25 a client declares its capabilities when it is initialized.
/// let capabilities = json!({ "elicitation": { "url": {} } });
/// let call = Call::new(Revision::V2025_11_25).id(7).capabilities(&capabilities);
/// assert!(call.shows_urls());
///
/// // From 2026-07-28 on, with each request.
/// let request = json!({
///     "jsonrpc": "2.0", "id": "a", "method": "tools/call",
///     "params": { "name": "post", "_meta": {
///         "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} },
///     }},
/// });
/// let call = Call::new(Revision::V2026_07_28).request(&request);
/// assert!(!call.shows_urls()); // forms alone
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    revision: Revision,
    id: Value,
    shows_urls: bool,
}

impl Call {
    /// A call of a client that speaks that revision, and of which nothing else is known.
    #[must_use]
    pub const fn new(revision: Revision) -> Self {
        Self { revision, id: Value::Null, shows_urls: false }
    }

    /// The `id` of the request: a string or a number. Any other value counts as none.
    #[must_use]
    pub fn id(self, id: impl Into<Value>) -> Self {
        let id = match id.into() {
            id @ (Value::String(_) | Value::Number(_)) => id,
            _ => Value::Null,
        };
        Self { id, ..self }
    }

    /// What the client has declared: whether it has `elicitation.url`.
    #[must_use]
    pub fn capabilities(self, capabilities: &Value) -> Self {
        let shows_urls = capabilities.pointer("/elicitation/url").is_some_and(Value::is_object);
        Self { shows_urls, ..self }
    }

    /// The JSON-RPC request: its `id`, and the capabilities in its `_meta`, where it has them.
    #[must_use]
    pub fn request(self, request: &Value) -> Self {
        let declared = request.pointer("/params/_meta").and_then(|meta| meta.get(CAPABILITIES));
        let id = request.get("id").cloned().unwrap_or_default();
        match declared {
            Some(capabilities) => self.capabilities(capabilities).id(id),
            None => self.id(id),
        }
    }

    /// The revision.
    #[must_use]
    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// Whether the client can be given a URL to show, as an elicitation.
    ///
    /// Never under 2025-06-18, which has no elicitations of that mode.
    #[must_use]
    pub fn shows_urls(&self) -> bool {
        self.shows_urls && self.revision >= Revision::V2025_11_25
    }

    pub(super) const fn request_id(&self) -> &Value {
        &self.id
    }
}
