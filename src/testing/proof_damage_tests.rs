use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::traits::PublicKeyParts as _;
use rsa::{BigUint, Pkcs1v15Sign, RsaPublicKey};
use serde_json::{Map, Value, json};
use sha2_signing::{Digest as _, Sha256};

use super::*;
use crate::testing::{ProofBuilder, SigningKey};

const NOW: i64 = 1_700_000_000;

fn builder(key: &SigningKey) -> ProofBuilder {
    key.proof("GET", "https://api.example.com/r").token("token").at(NOW).claim("jti", "j")
}

/// The valid proof and the flawed one. Ed25519 signs the same every time.
fn both(flaw: ProofFlaw) -> (SigningKey, String, String) {
    let key = SigningKey::generate(Algorithm::EdDSA);
    let builder = builder(&key);
    (key, builder.build(), builder.flaw(flaw).build())
}

fn bytes(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn segment(proof: &str, index: usize) -> &str {
    proof.split('.').nth(index).unwrap()
}

fn part(proof: &str, index: usize) -> Map<String, Value> {
    serde_json::from_slice(&bytes(segment(proof, index))).unwrap()
}

fn jwk(algorithm: Algorithm, flaw: ProofFlaw) -> Value {
    let key = SigningKey::generate(algorithm);
    part(&builder(&key).flaw(flaw).build(), 0).remove("jwk").unwrap()
}

/// The claim that a flaw is named after.
fn claim_of(flaw: ProofFlaw) -> Option<&'static str> {
    let name = format!("{flaw:?}").to_ascii_lowercase();
    ["jti", "htm", "htu", "iat", "ath", "nonce"].into_iter().find(|claim| name.starts_with(claim))
}

#[test]
fn every_flaw_changes_the_proof_and_fits_a_header() {
    for algorithm in [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA, Algorithm::RS256] {
        let builder = builder(&SigningKey::generate(algorithm));
        // All but PSS sign the same every time (RFC 6979 for ECDSA).
        let valid = builder.build();
        assert_eq!(valid, builder.build());
        for flaw in ProofFlaw::ALL {
            // RSA signs slowly in debug builds, and claims do not go by the key.
            if algorithm == Algorithm::RS256 && claim_of(flaw).is_some() {
                continue;
            }
            let request = builder.clone().flaw(flaw).authorize(http::Request::new(()));
            assert_ne!(request.headers()["dpop"], valid, "{flaw:?} {algorithm}");
        }
    }
}

#[test]
fn flaws_of_claims_change_one_and_are_signed() {
    let claims: Vec<_> = ProofFlaw::ALL.into_iter().filter(|&f| claim_of(f).is_some()).collect();
    assert_eq!(claims.len(), 45);
    for flaw in claims {
        let (key, valid, flawed) = both(flaw);
        assert_eq!(segment(&flawed, 0), segment(&valid, 0), "{flaw:?}");
        let (mut before, mut after) = (part(&valid, 1), part(&flawed, 1));
        let name = claim_of(flaw).unwrap();
        assert_ne!(before.remove(name), after.remove(name), "{flaw:?}");
        assert_eq!(before, after, "{flaw:?}");
        let (input, signature) = flawed.rsplit_once('.').unwrap();
        assert_eq!(bytes(signature), key.sign(input.as_bytes()), "{flaw:?}");
    }
}

#[test]
fn flaws_of_headers_leave_the_claims_and_are_signed() {
    use ProofFlaw::*;
    let headers = [
        AlgorithmLowerCase,
        AlgorithmMissing,
        AlgorithmMismatch,
        WrongType,
        AccessTokenType,
        MissingType,
        KeyMissing,
        KeyString,
        KeyPrivate,
        KeySymmetricMember,
        KeySymmetric,
        KeyOffCurve,
        KeyIncomplete,
        KeyTypeMismatch,
        KeyForEncryption,
        KeyOperations,
        KeyAlgorithm,
        UnknownCritical,
        EmptyCritical,
        UnencodedPayload,
        DuplicateHeader,
    ];
    for flaw in headers {
        let (key, valid, flawed) = both(flaw);
        assert_ne!(segment(&flawed, 0), segment(&valid, 0), "{flaw:?}");
        assert_eq!(segment(&flawed, 1), segment(&valid, 1), "{flaw:?}");
        let (input, signature) = flawed.rsplit_once('.').unwrap();
        assert_eq!(bytes(signature), key.sign(input.as_bytes()), "{flaw:?}");
    }
}

