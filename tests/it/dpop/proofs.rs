//! Proofs through the layer, check by check (RFC 9449 §4.1 to §4.3). Keys, URIs and bindings have
//! files of their own.

use std::time::Duration;

use serde_json::{Value, json};
use tower_resource_server::testing::{FixedClock, ProofFlaw, SigningKey, TestIssuer};
use tower_resource_server::{Algorithm, Dpop, Freshness, RejectionKind, SealedNonces};

use crate::dpop::flaws::roomy;
use crate::dpop::{DpopBed, dpop};
use crate::support::{ISSUER, send};
use crate::vectors::{VECTOR_ALGS, assert_vectors_ok, send_proof_vector};

async fn assert_vectors(names: &[&str], kind: RejectionKind) {
    for name in names {
        send_proof_vector(name).await.assert_p401_listing(VECTOR_ALGS, kind);
    }
}

#[tokio::test]
async fn one_field_with_one_proof() {
    let bed = DpopBed::recording();
    let (one, other) = (bed.proof().build(), bed.proof().build());
    for lines in [[&*one, &*one], [&*one, &*other], [&*one, ""], ["", &*one], [&*one, "x"]] {
        // R9449-4.3-1-1, D-5: two lines, equal or different, are refused, sound as each may be.
        let answer = bed.send(dpop(&bed.token, &lines)).await;
        answer.assert_p401_of(RejectionKind::MultipleProofs);
    }
    assert_eq!(bed.ledger().asked(), 0);
    bed.present(&one).await.assert_ok();
}

#[tokio::test]
async fn the_value_is_one_compact_jws() {
    // R9449-4.3-2-1: a list, two parts, four, bad base64url, JSON, nothing.
    assert_vectors(&["p-two-proofs-comma"], RejectionKind::MalformedProof).await;
    let bed = DpopBed::recording();
    for flaw in [
        ProofFlaw::TwoProofs,
        ProofFlaw::TwoParts,
        ProofFlaw::FourParts,
        ProofFlaw::JweShape,
        ProofFlaw::Padded,
        ProofFlaw::NonCanonicalBase64,
        ProofFlaw::JsonSerialization,
        ProofFlaw::Empty,
    ] {
        bed.prove(&bed.proof().flaw(flaw)).await.assert_p401_of(RejectionKind::MalformedProof);
    }
    let sound = bed.proof().build();
    let (header, rest) = sound.split_once('.').expect("three parts");
    let standard = format!("{}.{rest}", header.replacen(&header[..1], "+", 1));
    let spaced = format!("{header}. {rest}");
    for proof in ["..", ".", "a", &standard, &spaced, &format!("\"{sound}\"")] {
        bed.present(proof).await.assert_p401_of(RejectionKind::MalformedProof);
    }
    // What stands around a field value is not part of it (RFC 9110 §5.5).
    bed.present(&format!(" {sound}\t")).await.assert_ok();
}

#[tokio::test]
async fn every_claim_has_to_be_there() {
    let names = ["jti", "htm", "htu", "iat", "ath"];
    let vectors = names.map(|name| format!("p-missing-{name}"));
    // R9449-4.2-1, R9449-4.3-3-1: each alone, the nonce where one is asked for.
    assert_vectors(&vectors.each_ref().map(|name| &**name), RejectionKind::MissingProofClaim).await;
    send_proof_vector("p-nonce-missing").await.assert_nonce401_listing(VECTOR_ALGS);
    let bed = DpopBed::recording();
    for name in names {
        let answer = bed.prove(&bed.proof().without_claim(name)).await;
        answer.assert_p401_of(RejectionKind::MissingProofClaim);
    }
}

#[tokio::test]
async fn ath_is_the_hash_of_the_token_as_sent() {
    // R9449-4.2-2: wrong, padded, in hexadecimal.
    let names = ["p-ath-wrong", "p-ath-padded", "p-ath-hex"];
    assert_vectors(&names, RejectionKind::ProofTokenMismatch).await;
    // The pair of RFC 9449. The token is opaque, so it is what comes next that is refused.
    let bed = DpopBed::recording();
    let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    let proof = bed.proof().claim("ath", "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo").build();
    let answer = bed.send(dpop(token, &[&proof])).await;
    answer.assert_t401_of("DPoP", RejectionKind::MalformedToken);
    bed.present(&proof).await.assert_p401_of(RejectionKind::ProofTokenMismatch);
}

