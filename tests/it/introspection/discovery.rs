//! An endpoint that the issuer's metadata names.

use serde_json::{Value, json};
use tower_resource_server::testing::{
    Condition, Endpoint, FixedClock, ScriptedFetch, TestAuthorizationServer, TestIssuer,
};
use tower_resource_server::{
    ClientAuthentication, Introspection, IntrospectionError, Issuer, ResourceServer,
};

use super::bed::{Failures, asking, assert_told, fields, right_but, told};
use crate::observability::Capture;
use crate::support::{ISSUER, NOW, RESOURCE, present};

struct Found {
    authorization_server: TestAuthorizationServer,
    clock: FixedClock,
    failures: Failures,
    server: ResourceServer,
}

fn secret() -> ClientAuthentication {
    ClientAuthentication::client_secret("api-1", "s3cr3t")
}

/// A server that learns from metadata where to ask; the issuer is as `trust` has it.
fn found(trust: impl FnOnce(Introspection) -> Issuer) -> Found {
    let clock = FixedClock::at(NOW);
    let issuer = TestIssuer::new(ISSUER).clock(clock.clone());
    let authorization_server = TestAuthorizationServer::of(issuer);
    let failures = Failures::default();
    let server = ResourceServer::builder(RESOURCE)
        .issuer(trust(Introspection::discovered(secret())))
        .clock(clock.clone())
        .fetch(authorization_server.clone())
        .observer(failures.clone())
        .build()
        .expect("valid");
    Found { authorization_server, clock, failures, server }
}

fn opaque(found: &Found) -> String {
    found.authorization_server.opaque(&found.authorization_server.token())
}

#[tokio::test]
async fn metadata_says_where_to_ask() {
    let found = found(|introspection| Issuer::introspection(ISSUER, introspection));
    for _ in 0..2 {
        present(&found.server, &opaque(&found)).await.assert_ok();
    }
    // R8414-2-3: looked up once.
    assert_eq!(found.authorization_server.count(Endpoint::Metadata), 1);
    assert_eq!(found.authorization_server.count(Endpoint::Introspection), 2);
}

#[tokio::test]
async fn keys_and_endpoint_come_from_one_document() {
    let found = found(|introspection| Issuer::discover(ISSUER).introspect(introspection));
    present(&found.server, &opaque(&found)).await.assert_ok();
    present(&found.server, &found.authorization_server.token().build()).await.assert_ok();
    assert_eq!(found.authorization_server.count(Endpoint::Metadata), 1);
}

#[tokio::test]
async fn a_document_of_another_issuer_is_not_believed() {
    let found = found(|introspection| Issuer::introspection(ISSUER, introspection));
    found.authorization_server.metadata_member("issuer", "https://evil.example");
    // R8414-2-3: validated metadata, or none.
    present(&found.server, &opaque(&found)).await.assert_x503();
    assert_eq!(found.failures.take(), [IntrospectionError::Metadata]);
    assert_eq!(found.authorization_server.count(Endpoint::Introspection), 0);
}

#[tokio::test]
async fn a_document_without_a_usable_endpoint_leads_nowhere() {
    for endpoint in [json!(null), json!("http://as.example.com/introspect"), json!(7)] {
        let found = found(|introspection| Issuer::introspection(ISSUER, introspection));
        found.authorization_server.metadata_member("introspection_endpoint", endpoint.clone());
        // R8414-2-3: in the clear a token is not sent, whatever the metadata says.
        let log = Capture::start();
        present(&found.server, &opaque(&found)).await.assert_x503();
        assert_eq!(found.failures.take(), [IntrospectionError::Metadata], "{endpoint}");
        let lines = told(&log);
        let [line] = &lines[..] else { panic!("one line: {lines:?}") };
        assert_eq!(line.get("cause"), Some("it names none that can be used"));
        assert_eq!(found.authorization_server.count(Endpoint::Introspection), 0);
    }
}

