//! The authorization server of the story: who gives the client its tokens.
//!
//! It is a mock. Everybody who comes is signed in as `alice` and consents to everything, and it
//! forgets all when it ends. Serve it nowhere but on loopback. In all else it does what the RFCs ask
//! of an authorization server:
//!
//! - metadata (RFC 8414), its keys (RFC 7517), registration of clients (RFC 7591);
//! - the authorization code grant with PKCE (RFC 7636, `S256` alone), refresh tokens that are good
//!   once, client credentials (RFC 6749, OAuth 2.1);
//! - access tokens as JWTs (RFC 9068) for the resource that was asked for (RFC 8707), bound to a key
//!   if there is a DPoP proof (RFC 9449), and introspection of them (RFC 7662);
//! - `iss` in every authorization response (RFC 9207);
//! - `prompt`, `max_age`, `acr_values` and the error codes that go with them (OpenID Connect Core),
//!   so that a step-up (RFC 9470) can be played through. There are no ID tokens.
//!
//! # What a test can make happen
//!
//! | with | the answer is |
//! |---|---|
//! | `login_hint=bob` | bob's account, beside that of alice if the session has it |
//! | `login_hint=deny` | `access_denied` |
//! | `login_hint=fail` | `server_error` |
//! | `login_hint=busy` | `temporarily_unavailable`, as when too many codes are outstanding |
//! | `login_hint=late` | an access token that expired an hour ago, whatever `expires_in` says |
//! | `prompt=none` and no cookie | `login_required` |
//! | `prompt=none` and more scopes than were consented to | `consent_required` |
//! | `prompt=none` and an `acr_values` that the session lacks | `interaction_required` |
//! | `prompt=none` and a session of two accounts | `account_selection_required` |
//! | `acr_values` of none that it has | `unmet_authentication_requirements` |
//! | `request`, `request_uri`, `registration` | `request_not_supported` and its like |
//!
//! `invalid_request_uri` and `invalid_request_object` cannot come from a server without request
//! objects.

mod account;
mod answer;
mod authorize;
pub(crate) mod cli;
mod client;
#[path = "../../common/dpop.rs"]
mod dpop;
mod expiring;
mod metadata;
mod mock;
pub(crate) mod options;
mod parameters;
mod pkce;
mod random;
mod redirect_uri;
mod registration;
mod resource;
pub(crate) mod scope;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, header};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower_http::cors::{Any, CorsLayer};

pub(crate) use self::client::Client;
use self::mock::Mock;
pub(crate) use self::options::Options;

/// Longer requests than any client has reason to send.
const MAX_BYTES: usize = 8 * 1024;

/// A server at work. It ends when this is dropped.
pub(crate) struct RunningMock {
    /// Its issuer identifier, which is where it is unless the options say otherwise.
    pub(crate) issuer: String,
    task: JoinHandle<std::io::Result<()>>,
}

impl Drop for RunningMock {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves on that socket.
///
/// # Errors
///
/// When the socket has no address.
pub(crate) async fn start(listener: TcpListener, options: Options) -> std::io::Result<RunningMock> {
    let here = format!("http://{}", listener.local_addr()?);
    let mock = Arc::new(Mock::new(options.issuer.clone().unwrap_or(here), options));
    let issuer = mock.issuer.issuer().to_owned();
    let app = app(mock);
    let task = tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(RunningMock { issuer, task })
}

/// Scripts of other origins may read all but the authorization endpoint, to which browsers are sent
/// and from which nothing is fetched (OAuth 2.1 §3.1).
fn app(mock: Arc<Mock>) -> Router {
    let for_scripts = Router::new()
        .route("/.well-known/oauth-authorization-server", get(metadata::answer))
        .route("/.well-known/openid-configuration", get(metadata::answer))
        .route("/jwks.json", get(metadata::answer))
        .route("/register", post(registration::answer))
        .route("/token", post(token::answer))
        .layer(cors());
    Router::new()
        .merge(for_scripts)
        .route("/authorize", get(authorize::answer).post(authorize::answer))
        .route("/authorize/consent", post(authorize::decide))
        .route("/introspect", post(metadata::introspection))
        .with_state(mock)
}

fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, answer::DPOP])
        .expose_headers([header::WWW_AUTHENTICATE, answer::DPOP_NONCE])
}
