//! What the builder makes of settings.

use std::time::Duration;

use tower_resource_server::testing::ScriptedFetch;
use tower_resource_server::{
    Algorithm, Builder, ClientAuthentication, Introspection, Issuer, JwkSet, PrivateKey,
    ResourceServer,
};

use super::bed::{ENDPOINT, basic};
use crate::support::{ISSUER, RESOURCE};

fn builder(introspection: Introspection) -> Builder {
    let issuer = Issuer::introspection(ISSUER, introspection);
    ResourceServer::builder(RESOURCE).issuer(issuer)
}

/// The settings at fault with a client that is given, so that none has to be made.
fn faults(introspection: Introspection) -> Vec<&'static str> {
    faults_of(builder(introspection).fetch(ScriptedFetch::new()))
}

fn faults_of(builder: Builder) -> Vec<&'static str> {
    match builder.build() {
        Ok(_) => Vec::new(),
        Err(error) => error.faults().iter().map(|fault| fault.setting()).collect(),
    }
}

fn at(endpoint: &str) -> Introspection {
    Introspection::at(endpoint, basic())
}

#[test]
fn the_endpoint_is_https_or_loopback() {
    for bad in [
        // R7662-4-1: in the clear, tokens would be for all to read.
        "http://as.example.com/introspect",
        "http://10.0.0.1/introspect",
        "as.example.com/introspect",
        "",
        "https://as.example.com/introspect#top",
        "ftp://as.example.com/introspect",
    ] {
        assert_eq!(faults(at(bad)), ["introspection"], "{bad}");
    }
    for good in [
        ENDPOINT,
        "https://as.example.com/introspect?tenant=1",
        "http://127.0.0.1:8080/introspect",
        "http://localhost/introspect",
    ] {
        assert!(faults(at(good)).is_empty(), "{good}");
    }
}

#[test]
fn http_on_loopback_needs_to_be_allowed() {
    let plain = || builder(at("http://127.0.0.1:8080/introspect"));
    assert!(faults_of(plain()).contains(&"introspection"));
    assert!(!faults_of(plain().allow_loopback()).contains(&"introspection"));
}

#[test]
fn what_is_out_of_range_is_a_fault() {
    let second = Duration::from_secs(1);
    for bad in [
        at(ENDPOINT).cache_for(3601 * second),
        at(ENDPOINT).cache_refusals_for(61 * second),
        at(ENDPOINT).max_calls(0),
        at(ENDPOINT).max_calls(10_001),
        // R7662-4-6.
        at(ENDPOINT).max_calls_per_second(0),
        at(ENDPOINT).max_calls_per_second(100_001),
        at(ENDPOINT).token_prefix("ory_at_").signed_tokens_only(),
        at(ENDPOINT).token_prefix(""),
        at(ENDPOINT).token_prefix("a b"),
        at(ENDPOINT).token_prefix("é"),
        // With these it would be shown the signed tokens of every other issuer.
        at(ENDPOINT).token_prefix("e"),
        at(ENDPOINT).token_prefix("ey"),
        at(ENDPOINT).token_prefix("eyJ"),
        at(ENDPOINT).token_prefix("ewog"),
        at(ENDPOINT).signed_answers([Algorithm::ES256]),
    ] {
        assert_eq!(faults(bad.clone()), ["introspection"], "{bad:?}");
    }
    for good in [
        at(ENDPOINT).cache_for(3600 * second).cache_refusals_for(60 * second).max_calls(10_000),
        at(ENDPOINT).cache_for(Duration::ZERO).cache_bytes(0).max_calls(1),
        at(ENDPOINT).max_calls_per_second(1).scope_lists().signed_tokens_only(),
        at(ENDPOINT).max_calls_per_second(100_000),
        at(ENDPOINT).token_prefix("ory_at_").without_hint().audience_optional().every_token(),
        at(ENDPOINT).token_prefix("ea_").token_prefix("EY"),
    ] {
        assert!(faults(good.clone()).is_empty(), "{good:?}");
    }
}

#[test]
fn signed_answers_need_an_algorithm() {
    let issuer = Issuer::jwks_uri(ISSUER, "https://as.example.com/jwks.json")
        .introspect(at(ENDPOINT).signed_answers([]));
    let builder = ResourceServer::builder(RESOURCE).issuer(issuer).fetch(ScriptedFetch::new());
    assert_eq!(faults_of(builder), ["introspection"]);
}

#[test]
fn credentials_that_cannot_be_sent_are_a_fault() {
    let jwk = br#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let key = PrivateKey::from_jwk(jwk).expect("a private key");
    for bad in [
        ClientAuthentication::client_secret_basic("", "s3cr3t"),
        ClientAuthentication::client_secret_post("", "s3cr3t"),
        ClientAuthentication::client_id_only(""),
        ClientAuthentication::bearer(""),
        ClientAuthentication::bearer("a b"),
        ClientAuthentication::bearer("a\nb"),
        ClientAuthentication::private_key_jwt("", key.clone()),
        // The key cannot serve that algorithm.
        ClientAuthentication::private_key_jwt("api-1", key.clone().algorithm(Algorithm::RS256)),
        basic().assertion_audience(ENDPOINT),
    ] {
        let shown = format!("{bad:?}");
        assert_eq!(faults(Introspection::at(ENDPOINT, bad)), ["client_authentication"], "{shown}");
    }
    let good = ClientAuthentication::private_key_jwt("api-1", key).assertion_audience(ENDPOINT);
    assert!(faults(Introspection::at(ENDPOINT, good)).is_empty());
}

#[test]
fn every_fault_is_listed_and_says_how_to_mend_it() {
    let bad = Introspection::at("http://as.example.com/", ClientAuthentication::bearer(""));
    let error = builder(bad.max_calls(0)).fetch(ScriptedFetch::new()).build().expect_err("faults");
    let settings: Vec<_> = error.faults().iter().map(|fault| fault.setting()).collect();
    assert_eq!(settings, ["introspection", "client_authentication", "introspection"]);
    assert!(error.faults().iter().all(|fault| !fault.suggestion().is_empty()));
}

#[tokio::test]
async fn the_document_names_issuers_that_are_asked() {
    let server = builder(at(ENDPOINT)).fetch(ScriptedFetch::new()).build().expect("valid");
    let document = crate::metadata::document(&server).await;
    assert_eq!(document["authorization_servers"], serde_json::json!([ISSUER]));
}

#[test]
fn issuers_with_one_way_to_be_asked_are_equal() {
    let issuer = |secret: &str| {
        let credentials = ClientAuthentication::client_secret_basic("api-1", secret);
        Issuer::introspection(ISSUER, Introspection::at(ENDPOINT, credentials))
    };
    assert_eq!(issuer("a"), issuer("a"));
    assert_ne!(issuer("a"), issuer("b"));
    let bearer = ClientAuthentication::bearer_from(|| None);
    let asked =
        |credentials| Issuer::introspection(ISSUER, Introspection::at(ENDPOINT, credentials));
    assert_eq!(asked(bearer.clone()), asked(bearer.clone()));
    assert_ne!(asked(bearer), asked(ClientAuthentication::bearer_from(|| None)));
    let set = JwkSet::from_json(br#"{"keys":[]}"#).expect("a key set");
    assert_ne!(Issuer::jwks(ISSUER, set), issuer("a"));
}
