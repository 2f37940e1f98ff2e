//! Bearer tokens that are accepted.

use http::Request;
use tower_resource_server::testing::{Endpoint, FixedClock, TestAuthorizationServer, TestIssuer};
use tower_resource_server::{
    Algorithm, Builder, ClientAuthentication, Introspection, Issuer, ResourceServer,
};
use tower_service::Service;

use crate::fixture::{NOW, RESOURCE, client, digest, issuer, server, token};
use crate::scenario::{Scenario, WARM};
use crate::support::{Body, layered, request};

/// The token was seen before.
pub(crate) fn seen() -> Scenario {
    let issuer = issuer(Algorithm::ES256);
    seen_by(&server(&issuer, |builder| builder), &issuer)
}

/// The token of the last of fifty issuers was seen before.
pub(crate) fn seen_of_fifty() -> Scenario {
    let issuer = issuer(Algorithm::ES256);
    seen_by(&server_of_fifty(&issuer), &issuer)
}

fn seen_by(server: &ResourceServer, issuer: &TestIssuer) -> Scenario {
    let token = token(issuer, 0).build();
    Scenario::repeating(layered(server), &request(Some(&token))).beside(digest(&token))
}

/// Tokens that are all new.
fn first(algorithm: Algorithm) -> Scenario {
    let issuer = issuer(algorithm);
    first_by(&server(&issuer, |builder| builder), &issuer)
}

/// Tokens of the last of fifty issuers that are all new.
pub(crate) fn first_es256_of_fifty() -> Scenario {
    let issuer = issuer(Algorithm::ES256);
    first_by(&server_of_fifty(&issuer), &issuer)
}

fn first_by(server: &ResourceServer, issuer: &TestIssuer) -> Scenario {
    let tokens: Vec<_> = (0..=WARM).map(|number| token(issuer, number).build()).collect();
    let requests = tokens.iter().map(|token| request(Some(token))).collect();
    Scenario::of(layered(server), requests).beside(digest(&tokens[WARM]))
}

/// A server that trusts 49 others before that issuer.
fn server_of_fifty(last: &TestIssuer) -> ResourceServer {
    let other = |number| {
        let key = client(number).with_kid("count");
        TestIssuer::with_key(format!("https://{number:02}.example.com"), key)
    };
    server(&other(0), |builder| {
        let others = (1..49).map(|number| other(number).trusted());
        others.chain([last.trusted()]).fold(builder, Builder::issuer)
    })
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
