//! The routes, each with its demand beside it.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use tower::Layer as _;
use tower_resource_server::{Grant, ResourceServer};

use self::table::{Table, get, methods};
use crate::common::{answers, demands};
use crate::service::{App, answer, boxed, json, status};

mod table;

pub(crate) fn app(server: &ResourceServer) -> App {
    let read = server.require(demands::read_tools());
    let write = server.require(demands::write_tools());
    let admin = server.require(demands::administer());
    let reports = server.require(demands::read_reports());
    let strong = server.require(demands::pay());

    let whoami = || answer(|request| with_grant(request, |grant| json(&answers::whoami(grant))));
    let tools = methods([
        (Method::GET, boxed(read.layer(answer(|_| json(&answers::tools()))))),
        (Method::POST, boxed(write.layer(answer(|_| json(&answers::tool_added()))))),
    ]);

    // Every request for it needs a valid token, whatever its method.
    let known = |service: App| boxed(server.authenticate().layer(service));
    let anyone = |service: App| boxed(server.authenticate().optional().layer(service));

    let table = Table::default()
        .at("/public", get(answer(|_| json(&answers::public()))))
        .at("/whoami", known(get(whoami())))
        .at("/optional", anyone(get(answer(greet))))
        .at("/tools", known(tools))
        .at("/admin", known(boxed(admin.layer(get(whoami())))))
        .at("/reports/{id}", known(boxed(reports.layer(get(answer(report))))))
        .at("/payments", known(boxed(strong.layer(get(whoami())))))
        .at("/handler-denied", known(get(answer(handler_denied))))
        .nest("/nested", Table::default().at("/whoami", known(get(whoami()))));
    boxed(server.metadata_layer().layer(table))
}

/// What `authenticate` has left; without it around, the mistake is ours.
fn with_grant(
    request: &Request<Incoming>,
    answer: impl FnOnce(&Grant) -> Response<Bytes>,
) -> Response<Bytes> {
    let grant = request.extensions().get::<Grant>();
    grant.map_or_else(|| status(StatusCode::INTERNAL_SERVER_ERROR), answer)
}

fn greet(request: &Request<Incoming>) -> Response<Bytes> {
    json(&answers::greeting(request.extensions().get::<Grant>()))
}

fn report(request: &Request<Incoming>) -> Response<Bytes> {
    let path = request.uri().path();
    json(&answers::report(path.rsplit('/').next().unwrap_or(path)))
}

/// Some demands are known only inside the handler; the refusal looks like a layer's.
fn handler_denied(request: &Request<Incoming>) -> Response<Bytes> {
    with_grant(request, |grant| match grant.require(demands::delete_tools()) {
        Ok(()) => json(&answers::tools_deleted()),
        Err(rejection) => rejection.into(),
    })
}
