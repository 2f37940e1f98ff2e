//! A protected axum server on real HTTP, with an issuer of its own or one outside.
//!
//! `cargo run --example axum` prints curl lines to try, and how to run a DPoP client against it;
//! `-- --help` lists the flags.

#[path = "../common/mod.rs"]
mod common;
mod routes;

use std::error::Error;
use std::process::ExitCode;

use common::cli::{self, Options};
use common::walkthrough::Tour;
use common::{issuer, proofs, server};

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
    let listener = common::listen(options.listen).await?;
    let base = format!("http://{}", listener.local_addr()?);
    let resource = options.resource.clone().unwrap_or_else(|| base.clone());
    let audience = options.audience.as_deref().unwrap_or(&resource);
    let embedded = match options.issuer {
        None => Some(issuer::start(audience).await?),
        Some(_) => None,
    };
    let nonces = proofs::nonces(options)?;
    let server = server::build(options, &resource, embedded.as_ref(), nonces.clone())?;
    println!("listening on {base}");
    if let Some(issuer) = &embedded {
        Tour::new(options, &base, &resource, audience, issuer, nonces.as_ref()).print();
    }
    let app = routes::app(&server);
    axum::serve(listener, app).with_graceful_shutdown(common::stop_signal()).await?;
    Ok(())
}
