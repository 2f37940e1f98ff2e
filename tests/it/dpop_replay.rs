//! Used proofs: what is one use, how long it is remembered, what is never written down (RFC 9449
//! §11.1).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, Request};
use tower_resource_server::testing::{Flaw, ProofBuilder, ProofFlaw, SigningKey};
use tower_resource_server::{
    Algorithm, CryptoBackend, Dpop, Freshness, NonceIssuer, RejectionKind, Scopes, SealedNonces,
    SenderConstraint,
};

use crate::dpop_bed::{
    DpopBed, Ledger, TARGET, assert_nonce401, assert_p401, assert_replayed, with_proof,
};
use crate::support::{Answer, NOW, bearer, get, send};

fn recording() -> (DpopBed, Ledger) {
    let ledger = Ledger::default();
    (DpopBed::new(Dpop::new().replay_store(ledger.clone())), ledger)
}

#[tokio::test]
async fn a_proof_is_good_once() {
    let (bed, ledger) = recording();
    let proof = bed.proof();
    bed.send(&proof).await.assert_ok();
    for _ in 0..3 {
        assert_replayed(&bed.send(&proof).await);
    }
    assert_eq!((ledger.len(), ledger.asked().len()), (1, 4));
    // For the token as it was first seen, and as it is remembered.
    bed.send(&bed.proof()).await.assert_ok();
    assert_eq!(ledger.len(), 2);
}

#[tokio::test]
async fn an_optional_layer_records_proofs_too() {
    let (bed, ledger) = recording();
    let layer = bed.bed.server.authenticate().optional();
    send(layer.clone(), get(&[])).await.assert_ok();
    send(layer.clone(), bearer(&bed.bed.token())).await.assert_ok();
    assert_eq!(ledger.asked().len(), 0);
    let proof = bed.proof();
    send(layer.clone(), with_proof(&proof)).await.assert_ok();
    assert_replayed(&send(layer, with_proof(&proof)).await);
}

/// `GET` of that path, with a proof made for that URI.
async fn ask(bed: &DpopBed, method: &str, path: &str, proof: &ProofBuilder) -> Answer {
    let mut request: Request<_> = with_proof(proof);
    *request.method_mut() = Method::from_bytes(method.as_bytes()).expect("a method");
    *request.uri_mut() = path.parse().expect("a path");
    send(bed.bed.server.authenticate(), request).await
}

#[tokio::test]
async fn one_use_is_a_key_a_uri_and_a_jti() {
    let (bed, ledger) = recording();
    let named = |proof: ProofBuilder| proof.token(&bed.token).clock(&bed.bed.clock);
    let made =
        |method: &str, uri: &str, jti: &str| named(bed.key.proof(method, uri)).claim("jti", jti);
    let first = made("GET", TARGET, "1");
    bed.send(&first).await.assert_ok();
    let now = i64::try_from(NOW).expect("a time");
    for again in [
        // R9449-11.1-4: another time, another text of the URI, other claims and parameters.
        first.clone().at(now - 60),
        first.clone().at(now + 20),
        first.clone().claim("htu", "HTTPS://API.example.com:443/r"),
        first.clone().claim("htu", "https://api.example.com/%72"),
        first.clone().claim("htu", "https://api.example.com/x/../r"),
        first.clone().claim("htu", "https://api.example.com/r?q=1#f"),
        first.clone().claim("extra", 1),
        first.clone().claim("nonce", "n"),
        first.clone().header("kid", "k"),
        first.clone().header("typ", "application/dpop+jwt"),
    ] {
        assert_replayed(&bed.send(&again).await);
    }
    let post = made("POST", TARGET, "1");
    assert_replayed(&ask(&bed, "POST", "/r", &post).await);
    assert_replayed(&ask(&bed, "GET", "/r?other=query", &first).await);
    assert_eq!(ledger.len(), 1);
    // R9449-11.1-4: and these are other uses.
    ask(&bed, "GET", "/r/1", &made("GET", "https://api.example.com/r/1", "1")).await.assert_ok();
    // Nothing of the one can be shifted into the other.
    ask(&bed, "GET", "/r/", &made("GET", "https://api.example.com/r/", "1")).await.assert_ok();
    ask(&bed, "GET", "/r", &made("GET", TARGET, "/1")).await.assert_ok();
    bed.send(&made("GET", TARGET, "2")).await.assert_ok();
    let other = SigningKey::generate(Algorithm::ES256);
    let token = bed.bed.issuer.token().bound_to(&other).build();
    let theirs = other.proof("GET", TARGET).token(&token).clock(&bed.bed.clock).claim("jti", "1");
    // R9449-11.1-4: the same jti by a different key.
    bed.send(&theirs).await.assert_ok();
    assert_eq!(ledger.len(), 6);
}

