//! The key that a proof carries: which are refused, and before what (RFC 9449 §4.3 checks 5 to 7).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Value, json};
use tower_resource_server::testing::{ProofFlaw, SigningKey};
use tower_resource_server::{Algorithm, CryptoBackend, Dpop, RejectionKind};

use crate::dpop::DpopBed;
use crate::vectors::{VECTOR_ALGS, send_proof_vector};

const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

fn beds(key: &SigningKey) -> Vec<DpopBed> {
    let bed = |backend| {
        let dpop = Dpop::new().max_proof_bytes(64 * 1024);
        DpopBed::recording_by(key.clone(), dpop, |builder| builder.crypto_backend(backend))
    };
    CryptoBackend::ALL.iter().copied().map(bed).collect()
}

/// The bare key with this member added or replaced.
fn with(key: &SigningKey, name: &str, value: impl Into<Value>) -> Value {
    let mut jwk = key.bare_jwk();
    jwk[name] = value.into();
    jwk
}

fn without(key: &SigningKey, name: &str) -> Value {
    let mut jwk = key.bare_jwk();
    jwk.as_object_mut().expect("an object").remove(name);
    jwk
}

fn bytes(length: usize) -> String {
    BASE64URL.encode(vec![0xa5; length])
}

/// Refused as a key, which is before anything is computed with it.
async fn assert_unusable(bed: &DpopBed, jwk: Value) {
    let what = jwk.to_string();
    let answer = bed.prove(&bed.proof().header("jwk", jwk)).await;
    assert_eq!(answer.kind(), Some(RejectionKind::UnusableProofKey), "{what}");
    answer.assert_p401_of(RejectionKind::UnusableProofKey);
    assert_eq!(bed.ledger().asked(), 0);
}

#[tokio::test]
async fn a_key_is_an_object_of_a_known_type() {
    let key = SigningKey::generate(Algorithm::ES256);
    let jwk = key.bare_jwk();
    let text = jwk.to_string();
    let oct = json!({ "kty": "oct", "k": bytes(32) });
    let akp = json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": bytes(1312) });
    for bed in beds(&key) {
        for odd in [json!(null), json!(""), json!(text), json!([jwk]), json!({}), json!(7)] {
            assert_unusable(&bed, odd).await;
        }
        for odd in [&oct, &akp] {
            assert_unusable(&bed, odd.clone()).await;
        }
        let kty = ["", "ec", "RSA", "OKP", "oct", "AKP", "EC2"].map(Value::from);
        for odd in kty.into_iter().chain([json!(null), json!(2), json!(["EC"])]) {
            assert_unusable(&bed, with(&key, "kty", odd)).await;
        }
        let crv = ["", "p-256", "P-384", "P-521", "secp256k1", "Ed25519", "X25519"];
        for odd in crv.map(Value::from).into_iter().chain([json!(null), json!(256)]) {
            assert_unusable(&bed, with(&key, "crv", odd)).await;
        }
        for name in ["kty", "crv", "x", "y"] {
            assert_unusable(&bed, without(&key, name)).await;
        }
        let answer = bed.prove(&bed.proof().without_header("jwk")).await;
        answer.assert_p401_of(RejectionKind::UnusableProofKey);
        bed.prove(&bed.proof()).await.assert_ok();
    }
}