#[tokio::test]
async fn the_published_proof_is_right_for_its_request() {
    let clock = FixedClock::at(1_562_262_618);
    let issuer = TestIssuer::new(ISSUER).clock(clock.clone());
    let base = "https://resource.example.org";
    let server = issuer.resource_server(base).clock(clock).build().expect("valid");
    let vectors: Value = serde_json::from_str(include_str!("../../vectors.json")).expect("JSON");
    let published = vectors["published"].as_array().expect("a list");
    let figure = |id: &str, member: &str| {
        let entry = published.iter().find(|entry| entry["id"] == id).expect("published");
        entry[member].as_str().expect("text").to_owned()
    };
    let proof = figure("RFC9449 Figure 13 (protected resource)", "proof");
    let mut request = dpop(&figure("RFC9449-ath", "access_token"), &[&proof]);
    let mut answers = Vec::new();
    for path in ["/protectedresource", "/another"] {
        *request.uri_mut() = path.parse().expect("a path");
        answers.push(send(server.authenticate(), request.clone()).await.kind());
    }
    // Its token is opaque and nothing this server takes.
    let expected = [RejectionKind::MalformedToken, RejectionKind::ProofUriMismatch];
    assert_eq!(answers, expected.map(Some));
}

#[tokio::test]
async fn what_is_not_known_is_let_be_unless_critical() {
    // R9449-4.2-3
    assert_vectors_ok(&["p-valid-extra-claims"]).await;
    assert_vectors(&["p-crit"], RejectionKind::UnsupportedProofCritical).await;
    let bed = DpopBed::recording();
    let odd = json!({ "a": [null, 1.5e3, { "b": "\u{e9}" }] });
    let proof = bed.proof().header("kid", "k").header("odd", odd.clone()).claim("odd", odd);
    bed.prove(&proof.header("b64", true)).await.assert_ok();
}

#[tokio::test]
async fn claims_are_of_their_types() {
    // R9449-4.2-4: strings that are not empty, and a number.
    let names = ["p-jti-empty", "p-jti-number", "p-iat-string"];
    assert_vectors(&names, RejectionKind::InvalidProofClaim).await;
    let bed = DpopBed::recording();
    let odd = [json!(null), json!(true), json!(7), json!([]), json!(["x"]), json!({}), json!("")];
    for name in ["jti", "htm", "htu", "ath", "nonce"] {
        for value in &odd {
            let answer = bed.prove(&bed.proof().claim(name, value.clone())).await;
            answer.assert_p401_of(RejectionKind::InvalidProofClaim);
        }
    }
    let dates = [json!(null), json!(false), json!("1700000000"), json!([1]), json!({}), json!("")];
    for value in dates.into_iter().chain([json!(1e300), json!(u64::MAX), json!(i64::MIN)]) {
        let answer = bed.prove(&bed.proof().claim("iat", value)).await;
        answer.assert_p401_of(RejectionKind::InvalidProofClaim);
    }
    bed.prove(&bed.proof().claim("iat", 1_700_000_000.25)).await.assert_ok();
    assert_eq!(bed.ledger().asked(), 1);
}

#[tokio::test]
async fn a_jti_may_be_short_and_not_endless() {
    let bed = DpopBed::recording_with(roomy(), |builder| builder);
    // R9449-4.2-5
    for length in [1, 256] {
        bed.prove(&bed.proof().claim("jti", "j".repeat(length))).await.assert_ok();
    }
    for length in [257, 10_000] {
        let answer = bed.prove(&bed.proof().claim("jti", "j".repeat(length))).await;
        answer.assert_p401_of(RejectionKind::InvalidProofClaim);
    }
    assert_eq!(bed.ledger().asked(), 2);
}

