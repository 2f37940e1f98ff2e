//! What MCP asks of a resource server, as one setting.

use super::{Revision, SealedSessions};

/// Makes the server an MCP server, for [`Builder::mcp`](crate::Builder::mcp).
///
/// # What it changes
///
/// | | MCP server | otherwise |
/// |---|---|---|
/// | [`envelope`](crate::Builder::envelope) | [`JsonRpc`](crate::render::JsonRpc), unless one was chosen | [`OAuthJson`](crate::render::OAuthJson) |
/// | challenges | `Bearer` first, each in a line of its own, with `resource_metadata` | the same, unless set otherwise |
/// | metadata document | also at the root of the host, and it names at least one authorization server | at the place of RFC 9728 |
/// | token | in the `Authorization` field (authorization, token requirements) | also in forms, where a [`FormTokenLayer`](crate::layer::FormTokenLayer) reads them |
/// | audience | has to be checked | may be left unchecked by [`danger`](crate::Builder::danger) |
/// | resource identifier | a slash at its end is logged as a warning | either way |
/// | [`ResourceServer::mcp`](crate::ResourceServer::mcp) | a layer with the rules of the transport | a layer that answers 500 |
///
/// Settings may be made in any order. One that was made explicitly and contradicts MCP is a fault of
/// [`build`](crate::Builder::build), which says why.
///
/// Everything else is as ever. In particular, `offline_access` stands neither in challenges nor in
/// `scopes_supported` of any server of this crate.
///
/// ```
/// use tower_resource_server::mcp::{Mcp, Revision};
/// # use tower_resource_server::testing::TestIssuer;
///
/// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
/// # let issuer = TestIssuer::new("https://as.example.com");
/// let server = issuer
///     .resource_server("https://mcp.example.com/mcp")
///     .mcp(
///         Mcp::new()
///             .revisions([Revision::V2025_11_25, Revision::V2026_07_28])
///             .allowed_origins(["https://app.example.com"]),
///     )
///     .build()?;
/// # Ok::<(), tower_resource_server::ConfigError>(())
/// ```
///
/// The [guide](crate::guide::mcp) has a whole server.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Mcp {
    pub(crate) revisions: Option<Vec<Revision>>,
    pub(crate) origins: Vec<String>,
    pub(crate) binding: SessionBinding,
    pub(crate) demands_session: bool,
}

/// Who sees to it that a session is used by the one who began it.
#[derive(Clone, Debug, Default)]
pub(crate) enum SessionBinding {
    /// The layer, with a secret of this process.
    #[default]
    Random,
    /// The layer.
    Sealed(SealedSessions),
    /// The application.
    Application,
}

impl Mcp {
    /// All revisions, called from no web page but those of its own origin, sessions bound.
    pub fn new() -> Self {
        Self::default()
    }

    /// The revisions of the protocol that the application speaks. By default all that this crate
    /// knows.
    ///
    /// Requests of others are refused, with the list of these. List what the application behind the
    /// layer really speaks: the layer only checks the field. Where the list has 2025-11-25 or an
    /// older one, requests without `MCP-Protocol-Version` pass as well, for the first of a session
    /// has none.
    pub fn revisions(mut self, revisions: impl IntoIterator<Item = Revision>) -> Self {
        self.revisions = Some(revisions.into_iter().collect());
        self
    }

    /// Web pages that may call besides those of the server's own origin; may be called several
    /// times.
    ///
    /// Each is an origin as browsers send it: scheme, host and, unless it is the default, port, such
    /// as `https://app.example.com` or `chrome-extension://ponmlkjihgfedcba`. At most 256. `null` is
    /// none.
    ///
    /// By default a page may call if its origin is that of the [resource
    /// identifier](crate::ResourceServer::resource); and if that is on loopback, any page of a host on
    /// loopback, whatever its port. Requests without `Origin` come from no web page, and always pass
    /// this check.
    pub fn allowed_origins<O: Into<String>>(
        mut self,
        origins: impl IntoIterator<Item = O>,
    ) -> Self {
        self.origins.extend(origins.into_iter().map(Into::into));
        self
    }

    /// What ties sessions to those who began them. By default [`SealedSessions::random`], which
    /// serves a single process.
    pub fn sessions(mut self, sessions: SealedSessions) -> Self {
        self.binding = SessionBinding::Sealed(sessions);
        self
    }

    /// Leaves it to the application to tie sessions to their users: `Mcp-Session-Id` passes unread in
    /// both directions.
    ///
    /// **An application that does not compare the user of a session with the subject of each request
    /// lets whoever learns the id of a session into it**, with any valid token (MCP 2025-11-25, session
    /// hijacking).
    pub fn unbound_sessions(mut self) -> Self {
        self.binding = SessionBinding::Application;
        self
    }

    /// Refuses requests that name no session, for applications that give every client one: 400, as
    /// revisions up to 2025-11-25 ask of servers that require a session.
    ///
    /// The layer knows a GET or DELETE request without `Mcp-Session-Id` by its head. Which POST begins a
    /// session, only its body says; so those are refused where the layer reads bodies, with
    /// [`tools`](crate::mcp::McpLayer::tools), and left to the application elsewhere.
    pub const fn require_sessions(mut self) -> Self {
        self.demands_session = true;
        self
    }
}
