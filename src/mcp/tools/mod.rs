//! Scopes per tool: which tool of an MCP server needs what.
//!
//! `message` reads what a body asks for, `fields` compares the header fields with it, `rules` finds
//! what that needs, and `layer` does all this before the service inside gets the request.

mod fields;
mod layer;
mod message;
mod preset;
mod rules;

use std::collections::HashSet;
use std::time::Duration;

pub use self::layer::{RequireTools, RequireToolsFuture, RequireToolsLayer};
use self::message::TOOLS_CALL;
pub use self::preset::McpToolsLayer;
use crate::authorize::Requirement;
use crate::config::Fault;
use crate::mcp::unseen::is_unseen;

const DEFAULT_LIMIT: usize = 4 * 1024 * 1024;
const DEFAULT_READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Which tools need what, for
/// [`ResourceServer::require_tools`](crate::ResourceServer::require_tools).
///
/// ```
/// use axum::{Router, body::Body, routing::post};
/// use http::{Request, StatusCode, header};
/// use tower::ServiceExt;
/// use tower_resource_server::{Scopes, StepUp, mcp::Tools, testing::TestIssuer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
/// # let issuer = TestIssuer::new("https://as.example.com");
/// # let server = issuer.resource_server("https://api.example.com").build()?;
/// let tools = Tools::new()
///     .any_token("list_files")
///     .tool("read_file", Scopes::all(["files:read"]))
///     .tool("delete_file", Scopes::all(["files:delete"]).and(StepUp::acr(["urn:mfa"])))
///     .method("resources/read", Scopes::all(["files:read"]));
/// let app = Router::new()
///     .route("/mcp", post(|| async { "done" }))
///     .layer(server.require_tools(tools))
///     .layer(server.authenticate()); // outside, hence later in the source
///
/// let call = |tool| {
///     let body = serde_json::json!({
///         "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool },
///     });
///     let request = Request::post("/mcp").header(header::CONTENT_TYPE, "application/json");
///     let request = request.body(Body::from(body.to_string())).expect("a request");
///     app.clone().oneshot(issuer.token().scope("files:read").authorize(request))
/// };
/// assert_eq!(call("read_file").await?.status(), StatusCode::OK);
/// assert_eq!(call("delete_file").await?.status(), StatusCode::UNAUTHORIZED); // a step-up
/// assert_eq!(call("format_disk").await?.status(), StatusCode::FORBIDDEN); // not listed
/// # Ok(())
/// # }
/// ```
///
/// # What is governed
///
/// Calls of tools (`tools/call`), all of them: **a tool that is not listed is open to nobody**,
/// unless [`others`](Self::others) says what such tools need. So a tool that is added to a server
/// and forgotten here is refused, with the kind
/// [`unlisted-tool`](crate::guide::error_catalogue#unlisted-tool). Names are compared exactly.
///
/// Every other method, such as `initialize`, `tools/list` or `prompts/get`, is open to whoever the
/// layers outside let through, unless [`method`](Self::method) names it. The list of tools is not
/// filtered.
///
/// A batch (JSON-RPC 2.0 §6, MCP 2025-03-26) passes if every message in it may; else nothing of it
/// runs, and the one answer lists the scopes that the whole batch needs.
///
/// # Where the name comes from
///
/// From the body. It is read before the service inside gets the request, which then receives the same
/// bytes. Revision 2026-07-28 repeats method and name in the header fields `Mcp-Method` and
/// `Mcp-Name`; where `MCP-Protocol-Version` says that revision, both have to be there and to agree
/// with the body, and so has the version itself. A client could send harmless fields with another
/// body, so fields alone count for nothing unless [`trust_headers`](Self::trust_headers) says that
/// the server inside compares them.
///
/// A body that two parsers could read differently is refused as
/// [`invalid-message`](crate::guide::error_catalogue#invalid-message): with a member twice, a member
/// like `Method` beside `method`, or half a surrogate pair. So is one that is nested more than 128
/// levels deep, or a batch of more than 256 messages. A request that is no POST is read too if it has
/// a body, since some services do not look at the method.
///
/// # Defaults
///
/// Bodies of up to 4 MiB, as MCP servers read them, that arrive within 30 seconds.
///
/// # What is not checked
///
/// The arguments of a call. What a call may do with *these* arguments is the tool's to decide. Nor are
/// the fields `Mcp-Param-…`, which repeat arguments: only the tool knows its schema. Responses that a
/// client sends to the server pass.
///
/// # Faults
///
/// Names that are empty, longer than 128 characters, with control characters, with invisible ones or
/// with space at their ends; names that occur twice; `tools/call` as a method; limits of zero; and
/// every fault of a requirement. A layer with a fault refuses every request;
/// [`try_require_tools`](crate::ResourceServer::try_require_tools) reports it instead.
#[derive(Clone, Debug)]
pub struct Tools {
    tools: Vec<(String, Option<Requirement>)>,
    methods: Vec<(String, Option<Requirement>)>,
    others: Others,
    source: Source,
    limit: usize,
    read_timeout: Duration,
}

/// What tools need that are not listed.
#[derive(Clone, Debug)]
enum Others {
    Nobody,
    AnyToken,
    Need(Requirement),
}

/// Where method and name of a message are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Source {
    Body,
    /// The header fields, in revisions that have them.
    Fields,
}

