//! Inside axum routers: extractors, refusals from handlers, nesting, routing.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::Path;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use serde::Deserialize;
use tower::ServiceExt;
use tower_resource_server::axum::Claims;
use tower_resource_server::render::ProblemJson;
use tower_resource_server::{Grant, Rejection, RejectionKind, Scopes, StepUp};

use crate::observability::{Capture, REJECTION};
use crate::support::{Answer, Bed, ISSUER, bearer, read};

type Sent = Request<Full<Bytes>>;

/// Sends a request; a success counts as handled.
async fn ask(app: &Router, request: Sent) -> Answer {
    let response = app.clone().oneshot(request).await.expect("infallible");
    let handled = response.status().is_success();
    read(response, handled).await
}

fn to(method: Method, path: &str, token: Option<&str>) -> Sent {
    let mut request = token.map_or_else(|| crate::support::get(&[]), bearer);
    *request.method_mut() = method;
    *request.uri_mut() = path.parse().expect("a path");
    request
}

async fn whoami(grant: Grant) -> String {
    grant.subject().unwrap_or("nobody").to_owned()
}

async fn maybe(grant: Option<Grant>) -> String {
    grant.as_ref().and_then(Grant::subject).unwrap_or("anonymous").to_owned()
}

async fn purge(grant: Grant) -> Result<&'static str, Rejection> {
    grant.require(Scopes::all(["tools/delete"]))?;
    Ok("purged")
}

#[derive(Deserialize)]
struct Tenant {
    tenant: u32,
}

async fn tenant(Claims(claims): Claims<Tenant>) -> String {
    claims.tenant.to_string()
}

fn routes() -> Router {
    Router::new()
        .route("/whoami", get(whoami))
        .route("/maybe", get(maybe))
        .route("/purge", post(purge).get(purge))
        .route("/tenant", get(tenant))
}

#[tokio::test]
async fn a_handler_gets_the_grant() {
    let bed = Bed::new();
    let app = routes().layer(bed.server.authenticate());
    for path in ["/whoami", "/maybe"] {
        let answer = ask(&app, to(Method::GET, path, Some(&bed.token()))).await;
        answer.assert_ok();
        assert_eq!(&answer.body[..], b"user-1", "{path}");
        ask(&app, to(Method::GET, path, None)).await.assert_n401();
        ask(&app, to(Method::GET, path, Some("garbage"))).await.assert_t401();
    }
}

#[tokio::test]
async fn under_an_optional_layer_the_grant_may_be_absent() {
    let bed = Bed::new();
    let app = routes().layer(bed.server.authenticate().optional());
    let anonymous = ask(&app, to(Method::GET, "/maybe", None)).await;
    anonymous.assert_ok();
    assert_eq!(&anonymous.body[..], b"anonymous");
    let known = ask(&app, to(Method::GET, "/maybe", Some(&bed.token()))).await;
    assert_eq!(&known.body[..], b"user-1");
    ask(&app, to(Method::GET, "/maybe", Some("garbage"))).await.assert_t401();
}

#[tokio::test]
async fn who_asks_for_a_grant_refuses_anonymous_requests() {
    let bed = Bed::new();
    let app = routes().layer(bed.server.authenticate().optional());
    for path in ["/whoami", "/purge", "/tenant"] {
        let answer = ask(&app, to(Method::GET, path, None)).await;
        answer.assert_n401();
        assert_eq!(answer.kind(), Some(RejectionKind::MissingCredentials), "{path}");
    }
}

#[tokio::test]
async fn without_a_layer_there_is_no_grant_and_no_anonymous_either() {
    let bed = Bed::new();
    for path in ["/whoami", "/maybe", "/tenant", "/purge"] {
        let log = Capture::start();
        let answer = ask(&routes(), to(Method::GET, path, Some(&bed.token()))).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        let events = log.of(REJECTION);
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].level, tracing::Level::ERROR);
    }
}

#[tokio::test]
async fn claims_come_as_a_type() {
    let bed = Bed::new();
    let app = routes().layer(bed.server.authenticate());
    let token = bed.issuer.token().claim("tenant", 7).build();
    let answer = ask(&app, to(Method::GET, "/tenant", Some(&token))).await;
    answer.assert_ok();
    assert_eq!(&answer.body[..], b"7");
    let odd = bed.issuer.token().claim("tenant", "seven").build();
    for token in [odd, bed.token()] {
        let answer = ask(&app, to(Method::GET, "/tenant", Some(&token))).await;
        // The token is good: a 401 would make the client throw it away.
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert_eq!(answer.kind(), Some(RejectionKind::RequirementNotMet));
    }
}

