//! A protected hyper server without a framework, over HTTP/1.1 and HTTP/2; or, with `--upstream`, a
//! protecting reverse proxy.
//!
//! `cargo run --example hyper` prints curl lines to try; `-- --help` lists the flags.

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "the servers that share it use more of it")]
mod common;
mod flags;
mod gateway;
mod routes;
mod serve;
mod service;

use std::process::ExitCode;

use common::cli::Options;
use common::start::{self, Failure, Started};
use flags::Flags;
use gateway::Gateway;
use service::App;

#[tokio::main]
async fn main() -> ExitCode {
    start::run(async |options: &Options, flags: Flags| match &flags.upstream {
        Some(upstream) => protect(options, upstream, &flags).await,
        None => serve(options).await,
    })
    .await
}

/// Routes of its own, as the axum example has them.
async fn serve(options: &Options) -> Result<(), Failure> {
    let started = Started::new(options, |builder| builder).await?;
    let app: App = routes::app(&started.server);
    let stop = common::stop_signal()?;
    started.announce(|tour| tour.print());
    serve::serve(started.listener, app, stop).await;
    Ok(())
}

/// Nothing passes unchecked that could be meant for the server behind: no preflight, for it may call
/// what it likes; no token in a query, for it would be forwarded.
async fn protect(options: &Options, upstream: &str, flags: &Flags) -> Result<(), Failure> {
    let settle =
        |builder: tower_resource_server::Builder| builder.protect_preflight().refuse_query_tokens();
    let started = Started::new(options, settle).await?;
    let gateway = Gateway::new(&started, upstream, flags.patience())?;
    let app: App = gateway::app(&started.server, gateway);
    let stop = common::stop_signal()?;
    started.announce(|tour| tour.print_gateway(&format!("http://{upstream}")));
    serve::serve(started.listener, app, stop).await;
    Ok(())
}
