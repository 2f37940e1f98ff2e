//! An endpoint that the issuer's metadata names.

use serde_json::{Value, json};
use tower_resource_server::testing::{
    Condition, Endpoint, FixedClock, ScriptedFetch, TestAuthorizationServer, TestIssuer,
};
use tower_resource_server::{
    ClientAuthentication, Introspection, IntrospectionError, Issuer, ResourceServer,
};

use super::bed::{Failures, asking, fields, right_but};
use crate::support::{ISSUER, NOW, RESOURCE, present};

struct Found {
    authorization_server: TestAuthorizationServer,
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
        .clock(clock)
        .fetch(authorization_server.clone())
        .observer(failures.clone())
        .build()
        .expect("valid");
    Found { authorization_server, failures, server }
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
        present(&found.server, &opaque(&found)).await.assert_x503();
        assert_eq!(found.failures.take(), [IntrospectionError::Metadata], "{endpoint}");
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
