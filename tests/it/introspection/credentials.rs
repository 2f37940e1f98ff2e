//! How the server authenticates to the endpoint.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request};
use serde_json::json;
use tower_resource_server::testing::{ScriptedFetch, SigningKey};
use tower_resource_server::{
    Algorithm, ClaimMapper, ClientAuthentication, Introspection, IntrospectionError, Issuer,
    JwkSet, PrivateKey, ResourceServer,
};

use super::bed::{ENDPOINT, Failures, TOKEN, asking, assert_told, fields, right_but};
use crate::observability::Capture;
use crate::support::{ISSUER, NOW, present};
use tower_resource_server::testing::FixedClock;

/// The requests of two calls by a server with those credentials.
async fn calls(credentials: ClientAuthentication) -> Vec<Request<Bytes>> {
    let fetch = ScriptedFetch::new().json_at(ENDPOINT, active());
    let introspection = Introspection::at(ENDPOINT, credentials).cache_for(Duration::ZERO);
    let builder = asking(introspection, fetch.clone(), &FixedClock::at(NOW));
    let server = builder.build().expect("valid");
    for _ in 0..2 {
        present(&server, TOKEN).await.assert_ok();
    }
    fetch.exchanges()
}

fn active() -> serde_json::Value {
    right_but("active", json!(true))
}

fn authorization(request: &Request<Bytes>) -> Option<&HeaderValue> {
    request.headers().get("authorization")
}

/// The field of that name in the form.
fn field(request: &Request<Bytes>, name: &str) -> Option<String> {
    let found = fields(request.body()).into_iter().find(|(found, _)| found == name);
    found.map(|(_, value)| value)
}

#[tokio::test]
async fn basic_encodes_id_and_secret_before_they_are_user_and_password() {
    let credentials = ClientAuthentication::client_secret_basic("api 1:é", "p%ss+/:");
    let calls = calls(credentials).await;
    let [first, second] = &calls[..] else { panic!("two calls") };
    // R7662-2.1-3: `api+1%3A%C3%A9:p%25ss%2B%2F%3A` in base64.
    let expected = "Basic YXBpKzElM0ElQzMlQTk6cCUyNXNzJTJCJTJGJTNB";
    assert_eq!(authorization(first).map(HeaderValue::as_bytes), Some(expected.as_bytes()));
    assert!(authorization(second).is_some_and(HeaderValue::is_sensitive));
    assert_eq!(field(first, "client_secret"), None);
}

#[tokio::test]
async fn post_puts_id_and_secret_into_the_form() {
    let calls = calls(ClientAuthentication::client_secret_post("api 1", "p%ss+&")).await;
    let [first, _] = &calls[..] else { panic!("two calls") };
    // R7662-2.1-3.
    assert_eq!(authorization(first), None);
    assert_eq!(field(first, "client_id").as_deref(), Some("api 1"));
    assert_eq!(field(first, "client_secret").as_deref(), Some("p%ss+&"));
}

#[tokio::test]
async fn the_id_goes_alone_where_the_connection_tells_the_rest() {
    let calls = calls(ClientAuthentication::client_id_only("api-1")).await;
    let [first, _] = &calls[..] else { panic!("two calls") };
    assert_eq!(authorization(first), None);
    assert_eq!(field(first, "client_id").as_deref(), Some("api-1"));
    assert_eq!(field(first, "client_secret"), None);
}

#[tokio::test]
async fn without_metadata_a_secret_goes_as_basic() {
    let calls = calls(ClientAuthentication::client_secret("api-1", "s3cr3t")).await;
    let [first, _] = &calls[..] else { panic!("two calls") };
    let expected = "Basic YXBpLTE6czNjcjN0";
    assert_eq!(authorization(first).map(HeaderValue::as_bytes), Some(expected.as_bytes()));
}

/// A client whose id is a URL, so that an authorization server in its place can be a resource
/// server of this crate: it trusts the client as an issuer of assertions.
const CLIENT: &str = "https://api.example.com/client";

/// A private key, and whom it makes.
fn key() -> (PrivateKey, SigningKey) {
    let d = [7; 32];
    let public = SigningKey::from_p256(&d).with_kid("2026-01");
    let mut jwk = public.public_jwk();
    // The scalar in base64url.
    jwk["d"] = json!("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc");
    (PrivateKey::from_jwk(jwk.to_string().as_bytes()).expect("a private key"), public)
}

/// Takes assertions of the client for that audience, without leeway.
fn verifier(audience: &str, key: &SigningKey, clock: &FixedClock) -> ResourceServer {
    let set = json!({ "keys": [key.public_jwk()] });
    let set = JwkSet::from_json(set.to_string().as_bytes()).expect("a key set");
    let mapper = ClaimMapper::new().types(["JWT"]).optional_client_id();
    let issuer = Issuer::jwks(CLIENT, set).profile(mapper).algorithms([Algorithm::ES256]);
    let builder = ResourceServer::builder(audience).issuer(issuer).leeway(Duration::ZERO);
    builder.clock(clock.clone()).build().expect("valid")
}

