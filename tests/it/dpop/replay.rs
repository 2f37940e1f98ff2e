//! Used proofs: what is one use, how long it is remembered, what is never written down (RFC 9449
//! §11.1).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, Request};
use tower_resource_server::testing::{ProofBuilder, SigningKey};
use tower_resource_server::{Algorithm, CryptoBackend, Dpop, RejectionKind};

use crate::dpop::{DpopBed, URI, with_proof};
use crate::support::{Answer, NOW, bearer, get, send, twin};

#[tokio::test]
async fn a_proof_is_good_once() {
    let bed = DpopBed::recording();
    let ledger = bed.ledger();
    let proof = bed.proof();
    bed.prove(&proof).await.assert_ok();
    for _ in 0..3 {
        bed.prove(&proof).await.assert_replayed();
    }
    assert_eq!((ledger.recorded(), ledger.asked()), (1, 4));
    // For the token as it was first seen, and as it is remembered.
    bed.prove(&bed.proof()).await.assert_ok();
    assert_eq!(ledger.recorded(), 2);
}

#[tokio::test]
async fn an_optional_layer_records_proofs_too() {
    let bed = DpopBed::recording();
    let ledger = bed.ledger();
    let layer = bed.bed.server.authenticate().optional();
    send(layer.clone(), get(&[])).await.assert_ok();
    send(layer.clone(), bearer(&bed.bed.token())).await.assert_ok();
    assert_eq!(ledger.asked(), 0);
    let proof = bed.proof();
    send(layer.clone(), with_proof(&proof)).await.assert_ok();
    send(layer, with_proof(&proof)).await.assert_replayed();
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
    let bed = DpopBed::recording();
    let ledger = bed.ledger();
    let named = |proof: ProofBuilder| proof.token(&bed.token).clock(&bed.bed.clock);
    let made =
        |method: &str, uri: &str, jti: &str| named(bed.key.proof(method, uri)).claim("jti", jti);
    let first = made("GET", URI, "1");
    bed.prove(&first).await.assert_ok();
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
        bed.prove(&again).await.assert_replayed();
    }
    let post = made("POST", URI, "1");
    ask(&bed, "POST", "/r", &post).await.assert_replayed();
    ask(&bed, "GET", "/r?other=query", &first).await.assert_replayed();
    assert_eq!(ledger.recorded(), 1);
    // R9449-11.1-4: and these are other uses.
    ask(&bed, "GET", "/r/1", &made("GET", "https://api.example.com/r/1", "1")).await.assert_ok();
    // Nothing of the one can be shifted into the other.
    ask(&bed, "GET", "/r/", &made("GET", "https://api.example.com/r/", "1")).await.assert_ok();
    ask(&bed, "GET", "/r", &made("GET", URI, "/1")).await.assert_ok();
    bed.prove(&made("GET", URI, "2")).await.assert_ok();
    let other = SigningKey::generate(Algorithm::ES256);
    let token = bed.bed.issuer.token().bound_to(&other).build();
    let theirs = other.proof("GET", URI).token(&token).clock(&bed.bed.clock).claim("jti", "1");
    // R9449-11.1-4: the same jti by a different key.
    bed.prove(&theirs).await.assert_ok();
    assert_eq!(ledger.recorded(), 6);
}

#[tokio::test]
async fn another_token_of_the_same_key_makes_no_other_use() {
    let bed = DpopBed::recording();
    let first = bed.proof();
    bed.prove(&first).await.assert_ok();
    let renewed = bed.bed.issuer.token().scope("read").bound_to(&bed.key).build();
    bed.prove(&first.token(&renewed)).await.assert_replayed();
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
            send(bed.bed.server.authenticate(), second).await.assert_replayed();
        }
    }
}

#[tokio::test]
async fn the_same_claims_in_another_text_are_the_same_use() {
    let bed = DpopBed::recording();
    let ledger = bed.ledger();
    let line = |jti: &str, space: &str| {
        let ath = URL_SAFE_NO_PAD.encode(<sha2::Sha256 as sha2::Digest>::digest(&bed.token));
        let members = [
            format!("\"iat\":{NOW}"),
            format!("\"ath\":\"{ath}\""),
            format!("\"jti\":\"{jti}\""),
            format!("\"htu\":\"{URI}\""),
            "\"htm\":\"GET\"".to_owned(),
        ];
        bed.proof().raw_payload(format!("{{{space}{}}}", members.join(&format!(",{space}"))))
    };
    bed.prove(&line("a", "")).await.assert_ok();
    // R9449-11.1-4: spaces, escapes and the order of members change nothing.
    for again in [line("a", " "), line("a", "\n\t"), line("\\u0061", "")] {
        bed.prove(&again).await.assert_replayed();
    }
    bed.prove(&bed.proof().claim("jti", "a")).await.assert_replayed();
    assert_eq!(ledger.recorded(), 1);
}

#[tokio::test]
async fn a_long_jti_is_refused_or_hashed() {
    let bed = DpopBed::recording();
    let ledger = bed.ledger();
    for jti in ["j".to_owned(), "j".repeat(200), "j".repeat(256), "ü".repeat(128)] {
        let proof = bed.proof().claim("jti", jti);
        bed.prove(&proof).await.assert_ok();
        bed.prove(&proof).await.assert_replayed();
    }
    // R9449-11.1-6: what is longer is refused, and nothing of it is kept.
    for jti in ["j".repeat(257), "ü".repeat(129)] {
        let answer = bed.prove(&bed.proof().claim("jti", jti)).await;
        answer.assert_p401_of(RejectionKind::InvalidProofClaim);
    }
    assert_eq!(ledger.recorded(), 4);
}

#[tokio::test]
async fn a_copy_is_refused_until_the_proof_is_too_old() {
    let bed = DpopBed::new(Dpop::new());
    let second = Duration::from_secs(1);
    let proof = bed.proof();
    bed.prove(&proof).await.assert_ok();
    bed.bed.clock.advance(119 * second);
    // R9449-11.1-3: at the end of the window less a second.
    bed.prove(&proof).await.assert_replayed();
    bed.bed.clock.advance(second);
    bed.prove(&proof).await.assert_replayed();
    bed.bed.clock.advance(second);
    bed.prove(&proof).await.assert_p401_of(RejectionKind::ExpiredProof);
}

#[tokio::test]
async fn a_proof_dated_ahead_is_remembered_for_longer() {
    let bed = DpopBed::new(Dpop::new());
    let proof = bed.proof().at(i64::try_from(NOW).expect("a time") + 30);
    bed.prove(&proof).await.assert_ok();
    for _ in 0..5 {
        bed.bed.clock.advance(Duration::from_secs(30));
        // R9449-11.1-3: it could be accepted for 150 s from its first use.
        bed.prove(&proof).await.assert_replayed();
    }
    bed.bed.clock.advance(Duration::from_secs(1));
    bed.prove(&proof).await.assert_p401_of(RejectionKind::ExpiredProof);
}
