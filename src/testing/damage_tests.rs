use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Verifier as _;
use serde_json::Value;

use super::*;
use crate::algorithm::Algorithm;
use crate::testing::{FixedClock, SigningKey, TestIssuer};

fn issuer(algorithm: Algorithm) -> TestIssuer {
    let key = SigningKey::generate(algorithm).with_kid("test-1");
    TestIssuer::with_key("https://as.example.com", key).clock(FixedClock::at(1_700_000_000))
}

/// Ed25519 signs the same every time, so what differs from the valid token is the flaw.
fn flawed(flaw: Flaw) -> (TestIssuer, String, String) {
    let issuer = issuer(Algorithm::EdDSA);
    let builder = issuer.token();
    let valid = builder.build();
    (issuer, valid, builder.flaw(flaw).build())
}

fn decoded(token: &str, index: usize) -> Vec<u8> {
    URL_SAFE_NO_PAD
        .decode(token.split('.').nth(index).expect("as the kit makes it"))
        .expect("as the kit makes it")
}

fn json_part(token: &str, index: usize) -> Value {
    serde_json::from_slice(&decoded(token, index)).expect("as the kit makes it")
}

#[test]
fn every_flaw_changes_the_token() {
    for algorithm in [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA, Algorithm::RS256] {
        let builder = issuer(algorithm).token();
        // All but PSS sign the same every time (RFC 6979 for ECDSA).
        let valid = builder.build();
        assert_eq!(valid, builder.build());
        for flaw in Flaw::ALL {
            assert_ne!(builder.clone().flaw(flaw).build(), valid, "{flaw:?} {algorithm}");
        }
    }
}

#[test]
fn flaws_of_content_are_signed_by_the_issuer() {
    let content = [
        Flaw::AlgorithmLowerCase,
        Flaw::AlgorithmMissing,
        Flaw::UnknownKeyId,
        Flaw::UnknownCritical,
        Flaw::EmptyCritical,
        Flaw::UnencodedPayload,
        Flaw::DuplicateHeader,
        Flaw::DuplicateClaim,
        Flaw::PayloadArray,
        Flaw::PayloadTrailing,
        Flaw::PayloadUtf16,
        Flaw::PayloadBom,
        Flaw::WrongType,
        Flaw::MissingType,
        Flaw::Expired,
        Flaw::NotYetValid,
        Flaw::WrongAudience,
        Flaw::WrongIssuer,
    ];
    for flaw in content {
        let (issuer, _, token) = flawed(flaw);
        let (input, _) = token.rsplit_once('.').expect("as the kit makes it");
        assert_eq!(decoded(&token, 2), issuer.key().sign(input.as_bytes()), "{flaw:?}");
    }
}

#[test]
fn flaws_of_the_signature_leave_the_rest() {
    let signature = [
        Flaw::BadSignature,
        Flaw::EmptySignature,
        Flaw::ZeroSignature,
        Flaw::TruncatedSignature,
        Flaw::WrongKey,
        Flaw::Padded,
        Flaw::NonCanonicalBase64,
    ];
    for flaw in signature {
        let (_, valid, token) = flawed(flaw);
        assert_eq!(segments(&token)[..2], segments(&valid)[..2], "{flaw:?}");
    }
}

#[test]
fn an_embedded_key_verifies_the_token_it_is_in() {
    let token = issuer(Algorithm::ES256).token().flaw(Flaw::EmbeddedKey).build();
    let jwk = &json_part(&token, 0)["jwk"];
    let [x, y] = ["x", "y"]
        .map(|name| URL_SAFE_NO_PAD.decode(jwk[name].as_str().expect("as the kit makes it")));
    let point =
        [vec![4], x.expect("as the kit makes it"), y.expect("as the kit makes it")].concat();
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).expect("as the kit makes it");
    let signature =
        p256::ecdsa::Signature::from_slice(&decoded(&token, 2)).expect("as the kit makes it");
    key.verify(token.rsplit_once('.').expect("as the kit makes it").0.as_bytes(), &signature)
        .expect("as the kit makes it");
}

#[test]
fn hmac_is_keyed_with_public_bytes() {
    for (flaw, pem) in [(Flaw::HmacWithPublicKey, false), (Flaw::HmacWithPublicKeyPem, true)] {
        let (issuer, _, token) = flawed(flaw);
        let key = match pem {
            true => issuer.key().public_pem().into_bytes(),
            false => issuer.key().public_bytes(),
        };
        let input = token.rsplit_once('.').expect("as the kit makes it").0;
        assert_eq!(decoded(&token, 2), hs256(&key, input.as_bytes()));
        assert_eq!(json_part(&token, 0)["alg"], "HS256");
    }
}

#[test]
fn duplicates_stand_twice() {
    let (_, _, token) = flawed(Flaw::DuplicateClaim);
    let payload = String::from_utf8(decoded(&token, 1)).expect("as the kit makes it");
    assert_eq!(payload.matches(r#""aud":"https://api.example.com""#).count(), 2);
    let (_, _, token) = flawed(Flaw::DuplicateHeader);
    let header = String::from_utf8(decoded(&token, 0)).expect("as the kit makes it");
    assert_eq!(header.matches(r#""alg":"EdDSA""#).count(), 2);
}

#[test]
fn spare_bits_are_the_only_change() {
    let (_, valid, token) = flawed(Flaw::NonCanonicalBase64);
    assert_eq!(token.len(), valid.len());
    assert_eq!(token[..token.len() - 1], valid[..valid.len() - 1]);
    assert!(URL_SAFE_NO_PAD.decode(segments(&token)[2]).is_err());
    let token = issuer(Algorithm::ES384).token().flaw(Flaw::NonCanonicalBase64).build();
    assert_eq!(segments(&token)[2].len(), 129);
}

#[test]
fn shapes_have_their_segments() {
    for (flaw, dots) in [(Flaw::TwoParts, 1), (Flaw::FourParts, 3), (Flaw::JweShape, 4)] {
        assert_eq!(flawed(flaw).2.matches('.').count(), dots, "{flaw:?}");
    }
    let (_, valid, token) = flawed(Flaw::JsonSerialization);
    let json: Value = serde_json::from_str(&token).expect("as the kit makes it");
    let members = ["protected", "payload", "signature"]
        .map(|name| json[name].as_str().expect("as the kit makes it"));
    assert_eq!(members, segments(&valid));
}

#[test]
fn flaws_go_together() {
    let (_, _, token) = flawed(Flaw::TwoParts);
    assert_eq!(Flaw::NonCanonicalBase64.reshape(token.clone()), token.clone() + "A");
    let builder = issuer(Algorithm::ES256).token().flaw(Flaw::WrongAudience);
    let token = builder.flaw(Flaw::WrongType).flaw(Flaw::DerSignature).build();
    assert_eq!(json_part(&token, 0)["typ"], "JWT");
    assert_eq!(json_part(&token, 1)["aud"], "https://other-api.example.com");
    p256::ecdsa::Signature::from_der(&decoded(&token, 2)).expect("as the kit makes it");
}
