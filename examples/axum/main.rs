//! A protected axum server on real HTTP, with an issuer of its own or one outside.
//!
//! `cargo run --example axum` prints curl lines to try, and how to run a DPoP client against it;
//! `-- --help` lists the flags.

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "the servers that share it use more of it")]
mod common;
mod routes;

use std::process::ExitCode;

use common::cli::Options;
use common::start::{self, Failure, Started};

#[tokio::main]
async fn main() -> ExitCode {
    start::run(async |options: &Options, ()| serve(options).await).await
}

async fn serve(options: &Options) -> Result<(), Failure> {
    let started = Started::new(options, |builder| builder).await?;
    let app = routes::app(&started.server);
    let (stop, over) = common::with_grace(common::stop_signal()?);
    started.announce(|tour| tour.print());
    let server = axum::serve(started.listener, app).with_graceful_shutdown(stop);
    tokio::select! {
        served = server.into_future() => Ok(served?),
        () = over => Ok(()),
    }
}
