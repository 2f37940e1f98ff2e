//! The routes, each with its demand beside it.

use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tower_resource_server::{Grant, ResourceServer, Scopes, SenderConstraint};

/// The server at large wants tokens that are bound to a certificate.
pub(crate) fn app(server: &ResourceServer) -> Router {
    let notes = server.require(Scopes::all(["notes/read"]));
    let protected = Router::new()
        .route("/whoami", get(whoami))
        .route("/notes", get(async || Json(json!({ "notes": [] }))).layer(notes))
        .layer(server.authenticate());

    // Here tokens that are bound to nothing will do as well.
    let open = Router::new()
        .route("/open", get(whoami))
        .layer(server.authenticate().sender_constraint(SenderConstraint::Bearer));

    protected.merge(open).merge(server.metadata())
}

async fn whoami(grant: Grant) -> Json<Value> {
    Json(json!({
        "sub": grant.subject(),
        "binding": grant.binding().name(),
        "certificate": grant.binding().certificate().map(ToString::to_string),
    }))
}