#[tokio::test]
async fn a_proof_says_that_it_is_one() {
    // R9449-4.3-4-1
    let names = ["p-typ-jwt", "p-typ-missing", "p-at-as-proof"];
    assert_vectors(&names, RejectionKind::WrongProofType).await;
    let bed = DpopBed::recording();
    // R7515-4.1.9 and D-10.
    for typ in ["dpop+jwt", "DPoP+JWT", "application/dpop+jwt", "APPLICATION/DPOP+JWT"] {
        bed.prove(&bed.proof().header("typ", typ)).await.assert_ok();
    }
    let odd = ["", "jwt", "dpop", "dpop+jwt ", "text/dpop+jwt", "application/application/dpop+jwt"];
    let others = [json!(null), json!(1), json!(["dpop+jwt"]), json!({ "typ": "dpop+jwt" })];
    for typ in odd.map(Value::from).into_iter().chain(others) {
        let answer = bed.prove(&bed.proof().header("typ", typ)).await;
        answer.assert_p401_of(RejectionKind::WrongProofType);
    }
}

#[tokio::test]
async fn the_signature_is_that_of_the_embedded_key() {
    // R9449-4.3-6-1
    let names = ["p-sig-bad", "p-sig-zero", "p-jwk-offcurve"];
    assert_vectors(&names, RejectionKind::BadProofSignature).await;
    assert_vectors(&["p-alg-mismatch"], RejectionKind::UnusableProofKey).await;
    let bed = DpopBed::recording();
    let stranger = SigningKey::generate(Algorithm::ES256);
    let answer = bed.prove(&bed.proof().signed_with(&stranger)).await;
    answer.assert_p401_of(RejectionKind::BadProofSignature);
}

#[tokio::test]
async fn a_nonce_of_the_server_is_matched() {
    // R9449-4.3-10-1
    assert_vectors_ok(&["p-valid-nonce"]).await;
    send_proof_vector("p-nonce-stale").await.assert_nonce401_listing(VECTOR_ALGS);
    assert_vectors(&["p-nonce-missing-badsig"], RejectionKind::BadProofSignature).await;
}

#[tokio::test]
async fn a_proof_is_for_now() {
    // R9449-4.3-11-1
    assert_vectors(&["p-iat-old"], RejectionKind::ExpiredProof).await;
    assert_vectors(&["p-iat-future"], RejectionKind::ProofNotYetValid).await;
    assert_vectors_ok(&["p-valid-iat-future"]).await;
    let now = 1_700_000_000_i64;
    let bed = DpopBed::recording();
    for (offset, verdict) in [
        (-121, Some(RejectionKind::ExpiredProof)),
        (-120, None),
        (30, None),
        (31, Some(RejectionKind::ProofNotYetValid)),
    ] {
        let answer = bed.prove(&bed.proof().at(now + offset)).await;
        assert_eq!(answer.kind(), verdict, "{offset}");
    }
}

#[tokio::test]
async fn the_age_of_a_nonce_can_stand_for_that_of_the_proof() {
    let hour = 3600;
    for (freshness, good) in [(Freshness::Nonce, true), (Freshness::Both, false)] {
        let dpop = || Dpop::new().nonces(SealedNonces::random()).freshness(freshness);
        let bed = DpopBed::recording_with(dpop(), |builder| builder);
        let nonce = bed.prove(&bed.proof()).await.assert_nonce401();
        for iat in [1_700_000_000 - hour, 1_700_000_000 + hour] {
            let answer = bed.prove(&bed.proof().nonce(&nonce).at(iat)).await;
            // R9449-4.3-11-2
            assert_eq!(answer.handled, good, "{freshness:?}");
            assert!(good || answer.challenge().get("error") == Some("invalid_dpop_proof"));
        }
        // The bound of the skew: a day.
        let far = bed.prove(&bed.proof().nonce(&nonce).at(1_700_000_000 - 25 * hour)).await;
        far.assert_p401_of(RejectionKind::ExpiredProof);
        bed.bed.clock.advance(Duration::from_secs(24 * 60 * 60));
        bed.prove(&bed.proof().nonce(&nonce)).await.assert_nonce401();
    }
}
