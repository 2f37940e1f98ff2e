//! The SDK's client, as its documents say to use it.

use std::error::Error;
use std::sync::{Arc, Mutex};

use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig, ElicitRequestParams,
    ElicitResult, ElicitationAction, ElicitationCapability, ErrorData, Implementation,
    ProtocolVersion, UrlElicitationCapability,
};
use rmcp::service::{ClientInitializeError, RequestContext, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::{AuthClient, AuthorizationManager, AuthorizationRequest, OAuthState};
use rmcp::transport::streamable_http_client::{
    InsufficientScopeError, StreamableHttpClient, StreamableHttpClientTransportConfig,
};
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt as _, RoleClient, ServiceError};
use serde_json::{Value, json};

use crate::browser::{self, REDIRECT_URI};

/// The one who sits before the client: is shown URLs, opens them, and agrees.
#[derive(Clone, Debug, Default)]
pub(crate) struct User {
    /// What the client begins with, where it begins with `initialize`.
    version: ProtocolVersion,
    pub(crate) shown: Arc<Mutex<Vec<ElicitRequestParams>>>,
}

impl User {
    fn of(version: ProtocolVersion) -> Self {
        Self { version, ..Self::default() }
    }
}

impl ClientHandler for User {
    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::default();
        let elicitation = ElicitationCapability::new().with_url(UrlElicitationCapability::new());
        capabilities.elicitation = Some(elicitation);
        let config = ClientConfig::new(capabilities, Implementation::new("sdk", "1"));
        config.with_protocol_version(self.version.clone())
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        if let ElicitRequestParams::UrlElicitationParams { url, .. } = &request {
            browser::visits(url).await;
        }
        self.shown.lock().expect("not poisoned").push(request);
        Ok(ElicitResult::new(ElicitationAction::Accept))
    }
}

pub(crate) type Session = RunningService<RoleClient, User>;

/// How clients of that revision begin.
fn lifecycle(version: ProtocolVersion) -> ClientLifecycleMode {
    if version.has_initialize() {
        ClientLifecycleMode::Initialize
    } else {
        ClientLifecycleMode::Discover { preferred_versions: vec![version] }
    }
}

/// A client that has no token and cannot get any.
pub(crate) async fn connect_without_token(
    url: &str,
    version: ProtocolVersion,
) -> Result<Session, ClientInitializeError> {
    let transport = StreamableHttpClientTransport::from_uri(url);
    User::of(version.clone()).serve_with_lifecycle(transport, lifecycle(version)).await
}

/// A client with the SDK's authorization support.
pub(crate) struct Authorized {
    pub(crate) session: Session,
    pub(crate) manager: Arc<tokio::sync::Mutex<AuthorizationManager>>,
    pub(crate) user: User,
}

impl Authorized {
    /// From nothing: a bare 401, discovery, the code flow, and MCP's own handshake.
    pub(crate) async fn connect(url: &str, version: ProtocolVersion, scopes: &[&str]) -> Self {
        let refused = connect_without_token(url, version.clone()).await.expect_err("no token");
        let challenge = refused.auth_challenge().expect("a challenge").to_owned();
        let manager = authorize(url, &challenge, scopes).await;
        let user = User::of(version.clone());
        Self::begin(url, user, lifecycle(version), manager).await.expect("a connection")
    }

    /// With the tokens that the manager has.
    pub(crate) async fn begin(
        url: &str,
        user: User,
        lifecycle: ClientLifecycleMode,
        manager: AuthorizationManager,
    ) -> Result<Self, ClientInitializeError> {
        let client = AuthClient::new(http_client(), manager);
        let manager = Arc::clone(&client.auth_manager);
        let config = StreamableHttpClientTransportConfig::with_uri(url);
        let transport = StreamableHttpClientTransport::with_client(client, config);
        let session = user.clone().serve_with_lifecycle(transport, lifecycle).await?;
        Ok(Self { session, manager, user })
    }

    pub(crate) async fn call(
        &self,
        tool: &'static str,
        arguments: Value,
    ) -> Result<CallToolResult, ServiceError> {
        self.session.call_tool(call(tool, arguments)).await
    }

    pub(crate) async fn token(&self) -> String {
        self.manager.lock().await.get_access_token().await.expect("a token")
    }
}

/// The SDK's whole flow with that challenge; the user agrees to everything.
pub(crate) async fn authorize(url: &str, challenge: &str, scopes: &[&str]) -> AuthorizationManager {
    let mut state = OAuthState::new(url, None).await.expect("a URL");
    let request = AuthorizationRequest::new(REDIRECT_URI)
        .with_challenge(challenge)
        .with_client_name("SDK")
        .with_scopes(scopes.iter().copied());
    state.start_authorization(request).await.expect("the servers' metadata");
    let page = state.get_authorization_url().await.expect("a session");
    let callback = browser::authorizes(&page).await;
    state.handle_callback_url(&callback).await.expect("a token");
    state.into_authorization_manager().expect("authorized")
}

/// Asks the user for that scope on top of those granted, through the same manager.
pub(crate) async fn upgrade(client: &Authorized, scope: &str) {
    let manager = client.manager.lock().await;
    let page = manager.request_scope_upgrade(scope).await.expect("an upgrade");
    let callback = browser::authorizes(&page).await;
    let callback = rmcp::transport::auth::AuthorizationCallback::from_redirect_url(&callback)
        .expect("a callback");
    manager
        .exchange_code_for_token_with_issuer(
            &callback.code,
            &callback.csrf_token,
            callback.issuer.as_deref(),
        )
        .await
        .expect("a token");
}

pub(crate) fn call(tool: &'static str, arguments: Value) -> CallToolRequestParams {
    let arguments = serde_json::from_value(arguments).expect("an object");
    CallToolRequestParams::new(tool).with_arguments(arguments)
}

pub(crate) fn nothing() -> Value {
    json!({})
}

/// The text that a tool answers with.
pub(crate) fn text(result: &CallToolResult) -> &str {
    assert_ne!(result.is_error, Some(true), "{result:?}");
    &result.content[0].as_text().expect("a text").text
}

/// The 403 at the bottom of an error, as the SDK has it.
pub(crate) fn insufficient_scope(error: &ServiceError) -> &InsufficientScopeError {
    let ServiceError::TransportSend(error) = error else { panic!("{error:?}") };
    let mut source: Option<&(dyn Error + 'static)> = Some(error.error.as_ref());
    while let Some(error) = source {
        if let Some(found) = error.downcast_ref() {
            return found;
        }
        source = error.source();
    }
    panic!("no 403 in {error:?}")
}

/// The HTTP client that the SDK brings. It does not export the type, but names it in signatures.
fn http_client() -> impl StreamableHttpClient + Sync {
    default_of(OAuthState::new::<&'static str>)
}

fn default_of<C: Default, F>(_: fn(&'static str, Option<C>) -> F) -> C {
    C::default()
}
