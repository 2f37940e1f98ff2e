//! What is written to a replay store, and what never is (RFC 9449 §11.1).

use std::time::Duration;

use tower_resource_server::testing::{Flaw, ProofFlaw, SigningKey};
use tower_resource_server::{
    Algorithm, Dpop, Freshness, NonceIssuer, RejectionKind, Scopes, SealedNonces, SenderConstraint,
};

use crate::dpop::{DpopBed, Ledger, URI, with_proof};
use crate::support::{NOW, send};

#[tokio::test]
async fn a_use_is_recorded_for_as_long_as_the_proof_could_be_accepted() {
    let bed = DpopBed::recording();
    let ledger = bed.ledger();
    let now = i64::try_from(NOW).expect("a time");
    for iat in [now, now - 120, now + 30, now - 7] {
        bed.prove(&bed.proof().at(iat)).await.assert_ok();
        let recorded = ledger.uses().pop().expect("a use");
        let seconds = |time: std::time::SystemTime| {
            let since = time.duration_since(std::time::UNIX_EPOCH).expect("after 1970");
            i64::try_from(since.as_secs()).expect("a time")
        };
        // R9449-11.1-3: `iat` and the window, skew included.
        assert_eq!(seconds(recorded.acceptable_until()), iat + 120);
        assert_eq!(seconds(recorded.acceptable_from()), iat - 30);
        assert_eq!(seconds(recorded.now()), now);
        let remaining = u64::try_from(iat + 120 - now).expect("not negative");
        assert_eq!(recorded.remaining(), Duration::from_secs(remaining));
    }
}

#[tokio::test]
async fn with_nonces_a_use_is_recorded_until_the_first_of_both_ends() {
    let second = Duration::from_secs(1);
    // (mode, age of the nonce, age of the proof) → what remains: the nonce lives for 300 s.
    for (mode, nonce_age, age, remaining) in [
        (Freshness::Both, 0, 0, 120),
        (Freshness::Both, 250, 0, 50),
        (Freshness::Both, 250, 100, 20),
        (Freshness::Both, 0, -30, 150),
        (Freshness::Nonce, 0, 0, 300),
        (Freshness::Nonce, 250, 0, 50),
        (Freshness::Nonce, 0, 86_300, 100),
    ] {
        let (ledger, nonces) = (Ledger::default(), SealedNonces::random());
        let dpop = Dpop::new().nonces(nonces).freshness(mode).replay_store(ledger.clone());
        let bed = DpopBed::new(dpop);
        let nonce = bed.fetch_nonce().await;
        bed.bed.clock.advance(nonce_age * second);
        let now = i64::try_from(NOW).expect("a time") + i64::from(nonce_age);
        bed.prove(&bed.proof().at(now - age).nonce(nonce)).await.assert_ok();
        let recorded = ledger.uses().pop().expect("a use");
        // R9449-11.1-3: the end of the nonce's life counts as well.
        let case = (mode, nonce_age, age);
        assert_eq!(recorded.remaining(), remaining * second, "{case:?}");
        assert!(recorded.acceptable_from() <= recorded.now(), "{case:?}");
    }
}

#[tokio::test]
async fn the_time_told_to_the_store_includes_now() {
    let (ledger, nonces) = (Ledger::default(), SealedNonces::random());
    let dpop = Dpop::new().nonces(nonces.clone()).replay_store(ledger.clone());
    let bed = DpopBed::new(dpop);
    // By a node whose clock is fast by two seconds, which is forgiven.
    let clock = tower_resource_server::testing::FixedClock::at(NOW + 2);
    let ahead = nonces.issue(crate::support::RESOURCE, tower_resource_server::Clock::now(&clock));
    bed.prove(&bed.proof().nonce(&ahead)).await.assert_ok();
    let recorded = ledger.uses().pop().expect("a use");
    // R9449-11.1-3: a store that knows nothing from before `acceptable_from` must not be asked
    // about what could be used before.
    assert!(recorded.acceptable_from() <= recorded.now());
    assert_eq!(recorded.remaining(), Duration::from_secs(120));
}

#[tokio::test]
async fn a_flawed_proof_leaves_nothing_in_the_store() {
    let bed = DpopBed::recording();
    let ledger = bed.ledger();
    for known in [false, true] {
        for flaw in ProofFlaw::ALL {
            let answer = bed.prove(&bed.proof().flaw(flaw)).await;
            let error = answer.kind().and_then(RejectionKind::error_code);
            assert_eq!(error, Some("invalid_dpop_proof"), "{flaw:?}");
            // R9449-11.1-5: whatever is wrong with the proof.
            assert!(ledger.asked() == usize::from(known), "{flaw:?}");
        }
        if !known {
            bed.prove(&bed.proof()).await.assert_ok();
        }
    }
}

