//! A protected axum server on real HTTP, with an issuer of its own or one outside.
//!
//! `cargo run --example axum` prints curl lines to try; `-- --help` lists the flags.

#[path = "../common/mod.rs"]
mod common;
mod routes;

use std::error::Error;
use std::process::ExitCode;

use common::cli::{self, Options};
use common::{issuer, server, walkthrough};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    let options = match cli::options() {
        Ok(options) => options,
        Err(code) => return code,
    };
    common::log();
    match run(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cli::fail(&error.to_string()),
    }
}

async fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(options.listen).await?;
    let base = format!("http://{}", listener.local_addr()?);
    let resource = options.resource.clone().unwrap_or_else(|| base.clone());
    let embedded = match options.issuer {
        None => Some(issuer::start().await?),
        Some(_) => None,
    };
    let server = server::build(options, &resource, embedded.as_ref())?;
    println!("listening on {base}");
    if let Some(issuer) = &embedded {
        walkthrough::print(&base, options.audience.as_deref().unwrap_or(&resource), issuer);
    }
    let app = routes::app(&server);
    axum::serve(listener, app).with_graceful_shutdown(common::stop_signal()).await?;
    Ok(())
}
