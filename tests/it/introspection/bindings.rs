//! Opaque tokens that are bound to a key.

use serde_json::json;
use tower_resource_server::testing::{DpopClient, SigningKey};
use tower_resource_server::{Algorithm, Binding, RejectionKind, SenderConstraint};

use super::bed::{Asked, TOKEN, right_but};
use crate::support::{Answer, get, send};

async fn prove(asked: &Asked, key: &SigningKey, token: &str) -> Answer {
    let client = DpopClient::new(key.clone(), token).clock(asked.clock.clone());
    send(asked.server.authenticate(), client.authorize(get(&[]))).await
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::ES256)
}

#[tokio::test]
async fn a_bound_opaque_token_needs_its_key() {
    let (asked, key) = (Asked::new(), key());
    let claims = asked.authorization_server.token().scope("read").bound_to(&key);
    let token = asked.authorization_server.opaque(&claims);
    for _ in 0..2 {
        // R9449-6-1, R9449-6.2-1: cnf.jkt of the answer binds as that of a signed token.
        prove(&asked, &key, &token).await.assert_ok();
        let answer = asked.present(&token).await;
        answer.assert_t401();
        assert_eq!(answer.kind(), Some(RejectionKind::BoundTokenAsBearer));
        let stranger = prove(&asked, &self::key(), &token).await;
        assert_eq!(stranger.kind(), Some(RejectionKind::ProofKeyMismatch));
    }
    assert_eq!(asked.calls(), 1);
}

#[tokio::test]
async fn what_binds_is_the_key_and_not_the_type() {
    let (asked, key) = (Asked::new(), key());
    let mut members = right_but("cnf", json!({ "jkt": key.thumbprint() }));
    members["token_type"] = json!("Bearer");
    asked.authorization_server.register(TOKEN, members);
    // R9449-6.2-2: bound all the same.
    asked.present(TOKEN).await.assert_t401();
    prove(&asked, &key, TOKEN).await.assert_ok();
    for named in ["DPoP", "dpop", "DPOP"] {
        let asked = Asked::new();
        let mut members = right_but("cnf", json!({ "jkt": key.thumbprint() }));
        members["token_type"] = json!(named);
        asked.authorization_server.register(TOKEN, members);
        prove(&asked, &key, TOKEN).await.assert_ok();
    }
}

#[tokio::test]
async fn an_unbound_opaque_token_is_none_for_dpop() {
    let (asked, key) = (Asked::new(), key());
    let answer = prove(&asked, &key, &asked.token()).await;
    answer.assert_t401();
    assert_eq!(answer.kind(), Some(RejectionKind::UnboundToken));
}

#[tokio::test]
async fn a_confirmation_that_nobody_knows_is_refused() {
    let asked = Asked::new();
    let answer = asked.about(right_but("cnf", json!({ "kid": "1" }))).await;
    // R7662-2.2-5: cnf is never ignored.
    answer.assert_t401();
    assert_eq!(answer.kind(), Some(RejectionKind::UnsupportedConfirmation));
}

#[tokio::test]
async fn a_proof_is_judged_before_anybody_is_asked() {
    let (asked, key) = (Asked::new(), key());
    let token = asked.token();
    let client = DpopClient::new(key, token.clone()).clock(asked.clock.clone());
    let request = client.authorize(get(&[]));
    let mut spoiled = get(&[("authorization", &format!("DPoP {token}"))]);
    let proof = request.headers()["dpop"].to_str().expect("ASCII").replace('.', "");
    spoiled.headers_mut().insert("dpop", proof.parse().expect("a value"));
    send(asked.server.authenticate(), spoiled).await.assert_p401();
    let bound = asked.server.authenticate().sender_constraint(SenderConstraint::Dpop);
    let plain = get(&[("authorization", &format!("Bearer {token}"))]);
    send(bound, plain).await.assert_n401();
    assert_eq!(asked.calls(), 0);
}

#[tokio::test]
async fn the_grant_tells_of_the_binding() {
    let (asked, key) = (Asked::new(), key());
    let claims = asked.authorization_server.token().bound_to(&key);
    let token = asked.authorization_server.opaque(&claims);
    let client = DpopClient::new(key.clone(), token).clock(asked.clock.clone());
    let grant = crate::support::grant_of(&asked.server, client.authorize(get(&[]))).await;
    let Binding::Dpop(thumbprint) = grant.binding() else { panic!("bound") };
    assert_eq!(thumbprint.to_string(), key.thumbprint());
}
