//! An authorization server and an MCP server, each on a port of its own, with one clock.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower_resource_server::testing::FixedClock;
use tower_resource_server::{Issuer, ResourceServer};

use crate::authorization_server_mock::options::SharedClock;
use crate::authorization_server_mock::scope::Scope;
use crate::authorization_server_mock::{self, Client, Options, RunningMock};
use crate::mcp_server;

/// A client that acts for itself, and its secret.
pub(crate) const SERVICE: (&str, &str) = ("nightly-job", "example-secret");

pub(crate) struct Bed {
    /// Of both servers. The SDK goes by the system's, which shows the same until this is advanced.
    pub(crate) clock: FixedClock,
    /// Of the MCP endpoint.
    pub(crate) url: String,
    authorization_server: RunningMock,
    server: JoinHandle<()>,
}

impl Bed {
    pub(crate) async fn new() -> Self {
        let clock = FixedClock::at(now());
        let options = Options {
            scopes_supported: Scope::of(mcp_server::SCOPES),
            clients: vec![Client::service(SERVICE.0, SERVICE.1)],
            clock: SharedClock(Arc::new(clock.clone())),
            ..Options::default()
        };
        let authorization_server =
            authorization_server_mock::start(listener().await, options).await.expect("a mock");
        let listener = listener().await;
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let url = format!("{base}{}", mcp_server::PATH);
        let builder = ResourceServer::builder(&url)
            .issuer(Issuer::discover(&authorization_server.issuer))
            .allow_loopback()
            .clock(clock.clone());
        let app = mcp_server::app(builder, &base).expect("a sound configuration");
        let serve = async move { axum::serve(listener, app).await.expect("it serves") };
        let server = tokio::spawn(serve);
        Self { clock, url, authorization_server, server }
    }

    pub(crate) fn token_endpoint(&self) -> String {
        format!("{}/token", self.authorization_server.issuer)
    }

    /// Long enough for any access token to expire; refresh tokens stay good.
    pub(crate) fn expire_tokens(&self) {
        self.clock.advance(Duration::from_secs(3600));
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a port")
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
