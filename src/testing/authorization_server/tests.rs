use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use serde_json::json;

use super::*;
use crate::algorithm::Algorithm;
use crate::fetch::FetchErrorKind;
use crate::testing::{FixedClock, SigningKey};

const IDENTIFIER: &str = "https://as.example.com";
const NOW: u64 = 1_700_000_000;

fn server() -> TestAuthorizationServer {
    TestAuthorizationServer::new(IDENTIFIER)
}

async fn send(server: &TestAuthorizationServer, request: Request<Bytes>) -> Response<Bytes> {
    server.fetch(request, FetchLimits::default()).await.expect("it is up")
}

fn get(url: &str) -> Request<Bytes> {
    Request::get(url).body(Bytes::new()).expect("a request")
}

fn ask(body: &'static str) -> Request<Bytes> {
    let request = Request::post("https://as.example.com/introspect")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    request.body(Bytes::from_static(body.as_bytes())).expect("a request")
}

fn with_authorization(mut request: Request<Bytes>, field: &str) -> Request<Bytes> {
    request.headers_mut().append(AUTHORIZATION, field.parse().expect("a field value"));
    request
}

fn json_of(response: &Response<Bytes>) -> Value {
    assert_eq!(response.status(), StatusCode::OK);
    serde_json::from_slice(response.body()).expect("JSON")
}

async fn kids(server: &TestAuthorizationServer) -> Vec<Value> {
    let set = json_of(&send(server, get(&server.url(Endpoint::Jwks))).await);
    set["keys"].as_array().expect("keys").iter().map(|key| key["kid"].clone()).collect()
}

async fn outcome(server: &TestAuthorizationServer) -> Result<StatusCode, FetchErrorKind> {
    let answer = server.fetch(get("https://as.example.com/jwks.json"), FetchLimits::default());
    answer.await.map(|answer| answer.status()).map_err(|error| error.kind())
}

#[tokio::test]
async fn metadata_names_the_endpoints() {
    let server = server().metadata_member("scopes_supported", json!(["read"]));
    server.metadata_member("subject_types_supported", Value::Null);
    let document = json_of(&send(&server, get(&server.url(Endpoint::Metadata))).await);
    assert_eq!(document["issuer"], IDENTIFIER);
    assert_eq!(document["jwks_uri"], server.url(Endpoint::Jwks));
    assert_eq!(document["introspection_endpoint"], server.url(Endpoint::Introspection));
    assert_eq!(document["scopes_supported"], json!(["read"]));
    assert!(document.get("subject_types_supported").is_none());
}

#[tokio::test]
async fn metadata_is_where_it_is_said_to_be() {
    let server = TestAuthorizationServer::new("https://as.example.com/a");
    server.metadata_at([MetadataLocation::OpenIdAppended]);
    for location in MetadataLocation::ALL {
        let answer = send(&server, get(&location.url("https://as.example.com/a"))).await;
        let there = location == MetadataLocation::OpenIdAppended;
        assert_eq!(answer.status(), if there { 200 } else { 404 }, "{location:?}");
    }
    assert_eq!(server.count(Endpoint::Metadata), 3);
}

#[tokio::test]
async fn keys_rotate_in_each_way() {
    let key = |kid: &str| SigningKey::generate(Algorithm::EdDSA).with_kid(kid);
    let server = TestAuthorizationServer::of(TestIssuer::with_key(IDENTIFIER, key("1")));
    assert_eq!(kids(&server).await, ["1"]);
    server.rotate_keeping(key("2"));
    assert_eq!(
        (kids(&server).await, server.issuer().key().kid()),
        (vec!["1".into(), "2".into()], Some("2"))
    );
    server.retire_old_keys().publish(key("3"));
    assert_eq!(
        (kids(&server).await, server.issuer().key().kid()),
        (vec!["2".into(), "3".into()], Some("2"))
    );
    server.rotate(key("4"));
    assert_eq!((kids(&server).await, server.issuer().key().kid()), (vec!["4".into()], Some("4")));
    assert!(kids(&server.publish_nothing()).await.is_empty());
}

#[tokio::test]
async fn opaque_tokens_stand_for_claims_until_they_expire() {
    let clock = FixedClock::at(NOW);
    let server = TestAuthorizationServer::of(TestIssuer::new(IDENTIFIER).clock(clock.clone()));
    let key = SigningKey::generate(Algorithm::ES256);
    let builder = server.token().scope("read").without_claim("jti");
    let (bearer, bound) = (server.opaque(&builder), server.opaque(&builder.bound_to(&key)));
    let ask = async |token: &str| {
        let body = Bytes::from(format!("token={token}"));
        json_of(&send(&server, ask("").map(|_| body)).await)
    };
    let known = json!({
        "active": true, "token_type": "Bearer", "iss": IDENTIFIER, "sub": "user-1",
        "client_id": "client-1", "aud": "https://api.example.com", "iat": NOW, "exp": NOW + 300,
        "scope": "read",
    });
    assert_eq!(ask(&bearer).await, known);
    let members = ask(&bound).await;
    assert_eq!(
        (&members["token_type"], &members["cnf"]["jkt"]),
        (&json!("DPoP"), &json!(key.thumbprint()))
    );
    clock.advance(Duration::from_secs(300));
    assert_eq!(ask(&bearer).await, json!({ "active": false }));
}