#[test]
fn flaws_of_the_signature_leave_the_rest() {
    use ProofFlaw::*;
    for flaw in [BadSignature, EmptySignature, ZeroSignature, TruncatedSignature, WrongKey] {
        let (_, valid, flawed) = both(flaw);
        let rest = |proof: &str| proof.rsplit_once('.').unwrap().0.to_owned();
        assert_eq!(rest(&flawed), rest(&valid), "{flaw:?}");
    }
}

#[test]
fn private_members_are_the_real_ones() {
    let key = SigningKey::from_p256(&[7; 32]);
    let header = part(&builder(&key).flaw(ProofFlaw::KeyPrivate).build(), 0);
    assert_eq!(bytes(header["jwk"]["d"].as_str().unwrap()), [7; 32]);
    let rsa = jwk(Algorithm::RS256, ProofFlaw::KeyPrivate);
    assert!(rsa["d"].is_null());
    let number = |name: &str| BigUint::from_bytes_be(&bytes(rsa[name].as_str().unwrap()));
    assert_eq!(number("n") % number("p"), BigUint::from(0u8));
}

#[test]
fn keys_off_the_curve_are_no_keys() {
    let member = |jwk: &Value, name: &str| bytes(jwk[name].as_str().unwrap());
    for algorithm in [Algorithm::ES256, Algorithm::ES384] {
        let jwk = jwk(algorithm, ProofFlaw::KeyOffCurve);
        let point = [vec![4], member(&jwk, "x"), member(&jwk, "y")].concat();
        match algorithm {
            Algorithm::ES256 => drop(p256::PublicKey::from_sec1_bytes(&point).unwrap_err()),
            _ => drop(p384::PublicKey::from_sec1_bytes(&point).unwrap_err()),
        }
    }
    let x = member(&jwk(Algorithm::EdDSA, ProofFlaw::KeyOffCurve), "x");
    ed25519_dalek::VerifyingKey::from_bytes(&x.try_into().unwrap()).unwrap_err();
    let n = member(&jwk(Algorithm::RS256, ProofFlaw::KeyOffCurve), "n");
    assert_eq!(n.last(), Some(&0));
}

/// The RSA key in a proof, and whether the signature holds under it.
fn embedded_rsa(flaw: ProofFlaw) -> (RsaPublicKey, bool) {
    let (_, _, flawed) = both(flaw);
    let header = part(&flawed, 0);
    assert_eq!(header["alg"], "RS256");
    let number = |name: &str| BigUint::from_bytes_be(&bytes(header["jwk"][name].as_str().unwrap()));
    let key = RsaPublicKey::new_unchecked(number("n"), number("e"));
    let (input, signature) = flawed.rsplit_once('.').unwrap();
    let scheme = Pkcs1v15Sign::new::<Sha256>();
    let holds = key.verify(scheme, &Sha256::digest(input), &bytes(signature)).is_ok();
    (key, holds)
}

#[test]
fn rsa_keys_are_wrong_as_they_are_said_to_be() {
    let (short, holds) = embedded_rsa(ProofFlaw::RsaKeyShort);
    assert_eq!((short.n().bits(), holds), (1024, true));
    let (one, holds) = embedded_rsa(ProofFlaw::RsaExponentOne);
    assert_eq!((one.e(), holds), (&BigUint::from(1u8), true));
    let (even, _) = embedded_rsa(ProofFlaw::RsaExponentEven);
    assert_eq!(even.e(), &BigUint::from(65_536u32));
    let (_, _, long) = both(ProofFlaw::RsaKeyLong);
    let header = part(&long, 0);
    let n = BigUint::from_bytes_be(&bytes(header["jwk"]["n"].as_str().unwrap()));
    assert_eq!(n.bits(), 16_384);
    assert!(BigUint::from_bytes_be(&bytes(segment(&long, 2))) < n);
}

