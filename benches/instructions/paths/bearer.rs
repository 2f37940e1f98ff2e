//! Bearer tokens that are accepted.

use http::Request;
use tower_resource_server::testing::{Endpoint, FixedClock, TestAuthorizationServer};
use tower_resource_server::{
    Algorithm, ClientAuthentication, Introspection, Issuer, ResourceServer,
};
use tower_service::Service;

use crate::fixture::{NOW, RESOURCE, digest, issuer, server, token};
use crate::scenario::{Scenario, WARM};
use crate::support::{Body, layered, request};

/// The token was seen before.
pub(crate) fn seen() -> Scenario {
    let issuer = issuer(Algorithm::ES256);
    let token = token(&issuer, 0).build();
    let service = layered(&server(&issuer, |builder| builder));
    Scenario::repeating(service, &request(Some(&token))).beside(digest(&token))
}

/// Tokens that are all new.
fn first(algorithm: Algorithm) -> Scenario {
    let issuer = issuer(algorithm);
    let tokens: Vec<_> = (0..=WARM).map(|number| token(&issuer, number).build()).collect();
    let requests = tokens.iter().map(|token| request(Some(token))).collect();
    let service = layered(&server(&issuer, |builder| builder));
    Scenario::of(service, requests).beside(digest(&tokens[WARM]))
}

pub(crate) fn first_es256() -> Scenario {
    first(Algorithm::ES256)
}

pub(crate) fn first_rs256() -> Scenario {
    first(Algorithm::RS256)
}

pub(crate) fn first_eddsa() -> Scenario {
    first(Algorithm::EdDSA)
}

/// An opaque token of which the issuer's answer is remembered.
pub(crate) fn introspected() -> Scenario {
    let issuer = issuer(Algorithm::ES256);
    let authorization_server = TestAuthorizationServer::of(issuer);
    let token = authorization_server.opaque(&authorization_server.token().scope("read"));
    let mut service = layered(&asking(authorization_server));
    let request = request(Some(&token));
    answer(&mut service, request.clone());
    Scenario::repeating(service, &request).beside(digest(&token))
}

/// A server that asks that one about all its tokens.
fn asking(authorization_server: TestAuthorizationServer) -> ResourceServer {
    let credentials = ClientAuthentication::client_secret_basic("api-1", "s3cr3t");
    let url = authorization_server.url(Endpoint::Introspection);
    let introspection = Introspection::at(url, credentials);
    ResourceServer::builder(RESOURCE)
        .issuer(Issuer::introspection("https://as.example.com", introspection))
        .clock(FixedClock::at(NOW))
        .fetch(authorization_server)
        .build()
        .expect("the bench is configured right")
}

/// Drives a request to its end, however long it has to wait.
fn answer<S>(service: &mut S, request: Request<Body>)
where
    S: Service<Request<Body>, Error = std::convert::Infallible>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime of one thread");
    drop(runtime.block_on(async { service.call(request).await }));
}
