use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::*;
use crate::algorithm::Algorithm;
use crate::testing::FixedClock;

fn client() -> DpopClient {
    let key = SigningKey::generate(Algorithm::EdDSA);
    DpopClient::new(key, "token").clock(FixedClock::at(1_700_000_000))
}

fn get(uri: &str) -> Request<()> {
    Request::get(uri).body(()).unwrap()
}

fn claims<B>(request: &Request<B>) -> Value {
    let proof = request.headers()["dpop"].to_str().unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(proof.split('.').nth(1).unwrap()).unwrap())
        .unwrap()
}

fn response(status: u16, headers: &[(&str, &str)]) -> Response<()> {
    let builder = Response::builder().status(status);
    let add = |builder: http::response::Builder, (name, value): &(&str, &str)| {
        builder.header(*name, *value)
    };
    headers.iter().fold(builder, add).body(()).unwrap()
}

fn challenge(nonce: &str) -> Response<()> {
    let asks = r#"DPoP error="use_dpop_nonce", algs="ES256""#;
    response(401, &[("www-authenticate", asks), ("dpop-nonce", nonce)])
}

/// Demands a nonce for as many requests as `demands` says, and keeps what it was sent.
struct Server {
    demands: usize,
    ready: bool,
    seen: Vec<Value>,
}

impl Server {
    fn new(demands: usize) -> Self {
        Self { demands, ready: false, seen: Vec::new() }
    }
}

impl Service<Request<()>> for Server {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "polled before each call");
        self.seen.push(claims(&request));
        let count = self.seen.len();
        ready(Ok(match count > self.demands {
            true => response(200, &[("dpop-nonce", "fresh")]),
            false => challenge(&format!("n-{count}")),
        }))
    }
}

/// As tasks have to be.
fn sendable<F: Future + Send>(future: F) -> F {
    future
}

#[tokio::test]
async fn one_retry_follows_the_nonce() {
    let (mut client, mut server) = (client(), Server::new(1));
    let answer = sendable(client.call(&mut server, || get("/r?q=1"))).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let [first, second] = &server.seen[..] else { panic!("two requests") };
    assert_eq!((&first["nonce"], &second["nonce"]), (&Value::Null, &"n-1".into()));
    assert_ne!(first["jti"], second["jti"]);
    assert_eq!(second["htu"], "https://api.example.com/r");
    assert_eq!(client.nonce(), Some("fresh"), "successful answers renew it");
}

#[tokio::test]
async fn a_second_challenge_is_the_answer() {
    let (mut client, mut server) = (client(), Server::new(2));
    let answer = client.call(&mut server, || get("/")).await.unwrap();
    assert!(DpopClient::is_nonce_challenge(&answer));
    assert_eq!((server.seen.len(), client.nonce()), (2, Some("n-2")));
}

#[tokio::test]
async fn other_answers_are_not_retried() {
    let (mut client, mut server) = (client(), Server::new(0));
    client.call(&mut server, || get("/")).await.unwrap();
    assert_eq!(server.seen.len(), 1);
}

#[test]
fn a_challenge_has_all_its_parts() {
    assert!(DpopClient::is_nonce_challenge(&challenge("n")));
    let asks = ("www-authenticate", r#"DPoP error="use_dpop_nonce""#);
    let bearer = ("www-authenticate", r#"Bearer realm="x""#);
    let nonce = ("dpop-nonce", "n");
    assert!(DpopClient::is_nonce_challenge(&response(401, &[bearer, asks, nonce])));
    assert!(!DpopClient::is_nonce_challenge(&response(400, &[asks, nonce])));
    assert!(!DpopClient::is_nonce_challenge(&response(401, &[asks])));
    assert!(!DpopClient::is_nonce_challenge(&response(401, &[asks, nonce, nonce])));
    assert!(!DpopClient::is_nonce_challenge(&response(401, &[bearer, nonce])));
}

#[test]
fn only_one_legal_nonce_is_learnt() {
    let mut client = client();
    client.learn(&response(200, &[("dpop-nonce", "one")]));
    for illegal in ["", "a b", "a\"b", "a\\b"] {
        client.learn(&response(200, &[("dpop-nonce", illegal)]));
    }
    client.learn(&response(200, &[("dpop-nonce", "x"), ("dpop-nonce", "y")]));
    client.learn(&response(200, &[]));
    assert_eq!(client.nonce(), Some("one"));
}

#[test]
fn every_origin_has_its_nonce() {
    let mut client = client();
    let other = "https://other.example:8443/x?y";
    client.learn_from(&Uri::from_static(other), &response(403, &[("dpop-nonce", "theirs")]));
    assert_eq!(client.nonce(), None);
    client.learn(&response(200, &[("dpop-nonce", "ours")]));
    let nonce = |uri: &str| claims(&client.authorize(get(uri)))["nonce"].clone();
    assert_eq!(nonce("https://other.example:8443/z"), "theirs");
    assert_eq!(nonce("/z"), "ours");
    assert_eq!(nonce("https://api.example.com/"), "ours");
    assert_eq!(nonce("https://api.example.com:444/"), Value::Null);
}

#[test]
fn requests_say_what_their_proof_is_for() {
    let client = client().base("https://example.com/api/");
    let request = Request::put("/r?q=1").body(()).unwrap();
    let request = client.authorize(request);
    let claims = claims(&request);
    assert_eq!(claims["htm"], "PUT");
    assert_eq!(claims["htu"], "https://example.com/api/r");
    assert_eq!(claims["iat"], 1_700_000_000);
    assert_eq!(request.headers()["authorization"], "DPoP token");
}

#[test]
fn debug_shows_neither_token_nor_nonce() {
    let mut client = client();
    client.learn(&response(200, &[("dpop-nonce", "secret")]));
    let shown = format!("{client:?}");
    assert_eq!(shown, r#"DpopClient { base: "https://api.example.com", .. }"#);
}
