//! Nonces: what is sent, what is accepted, when the next one comes (RFC 9449 §8, §9).

use std::collections::HashSet;
use std::time::Duration;

use http::StatusCode;
use tower_resource_server::testing::ProofFlaw;
use tower_resource_server::{
    Clock, Dpop, NonceIssuer, RejectionKind, Scopes, SealedNonces, SenderConstraint,
};

use crate::dpop::{DpopBed, is_nonce, with_proof};
use crate::support::{Handler, RESOURCE, bearer, get, send, send_around};

pub(crate) const SECRET: [u8; 32] = [1; 32];
const OTHER: [u8; 32] = [2; 32];
/// Half of a nonce's default lifetime.
pub(crate) const HALF: Duration = Duration::from_secs(150);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn sealed(secret: &[u8]) -> SealedNonces {
    SealedNonces::with_secret(secret).expect("32 bytes")
}

pub(crate) fn nonce_mode() -> DpopBed {
    DpopBed::new(Dpop::new().nonces(sealed(&SECRET)))
}

/// A nonce of `issuer`, issued for `resource` now.
fn issued(bed: &DpopBed, issuer: &SealedNonces, resource: &str) -> String {
    issuer.issue(resource, bed.bed.clock.now())
}

#[tokio::test]
async fn a_proof_without_nonce_is_told_to_use_one() {
    let bed = nonce_mode();
    for constraint in [SenderConstraint::Any, SenderConstraint::Dpop] {
        let layer = bed.bed.server.authenticate().sender_constraint(constraint);
        let answer = send(layer.clone(), with_proof(&bed.proof())).await;
        // R9449-9-1: 401, the DPoP challenge alone, the nonce.
        let nonce = answer.assert_nonce401();
        assert_eq!(answer.kind(), Some(RejectionKind::MissingProofNonce));
        let names = ["error", "algs", "resource_metadata", "error_description"];
        assert_eq!(answer.challenge().names(), names);
        let proof = bed.proof().nonce(nonce);
        send(layer, with_proof(&proof)).await.assert_ok();
    }
}

#[tokio::test]
async fn nonces_cannot_be_guessed() {
    let (nonces, bed) = (sealed(&SECRET), nonce_mode());
    let now = bed.bed.clock.now();
    let all: Vec<_> = (0..100_000).map(|_| nonces.issue(RESOURCE, now)).collect();
    // R9449-8-1: unique; each sealed, so that no other will do; and in no order.
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    let rises = all.windows(2).filter(|pair| pair[0] < pair[1]).count();
    assert!((49_000..51_000).contains(&rises), "{rises}");
    // R9449-8.1-1
    assert!(all.iter().all(|nonce| is_nonce(nonce)));
    for at in 0..all[0].len() {
        let mut guess = all[0].clone();
        let other = if &guess[at..=at] == "A" { "B" } else { "A" };
        guess.replace_range(at..=at, other);
        bed.prove(&bed.proof().nonce(guess)).await.assert_nonce401();
    }
    bed.prove(&bed.proof().nonce(&all[0])).await.assert_ok();
}

#[tokio::test]
async fn each_answer_has_a_nonce_of_its_own() {
    let bed = nonce_mode();
    let mut seen = HashSet::new();
    for _ in 0..50 {
        // R9449-8.1-1, of those that are sent: `assert_nonce401` looks at each character.
        assert!(seen.insert(bed.prove(&bed.proof()).await.assert_nonce401()));
    }
}

#[tokio::test]
async fn only_the_nonce_as_it_was_sent_will_do() {
    let bed = nonce_mode();
    let nonce = bed.fetch_nonce().await;
    let other_case: String =
        nonce
            .chars()
            .map(|c| {
                if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
            })
            .collect();
    let own = sealed(&SECRET);
    for wrong in [
        other_case,
        nonce[1..].to_owned(),
        format!("{nonce}A"),
        format!("{nonce}="),
        format!(" {nonce}"),
        format!("{nonce},{nonce}"),
        "eyJ7S_zG.eyJH0-Z.HX4w-7v".to_owned(),
        "ü".repeat(20),
        "n".repeat(2000),
        // R9449-9-2: of another server, by its secret or by its name.
        issued(&bed, &sealed(&OTHER), RESOURCE),
        issued(&bed, &own, "https://other.example.com"),
        issued(&bed, &own, "https://as.example.com"),
        issued(&bed, &own, "https://api.example.com/"),
    ] {
        let answer = bed.prove(&bed.proof().nonce(&wrong)).await;
        // R9449-8-3
        answer.assert_nonce401();
        assert_eq!(answer.kind(), Some(RejectionKind::InvalidProofNonce));
    }
    bed.prove(&bed.proof().nonce(nonce)).await.assert_ok();
}

#[tokio::test]
async fn a_nonce_is_renewed_in_the_second_half_of_its_life() {
    let bed = nonce_mode();
    let old = bed.fetch_nonce().await;
    bed.bed.clock.advance(HALF - SECOND);
    let early = bed.prove(&bed.proof().nonce(&old)).await;
    early.assert_ok();
    assert!(early.all("dpop-nonce").is_empty() && early.all("cache-control").is_empty());
    bed.bed.clock.advance(SECOND);
    // R9449-8.2-1: the next one comes with a success, and the old one is good until its end.
    let half = bed.prove(&bed.proof().nonce(&old)).await;
    half.assert_ok();
    let new = half.nonce();
    assert_ne!(new, old);
    assert_eq!(half.all("cache-control"), ["no-store"]);
    bed.bed.clock.advance(HALF);
    bed.prove(&bed.proof().nonce(&old)).await.assert_ok();
    bed.bed.clock.advance(SECOND);
    // R9449-8-3: it is no recent one any more.
    bed.prove(&bed.proof().nonce(&old)).await.assert_nonce401();
    bed.prove(&bed.proof().nonce(new)).await.assert_ok();
}