#[tokio::test]
async fn coordinates_have_the_length_of_their_curve() {
    for (algorithm, length) in
        [(Algorithm::ES256, 32), (Algorithm::ES384, 48), (Algorithm::EdDSA, 32)]
    {
        let key = SigningKey::generate(algorithm);
        let names = if algorithm == Algorithm::EdDSA { &["x"][..] } else { &["x", "y"] };
        for bed in beds(&key) {
            for name in names {
                for size in [0, 1, length - 1, length + 1, 2 * length, 4096] {
                    assert_unusable(&bed, with(&key, name, bytes(size))).await;
                }
                let coordinate = key.bare_jwk()[name].as_str().expect("text").to_owned();
                let padded = coordinate.clone() + "=";
                for odd in [json!(padded), json!("*".repeat(43)), json!([coordinate]), json!(7)] {
                    assert_unusable(&bed, with(&key, name, odd)).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_point_lies_on_its_curve() {
    for algorithm in [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA] {
        let key = SigningKey::generate(algorithm);
        for bed in beds(&key) {
            let proof = bed.proof().flaw(ProofFlaw::KeyOffCurve);
            bed.prove(&proof).await.assert_p401_of(RejectionKind::BadProofSignature);
            // The point at infinity, and coordinates beyond the field.
            for octet in [0, 0xff] {
                let number = BASE64URL.encode(vec![octet; key_length(algorithm)]);
                let mut jwk = with(&key, "x", number.clone());
                if algorithm != Algorithm::EdDSA {
                    jwk["y"] = json!(number);
                }
                let answer = bed.prove(&bed.proof().header("jwk", jwk)).await;
                answer.assert_p401_of(RejectionKind::BadProofSignature);
            }
            assert_eq!(bed.ledger().asked(), 0);
        }
    }
}

fn key_length(algorithm: Algorithm) -> usize {
    if algorithm == Algorithm::ES384 { 48 } else { 32 }
}

#[tokio::test]
async fn nothing_private_is_in_the_key() {
    send_proof_vector("p-jwk-private")
        .await
        .assert_p401_listing(VECTOR_ALGS, RejectionKind::UnusableProofKey);
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA, Algorithm::PS256] {
        let key = SigningKey::generate(algorithm);
        for bed in beds(&key) {
            for name in PRIVATE {
                // R9449-4.3-7-1: each alone, `p` of RSA among them, and whatever its value.
                for value in [json!(bytes(32)), json!(""), json!(null), json!([])] {
                    assert_unusable(&bed, with(&key, name, value)).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_key_for_other_purposes_proves_nothing() {
    let key = SigningKey::generate(Algorithm::ES256);
    for bed in beds(&key) {
        // R9449-4.3-6-2, first half: `alg`, `use` and `key_ops` do not contradict.
        for purpose in [json!("enc"), json!(""), json!("SIG"), json!(null), json!(["sig"])] {
            assert_unusable(&bed, with(&key, "use", purpose)).await;
        }
        for operations in
            [json!([]), json!(["encrypt"]), json!("sign"), json!(null), json!([1]), json!(["Sign"])]
        {
            assert_unusable(&bed, with(&key, "key_ops", operations)).await;
        }
        for alg in [json!("ES384"), json!("RS256"), json!("es256"), json!("none"), json!(null)] {
            assert_unusable(&bed, with(&key, "alg", alg)).await;
        }
        for (name, value) in [
            ("use", json!("sig")),
            ("key_ops", json!(["verify"])),
            ("key_ops", json!(["sign", "verify"])),
            ("alg", json!("ES256")),
        ] {
            bed.prove(&bed.proof().header("jwk", with(&key, name, value))).await.assert_ok();
        }
    }
}

/// The first RSA key with another modulus of that many bits; it is odd.
fn modulus(key: &SigningKey, bits: usize) -> Value {
    let mut number = vec![0xa5; bits.div_ceil(8)];
    number[0] = 0xff >> (number.len() * 8 - bits);
    with(key, "n", BASE64URL.encode(number))
}

#[tokio::test]
async fn rsa_keys_are_of_a_sound_size() {
    for algorithm in [Algorithm::PS256, Algorithm::RS256] {
        let key = SigningKey::generate(algorithm);
        for bed in beds(&key) {
            // R9449-4.3-6-2, second half: short, long, e of 1. A kind that says "key" and not
            // "signature" says that nothing was computed.
            for bits in [1, 512, 1024, 2047, 8193, 16_384, 131_072] {
                assert_unusable(&bed, modulus(&key, bits)).await;
            }
            let exponents =
                [&[1][..], &[0], &[], &[2], &[1, 0, 0], &[0, 1], &[1, 0, 0, 0, 1], &[0xff; 256]];
            for exponent in exponents {
                assert_unusable(&bed, with(&key, "e", BASE64URL.encode(exponent))).await;
            }
            for name in ["kty", "n", "e"] {
                assert_unusable(&bed, without(&key, name)).await;
            }
            let even = bed.proof().flaw(ProofFlaw::KeyOffCurve);
            bed.prove(&even).await.assert_p401_of(RejectionKind::BadProofSignature);
            let other = modulus(&key, 2048);
            let answer = bed.prove(&bed.proof().header("jwk", other)).await;
            answer.assert_p401_of(RejectionKind::BadProofSignature);
            assert_eq!(bed.ledger().asked(), 0);
            bed.prove(&bed.proof()).await.assert_ok();
        }
    }
}

#[tokio::test]
async fn a_key_is_read_as_strictly_as_everything() {
    let key = SigningKey::generate(Algorithm::ES256);
    let jwk = key.bare_jwk().to_string();
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let many = |count: usize| {
        let members: String = (0..count).map(|at| format!(r#","m{at}":0"#)).collect();
        format!("{}{members}}}", jwk.trim_end_matches('}'))
    };
    let odd = |member: &str| format!("{},{member}}}", jwk.trim_end_matches('}'));
    for bed in beds(&key) {
        // A JWK of 4 members and 508 more is read; one more is too many.
        for (text, verdict) in [
            (many(508), None),
            (many(509), Some(RejectionKind::UnusableProofKey)),
            (odd(r#""crv":"P-256""#), Some(RejectionKind::UnusableProofKey)),
            (odd(r#""cr\u0076":"P-256""#), Some(RejectionKind::UnusableProofKey)),
            (odd(&format!(r#""m":{}"#, nested(30))), None),
            (odd(&format!(r#""m":{}"#, nested(31))), Some(RejectionKind::MalformedProof)),
            (odd(&format!(r#""m":{}"#, nested(10_000))), Some(RejectionKind::MalformedProof)),
            (odd(r#""m":"\ud800""#), Some(RejectionKind::MalformedProof)),
            (odd(r#""m":"#), Some(RejectionKind::MalformedProof)),
        ] {
            let header = format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{text}}}"#);
            let answer = bed.prove(&bed.proof().raw_header(header)).await;
            assert_eq!(answer.kind(), verdict, "{}", &text[..text.len().min(400)]);
            assert_eq!(answer.handled, verdict.is_none());
        }
    }
}
