//! The routes, each with its demand beside it.

use std::time::Duration;

use axum::extract::Path;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tower_resource_server::{Grant, Rejection, ResourceServer, Scopes, StepUp};

pub(crate) fn app(server: &ResourceServer) -> Router {
    let read = server.require(Scopes::all(["tools/read"]));
    let write = server.require(Scopes::all(["tools/write"]));
    let admin = server.require(Scopes::all(["admin", "audit"]));
    let reports = server.require(Scopes::any(["reports/read", "admin"]));
    let strong = StepUp::acr(["urn:example:mfa"]).max_age(Duration::from_secs(300));

    let protected = Router::new()
        .route("/whoami", get(whoami))
        .route(
            "/tools",
            get(list_tools).layer(read).merge(axum::routing::post(add_tool).layer(write)),
        )
        .route("/admin", get(whoami).layer(admin))
        .route("/reports/{id}", get(report).layer(reports))
        .route("/payments", get(whoami).layer(server.require(strong)))
        .route("/handler-denied", get(handler_denied))
        .layer(server.authenticate());

    let optional =
        Router::new().route("/optional", get(greet)).layer(server.authenticate().optional());

    // The layer sits inside: what it sees is a path without the prefix.
    let nested = Router::new().route("/whoami", get(whoami)).layer(server.authenticate());

    Router::new()
        .route("/public", get(async || Json(json!({ "public": true }))))
        .merge(protected)
        .merge(optional)
        .nest("/nested", nested)
        .merge(server.metadata())
}

async fn whoami(grant: Grant) -> Json<Value> {
    Json(json!({
        "sub": grant.subject(),
        "client_id": grant.client_id(),
        "iss": grant.issuer(),
        "scope": grant.scopes().collect::<Vec<_>>().join(" "),
        "binding": grant.binding().name(),
    }))
}

async fn greet(grant: Option<Grant>) -> Json<Value> {
    Json(json!({ "sub": grant.as_ref().and_then(Grant::subject) }))
}

async fn list_tools() -> Json<Value> {
    Json(json!({ "tools": ["hammer", "saw"] }))
}

async fn add_tool() -> Json<Value> {
    Json(json!({ "added": true }))
}

async fn report(Path(id): Path<String>) -> Json<Value> {
    Json(json!({ "report": id }))
}

/// Some demands are known only inside the handler; the refusal looks like a layer's.
async fn handler_denied(grant: Grant) -> Result<Json<Value>, Rejection> {
    grant.require(Scopes::all(["tools/delete"]))?;
    Ok(Json(json!({ "deleted": true })))
}