#[tokio::test]
async fn an_outage_of_the_metadata_is_an_outage() {
    let found = found(|introspection| Issuer::introspection(ISSUER, introspection));
    found.authorization_server.set_at(Endpoint::Metadata, Condition::Down);
    present(&found.server, &opaque(&found)).await.assert_x503();
    assert_eq!(found.failures.take(), [IntrospectionError::Metadata]);
}

#[tokio::test]
async fn a_secret_goes_as_the_metadata_says() {
    const METHODS: &str = "introspection_endpoint_auth_methods_supported";
    let both = json!(["client_secret_post", "client_secret_basic"]);
    for (methods, post) in [
        (both, false),
        (json!(["client_secret_basic"]), false),
        (json!(["private_key_jwt", "client_secret_post"]), true),
        (json!(["private_key_jwt"]), false),
        (json!([]), false),
        (json!("client_secret_post"), false),
        (Value::Null, false),
    ] {
        let found = found(|introspection| Issuer::introspection(ISSUER, introspection));
        found.authorization_server.client("api-1", "s3cr3t");
        found.authorization_server.metadata_member(METHODS, methods.clone());
        present(&found.server, &opaque(&found)).await.assert_ok();
        let [call] = &found.authorization_server.requests(Endpoint::Introspection)[..] else {
            panic!("one call")
        };
        // R8414-2-3.
        assert_eq!(call.headers().contains_key("authorization"), !post, "{methods}");
        let in_form = fields(call.body()).iter().any(|(name, _)| name == "client_secret");
        assert_eq!(in_form, post, "{methods}");
    }
}

const METADATA: &str = "https://as.example.com/.well-known/oauth-authorization-server";

fn active() -> Value {
    right_but("active", json!(true))
}

fn document(endpoint: &str) -> Value {
    json!({ "issuer": ISSUER, "introspection_endpoint": endpoint })
}

#[tokio::test]
async fn an_endpoint_that_has_moved_is_found() {
    const OLD: &str = "https://as.example.com/old";
    const NEW: &str = "https://as.example.com/new";
    let clock = FixedClock::at(NOW);
    let fetch = ScriptedFetch::new().json_at(METADATA, document(OLD)).json_at(OLD, active());
    let introspection = Introspection::discovered(secret());
    let server = asking(introspection, fetch.clone(), &clock).build().expect("valid");
    present(&server, "one").await.assert_ok();
    fetch.json_at(METADATA, document(NEW)).json_at(NEW, active()).at(OLD, 404, "text/plain", "");
    // A document of less than a minute is not looked up again.
    present(&server, "two").await.assert_x503();
    assert_eq!(fetch.count_at(METADATA), 1);
    clock.advance(std::time::Duration::from_secs(60));
    present(&server, "three").await.assert_ok();
    assert_eq!((fetch.count_at(METADATA), fetch.count_at(NEW)), (2, 1));
    // What says nothing of another place changes nothing.
    fetch.at(NEW, 500, "text/plain", "");
    clock.advance(std::time::Duration::from_secs(60));
    present(&server, "four").await.assert_x503();
    assert_eq!(fetch.count_at(METADATA), 2);
}

/// Those that [`ResourceServer::ready`] names.
async fn unready(server: &ResourceServer) -> String {
    let error = server.ready().await.expect_err("something is missing");
    assert_eq!(error.issuers(), [ISSUER]);
    assert!(!server.health().is_ready());
    error.to_string()
}

const NO_ENDPOINT: &str = "no introspection endpoint is known for https://as.example.com";

