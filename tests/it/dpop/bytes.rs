//! Proofs of any bytes: changed, enormous, or remembered from before. None passes but the sound one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use futures_util::FutureExt;
use http::HeaderValue;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use tower_resource_server::testing::{ProofBuilder, ProofFlaw, SigningKey};
use tower_resource_server::{Algorithm, Dpop, RejectionKind};

use crate::dpop::{DpopBed, dpop};
use crate::support::Answer;

fn roomy() -> DpopBed {
    DpopBed::recording_with(Dpop::new().max_proof_bytes(65_536), |builder| builder)
}

/// The answer to a `DPoP` field of these bytes; `None` where HTTP itself refuses it.
fn field(bed: &DpopBed, bytes: &[u8]) -> Option<Answer> {
    let mut request = dpop(&bed.token, &[]);
    request.headers_mut().insert("dpop", HeaderValue::from_bytes(bytes).ok()?);
    Some(bed.send(request).now_or_never().expect("fixed keys are there at once"))
}

fn assert_refused(answer: &Answer) {
    assert!(!answer.handled);
    assert_eq!(answer.challenge().get("error"), Some("invalid_dpop_proof"), "{answer:?}");
    assert_eq!(answer.schemes(), ["DPoP", "Bearer"]);
}

/// Makes the server know the token and the header of its proofs.
async fn acquaint(bed: &DpopBed) {
    bed.prove(&bed.proof()).await.assert_ok();
}

#[tokio::test]
async fn a_proof_with_any_bit_changed_is_refused() {
    let bed = DpopBed::recording();
    let proof = bed.proof().build().into_bytes();
    for asked in 0..2 {
        for at in 0..proof.len() {
            for bit in 0..8 {
                let mut changed = proof.clone();
                changed[at] ^= 1 << bit;
                if let Some(answer) = field(&bed, &changed) {
                    // R9449-4.1-1: the other case of a letter is one such change.
                    assert_refused(&answer);
                }
            }
        }
        assert_eq!(bed.ledger().asked(), asked);
        acquaint(&bed).await;
    }
    field(&bed, &proof).expect("a field value").assert_ok();
}

#[tokio::test]
async fn a_proof_with_a_byte_more_or_less_is_refused() {
    let bed = DpopBed::recording();
    let proof = bed.proof().build().into_bytes();
    for at in 0..=proof.len() {
        let mut shorter = proof.clone();
        if at < proof.len() {
            shorter.remove(at);
            assert_refused(&field(&bed, &shorter).expect("a field value"));
        }
        for byte in *b"A.=\"-" {
            let mut longer = proof.clone();
            longer.insert(at, byte);
            assert_refused(&field(&bed, &longer).expect("a field value"));
        }
    }
    assert_eq!(bed.ledger().asked(), 0);
    field(&bed, &proof).expect("a field value").assert_ok();
}

/// A bed that knows its token, and a proof for it that is not used.
fn known() -> &'static (DpopBed, Vec<u8>) {
    static KNOWN: std::sync::LazyLock<(DpopBed, Vec<u8>)> = std::sync::LazyLock::new(|| {
        let bed = DpopBed::recording();
        acquaint(&bed).now_or_never().expect("fixed keys are there at once");
        let proof = bed.proof().build().into_bytes();
        (bed, proof)
    });
    &KNOWN
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn a_proof_with_another_byte_anywhere_is_refused(at in any::<usize>(), byte in any::<u8>()) {
        let (bed, proof) = known();
        let mut changed = proof.clone();
        changed[at % proof.len()] = byte;
        if changed != *proof {
            field(bed, &changed).iter().for_each(assert_refused);
        }
    }

    #[test]
    fn an_arbitrary_field_is_refused(bytes in vec(any::<u8>(), 0..300)) {
        field(&known().0, &bytes).iter().for_each(assert_refused);
    }

    #[test]
    fn arbitrary_parts_are_refused(parts in vec(vec(any::<u8>(), 0..150), 1..6)) {
        let parts: Vec<_> = parts.iter().map(|part| BASE64URL.encode(part)).collect();
        field(&known().0, parts.join(".").as_bytes()).iter().for_each(assert_refused);
    }

    #[test]
    fn a_signature_vouches_for_no_other_payload(bytes in vec(any::<u8>(), 0..150)) {
        let (bed, proof) = known();
        let mut parts: Vec<_> = proof.split(|byte| *byte == b'.').map(<[u8]>::to_vec).collect();
        parts[1] = BASE64URL.encode(&bytes).into_bytes();
        field(bed, &parts.join(&b'.')).iter().for_each(assert_refused);
    }
}