#[tokio::test]
async fn a_private_key_signs_a_new_assertion_for_each_call() {
    let (private, public) = key();
    let calls = calls(ClientAuthentication::private_key_jwt(CLIENT, private)).await;
    let assertions: Vec<_> = calls
        .iter()
        .map(|call| {
            // R7662-2.1-3, by RFC 7523 §2.2.
            let expected = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            assert_eq!(field(call, "client_assertion_type").as_deref(), Some(expected));
            assert_eq!(authorization(call), None);
            field(call, "client_assertion").expect("an assertion")
        })
        .collect();
    assert_ne!(assertions[0], assertions[1]);
    let clock = FixedClock::at(NOW);
    let verifier = verifier(ISSUER, &public, &clock);
    for assertion in &assertions {
        // Signature, iss, aud, jti, iat, exp: all that is demanded of it.
        let grant = crate::support::grant(&verifier, assertion).await;
        assert_eq!((grant.subject(), grant.issuer()), (Some(CLIENT), CLIENT));
    }
    clock.advance(Duration::from_secs(60));
    present(&verifier, &assertions[0]).await.assert_t401();
}

#[tokio::test]
async fn the_audience_of_assertions_can_be_another() {
    let (private, public) = key();
    let credentials = ClientAuthentication::private_key_jwt(CLIENT, private);
    let calls = calls(credentials.assertion_audience(ENDPOINT)).await;
    let assertion = field(&calls[0], "client_assertion").expect("an assertion");
    let clock = FixedClock::at(NOW);
    present(&verifier(ENDPOINT, &public, &clock), &assertion).await.assert_ok();
    present(&verifier(ISSUER, &public, &clock), &assertion).await.assert_t401();
}

#[tokio::test]
async fn a_bearer_token_authenticates_too() {
    let calls = calls(ClientAuthentication::bearer("of-the-api")).await;
    let [first, _] = &calls[..] else { panic!("two calls") };
    // R7662-2.1-3.
    assert_eq!(authorization(first).expect("a field"), "Bearer of-the-api");
    assert!(authorization(first).is_some_and(HeaderValue::is_sensitive));
}

#[tokio::test]
async fn a_bearer_token_can_be_renewed_and_can_be_missing() {
    let current = Arc::new(Mutex::new(Some("one".to_owned())));
    let source = Arc::clone(&current);
    let credentials =
        ClientAuthentication::bearer_from(move || source.lock().expect("no panic").clone());
    let fetch = ScriptedFetch::new().json_at(ENDPOINT, active());
    let failures = Failures::default();
    let introspection = Introspection::at(ENDPOINT, credentials).cache_for(Duration::ZERO);
    let builder = asking(introspection, fetch.clone(), &FixedClock::at(NOW));
    let server = builder.observer(failures.clone()).build().expect("valid");
    present(&server, TOKEN).await.assert_ok();
    *current.lock().expect("no panic") = Some("two".to_owned());
    present(&server, TOKEN).await.assert_ok();
    let sent = fetch.exchanges();
    assert_eq!(authorization(&sent[0]).expect("a field"), "Bearer one");
    assert_eq!(authorization(&sent[1]).expect("a field"), "Bearer two");
    for unusable in [None, Some("a b".to_owned()), Some("a\nb".to_owned()), Some(String::new())] {
        let cause = match unusable {
            None => "the source gives no token",
            Some(_) => "the source gives a token that cannot be sent",
        };
        *current.lock().expect("no panic") = unusable;
        let log = Capture::start();
        present(&server, TOKEN).await.assert_x503();
        assert_eq!(failures.take(), [IntrospectionError::Credentials]);
        assert_told(&log, IntrospectionError::Credentials, cause);
    }
    assert_eq!(fetch.count(), 2);
}

#[tokio::test]
async fn a_source_of_tokens_that_panics_is_a_failure_of_ours() {
    let credentials = ClientAuthentication::bearer_from(|| panic!("the source is broken"));
    let failures = Failures::default();
    let introspection = Introspection::at(ENDPOINT, credentials);
    let builder = asking(introspection, ScriptedFetch::new(), &FixedClock::at(NOW));
    let server = builder.observer(failures.clone()).build().expect("valid");
    for _ in 0..2 {
        present(&server, TOKEN).await.assert_x503();
        assert_eq!(failures.take(), [IntrospectionError::Runtime]);
    }
}

#[test]
fn credentials_are_not_shown() {
    let (private, _) = key();
    for credentials in [
        ClientAuthentication::client_secret_basic("api-1", "hunter2"),
        ClientAuthentication::client_secret_post("api-1", "hunter2"),
        ClientAuthentication::client_secret("api-1", "hunter2"),
        ClientAuthentication::bearer("hunter2"),
        ClientAuthentication::bearer_from(|| Some("hunter2".to_owned())),
        ClientAuthentication::private_key_jwt("api-1", private),
    ] {
        let introspection = Introspection::at(ENDPOINT, credentials);
        let issuer = Issuer::introspection(ISSUER, introspection);
        let shown = format!("{issuer:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("BwcH"), "{shown}");
        let builder = ResourceServer::builder(ISSUER).issuer(issuer).fetch(ScriptedFetch::new());
        let shown = format!("{builder:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("BwcH"), "{shown}");
    }
}