#[test]
fn symmetric_keys_are_the_ones_in_the_header() {
    let (_, _, flawed) = both(ProofFlaw::HmacWithEmbeddedKey);
    let header = part(&flawed, 0);
    assert_eq!((&header["alg"], &header["jwk"]["kty"]), (&json!("HS256"), &json!("oct")));
    let (input, signature) = flawed.rsplit_once('.').unwrap();
    let secret = bytes(header["jwk"]["k"].as_str().unwrap());
    assert_eq!(bytes(signature), hs256(&secret, input.as_bytes()));
}

#[test]
fn hashes_are_spelt_otherwise() {
    let digest = Sha256::digest("token");
    let ath = |flaw| part(&both(flaw).2, 1)["ath"].as_str().unwrap().to_owned();
    let right = URL_SAFE_NO_PAD.encode(digest);
    assert_eq!(ath(ProofFlaw::AthPadded), format!("{right}="));
    assert_eq!(ath(ProofFlaw::AthHex), format!("{digest:x}"));
    let loose = ath(ProofFlaw::AthNonCanonical);
    assert_eq!((loose.len(), &loose[..42]), (43, &right[..42]));
    assert!(URL_SAFE_NO_PAD.decode(&loose).is_err());
    assert_eq!(bytes(&ath(ProofFlaw::AthOfOtherToken)).len(), 32);
}

#[test]
fn targets_and_methods_are_others() {
    let claim = |flaw, name: &str| part(&both(flaw).2, 1)[name].as_str().unwrap().to_owned();
    assert_eq!(claim(ProofFlaw::HtmOtherCase, "htm"), "get");
    assert_eq!(claim(ProofFlaw::HtmOther, "htm"), "POST");
    assert_eq!(claim(ProofFlaw::HtuRelative, "htu"), "/r");
    assert_eq!(claim(ProofFlaw::HtuBadEscape, "htu"), "https://api.example.com/r%zz");
    assert_eq!(claim(ProofFlaw::IatString, "iat"), NOW.to_string());
    assert_eq!(claim(ProofFlaw::JtiHuge, "jti").len(), 10_240);
    let iat = |flaw| part(&both(flaw).2, 1)["iat"].clone();
    assert_eq!(iat(ProofFlaw::IatOld), NOW - 3600);
    assert_eq!(iat(ProofFlaw::IatAhead), NOW + 3600);
    assert_eq!(iat(ProofFlaw::IatHuge), 1e308);
    assert_eq!(iat(ProofFlaw::IatMinimum), i64::MIN);
}

#[test]
fn shapes_are_as_named() {
    let (_, valid, flawed) = both(ProofFlaw::TwoProofs);
    assert_eq!(flawed, format!("{valid},{valid}"));
    assert_eq!(both(ProofFlaw::Empty).2, "");
    let (_, _, flawed) = both(ProofFlaw::DuplicateClaim);
    let payload = String::from_utf8(bytes(segment(&flawed, 1))).unwrap();
    assert_eq!(payload.matches(r#""jti":"j""#).count(), 2);
}

#[test]
fn flaws_go_together() {
    let key = SigningKey::generate(Algorithm::ES256);
    let builder = builder(&key).flaw(ProofFlaw::HtuOtherHost).flaw(ProofFlaw::KeyPrivate);
    let proof = builder.flaw(ProofFlaw::FourParts).build();
    assert_eq!(part(&proof, 1)["htu"], "https://attacker.example/r");
    assert!(part(&proof, 0)["jwk"]["d"].is_string());
    assert_eq!(proof.matches('.').count(), 3);
}