#[tokio::test]
async fn a_server_is_ready_when_it_knows_where_to_ask() {
    let found = found(|introspection| Issuer::introspection(ISSUER, introspection));
    found.authorization_server.set(Condition::Down);
    assert_eq!(unready(&found.server).await, NO_ENDPOINT);
    let issuer = found.server.health().issuers()[0].clone();
    assert_eq!(issuer.knows_introspection_endpoint(), Some(false));
    assert!(issuer.to_string().contains("introspection endpoint unknown"), "{issuer}");
    found.authorization_server.set(Condition::Up);
    found.clock.advance(std::time::Duration::from_secs(1));
    found.server.ready().await.expect("the metadata is there");
    let health = found.server.health();
    assert!(health.is_ready());
    assert_eq!(health.issuers()[0].knows_introspection_endpoint(), Some(true));
    let looked_up = found.authorization_server.count(Endpoint::Metadata);
    // Nobody is asked again, neither by whom would be ready nor by a request.
    found.server.ready().await.expect("it still is");
    present(&found.server, &opaque(&found)).await.assert_ok();
    assert_eq!(found.authorization_server.count(Endpoint::Metadata), looked_up);
}

#[tokio::test]
async fn a_document_without_a_usable_endpoint_makes_no_server_ready() {
    let found = found(|introspection| Issuer::introspection(ISSUER, introspection));
    let server = &found.authorization_server;
    server.metadata_member("introspection_endpoint", Value::Null);
    assert_eq!(unready(&found.server).await, NO_ENDPOINT);
    server.metadata_member("introspection_endpoint", server.url(Endpoint::Introspection));
    // A document of less than a minute is not looked up again.
    assert_eq!(unready(&found.server).await, NO_ENDPOINT);
    found.clock.advance(std::time::Duration::from_secs(60));
    found.server.ready().await.expect("it names one now");
}

#[tokio::test]
async fn keys_and_endpoint_are_made_ready_at_once() {
    let found = found(|introspection| Issuer::discover(ISSUER).introspect(introspection));
    found.server.ready().await.expect("both are there");
    let count = |endpoint| found.authorization_server.count(endpoint);
    assert_eq!((count(Endpoint::Metadata), count(Endpoint::Jwks)), (1, 1));
    assert_eq!(count(Endpoint::Introspection), 0);
}

#[tokio::test]
async fn an_issuer_that_lacks_both_is_named_once() {
    let found = found(|introspection| Issuer::discover(ISSUER).introspect(introspection));
    found.authorization_server.set(Condition::Down);
    let keys = "no keys could be loaded for https://as.example.com";
    assert_eq!(unready(&found.server).await, format!("{keys}; {NO_ENDPOINT}"));
}

#[tokio::test]
async fn an_endpoint_that_is_configured_is_known_without_asking() {
    let fetch = ScriptedFetch::new();
    let introspection = Introspection::at("https://as.example.com/introspect", secret());
    let server = asking(introspection, fetch.clone(), &FixedClock::at(NOW)).build().expect("valid");
    server.ready().await.expect("there is nothing to wait for");
    assert_eq!(server.health().issuers()[0].knows_introspection_endpoint(), Some(true));
    assert_eq!(fetch.count(), 0);
}

#[tokio::test]
async fn the_log_names_the_endpoint_or_why_there_is_none() {
    let found = found(|introspection| Issuer::introspection(ISSUER, introspection));
    let server = &found.authorization_server;
    server.set_at(Endpoint::Introspection, Condition::Status(http::StatusCode::BAD_GATEWAY));
    let log = Capture::start();
    present(&found.server, &opaque(&found)).await.assert_x503();
    assert_told(&log, IntrospectionError::Status, "it is 502");
    let line = &told(&log)[0];
    assert_eq!(line.get("endpoint"), Some(server.url(Endpoint::Introspection).as_str()));
    let found = self::found(|introspection| Issuer::introspection(ISSUER, introspection));
    found.authorization_server.set(Condition::Down);
    let log = Capture::start();
    present(&found.server, &opaque(&found)).await.assert_x503();
    let lines = told(&log);
    let [line] = &lines[..] else { panic!("one line: {lines:?}") };
    assert_eq!(line.get("cause"), Some("metadata: the connection failed"));
    assert_eq!(line.get("endpoint"), None);
}