#[tokio::test]
async fn a_flawed_token_leaves_nothing_in_the_store() {
    let bed = DpopBed::recording();
    let ledger = bed.ledger();
    let sound = || bed.bed.issuer.token().bound_to(&bed.key);
    let mut tokens: Vec<_> = Flaw::ALL.map(|flaw| sound().flaw(flaw).build()).into();
    let stranger = SigningKey::generate(Algorithm::ES256);
    tokens.push(bed.bed.token());
    tokens.push(bed.bed.issuer.token().bound_to(&stranger).build());
    let both = serde_json::json!({ "jkt": bed.key.thumbprint(), "x5t#S256": "x" });
    tokens.push(sound().claim("cnf", both).build());
    tokens.push("garbage".to_owned());
    for token in tokens.iter().chain(&tokens) {
        // The proof is sound for just this token.
        let answer = bed.prove(&bed.proof().token(token)).await;
        assert!(!answer.handled, "{answer:?}");
        assert!(answer.kind().is_some_and(RejectionKind::is_client_fault));
    }
    let late = sound().expires_in(Duration::from_secs(10)).build();
    bed.bed.clock.advance(Duration::from_secs(71));
    let answer = bed.prove(&bed.proof().token(&late)).await;
    assert_eq!(answer.kind(), Some(RejectionKind::ExpiredToken));
    // R9449-11.1-5: only after token and binding were found right.
    assert_eq!(ledger.asked(), 0);
    bed.prove(&bed.proof()).await.assert_ok();
    assert_eq!(ledger.asked(), 1);
}

#[tokio::test]
async fn a_refused_request_leaves_nothing_in_the_store() {
    let ledger = Ledger::default();
    let nonces = Dpop::new().nonces(SealedNonces::random()).replay_store(ledger.clone());
    let bed = DpopBed::new(nonces);
    let nonce = bed.prove(&bed.proof()).await.assert_nonce401();
    bed.prove(&bed.proof().nonce("stale")).await.assert_nonce401();
    let sound = || with_proof(&bed.proof().nonce(&nonce));
    let mut twice = sound();
    let copy = twice.headers()["dpop"].clone();
    twice.headers_mut().append("dpop", copy);
    let mut as_bearer = sound();
    let line = format!("Bearer {}", bed.token);
    as_bearer.headers_mut().insert("authorization", line.parse().expect("a field value"));
    let mut doubled = sound();
    doubled.headers_mut().append("authorization", "Bearer x".parse().expect("a field value"));
    let mut elsewhere = sound();
    *elsewhere.uri_mut() = "/other".parse().expect("a path");
    let any = bed.bed.server.authenticate();
    for request in [twice, as_bearer, doubled, elsewhere] {
        assert!(!send(any.clone(), request).await.handled);
    }
    let bearer_only = any.clone().sender_constraint(SenderConstraint::Bearer);
    send(bearer_only, sound()).await.assert_n401();
    // R9449-11.1-5
    assert_eq!(ledger.asked(), 0);
    // D-1: scopes come after the replay check, so here the proof is used up.
    let write = any.require(Scopes::all(["write"]));
    let proof = sound();
    let copy = proof.headers()["dpop"].clone();
    send(write, proof).await.assert_s403("write");
    assert_eq!(ledger.recorded(), 1);
    let mut again = sound();
    again.headers_mut().insert("dpop", copy);
    send(bed.bed.server.authenticate(), again).await.assert_replayed();
}

#[tokio::test]
async fn keys_that_no_token_is_bound_to_leave_nothing_in_the_store() {
    let bed = DpopBed::recording();
    let ledger = bed.ledger();
    let unbound = bed.bed.token();
    for _ in 0..100 {
        let key = SigningKey::generate(Algorithm::ES256);
        let proof = |token: &str| key.proof("GET", URI).token(token).clock(&bed.bed.clock);
        let forged = bed.bed.issuer.token().bound_to(&key).signed_with(&key).build();
        // A stolen token, one that is not bound, one of the attacker's own making, none.
        for (token, kind) in [
            (bed.token.as_str(), RejectionKind::ProofKeyMismatch),
            (&unbound, RejectionKind::UnboundToken),
            (&forged, RejectionKind::BadSignature),
            ("none", RejectionKind::MalformedToken),
        ] {
            assert_eq!(bed.prove(&proof(token)).await.kind(), Some(kind));
        }
    }
    // R9449-11.1-5: proofs with random keys leave the store at size 0.
    assert_eq!((ledger.recorded(), ledger.asked()), (0, 0));
}