impl Tools {
    /// No tool is open to anyone.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            tools: Vec::new(),
            methods: Vec::new(),
            others: Others::Nobody,
            source: Source::Body,
            limit: DEFAULT_LIMIT,
            read_timeout: DEFAULT_READ_TIMEOUT,
        }
    }

    /// What calls of that tool need.
    #[must_use]
    pub fn tool(mut self, name: impl Into<String>, requirement: impl Into<Requirement>) -> Self {
        self.tools.push((name.into(), Some(requirement.into())));
        self
    }

    /// Opens a tool to every valid token.
    ///
    /// Behind an [optional](crate::layer::AuthenticateLayer::optional) layer, calls without a token
    /// are still refused.
    #[must_use]
    pub fn any_token(mut self, name: impl Into<String>) -> Self {
        self.tools.push((name.into(), None));
        self
    }

    /// What calls of all tools need that are not listed.
    ///
    /// Only right where the server inside compares names exactly: with one that ignores case, a listed
    /// tool in other letters would be one of these. A name that would be a fault here is open to nobody
    /// in any case.
    ///
    /// The last of several calls counts, those of [`others_any_token`](Self::others_any_token)
    /// included.
    #[must_use]
    pub fn others(self, requirement: impl Into<Requirement>) -> Self {
        Self { others: Others::Need(requirement.into()), ..self }
    }

    /// Opens all tools that are not listed to every valid token: also those that will be added to the
    /// server one day.
    #[must_use]
    pub fn others_any_token(self) -> Self {
        Self { others: Others::AnyToken, ..self }
    }

    /// What requests and notifications of another method need, such as `prompts/get`,
    /// `resources/read` or `tools/list`.
    ///
    /// Clients begin with `initialize`, or `server/discover` from 2026-07-28 on. Demand something of
    /// those only if it is needed for everything; then better in the layer outside, with
    /// [`AuthenticateLayer::require`](crate::layer::AuthenticateLayer::require).
    #[must_use]
    pub fn method(
        mut self,
        method: impl Into<String>,
        requirement: impl Into<Requirement>,
    ) -> Self {
        self.methods.push((method.into(), Some(requirement.into())));
        self
    }

    /// Reads bodies of up to so many bytes.
    ///
    /// Longer ones are refused with 413. Each request in flight may hold as much; its sender has shown
    /// a valid token, unless the layer outside is optional.
    #[must_use]
    pub fn limit(self, bytes: usize) -> Self {
        Self { limit: bytes, ..self }
    }

    /// Waits so long for a body, from when it is first asked for.
    ///
    /// What has not arrived by then is refused with 408. The time is kept by the Tokio runtime that the
    /// server runs on; on another one there is no limit.
    #[must_use]
    pub fn read_timeout(self, timeout: Duration) -> Self {
        Self { read_timeout: timeout, ..self }
    }

    /// Takes the word of `Mcp-Method` and `Mcp-Name` where `MCP-Protocol-Version` is 2026-07-28, and
    /// leaves the body alone.
    ///
    /// Only right where **the server inside** compares both with the body, as that revision demands
    /// (400, code −32020), and **does so for every request with that protocol version**; the official
    /// SDK for Rust does. With another server, a client that names one tool in the field and another in
    /// the body runs the second with the scopes of the first.
    ///
    /// Bodies of other revisions are read as before, and so are those of requests without
    /// `Mcp-Method`.
    #[must_use]
    pub fn trust_headers(self) -> Self {
        Self { source: Source::Fields, ..self }
    }

    /// Those of the requirements come separately.
    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        names("tool", &self.tools, &mut faults);
        names("method", &self.methods, &mut faults);
        let fault =
            |problem: &'static str, mend: &'static str| Fault::new("require_tools", problem, mend);
        if self.methods.iter().any(|(method, _)| method == TOOLS_CALL) {
            let mend = "demand it with tool, or of all tools with others";
            faults.push(fault("tools/call is no method by itself", mend));
        }
        if self.limit == 0 {
            faults.push(fault("a limit of no bytes", "allow for the longest message"));
        }
        if self.read_timeout.is_zero() {
            faults.push(fault("no time to read a body", "allow for slow clients"));
        }
        faults
    }
}

impl Default for Tools {
    fn default() -> Self {
        Self::new()
    }
}

fn names(what: &str, rules: &[(String, Option<Requirement>)], faults: &mut Vec<Fault>) {
    let mut seen = HashSet::new();
    for (name, _) in rules {
        if !is_sound(name) {
            let problem = format!("{name:?} is not the name of a {what}");
            let mend = "use the name as the server has it: 1 to 128 visible characters";
            faults.push(Fault::new("require_tools", problem, mend));
        }
        if !seen.insert(name) {
            let problem = format!("the {what} {name:?} is there twice");
            faults.push(Fault::new("require_tools", problem, "join its requirements with and"));
        }
    }
}

/// A name with something in it that is not to be seen would look like another.
fn is_sound(name: &str) -> bool {
    // No name needs joiners or a line of its own.
    let hidden = |c| is_unseen(c) || matches!(c, '\u{200c}' | '\u{200d}' | '\u{2028}' | '\u{2029}');
    !name.is_empty()
        && name.chars().count() <= 128
        && name.trim() == name
        && !name.chars().any(hidden)
}
