//! Scopes per tool within the layer of an MCP server.

use tower_layer::Layer;

use super::{RequireTools, RequireToolsLayer, Tools};
use crate::config::ConfigError;
use crate::mcp::{McpLayer, McpService};

/// An [`McpLayer`] that demands of each call of a tool what that tool needs. Made by
/// [`McpLayer::tools`].
///
/// After the checks of the `McpLayer` come those of a [`RequireToolsLayer`]; then the service inside.
#[derive(Clone, Debug)]
pub struct McpToolsLayer {
    outer: McpLayer,
    tools: RequireToolsLayer,
}

impl McpLayer {
    /// Demands of each call of a tool what that tool needs: see [`Tools`]. The last setting, since it
    /// makes another layer.
    ///
    /// What [`require`](Self::require) demands of every token need not be repeated here: the challenge
    /// to a call lists both.
    ///
    /// Faulty rules are logged at once and fail closed: every request is answered 500.
    /// [`try_tools`](Self::try_tools) returns the faults instead.
    ///
    /// ```
    /// use tower_resource_server::mcp::{McpToolsLayer, Tools};
    /// use tower_resource_server::{ResourceServer, Scopes};
    ///
    /// fn layer(server: &ResourceServer) -> McpToolsLayer {
    ///     let tools = Tools::new()
    ///         .any_token("list_files")
    ///         .tool("delete_file", Scopes::all(["files:delete"]));
    ///     server.mcp().require(Scopes::all(["files"])).tools(tools)
    /// }
    /// ```
    #[must_use]
    pub fn tools(self, tools: Tools) -> McpToolsLayer {
        let tools = RequireToolsLayer::new(tools, self.requirement(), self.settings());
        McpToolsLayer { outer: self, tools }
    }

    /// As [`tools`](Self::tools).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every fault of the rules.
    pub fn try_tools(self, tools: Tools) -> Result<McpToolsLayer, ConfigError> {
        let tools = RequireToolsLayer::checked(tools, self.requirement(), self.settings())?;
        Ok(McpToolsLayer { outer: self, tools })
    }
}

impl<S> Layer<S> for McpToolsLayer {
    type Service = McpService<RequireTools<S>>;

    fn layer(&self, inner: S) -> Self::Service {
        self.outer.layer(self.tools.layer(inner))
    }
}
