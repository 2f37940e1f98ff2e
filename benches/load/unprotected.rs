//! Servers that this bench is itself when it is told so: the examples without any layer of the crate.
//!
//! They serve as the examples do, by the code of the examples: the same accept loop, the same
//! settings of connections, the same runtime and logging, the same answers; for hyper the same table
//! of routes too. No example has a flag that turns its protection off, and none is to get one.
//! Routes whose handler needs a grant are there, so that there are as many, and answer as to nobody.
//!
//! There is one protected server as well: the axum example with a second issuer, for which it has no
//! flag.

use std::process::ExitCode;

use axum::extract::Path;
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use http::Method;
use lexopt::ValueExt as _;
use tower_resource_server::Issuer;

use crate::common::cli::{Options, OwnFlags};
use crate::common::start::{self, Failure, Started};
use crate::common::{self, answers};
use crate::hyper_table::{self as table, Table};
use crate::service::{App, answer, boxed, json};
use crate::{axum_routes, serve};

pub(crate) const FLAG: &str = "--serve";

/// What this bench has besides the flags of the examples.
#[derive(Default)]
struct Flags {
    what: String,
    /// Identifier and key set of the second issuer.
    second: Option<(String, String)>,
}

impl OwnFlags for Flags {
    fn take(&mut self, name: &str, parser: &mut lexopt::Parser) -> Result<bool, lexopt::Error> {
        match name {
            "serve" => self.what = parser.value()?.string()?,
            "second" => {
                self.second = Some((parser.value()?.string()?, parser.value()?.string()?));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// As the examples are run.
#[tokio::main]
pub(crate) async fn main() -> ExitCode {
    start::run(async |options: &Options, flags: Flags| match (flags.what.as_str(), flags.second) {
        ("axum", _) => serve_axum(options, axum_app()).await,
        ("hyper", _) => serve_hyper(options).await,
        ("two-issuers", Some(second)) => two_issuers(options, second).await,
        _ => Err("use axum, hyper, or two-issuers with --second".into()),
    })
    .await
}

async fn serve_axum(options: &Options, app: Router) -> Result<(), Failure> {
    let listener = common::listen(options.listen).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).with_graceful_shutdown(common::stop_signal()?).await?;
    Ok(())
}

async fn serve_hyper(options: &Options) -> Result<(), Failure> {
    let listener = common::listen(options.listen).await?;
    println!("listening on http://{}", listener.local_addr()?);
    serve::serve(listener, hyper_app(), common::stop_signal()?).await;
    Ok(())
}

async fn two_issuers(
    options: &Options,
    (identifier, keys): (String, String),
) -> Result<(), Failure> {
    let second = Issuer::jwks_uri(identifier, keys);
    let started = Started::new(options, |builder| builder.issuer(second)).await?;
    let app = axum_routes::app(&started.server);
    started.announce(|_| ());
    axum::serve(started.listener, app).with_graceful_shutdown(common::stop_signal()?).await?;
    Ok(())
}

fn axum_app() -> Router {
    let nobody = || -> MethodRouter { get(async || Json(answers::greeting(None))) };
    let tools =
        get(async || Json(answers::tools())).merge(post(async || Json(answers::tool_added())));
    Router::new()
        .route("/public", get(async || Json(answers::public())))
        .route("/whoami", nobody())
        .route("/tools", tools)
        .route("/admin", nobody())
        .route("/reports/{id}", get(async |Path(id): Path<String>| Json(answers::report(&id))))
        .route("/payments", nobody())
        .route("/handler-denied", nobody())
        .route("/optional", nobody())
        .nest("/nested", Router::new().route("/whoami", nobody()))
        .route("/.well-known/oauth-protected-resource", nobody())
}

fn hyper_app() -> App {
    let nobody = || table::get(answer(|_| json(&answers::greeting(None))));
    let tools = table::methods([
        (Method::GET, answer(|_| json(&answers::tools()))),
        (Method::POST, answer(|_| json(&answers::tool_added()))),
    ]);
    let routes = Table::default()
        .at("/public", table::get(answer(|_| json(&answers::public()))))
        .at("/whoami", nobody())
        .at("/optional", nobody())
        .at("/tools", tools)
        .at("/admin", nobody())
        .at(
            "/reports/{id}",
            table::get(answer(|request| json(&answers::report(request.uri().path())))),
        )
        .at("/payments", nobody())
        .at("/handler-denied", nobody())
        .nest("/nested", Table::default().at("/whoami", nobody()));
    boxed(routes)
}