/// JSON values of every kind, from empty to deep.
fn odd_values() -> Vec<Value> {
    let deep = (0..40).fold(json!(0), |inner, _| json!([inner]));
    let odd = json!([null, true, false, 0, -1, 1.5, "", "x", [], [""], {}, { "": null }, [[[]]]]);
    odd.as_array().expect("a list").iter().cloned().chain([deep]).collect()
}

#[tokio::test]
async fn members_of_a_header_are_there_once_and_of_their_types() {
    let bed = DpopBed::recording();
    for name in ["typ", "alg", "jwk"] {
        assert_refused(&bed.prove(&bed.proof().without_header(name)).await);
        for value in odd_values() {
            assert_refused(&bed.prove(&bed.proof().header(name, value)).await);
        }
    }
    for name in ["crit", "b64"] {
        for value in odd_values().into_iter().filter(|value| name == "crit" || *value != true) {
            assert_refused(&bed.prove(&bed.proof().header(name, value)).await);
        }
    }
    let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": bed.key.bare_jwk() });
    assert_doubles_are_refused(&bed, &header, ProofBuilder::raw_header).await;
    assert_eq!(bed.ledger().asked(), 0);
    bed.prove(&bed.proof().raw_header(header.to_string())).await.assert_ok();
}

#[tokio::test]
async fn claims_are_there_once_and_of_their_types() {
    let bed = DpopBed::recording();
    for name in ["jti", "htm", "htu", "iat", "ath"] {
        for value in odd_values().into_iter().filter(|value| name != "jti" || *value != "x") {
            assert_refused(&bed.prove(&bed.proof().claim(name, value)).await);
        }
    }
    let proof = bed.proof().build();
    let claims = BASE64URL.decode(proof.split('.').nth(1).expect("three parts"));
    let claims: Value = serde_json::from_slice(&claims.expect("base64url")).expect("JSON");
    assert_doubles_are_refused(&bed, &claims, ProofBuilder::raw_payload).await;
    assert_eq!(bed.ledger().asked(), 0);
    bed.prove(&bed.proof().raw_payload(claims.to_string())).await.assert_ok();
}

/// Each member twice: the same value, another, and under a name that is escaped.
async fn assert_doubles_are_refused(
    bed: &DpopBed,
    object: &Value,
    raw: fn(ProofBuilder, String) -> ProofBuilder,
) {
    let text = object.to_string();
    let inner = text.trim_start_matches('{');
    for (name, value) in object.as_object().expect("an object") {
        let escaped = format!("\\u{:04x}{}", name.as_bytes()[0], &name[1..]);
        for double in
            [format!("\"{name}\":{value}"), format!("\"{name}\":null"), format!("\"{escaped}\":0")]
        {
            let answer = bed.prove(&raw(bed.proof(), format!("{{{double},{inner}"))).await;
            answer.assert_p401_of(RejectionKind::MalformedProof);
        }
    }
}

#[tokio::test]
async fn enormous_proofs_are_refused_unread() {
    let small = DpopBed::recording();
    let roomy = roomy();
    let huge = "j".repeat(1 << 20);
    for bed in [&small, &roomy] {
        for proof in [
            huge.clone(),
            ".".repeat(1 << 20),
            bed.proof().claim("jti", huge.clone()).build(),
            bed.proof().claim("odd", huge.clone()).build(),
            bed.proof().header("kid", huge.clone()).build(),
            bed.proof().header("jwk", json!({ "kty": "RSA", "n": huge, "e": "AQAB" })).build(),
        ] {
            assert!(proof.len() >= 1 << 20);
            bed.present(&proof).await.assert_p401_of(RejectionKind::ProofTooLarge);
        }
        assert_eq!(bed.ledger().asked(), 0);
        bed.prove(&bed.proof()).await.assert_ok();
    }
}

#[tokio::test]
async fn the_limit_holds_to_the_byte() {
    let bed = DpopBed::recording();
    let sized = |length: usize| bed.proof().claim("pad", "p".repeat(length)).build();
    // Three bytes more of a claim make four of the proof.
    let near = (8192 - sized(0).len()) / 4 * 3;
    let proofs: Vec<_> = (near - 6..near + 6).map(sized).collect();
    let lengths: Vec<_> = proofs.iter().map(String::len).collect();
    assert!(lengths.contains(&8192) && lengths.contains(&8194), "{lengths:?}");
    for proof in proofs {
        let answer = bed.present(&proof).await;
        match proof.len() {
            ..=8192 => answer.assert_ok(),
            _ => answer.assert_p401_of(RejectionKind::ProofTooLarge),
        }
    }
}

