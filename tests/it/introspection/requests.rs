//! What is sent to the endpoint, and what is not.

use http::{HeaderMap, Method};
use tower_resource_server::Algorithm;
use tower_resource_server::testing::{DpopClient, SigningKey};

use super::bed::{Asked, fields, right};
use crate::support::{bearer, get, send};

/// Of token68, all that means something in a form.
const AWKWARD: &str = "a+b/c~d._-=";

#[tokio::test]
async fn a_token_travels_in_a_form_and_nowhere_else() {
    let asked = Asked::new();
    asked.authorization_server.register(AWKWARD, right());
    asked.present(AWKWARD).await.assert_ok();
    let [request] = &asked.requests()[..] else { panic!("one call") };
    // R7662-2.1-1: a form, by POST, with the token encoded.
    assert_eq!(request.method(), Method::POST);
    let content_type = &request.headers()["content-type"];
    assert_eq!(content_type, "application/x-www-form-urlencoded");
    let body = std::str::from_utf8(request.body()).expect("ASCII");
    assert!(body.starts_with("token=a%2Bb%2Fc%7Ed._-%3D&"), "{body}");
    assert_eq!(fields(request.body())[0], ("token".into(), AWKWARD.into()));
    // R7662-2.1-4: nothing is added to the URL.
    assert_eq!(request.uri().query(), None);
    assert_eq!(request.headers()["accept"], "application/json");
    let of_token = |headers: &HeaderMap| {
        headers.values().any(|value| String::from_utf8_lossy(value.as_bytes()).contains("a+b"))
    };
    assert!(!of_token(request.headers()));
}

#[tokio::test]
async fn the_hint_is_sent_unless_it_is_left_out() {
    let hint = ("token_type_hint".to_owned(), "access_token".to_owned());
    // R7662-2.1-2.
    let with = Asked::new();
    with.present(&with.token()).await.assert_ok();
    assert!(fields(with.requests()[0].body()).contains(&hint));
    let without = Asked::with(|introspection| introspection.without_hint());
    without.present(&without.token()).await.assert_ok();
    assert!(!fields(without.requests()[0].body()).contains(&hint));
}

#[tokio::test]
async fn nothing_of_the_request_goes_along() {
    let asked = Asked::new();
    let key = SigningKey::generate(Algorithm::ES256);
    let claims = asked.authorization_server.token().bound_to(&key);
    let token = asked.authorization_server.opaque(&claims);
    let client = DpopClient::new(key, token.clone()).clock(asked.clock.clone());
    let request = get(&[("x-request-id", "7"), ("cookie", "session=1"), ("host", "evil.example")]);
    let request = client.authorize(request);
    let proof = request.headers()["dpop"].to_str().expect("ASCII").to_owned();
    send(asked.server.authenticate(), request).await.assert_ok();
    let [request] = &asked.requests()[..] else { panic!("one call") };
    // R9449-6.2-1: the proof stays here, where the binding is verified.
    let mut names: Vec<_> = request.headers().keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "authorization", "content-type", "user-agent"]);
    for (name, value) in fields(request.body()) {
        assert!(["token", "token_type_hint"].contains(&&*name), "{name}");
        assert!(!proof.split('.').any(|part| value.contains(part)), "{name}");
    }
}

#[tokio::test]
async fn what_is_too_long_or_no_token_asks_nobody() {
    let asked = Asked::new();
    // R7662-4-6: the length is judged before anybody is asked.
    let long = "a".repeat(1024 * 1024);
    send(asked.server.authenticate(), bearer(&long)).await.assert_r400();
    asked.present("a b").await.assert_r400();
    send(asked.server.authenticate(), get(&[])).await.assert_n401();
    assert_eq!(asked.calls(), 0);
}