#[tokio::test]
async fn another_token_of_the_same_key_makes_no_other_use() {
    let (bed, _) = recording();
    let first = bed.proof();
    bed.send(&first).await.assert_ok();
    let renewed = bed.bed.issuer.token().scope("read").bound_to(&bed.key).build();
    assert_replayed(&bed.send(&first.token(&renewed)).await);
}

/// The order of P-256, big-endian (SEC 2 §2.4.2).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The other signature of the same message: (r, n − s), which needs no key to make.
fn twin(proof: &str) -> String {
    let (signed, signature) = proof.rsplit_once('.').expect("three parts");
    let mut signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let mut borrow = 0;
    for (digit, order) in signature[32..].iter_mut().zip(ORDER).rev() {
        let difference = i16::from(order) - i16::from(*digit) - borrow;
        borrow = i16::from(difference < 0);
        *digit = u8::try_from(difference.rem_euclid(256)).expect("a byte");
    }
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn the_twin_of_a_signature_is_the_same_use() {
    for &backend in CryptoBackend::ALL {
        for twin_first in [false, true] {
            let bed = DpopBed::with(|builder| builder.crypto_backend(backend));
            let original = with_proof(&bed.proof());
            let text = original.headers()["dpop"].to_str().expect("visible ASCII");
            let other = twin(text);
            assert_eq!(twin(&other), text);
            let mut second = with_proof(&bed.proof());
            second.headers_mut().insert("dpop", other.parse().expect("visible ASCII"));
            let (first, second) = if twin_first { (second, original) } else { (original, second) };
            // R9449-11.1-4: both verify, so one of them is a replay.
            send(bed.bed.server.authenticate(), first).await.assert_ok();
            assert_replayed(&send(bed.bed.server.authenticate(), second).await);
        }
    }
}

#[tokio::test]
async fn the_same_claims_in_another_text_are_the_same_use() {
    let (bed, ledger) = recording();
    let line = |jti: &str, space: &str| {
        let ath = URL_SAFE_NO_PAD.encode(<sha2::Sha256 as sha2::Digest>::digest(&bed.token));
        let members = [
            format!("\"iat\":{NOW}"),
            format!("\"ath\":\"{ath}\""),
            format!("\"jti\":\"{jti}\""),
            format!("\"htu\":\"{TARGET}\""),
            "\"htm\":\"GET\"".to_owned(),
        ];
        bed.proof().raw_payload(format!("{{{space}{}}}", members.join(&format!(",{space}"))))
    };
    bed.send(&line("a", "")).await.assert_ok();
    // R9449-11.1-4: spaces, escapes and the order of members change nothing.
    for again in [line("a", " "), line("a", "\n\t"), line("\\u0061", "")] {
        assert_replayed(&bed.send(&again).await);
    }
    assert_replayed(&bed.send(&bed.proof().claim("jti", "a")).await);
    assert_eq!(ledger.len(), 1);
}

#[tokio::test]
async fn a_long_jti_is_refused_or_hashed() {
    let (bed, ledger) = recording();
    for jti in ["j".to_owned(), "j".repeat(200), "j".repeat(256), "ü".repeat(128)] {
        let proof = bed.proof().claim("jti", jti);
        bed.send(&proof).await.assert_ok();
        assert_replayed(&bed.send(&proof).await);
    }
    // R9449-11.1-6: what is longer is refused, and nothing of it is kept.
    for jti in ["j".repeat(257), "ü".repeat(129)] {
        let answer = bed.send(&bed.proof().claim("jti", jti)).await;
        assert_p401(&answer, RejectionKind::InvalidProofClaim);
    }
    assert_eq!(ledger.len(), 4);
}

#[tokio::test]
async fn a_use_is_recorded_for_as_long_as_the_proof_could_be_accepted() {
    let (bed, ledger) = recording();
    let now = i64::try_from(NOW).expect("a time");
    for iat in [now, now - 120, now + 30, now - 7] {
        bed.send(&bed.proof().at(iat)).await.assert_ok();
        let recorded = ledger.asked().pop().expect("a use");
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
        bed.send(&bed.proof().at(now - age).nonce(nonce)).await.assert_ok();
        let recorded = ledger.asked().pop().expect("a use");
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
    bed.send(&bed.proof().nonce(&ahead)).await.assert_ok();
    let recorded = ledger.asked().pop().expect("a use");
    // R9449-11.1-3: a store that knows nothing from before `acceptable_from` must not be asked
    // about what could be used before.
    assert!(recorded.acceptable_from() <= recorded.now());
    assert_eq!(recorded.remaining(), Duration::from_secs(120));
}

#[tokio::test]
async fn a_copy_is_refused_until_the_proof_is_too_old() {
    let bed = DpopBed::new(Dpop::new());
    let second = Duration::from_secs(1);
    let proof = bed.proof();
    bed.send(&proof).await.assert_ok();
    bed.bed.clock.advance(119 * second);
    // R9449-11.1-3: at the end of the window less a second.
    assert_replayed(&bed.send(&proof).await);
    bed.bed.clock.advance(second);
    assert_replayed(&bed.send(&proof).await);
    bed.bed.clock.advance(second);
    assert_p401(&bed.send(&proof).await, RejectionKind::ExpiredProof);
}

#[tokio::test]
async fn a_proof_dated_ahead_is_remembered_for_longer() {
    let bed = DpopBed::new(Dpop::new());
    let proof = bed.proof().at(i64::try_from(NOW).expect("a time") + 30);
    bed.send(&proof).await.assert_ok();
    for _ in 0..5 {
        bed.bed.clock.advance(Duration::from_secs(30));
        // R9449-11.1-3: it could be accepted for 150 s from its first use.
        assert_replayed(&bed.send(&proof).await);
    }
    bed.bed.clock.advance(Duration::from_secs(1));
    assert_p401(&bed.send(&proof).await, RejectionKind::ExpiredProof);
}

#[tokio::test]
async fn a_flawed_proof_leaves_nothing_in_the_store() {
    let (bed, ledger) = recording();
    for known in [false, true] {
        for flaw in ProofFlaw::ALL {
            let answer = bed.send(&bed.proof().flaw(flaw)).await;
            let error = answer.kind().and_then(RejectionKind::error_code);
            assert_eq!(error, Some("invalid_dpop_proof"), "{flaw:?}");
            // R9449-11.1-5: whatever is wrong with the proof.
            assert!(ledger.asked().len() == usize::from(known), "{flaw:?}");
        }
        if !known {
            bed.send(&bed.proof()).await.assert_ok();
        }
    }
}

#[tokio::test]
async fn a_flawed_token_leaves_nothing_in_the_store() {
    let (bed, ledger) = recording();
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
        let answer = bed.send(&bed.proof().token(token)).await;
        assert!(!answer.handled, "{answer:?}");
        assert!(answer.kind().is_some_and(RejectionKind::is_client_fault));
    }
    let late = sound().expires_in(Duration::from_secs(10)).build();
    bed.bed.clock.advance(Duration::from_secs(71));
    let answer = bed.send(&bed.proof().token(&late)).await;
    assert_eq!(answer.kind(), Some(RejectionKind::ExpiredToken));
    // R9449-11.1-5: only after token and binding were found right.
    assert_eq!(ledger.asked().len(), 0);
    bed.send(&bed.proof()).await.assert_ok();
    assert_eq!(ledger.asked().len(), 1);
}

#[tokio::test]
async fn a_refused_request_leaves_nothing_in_the_store() {
    let ledger = Ledger::default();
    let nonces = Dpop::new().nonces(SealedNonces::random()).replay_store(ledger.clone());
    let bed = DpopBed::new(nonces);
    let nonce = assert_nonce401(&bed.send(&bed.proof()).await);
    assert_nonce401(&bed.send(&bed.proof().nonce("stale")).await);
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
    assert_eq!(ledger.asked().len(), 0);
    // D-1: scopes come after the replay check, so here the proof is used up.
    let write = any.require(Scopes::all(["write"]));
    let proof = sound();
    let copy = proof.headers()["dpop"].clone();
    send(write, proof).await.assert_s403("write");
    assert_eq!(ledger.len(), 1);
    let mut again = sound();
    again.headers_mut().insert("dpop", copy);
    assert_replayed(&send(bed.bed.server.authenticate(), again).await);
}

#[tokio::test]
async fn keys_that_no_token_is_bound_to_leave_nothing_in_the_store() {
    let (bed, ledger) = recording();
    let unbound = bed.bed.token();
    for _ in 0..100 {
        let key = SigningKey::generate(Algorithm::ES256);
        let proof = |token: &str| key.proof("GET", TARGET).token(token).clock(&bed.bed.clock);
        let forged = bed.bed.issuer.token().bound_to(&key).signed_with(&key).build();
        // A stolen token, one that is not bound, one of the attacker's own making, none.
        for (token, kind) in [
            (bed.token.as_str(), RejectionKind::ProofKeyMismatch),
            (&unbound, RejectionKind::UnboundToken),
            (&forged, RejectionKind::BadSignature),
            ("none", RejectionKind::MalformedToken),
        ] {
            assert_eq!(bed.send(&proof(token)).await.kind(), Some(kind));
        }
    }
    // R9449-11.1-5: proofs with random keys leave the store at size 0.
    assert_eq!((ledger.len(), ledger.asked().len()), (0, 0));
}