#[tokio::test]
async fn a_handler_refuses_as_a_layer_would() {
    let bed = Bed::with(|builder| builder.envelope(ProblemJson::default()).realm("tools"));
    let layered = get(whoami).layer(bed.server.require(Scopes::all(["tools/delete"])));
    let app = routes().route("/layered", layered).layer(bed.server.authenticate());
    let log = Capture::start();
    let by_handler = ask(&app, to(Method::GET, "/purge", Some(&bed.token()))).await;
    by_handler.assert_s403("tools/delete");
    assert_eq!(log.refusal().get("path"), Some("\"/purge\""));
    let by_layer = ask(&app, to(Method::GET, "/layered", Some(&bed.token()))).await;
    assert_eq!(by_handler.challenges(), by_layer.challenges());
    assert_eq!(by_handler.body, by_layer.body);
    assert_eq!(by_handler.all("content-type"), ["application/problem+json"]);
    assert_eq!(by_handler.challenge().get("realm"), Some("tools"));
    assert_eq!(by_handler.kind(), Some(RejectionKind::InsufficientScope));
}

#[tokio::test]
async fn a_handler_lets_pass_what_is_enough() {
    let bed = Bed::new();
    let app = routes().layer(bed.server.authenticate());
    let token = bed.issuer.token().scope("tools/delete").build();
    let answer = ask(&app, to(Method::POST, "/purge", Some(&token))).await;
    answer.assert_ok();
    assert_eq!(&answer.body[..], b"purged");
}

#[tokio::test]
async fn a_handler_that_demands_step_up_challenges_for_it() {
    async fn pay(grant: Grant) -> Result<(), Rejection> {
        grant.require(StepUp::acr(["urn:mfa"]).and(Scopes::all(["pay"])))
    }
    let bed = Bed::new();
    let app = Router::new().route("/pay", get(pay)).layer(bed.server.authenticate());
    let challenge = ask(&app, to(Method::GET, "/pay", Some(&bed.token()))).await.challenge();
    assert_eq!(challenge.get("error"), Some("insufficient_user_authentication"));
    assert_eq!(challenge.get("acr_values"), Some("urn:mfa"));
    assert_eq!(challenge.get("scope"), Some("pay"));
}

#[tokio::test]
async fn head_of_a_refusing_handler_has_no_body() {
    let bed = Bed::new();
    let app = routes().layer(bed.server.authenticate());
    let get = ask(&app, to(Method::GET, "/purge", Some(&bed.token()))).await;
    let head = ask(&app, to(Method::HEAD, "/purge", Some(&bed.token()))).await;
    head.assert_s403("tools/delete");
    assert!(head.body.is_empty() && !get.body.is_empty());
    assert_eq!(head.challenges(), get.challenges());
}

#[tokio::test]
async fn a_refusal_can_be_turned_into_a_response_by_hand() {
    async fn wrapped(grant: Grant) -> axum::response::Response {
        match grant.require(Scopes::all(["x"])) {
            Ok(()) => StatusCode::OK.into_response(),
            Err(rejection) => (([("x-support", "help")]), rejection).into_response(),
        }
    }
    let bed = Bed::new();
    let app = Router::new().route("/r", get(wrapped)).layer(bed.server.authenticate());
    let answer = ask(&app, bearer(&bed.token())).await;
    answer.assert_s403("x");
    assert_eq!(answer.all("x-support"), ["help"]);
}

#[tokio::test]
async fn each_route_has_its_own_demand() {
    let bed = Bed::new();
    let need = |scope: &str| bed.server.require(Scopes::all([scope]));
    let tools =
        get(whoami).layer(need("tools/read")).merge(post(whoami).layer(need("tools/write")));
    let app = Router::new()
        .route("/tools", tools)
        .route("/open", get(whoami))
        .layer(bed.server.authenticate());
    let reader = bed.issuer.token().scope("tools/read").build();
    ask(&app, to(Method::GET, "/tools", Some(&reader))).await.assert_ok();
    ask(&app, to(Method::POST, "/tools", Some(&reader))).await.assert_s403("tools/write");
    ask(&app, to(Method::GET, "/open", Some(&bed.token()))).await.assert_ok();
    ask(&app, to(Method::GET, "/tools", None)).await.assert_n401();
}