#[tokio::test]
async fn registered_tokens_are_answered_as_they_are_and_may_be_revoked() {
    let server = server().register("a b+c/d~", json!({ "sub": "alice" }));
    server.register("odd", json!({ "active": "true" }));
    let known = json!({ "active": true, "sub": "alice" });
    assert_eq!(json_of(&send(&server, ask("token=a+b%2Bc%2Fd~")).await), known);
    assert_eq!(json_of(&send(&server, ask("token=odd")).await), json!({ "active": "true" }));
    server.revoke("a b+c/d~");
    // AS-R7662-2.2-1: nothing but that.
    for body in ["token=a+b%2Bc%2Fd~", "token=never&token_type_hint=access_token"] {
        assert_eq!(json_of(&send(&server, ask(body)).await), json!({ "active": false }));
    }
}

#[tokio::test]
async fn introspection_is_a_form_by_post() {
    let server = server();
    let url = server.url(Endpoint::Introspection);
    assert_eq!(send(&server, get(&url)).await.status(), 405);
    let untyped = Request::post(&url).body(Bytes::from_static(b"token=x")).expect("a request");
    assert_eq!(send(&server, untyped).await.status(), 400);
    for body in ["", "token=", "token=%zz", "token=a&token=b", "token=a&a=%ff"] {
        assert_eq!(send(&server, ask(body)).await.status(), 400, "{body}");
    }
}

/// RFC 7662 §2.3, RFC 6749 §2.3.1.
#[tokio::test]
async fn clients_are_told_apart() {
    let server = server().client("a:1", "100% &=");
    let basic = |joined: &str| format!("Basic {}", STANDARD.encode(joined));
    let right = basic("a%3A1:100%25+%26%3D");
    let post = "token=x&client_id=a%3A1&client_secret=100%25+%26%3D";
    for good in [with_authorization(ask("token=x"), &right), ask(post)] {
        assert_eq!(json_of(&send(&server, good).await), json!({ "active": false }));
    }
    let bad = [
        ask("token=x"),
        ask("token=x&client_id=a%3A1"),
        ask("token=x&client_id=a%3A1&client_secret=100"),
        ask("token=x&client_id=b&client_secret=100%25+%26%3D"),
        with_authorization(ask("token=x"), &basic("a:1:100% &=")),
        with_authorization(ask("token=x"), "Basic !"),
        with_authorization(ask("token=x"), &right.replace("Basic", "Bearer")),
        with_authorization(with_authorization(ask("token=x"), &right), &right),
    ];
    // AS-R7662-2.3-1: 401, and no verdict.
    for request in bad {
        let answer = send(&server, request).await;
        assert_eq!(answer.status(), 401);
        assert!(answer.headers().contains_key(WWW_AUTHENTICATE));
        assert_eq!(answer.body(), r#"{"error":"invalid_client"}"#);
    }
    let both = send(&server, with_authorization(ask(post), &right)).await;
    assert_eq!(both.status(), 400);
}

#[tokio::test(start_paused = true)]
async fn it_is_in_the_condition_it_was_set_to() {
    let server = server().set(Condition::Down);
    assert_eq!(outcome(&server).await, Err(FetchErrorKind::Transport));
    server.set(Condition::Status(StatusCode::BAD_GATEWAY));
    assert_eq!(outcome(&server).await, Ok(StatusCode::BAD_GATEWAY));
    let (hour, day) = (Duration::from_secs(3600), Duration::from_secs(86_400));
    server.set(Condition::Slow(hour));
    let before = tokio::time::Instant::now();
    assert_eq!(outcome(&server).await, Ok(StatusCode::OK));
    assert_eq!(before.elapsed(), hour);
    server.set(Condition::Up).set_at(Endpoint::Jwks, Condition::Silent);
    assert!(tokio::time::timeout(day, outcome(&server)).await.is_err());
    assert_eq!(json_of(&send(&server, ask("token=x")).await), json!({ "active": false }));
}

#[tokio::test]
async fn garbage_is_nothing_that_parses_as_it_should() {
    let server = server();
    let url = server.url(Endpoint::Jwks);
    let right = send(&server, get(&url)).await;
    for garbage in Garbage::ALL {
        server.set(Condition::Garbage(garbage));
        let answer = send(&server, get(&url)).await;
        assert_eq!(answer.status(), StatusCode::OK, "{garbage:?}");
        let parses = serde_json::from_slice::<Value>(answer.body()).is_ok_and(|it| it.is_object());
        let typed = answer.headers()[CONTENT_TYPE] == right.headers()[CONTENT_TYPE];
        let within = answer.body().len() <= FetchLimits::default().max_bytes;
        assert!(!(parses && typed && within), "{garbage:?}");
    }
}

#[tokio::test]
async fn held_requests_get_what_is_so_when_they_are_let_go() {
    let server = server();
    let hold = server.hold();
    let waiting = tokio::spawn({
        let server = server.clone();
        async move { outcome(&server).await }
    });
    server.arrived(Endpoint::Jwks, 1).await;
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    server.set(Condition::Down);
    hold.release();
    assert_eq!(waiting.await.expect("no panic"), Err(FetchErrorKind::Transport));
}

#[tokio::test]
async fn requests_are_kept_whole_and_not_shown() {
    let server = server().with_header("cache-control", "max-age=60");
    let request = with_authorization(ask("token=secret"), "Basic secret");
    assert_eq!(send(&server, request).await.headers()[CACHE_CONTROL], "max-age=60");
    assert_eq!(send(&server, get("https://as.example.com/x")).await.status(), 404);
    let kept = &server.requests(Endpoint::Introspection)[0];
    assert_eq!(kept.body(), "token=secret");
    assert_eq!(kept.headers()[AUTHORIZATION], "Basic secret");
    assert_eq!((server.count(Endpoint::Introspection), server.count(Endpoint::Other)), (1, 1));
    let shown = format!("{:?}", server.client("api", "secret").register("secret", json!({})));
    assert!(!shown.contains("secret"), "{shown}");
}
