//! A protected gRPC server with tonic, with an issuer of its own or one outside.
//!
//! `cargo run --example tonic` prints command lines of the client beside it to try; `-- --help` lists
//! the flags. The service is that of `tools.proto`.

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "the servers that share it use more of it")]
mod common;
mod messages;
mod methods;
mod rules;
mod service;
mod tour;

use std::process::ExitCode;
use std::time::Duration;

use common::cli::Options;
use common::start::{self, Failure, Started};
use service::Tools;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

/// How often a silent client is asked whether it is still there.
const PING: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> ExitCode {
    start::run(async |options: &Options, ()| serve(options).await).await
}

async fn serve(options: &Options) -> Result<(), Failure> {
    // A gRPC server has no use for CORS preflights.
    let started = Started::new(options, |builder| builder.protect_preflight()).await?;
    let server = &started.server;
    let router = Server::builder()
        // The metadata document is plain HTTP, of whatever version.
        .accept_http1(true)
        .http2_keepalive_interval(Some(PING))
        .layer(server.metadata_layer())
        // Whether a token is needed at all, the rules say.
        .layer(server.authenticate().optional())
        .layer(server.try_require_methods(rules::rules())?)
        .add_service(Tools);
    let (stop, over) = common::with_grace(common::stop_signal()?);
    started.announce(tour::print);
    let listener = TcpIncoming::from(started.listener);
    tokio::select! {
        served = router.serve_with_incoming_shutdown(listener, stop) => Ok(served?),
        () = over => Ok(()),
    }
}
