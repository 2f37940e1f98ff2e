//! The parts, one by one or all in one process.

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tower_resource_server::{ConfigError, Issuer, ResourceServer};

use super::authorization_server_mock::scope::Scope;
use super::authorization_server_mock::{self, Options};
use super::client::http::Failure;
use super::client::story;
use super::mcp_server;
use super::process::{listen, log_unless_told, stop_signal};

/// The SDK would tell each request twice.
const LOGGED: &str = "info,rmcp=error";

/// Starts both servers, has the client play its story against them, and ends.
pub(crate) async fn all() -> Result<(), Failure> {
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let options = Options { scopes_supported: Scope::of(mcp_server::SCOPES), ..Options::default() };
    let mock = authorization_server_mock::start(listen(anywhere).await?, options).await?;
    let listener = listen(anywhere).await?;
    let base = base(&listener)?;
    let server = axum::serve(listener, protected(&base, &mock.issuer)?);
    println!("The authorization server is {}, the MCP server {base}.", mock.issuer);
    let url = format!("{base}{}", mcp_server::PATH);
    tokio::select! {
        told = story::run(&url) => told,
        ended = server => Err(format!("the MCP server has ended: {ended:?}").into()),
    }
}

/// Serves until it is told to stop.
pub(crate) async fn authorization_server_mock(
    arguments: authorization_server_mock::cli::Arguments,
) -> Result<(), Failure> {
    log_unless_told(LOGGED);
    let stop = stop_signal()?;
    let listener = listen(arguments.listen).await?;
    let mock = authorization_server_mock::start(listener, arguments.options).await?;
    println!("listening on {}", mock.issuer);
    stop.await;
    Ok(())
}

/// Serves until it is told to stop. Streams that clients keep open end then.
pub(crate) async fn mcp_server(address: SocketAddr, issuer: &str) -> Result<(), Failure> {
    log_unless_told(LOGGED);
    let stop = stop_signal()?;
    let listener = listen(address).await?;
    let base = base(&listener)?;
    let server = axum::serve(listener, protected(&base, issuer)?);
    println!("listening on {base}");
    tokio::select! {
        ended = server => Ok(ended?),
        () = stop => Ok(()),
    }
}

/// The identifier of an MCP server is the URL that its clients call (MCP authorization, RFC 8707).
fn protected(base: &str, issuer: &str) -> Result<Router, ConfigError> {
    let resource = format!("{base}{}", mcp_server::PATH);
    let builder =
        ResourceServer::builder(resource).issuer(Issuer::discover(issuer)).allow_loopback();
    mcp_server::app(builder, base)
}

fn base(listener: &TcpListener) -> std::io::Result<String> {
    Ok(format!("http://{}", listener.local_addr()?))
}
