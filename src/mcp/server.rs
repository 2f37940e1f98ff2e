//! The layers of MCP, as a resource server makes them.

use super::{McpLayer, RequireToolsLayer, Tools};
use crate::config::ConfigError;
use crate::server::ResourceServer;

impl ResourceServer {
    /// A layer that demands of each call of an MCP tool what that tool needs; it goes inside an
    /// [`authenticate`](Self::authenticate) layer of this server. [`Tools`] has an example.
    ///
    /// Faulty rules are logged at once and fail closed: every request is answered 500.
    /// [`try_require_tools`](Self::try_require_tools) returns the faults instead.
    ///
    /// Making it also enters the scopes of all tools into the metadata document, so make layers before
    /// the document is first served.
    #[must_use]
    pub fn require_tools(&self, tools: Tools) -> RequireToolsLayer {
        RequireToolsLayer::new(tools, None, self.settings())
    }

    /// As [`require_tools`](Self::require_tools).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every fault of the rules.
    pub fn try_require_tools(&self, tools: Tools) -> Result<RequireToolsLayer, ConfigError> {
        RequireToolsLayer::checked(tools, None, self.settings())
    }

    /// The layer around the endpoint of an MCP server: origin, token, protocol version and session.
    ///
    /// The server has to be built with [`Builder::mcp`](crate::Builder::mcp). Without that, it is logged
    /// as an error at once, and every request is answered 500.
    ///
    /// ```
    /// use axum::{Router, routing::any_service};
    /// use tower_resource_server::{ResourceServer, Scopes};
    ///
    /// /// `endpoint` is the service of an MCP library.
    /// fn app<S>(server: &ResourceServer, endpoint: S) -> Router
    /// where
    ///     S: tower::Service<
    ///             http::Request<axum::body::Body>,
    ///             Response = http::Response<axum::body::Body>,
    ///             Error = std::convert::Infallible,
    ///             Future: Send,
    ///         > + Clone + Send + Sync + 'static,
    /// {
    ///     Router::new()
    ///         .route("/mcp", any_service(endpoint))
    ///         .layer(server.mcp().require(Scopes::all(["mcp"])))
    ///         .merge(server.metadata()) // the RFC 9728 document is public
    /// }
    /// ```
    #[must_use]
    pub fn mcp(&self) -> McpLayer {
        McpLayer::new(self.settings())
    }
}