#[tokio::test]
async fn a_concealed_route_looks_like_one_that_is_not_there() {
    let bed = Bed::new();
    let secret = get(whoami).layer(bed.server.require(Scopes::all(["root"])).conceal());
    let app = Router::new().route("/secret", secret).layer(bed.server.authenticate());
    let token = bed.token();
    let hidden = ask(&app, to(Method::GET, "/secret", Some(&token))).await;
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
    assert!(hidden.all("www-authenticate").is_empty());
    let root = bed.issuer.token().scope("root").build();
    ask(&app, to(Method::GET, "/secret", Some(&root))).await.assert_ok();
}

#[tokio::test]
async fn in_a_nested_router_the_log_has_the_path_the_client_sent() {
    let bed = Bed::new();
    let inner = Router::new()
        .route("/items/{id}", get(|Path(id): Path<u32>, _: Grant| async move { id.to_string() }))
        .route("/purge", get(purge))
        .layer(bed.server.authenticate());
    let app = Router::new().nest("/api", Router::new().nest("/v1", inner));
    let found = ask(&app, to(Method::GET, "/api/v1/items/5?x=1", Some(&bed.token()))).await;
    assert_eq!(&found.body[..], b"5");
    for (path, token, logged) in [
        ("/api/v1/items/5?access_token=x", None, "\"/api/v1/items/5\""),
        ("/api/v1/purge", Some(bed.token()), "\"/api/v1/purge\""),
    ] {
        let log = Capture::start();
        let answer = ask(&app, to(Method::GET, path, token.as_deref())).await;
        assert!(answer.status.is_client_error());
        assert_eq!(log.refusal().get("path"), Some(logged));
    }
}

#[tokio::test]
async fn around_a_nesting_router_the_layer_protects_all_of_it() {
    let bed = Bed::new();
    let app =
        Router::new().nest("/api", routes()).fallback(whoami).layer(bed.server.authenticate());
    for path in ["/api/whoami", "/elsewhere", "/api/elsewhere"] {
        ask(&app, to(Method::GET, path, None)).await.assert_n401();
        let answer = ask(&app, to(Method::GET, path, Some(&bed.token()))).await;
        assert_eq!(&answer.body[..], b"user-1", "{path}");
    }
}

#[tokio::test]
async fn a_route_layer_leaves_unknown_paths_alone() {
    let bed = Bed::new();
    let app = routes().route_layer(bed.server.authenticate());
    ask(&app, to(Method::GET, "/whoami", None)).await.assert_n401();
    let unknown = ask(&app, to(Method::GET, "/unknown", None)).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let wrong_method = ask(&app, to(Method::DELETE, "/whoami", None)).await;
    assert!(!wrong_method.handled);
}

#[tokio::test]
async fn a_router_layer_also_guards_unknown_paths() {
    let bed = Bed::new();
    let app = routes().layer(bed.server.authenticate());
    ask(&app, to(Method::GET, "/unknown", None)).await.assert_n401();
    let unknown = ask(&app, to(Method::GET, "/unknown", Some(&bed.token()))).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn routes_added_after_the_layer_are_public() {
    let bed = Bed::new();
    let app = routes()
        .layer(bed.server.authenticate())
        .route("/public", get(|| async { "open" }))
        .merge(bed.server.metadata());
    for path in ["/public", "/.well-known/oauth-protected-resource"] {
        assert_eq!(ask(&app, to(Method::GET, path, None)).await.status, StatusCode::OK, "{path}");
    }
    ask(&app, to(Method::GET, "/whoami", None)).await.assert_n401();
}

#[tokio::test]
async fn two_servers_share_one_router() {
    let (bed, other) = (Bed::new(), Bed::new());
    let app = Router::new()
        .nest("/a", routes().layer(bed.server.authenticate()))
        .nest("/b", routes().layer(other.server.authenticate()));
    ask(&app, to(Method::GET, "/a/whoami", Some(&bed.token()))).await.assert_ok();
    ask(&app, to(Method::GET, "/b/whoami", Some(&other.token()))).await.assert_ok();
    ask(&app, to(Method::GET, "/b/whoami", Some(&bed.token()))).await.assert_t401();
}

#[tokio::test]
async fn state_and_other_extractors_go_along() {
    async fn both(
        axum::extract::State(prefix): axum::extract::State<&'static str>,
        grant: Grant,
        axum::extract::Query(query): axum::extract::Query<BTreeMap<String, String>>,
    ) -> String {
        format!("{prefix} {} {}", grant.issuer(), query["q"])
    }
    let bed = Bed::new();
    let app = Router::new()
        .route("/r", get(both))
        .layer(bed.server.authenticate())
        .with_state("hello")
        .merge(bed.server.metadata());
    let answer = ask(&app, to(Method::GET, "/r?q=1", Some(&bed.token()))).await;
    assert_eq!(answer.body, format!("hello {ISSUER} 1"));
}
