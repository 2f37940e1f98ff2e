use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::Verifier as _;
use p256::pkcs8::DecodePublicKey as _;

use super::*;

fn member(jwk: &Value, name: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap()
}

fn sec1(jwk: &Value) -> Vec<u8> {
    [vec![4], member(jwk, "x"), member(jwk, "y")].concat()
}

#[test]
fn es256_verifies_with_its_jwk() {
    let key = SigningKey::generate(Algorithm::ES256);
    let public = p256::ecdsa::VerifyingKey::from_sec1_bytes(&sec1(&key.public_jwk())).unwrap();
    let plain = p256::ecdsa::Signature::from_slice(&key.sign(b"message")).unwrap();
    public.verify(b"message", &plain).unwrap();
    let der = p256::ecdsa::Signature::from_der(&key.sign_der(b"message").unwrap()).unwrap();
    public.verify(b"message", &der).unwrap();
    assert_eq!(p256::ecdsa::VerifyingKey::from_public_key_pem(&key.public_pem()), Ok(public));
}

#[test]
fn es384_verifies_with_its_jwk() {
    let key = SigningKey::generate(Algorithm::ES384);
    let public = p384::ecdsa::VerifyingKey::from_sec1_bytes(&sec1(&key.public_jwk())).unwrap();
    let plain = p384::ecdsa::Signature::from_slice(&key.sign(b"message")).unwrap();
    public.verify(b"message", &plain).unwrap();
    let der = p384::ecdsa::Signature::from_der(&key.sign_der(b"message").unwrap()).unwrap();
    public.verify(b"message", &der).unwrap();
    assert_eq!(p384::ecdsa::VerifyingKey::from_public_key_pem(&key.public_pem()), Ok(public));
}

#[test]
fn ed25519_verifies_with_its_jwk() {
    for algorithm in [Algorithm::EdDSA, Algorithm::Ed25519] {
        let key = SigningKey::generate(algorithm);
        let x = member(&key.public_jwk(), "x").try_into().unwrap();
        let public = ed25519_dalek::VerifyingKey::from_bytes(&x).unwrap();
        let signature = ed25519_dalek::Signature::from_slice(&key.sign(b"message")).unwrap();
        public.verify(b"message", &signature).unwrap();
        assert_eq!(key.private.public_der().len(), 44);
    }
}

#[test]
fn the_public_jwk_is_public() {
    for algorithm in Algorithm::ALL.iter().copied() {
        let jwk = SigningKey::generate(algorithm).with_kid("k").public_jwk();
        assert_eq!((&jwk["alg"], &jwk["use"]), (&json!(algorithm.name()), &json!("sig")));
        assert_eq!(jwk["kid"], "k");
        assert!(jwk["d"].is_null() && jwk["p"].is_null(), "{algorithm}");
    }
}

#[test]
fn a_stranger_has_another_key_under_the_same_id() {
    for algorithm in Algorithm::ALL.iter().copied() {
        let key = SigningKey::generate(algorithm).with_kid("k");
        let stranger = key.stranger();
        assert_eq!(stranger.kid(), Some("k"));
        assert_ne!(stranger.public_jwk(), key.public_jwk(), "{algorithm}");
    }
}

#[test]
fn the_second_rsa_key_is_not_the_first() {
    let [one, two] =
        [SigningKey::generate(Algorithm::PS256), SigningKey::second_rsa(Algorithm::PS256)];
    assert_ne!(one.public_jwk()["n"], two.public_jwk()["n"]);
}

#[test]
#[should_panic(expected = "ES256 signs with no RSA key")]
fn the_second_rsa_key_is_for_rsa() {
    let _ = SigningKey::second_rsa(Algorithm::ES256);
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!("{:?}", SigningKey::generate(Algorithm::EdDSA));
    assert_eq!(shown, "SigningKey { algorithm: EdDSA, kid: None, .. }");
}

#[test]
fn the_client_key_of_the_vectors_comes_from_its_scalar() {
    let d = "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE";
    let d = URL_SAFE_NO_PAD.decode(d).unwrap().try_into().unwrap();
    let key = SigningKey::from_p256(&d);
    let jwk = json!({
        "kty": "EC",
        "crv": "P-256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    });
    assert_eq!(key.bare_jwk(), jwk);
    assert_eq!(key.thumbprint(), "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s");
    assert_eq!(key.private_member(), ("d", base64url(d)));
}

#[test]
fn the_key_of_rfc_8037_comes_from_its_seed() {
    let d = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
    let d = URL_SAFE_NO_PAD.decode(d).unwrap().try_into().unwrap();
    let key = SigningKey::from_ed25519(&d);
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    assert_eq!(key.bare_jwk(), json!({ "kty": "OKP", "crv": "Ed25519", "x": x }));
    assert_eq!(key.algorithm(), Algorithm::EdDSA);
    assert_eq!(key.private_member(), ("d", base64url(d)));
    // RFC 8037, appendix A.4.
    let signed = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature =
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_eq!(base64url(key.sign(signed)), signature);
}

#[test]
#[should_panic(expected = "`d` is a scalar of P-256")]
fn zero_is_no_scalar() {
    let _ = SigningKey::from_p256(&[0; 32]);
}

#[test]
fn the_bare_jwk_has_the_required_members() {
    for algorithm in Algorithm::ALL.iter().copied() {
        let bare = SigningKey::generate(algorithm).with_kid("k").bare_jwk();
        let mut names: Vec<_> = bare.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        let required: &[&str] = match bare["kty"].as_str() {
            Some("EC") => &["crv", "kty", "x", "y"],
            Some("OKP") => &["crv", "kty", "x"],
            _ => &["e", "kty", "n"],
        };
        assert_eq!(names, required, "{algorithm}");
    }
}
