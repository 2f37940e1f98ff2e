//! The layer that puts the checks of an MCP server in their order.

use std::sync::Arc;

use tower_layer::Layer;

use super::{OriginCheck, ProtocolCheck};
use crate::authorize::Requirement;
use crate::config::{ConfigError, Settings};
use crate::layer::{Authenticate, AuthenticateLayer};

/// Protects an MCP server. Made by [`ResourceServer::mcp`](crate::ResourceServer::mcp); goes around
/// the one service that is its endpoint.
///
/// # What is checked
///
/// From the outside in:
///
/// 1. **`Origin`**, if there is one: it is of this server, or [allowed](crate::mcp::Mcp::allowed_origins);
///    else 403, with no challenge and whatever the token;
/// 2. **the token**, as an [`AuthenticateLayer`] does it;
/// 3. **`MCP-Protocol-Version`**: one of the [revisions](crate::mcp::Mcp::revisions) that are spoken,
///    else 400 with their list;
/// 4. **the method**: where the version is 2026-07-28, POST alone, else 405;
/// 5. **`Mcp-Session-Id`**, in earlier versions: a session that this very principal has begun, else
///    404. See [`SealedSessions`](crate::mcp::SealedSessions).
///
/// Each request needs its token, within a session too.
///
/// # What the inner service sees
///
/// A [`Grant`](crate::Grant) and, where the request names its version, the
/// [`Revision`](crate::mcp::Revision), both in the extensions. `Mcp-Session-Id` is the inner service's
/// own id, without its seal; it is gone where the version has no sessions.
///
/// # What is not checked
///
/// The body, `Accept` and `Content-Type`, and `Host`: a name that the server does not have is for its
/// router to refuse. Whether a session has ended is the inner service's to say, with a 404.
///
/// ```
/// use http::{Request, Response, StatusCode};
/// use http_body_util::Full;
/// use tower::{Layer, ServiceExt, service_fn};
/// use tower_resource_server::Scopes;
/// use tower_resource_server::mcp::Mcp;
/// # use tower_resource_server::testing::TestIssuer;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
/// # let issuer = TestIssuer::new("https://as.example.com");
/// let server = issuer.resource_server("https://mcp.example.com/mcp").mcp(Mcp::new()).build()?;
/// let endpoint = service_fn(async |_: Request<()>| {
///     Ok::<_, std::convert::Infallible>(Response::new(Full::<bytes::Bytes>::from("{}")))
/// });
/// let service = server.mcp().require(Scopes::all(["mcp"])).layer(endpoint);
///
/// let token = issuer.token().audience(server.resource()).scope("mcp");
/// let request = |version| Request::post("/mcp").header("mcp-protocol-version", version).body(());
/// let accepted = service.clone().oneshot(token.clone().authorize(request("2026-07-28")?)).await?;
/// assert_eq!(accepted.status(), StatusCode::OK);
/// let refused = service.clone().oneshot(token.authorize(request("1999-12-31")?)).await?;
/// assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
///
/// let evil = Request::post("/mcp").header("origin", "https://evil.example").body(())?;
/// assert_eq!(service.oneshot(evil).await?.status(), StatusCode::FORBIDDEN);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct McpLayer {
    authenticate: AuthenticateLayer,
    settings: Arc<Settings>,
}

impl McpLayer {
    pub(crate) fn new(settings: &Arc<Settings>) -> Self {
        if settings.mcp.is_none() {
            tracing::error!(target: "tower_resource_server::config", "the server was built without mcp(Mcp::new()); this layer refuses every request");
        }
        Self { authenticate: AuthenticateLayer::new(settings), settings: Arc::clone(settings) }
    }

    /// Authenticates with that layer, which has to be of the same server; otherwise every request
    /// is answered 500.
    ///
    /// For all that an [`AuthenticateLayer`] can be set to, such as
    /// [`optional`](AuthenticateLayer::optional) or
    /// [`strip_credentials`](AuthenticateLayer::strip_credentials).
    #[must_use]
    pub fn authenticate(self, authenticate: AuthenticateLayer) -> Self {
        Self { authenticate, ..self }
    }

    /// Demands `requirement` of every token, so that the challenge to a request without a token names
    /// the scopes to ask for: [`AuthenticateLayer::require`].
    ///
    /// A faulty requirement is logged at once and fails closed: every request is answered 500.
    /// [`try_require`](Self::try_require) returns the faults instead.
    #[must_use]
    pub fn require(self, requirement: impl Into<Requirement>) -> Self {
        Self { authenticate: self.authenticate.require(requirement), ..self }
    }

    /// As [`require`](Self::require).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every fault of the requirement.
    pub fn try_require(self, requirement: impl Into<Requirement>) -> Result<Self, ConfigError> {
        Ok(Self { authenticate: self.authenticate.try_require(requirement)?, ..self })
    }

    pub(crate) const fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// What every token has to meet.
    pub(crate) fn requirement(&self) -> Option<&Requirement> {
        self.authenticate.requirement()
    }
}

/// What [`McpLayer`] makes of a service.
pub type McpService<S> = OriginCheck<Authenticate<ProtocolCheck<S>>>;

impl<S> Layer<S> for McpLayer {
    type Service = McpService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let protocol = ProtocolCheck::new(inner, &self.settings);
        OriginCheck::new(self.authenticate.layer(protocol), &self.settings)
    }
}
