//! The routes, each with its demand beside it.

use axum::extract::Path;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;
use tower_resource_server::{Grant, Rejection, ResourceServer};

use crate::common::{answers, demands};

pub(crate) fn app(server: &ResourceServer) -> Router {
    let read = server.require(demands::read_tools());
    let write = server.require(demands::write_tools());
    let admin = server.require(demands::administer());
    let reports = server.require(demands::read_reports());
    let strong = server.require(demands::pay());

    let protected = Router::new()
        .route("/whoami", get(whoami))
        .route(
            "/tools",
            get(list_tools).layer(read).merge(axum::routing::post(add_tool).layer(write)),
        )
        .route("/admin", get(whoami).layer(admin))
        .route("/reports/{id}", get(report).layer(reports))
        .route("/payments", get(whoami).layer(strong))
        .route("/handler-denied", get(handler_denied))
        .layer(server.authenticate());

    let optional =
        Router::new().route("/optional", get(greet)).layer(server.authenticate().optional());

    // The layer sits inside: what it sees is a path without the prefix.
    let nested = Router::new().route("/whoami", get(whoami)).layer(server.authenticate());

    Router::new()
        .route("/public", get(async || Json(answers::public())))
        .merge(protected)
        .merge(optional)
        .nest("/nested", nested)
        .merge(server.metadata())
}

async fn whoami(grant: Grant) -> Json<Value> {
    Json(answers::whoami(&grant))
}

async fn greet(grant: Option<Grant>) -> Json<Value> {
    Json(answers::greeting(grant.as_ref()))
}

async fn list_tools() -> Json<Value> {
    Json(answers::tools())
}

async fn add_tool() -> Json<Value> {
    Json(answers::tool_added())
}

async fn report(Path(id): Path<String>) -> Json<Value> {
    Json(answers::report(&id))
}

/// Some demands are known only inside the handler; the refusal looks like a layer's.
async fn handler_denied(grant: Grant) -> Result<Json<Value>, Rejection> {
    grant.require(demands::delete_tools())?;
    Ok(Json(answers::tools_deleted()))
}