#[tokio::test]
async fn long_claims_of_a_proof_that_fits_are_refused_or_mean_nothing() {
    let bed = roomy();
    let long = "x".repeat(40_000);
    for name in ["jti", "htm", "htu", "ath"] {
        assert_refused(&bed.prove(&bed.proof().claim(name, long.clone())).await);
    }
    for name in ["typ", "alg", "jwk", "crit"] {
        assert_refused(&bed.prove(&bed.proof().header(name, long.clone())).await);
    }
    assert_refused(&bed.prove(&bed.proof().claim("iat", json!([long]))).await);
    assert_eq!(bed.ledger().asked(), 0);
    let odd = "x".repeat(20_000);
    bed.prove(&bed.proof().claim("odd", odd.clone()).header("odd", odd)).await.assert_ok();
}

#[tokio::test]
async fn a_header_has_512_members_at_most() {
    let bed = roomy();
    let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": bed.key.bare_jwk() });
    let header = header.to_string();
    let many = |count: usize| {
        let members: String = (0..count).map(|at| format!(r#""m{at}":0,"#)).collect();
        format!("{{{members}{}", &header[1..])
    };
    bed.prove(&bed.proof().raw_header(many(509))).await.assert_ok();
    let answer = bed.prove(&bed.proof().raw_header(many(510))).await;
    answer.assert_p401_of(RejectionKind::MalformedProof);
}

#[tokio::test]
async fn a_remembered_key_lets_no_other_through() {
    let bed = DpopBed::recording();
    let stranger = SigningKey::generate(Algorithm::ES256);
    for _ in 0..3 {
        acquaint(&bed).await;
        // A sound proof of another key, and one that says it is of the remembered.
        let answer = bed.prove(&bed.proof_by(&stranger)).await;
        answer.assert_t401_of("DPoP", RejectionKind::ProofKeyMismatch);
        let answer = bed.prove(&bed.proof().signed_with(&stranger)).await;
        answer.assert_p401_of(RejectionKind::BadProofSignature);
        let answer = bed.prove(&bed.proof_by(&stranger).signed_with(&bed.key)).await;
        answer.assert_p401_of(RejectionKind::BadProofSignature);
    }
    assert_eq!(bed.ledger().asked(), 3);
}

#[tokio::test]
async fn a_remembered_header_does_not_spare_the_other_parts() {
    let bed = DpopBed::recording();
    acquaint(&bed).await;
    let (one, other) = (bed.proof().build(), bed.proof().build());
    let part = |proof: &str, at: usize| proof.split('.').nth(at).expect("a part").to_owned();
    assert_eq!(part(&one, 0), part(&other, 0));
    // The payload of one and the signature of the other.
    let mixed = [part(&one, 0), part(&one, 1), part(&other, 2)].join(".");
    bed.present(&mixed).await.assert_p401_of(RejectionKind::BadProofSignature);
    for flaw in [
        ProofFlaw::BadSignature,
        ProofFlaw::EmptySignature,
        ProofFlaw::ZeroSignature,
        ProofFlaw::DerSignature,
        ProofFlaw::TruncatedSignature,
        ProofFlaw::WrongKey,
    ] {
        let answer = bed.prove(&bed.proof().flaw(flaw)).await;
        answer.assert_p401_of(RejectionKind::BadProofSignature);
    }
    assert_eq!(bed.ledger().asked(), 1);
    bed.present(&one).await.assert_ok();
    bed.present(&other).await.assert_ok();
}

#[tokio::test]
async fn headers_may_alternate_under_one_key() {
    let bed = DpopBed::recording();
    let longer = |at: usize| bed.proof().header("kid", "k".repeat(at * 300));
    for at in (0..4).chain((0..4).rev()) {
        bed.prove(&longer(at)).await.assert_ok();
        // A header that is refused is not remembered, and the one before it still is.
        let answer = bed.prove(&longer(at).header("crit", json!(["kid"]))).await;
        answer.assert_p401_of(RejectionKind::UnsupportedProofCritical);
        let answer = bed.prove(&longer(at).header("typ", "JWT")).await;
        answer.assert_p401_of(RejectionKind::WrongProofType);
        let answer = bed.prove(&longer(at).flaw(ProofFlaw::BadSignature)).await;
        answer.assert_p401_of(RejectionKind::BadProofSignature);
    }
    assert_eq!(bed.ledger().recorded(), 8);
}

#[tokio::test]
async fn what_is_remembered_of_one_token_is_not_for_another() {
    let bed = DpopBed::recording();
    acquaint(&bed).await;
    let stranger = SigningKey::generate(Algorithm::ES256);
    let theirs = bed.bed.issuer.token().scope("read").bound_to(&stranger).build();
    for _ in ["new", "seen before"] {
        let mine = bed.proof().token(&theirs).build();
        let answer = bed.send(dpop(&theirs, &[&mine])).await;
        answer.assert_t401_of("DPoP", RejectionKind::ProofKeyMismatch);
        let right = bed.proof_by(&stranger).token(&theirs).build();
        bed.send(dpop(&theirs, &[&right])).await.assert_ok();
        acquaint(&bed).await;
    }
}
