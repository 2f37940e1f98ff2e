//! Audiences that count for one issuer alone.

use serde_json::json;
use tower_resource_server::testing::{FixedClock, TestIssuer};
use tower_resource_server::{
    Builder, ConfigFault, Issuer, JwkSet, Profile, RejectionKind, ResourceServer,
};

use super::Fixture;
use super::fixture::builder;
use crate::support::{NOW, RESOURCE, grant, present};

const OURS: &str = "https://api.example.com/as-a-calls-it";

fn issuer(identifier: &str) -> (TestIssuer, Issuer) {
    let issuer = TestIssuer::new(identifier).clock(FixedClock::at(NOW));
    let keys = JwkSet::from_json(&issuer.jwks_bytes()).expect("a key set");
    let trusted = Issuer::jwks(issuer.issuer(), keys);
    (issuer, trusted)
}

/// A and B, and a server to which only A gives another audience than the resource.
fn two(change: impl FnOnce(Builder) -> Builder) -> (TestIssuer, TestIssuer, ResourceServer) {
    let (a, trusted_a) = issuer("https://a.example.com");
    let (b, trusted_b) = issuer("https://b.example.com");
    let trusted_a = trusted_a.audience(OURS).audience_name("orders");
    let server = change(builder().issuer(trusted_a).issuer(trusted_b)).build();
    (a, b, server.expect("a valid configuration"))
}

#[tokio::test]
async fn an_audience_counts_only_from_the_issuer_that_has_it() {
    let (a, b, server) = two(|builder| builder);
    for audience in [OURS, "orders"] {
        present(&server, &a.token().audience(audience).build()).await.assert_ok();
        let answer = present(&server, &b.token().audience(audience).build()).await;
        answer.assert_t401();
        assert_eq!(answer.kind(), Some(RejectionKind::WrongAudience), "{audience} from B");
    }
    present(&server, &b.token().audience(RESOURCE).build()).await.assert_ok();
    let answer = present(&server, &a.token().audience(RESOURCE).build()).await;
    assert_eq!(answer.kind(), Some(RejectionKind::WrongAudience), "it takes the server's place");
    let both = grant(&server, &a.token().audiences([RESOURCE, OURS]).build()).await;
    assert_eq!(both.audience().collect::<Vec<_>>(), [RESOURCE, OURS]);
}

#[tokio::test]
async fn settings_of_the_server_hold_for_it_too() {
    let (a, _, server) = two(Builder::single_audience_only);
    present(&server, &a.token().audience(OURS).build()).await.assert_ok();
    present(&server, &a.token().audiences([OURS, "orders"]).build()).await.assert_t401();
    // Its own audiences are the narrower choice, and stay.
    let (a, b, server) = two(|builder| builder.danger().accept_any_audience());
    present(&server, &a.token().audience(OURS).build()).await.assert_ok();
    present(&server, &a.token().audience("https://else.example").build()).await.assert_t401();
    present(&server, &b.token().audience("https://else.example").build()).await.assert_ok();
}

fn faults(issuer: Issuer) -> Vec<ConfigFault> {
    builder().issuer(issuer).build().map_or_else(|error| error.faults().to_vec(), |_| Vec::new())
}

fn settings(issuer: Issuer) -> Vec<&'static str> {
    faults(issuer).iter().map(ConfigFault::setting).collect()
}

#[test]
fn audiences_of_an_issuer_are_checked_as_those_of_the_server() {
    let (_, trusted) = issuer("https://a.example.com");
    for audience in ["#x", "https://api.example.com#x", "/api", "api.example.com", ""] {
        assert_eq!(settings(trusted.clone().audience(audience)), ["audience"], "{audience:?}");
    }
    assert_eq!(settings(trusted.clone().audience_name("")), ["audience"]);
    assert_eq!(settings(trusted.audience("urn:example:api").audience_name("api")), [""; 0]);
}

#[test]
fn cognito_needs_the_clients_it_may_come_from() {
    let fixture = Fixture::named("cognito");
    let keys = || fixture.keys().profile(Profile::Cognito);
    let [fault] = faults(keys()).try_into().expect("one fault");
    assert_eq!(fault.setting(), "audience");
    assert!(fault.suggestion().contains("audience_name"), "{fault}");
    // The audience of the server is no client of the pool.
    let named = builder().audience_name("1example23456789").issuer(keys()).build();
    assert!(named.is_err());
    assert_eq!(settings(keys().audience_name("1example23456789")), [""; 0]);
    assert_eq!(settings(keys().audience("https://api.example.com/orders")), [""; 0]);
    let any = builder().danger().accept_any_audience().issuer(keys()).build();
    assert!(any.is_ok(), "the dangerous choice was made");
}

#[tokio::test]
async fn a_resource_alone_excludes_tokens_for_no_resource() {
    let fixture = Fixture::named("cognito");
    let issuer =
        fixture.keys().profile(Profile::Cognito).audience("https://api.example.com/orders");
    let server = builder().issuer(issuer).build().expect("valid");
    present(&server, &fixture.token("access for a resource").sign()).await.assert_ok();
    let answer = present(&server, &fixture.token("access").sign()).await;
    assert_eq!(answer.kind(), Some(RejectionKind::WrongAudience));
    // Nor does a client's id in `aud` count for more than what it is.
    let token = fixture.access().with("aud", json!(["1example23456789"])).sign();
    assert_eq!(present(&server, &token).await.kind(), Some(RejectionKind::WrongAudience));
}

#[test]
fn a_client_of_google_is_no_audience() {
    let client = "1234987819200-ab3de5gh7.apps.googleusercontent.com";
    let keys = || Fixture::named("google").keys().profile(Profile::Google);
    assert_eq!(settings(keys()), [""; 0]);
    assert_eq!(settings(keys().audience_name("orders")), [""; 0]);
    assert_eq!(settings(keys().audience_name(client)), ["audience"]);
    // As an audience of the server it would count for Google's tokens as well.
    let built = builder().audience_name(client).issuer(keys()).build();
    let error = built.expect_err("a client");
    assert_eq!(error.faults()[0].setting(), "audience");
    let built = builder().audience_name(client).issuer(keys().audience_name("orders")).build();
    assert!(built.is_ok(), "there it is another issuer's");
}