#[tokio::test]
async fn a_response_with_a_nonce_is_never_stored() {
    let bed = nonce_mode();
    let nonce = bed.fetch_nonce().await;
    let handler = || {
        let lines =
            [("cache-control", "max-age=600"), ("cache-control", "public"), ("etag", "\"1\"")];
        Handler::answering(200, &lines)
    };
    let ask = || with_proof(&bed.proof().nonce(&nonce));
    let early = send_around(bed.bed.server.authenticate(), handler(), ask()).await;
    assert_eq!(early.all("cache-control"), ["max-age=600", "public"]);
    bed.bed.clock.advance(HALF);
    let answer = send_around(bed.bed.server.authenticate(), handler(), ask()).await;
    answer.assert_ok();
    answer.nonce();
    // R9449-8.2-2: one line, and what the handler said is gone.
    assert_eq!(answer.all("cache-control"), ["no-store"]);
    assert_eq!(answer.all("etag"), ["\"1\""]);
}

#[tokio::test]
async fn a_handler_may_answer_with_a_nonce_and_no_more_than_one_is_sent() {
    let bed = nonce_mode();
    let nonce = bed.fetch_nonce().await;
    let theirs = [("dpop-nonce", "theirs-1"), ("dpop-nonce", "theirs-2"), ("cache-control", "a=1")];
    let answer = |handler: Handler| {
        let proof = bed.proof().nonce(&nonce);
        send_around(bed.bed.server.authenticate(), handler, with_proof(&proof))
    };
    for status in [200, 204, 404, 500] {
        // R9449-8-2: the first of the handler's, where the layer has none.
        let answer = answer(Handler::answering(status, &theirs)).await;
        assert_eq!(answer.all("dpop-nonce"), ["theirs-1"]);
        assert_eq!(answer.all("cache-control"), ["no-store"]);
    }
    bed.bed.clock.advance(HALF);
    // R9449-8-2: the layer's, where it has one.
    let renewed = answer(Handler::answering(200, &theirs)).await;
    assert!(!renewed.nonce().starts_with("theirs"));
    // Without nonces of its own, the layer still lets only one through.
    let plain = DpopBed::new(Dpop::new());
    for request in [with_proof(&plain.proof()), bearer(&plain.bed.token())] {
        let layer = plain.bed.server.authenticate();
        let answer = send_around(layer, Handler::answering(200, &theirs), request).await;
        assert_eq!(answer.all("dpop-nonce"), ["theirs-1"]);
        assert_eq!(answer.all("cache-control"), ["no-store"]);
    }
}

#[tokio::test]
async fn other_failures_bring_a_nonce_too() {
    let bed = nonce_mode();
    let (any, nonce) = (bed.bed.server.authenticate(), bed.fetch_nonce().await);
    for flaw in ProofFlaw::ALL {
        let proof = bed.proof().nonce(&nonce).flaw(flaw);
        let answer = bed.prove(&proof).await;
        // R9449-9-3: with every P401, whatever is wrong.
        assert_eq!(answer.challenge().get("error"), Some("invalid_dpop_proof"), "{flaw:?}");
        assert_eq!(answer.all("cache-control"), ["no-store"]);
        answer.nonce();
    }
    let line = format!("DPoP {}", bed.token);
    let missing = send(any.clone(), get(&[("authorization", &line)])).await;
    missing.assert_p401_of(RejectionKind::MissingProof);
    missing.nonce();
    let unbound = bed.bed.token();
    let mismatched = bed.proof().nonce(&nonce).token(&unbound);
    let answer = bed.prove(&mismatched).await;
    assert_eq!(answer.kind(), Some(RejectionKind::UnboundToken));
    answer.assert_t401();
    answer.nonce();
    let write = any.clone().require(Scopes::all(["write"]));
    let answer = send(write, with_proof(&bed.proof().nonce(&nonce))).await;
    answer.assert_s403("write");
    answer.nonce();
    let replayed = bed.proof().nonce(&nonce);
    bed.prove(&replayed).await.assert_ok();
    let answer = bed.prove(&replayed).await;
    answer.assert_p401_of(RejectionKind::ReplayedProof);
    answer.nonce();
}

#[tokio::test]
async fn who_needs_a_nonce_gets_it_with_the_first_challenge() {
    let bed = nonce_mode();
    let any = bed.bed.server.authenticate();
    let bound_only = any.clone().sender_constraint(SenderConstraint::Dpop);
    for request in [get(&[]), bearer(&bed.bed.token()), get(&[("authorization", "Basic eDp5")])] {
        // R9449-9-3: the challenge of a route where there is no other way.
        let answer = send(bound_only.clone(), request).await;
        answer.assert_n401();
        let proof = bed.proof().nonce(answer.nonce());
        send(bound_only.clone(), with_proof(&proof)).await.assert_ok();
    }
    // Where a bearer token will do, nothing says that the client makes proofs.
    let bearer_only = any.clone().sender_constraint(SenderConstraint::Bearer);
    for (layer, request) in [
        (any.clone(), get(&[])),
        (any.clone(), bearer("garbage")),
        (any.clone(), bearer(&bed.token)),
        (bearer_only.clone(), get(&[])),
        (bearer_only, with_proof(&bed.proof())),
    ] {
        let answer = send(layer, request).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(answer.all("dpop-nonce").is_empty(), "{answer:?}");
    }
}
