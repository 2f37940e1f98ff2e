use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::Verifier as _;
use serde_json::json;

use super::*;
use crate::algorithm::Algorithm;
use crate::testing::FixedClock;

/// RFC 7517 appendix A.2, the client's key of the vectors.
const CLIENT: &str = "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE";
/// `p-valid` of the vectors, and the token it was made for.
const VALID: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwiY3J2IjoiUC0yNTYiLCJ4IjoiTUtCQ1ROSWNLVVNEaWkxMXlTczM1MjZpRFo4QWlUbzdUdTZLUEFxdjdENCIsInkiOiI0RXRsNlNSVzJZaUxVck41dmZ2Vkh1aHA3eDhQeGx0bVdXbGJiTTRJRnlNIn19.eyJqdGkiOiJwLTEiLCJodG0iOiJHRVQiLCJodHUiOiJodHRwczovL2FwaS5leGFtcGxlLmNvbS9yIiwiaWF0IjoxNjk5OTk5OTk5LCJhdGgiOiJOWkEwX2V5NV8xWGExQTFzVE55M0tfREZ2UFJteVpMcU8yYW9qS0s5R0ZjIn0.TZKb-UBcgQMk94iz6tGsZ5IzDGk2xxyqDCKj_y_L6oG8e12AOuRenlmwmQYVPD7gzWBS47YzxUFpZV8-YOoHdQ";
const TOKEN: &str = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImFzLWVzMjU2In0.eyJpc3MiOiJodHRwczovL2FzLmV4YW1wbGUuY29tIiwic3ViIjoidXNlci0xIiwiYXVkIjoiaHR0cHM6Ly9hcGkuZXhhbXBsZS5jb20iLCJleHAiOjE3MDAwMDA2MDAsImlhdCI6MTY5OTk5OTk5MCwianRpIjoiYXQtMiIsImNsaWVudF9pZCI6ImMxIiwic2NvcGUiOiJyZWFkIiwiY25mIjp7ImprdCI6ImNuLUlfV05NQ2xlaGlWcDUxaV8wVnBPRU5XMXVwRWVyQThzRWFtNWhuLXMifX0.sjy3_L8A02bM8GoPMn4TsEA7vUK_wSVGt2HVi79UqnaBZbV6o08p54ksjR0HFU0zuIh6g0DqP6QRADtChU4V1A";
const URI: &str = "https://api.example.com/r?q=1";

fn bytes(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn part(proof: &str, index: usize) -> Value {
    serde_json::from_slice(&bytes(proof.split('.').nth(index).unwrap())).unwrap()
}

fn key(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm).with_kid("not for proofs")
}

#[test]
fn the_valid_proof_of_the_vectors_comes_out() {
    let key = SigningKey::from_p256(&bytes(CLIENT).try_into().unwrap());
    let proof = key.proof("GET", URI).token(TOKEN).at(1_699_999_999).claim("jti", "p-1").build();
    assert_eq!(part(&proof, 0), part(VALID, 0));
    assert_eq!(part(&proof, 1), part(VALID, 1));
}

#[test]
fn ath_is_that_of_rfc_9449() {
    let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    let proof = key(Algorithm::EdDSA).proof("GET", URI).token(token).build();
    assert_eq!(part(&proof, 1)["ath"], "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
}

#[test]
fn the_default_has_what_a_proof_needs() {
    let key = key(Algorithm::Ed25519);
    let builder = key.proof("POST", "https://h/r#f").clock(&FixedClock::at(5)).nonce("n");
    let (header, mut claims) = (part(&builder.build(), 0), part(&builder.build(), 1));
    let expected = json!({ "typ": "dpop+jwt", "alg": "Ed25519", "jwk": key.bare_jwk() });
    assert_eq!(header, expected);
    let jti = claims.as_object_mut().unwrap().remove("jti").unwrap();
    assert_eq!(bytes(jti.as_str().unwrap()).len(), 16);
    let expected = json!({ "htm": "POST", "htu": "https://h/r", "iat": 5, "nonce": "n" });
    assert_eq!(claims, expected);
    assert_ne!(part(&key.proof("POST", "https://h/r").build(), 1)["jti"], jti);
}

#[test]
fn proofs_verify_with_the_key_they_carry() {
    let proof = key(Algorithm::ES256).proof("GET", URI).build();
    let (input, signature) = proof.rsplit_once('.').unwrap();
    let jwk = &part(&proof, 0)["jwk"];
    let member = |name: &str| bytes(jwk[name].as_str().unwrap());
    let point = [vec![4], member("x"), member("y")].concat();
    let public = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).unwrap();
    let signature = p256::ecdsa::Signature::from_slice(&bytes(signature)).unwrap();
    public.verify(input.as_bytes(), &signature).unwrap();
}

#[test]
fn everything_can_be_set_and_left_out() {
    let key = key(Algorithm::EdDSA);
    let builder = key.proof("GET", URI).claim("x", 1).without_claim("jti").without_claim("iat");
    let proof = builder.header("y", true).without_header("jwk").build();
    assert_eq!(part(&proof, 0), json!({ "typ": "dpop+jwt", "alg": "EdDSA", "y": true }));
    let expected = json!({ "htm": "GET", "htu": "https://api.example.com/r", "x": 1 });
    assert_eq!(part(&proof, 1), expected);
    let raw = key.proof("GET", URI).raw_header("[]").raw_payload(*b"null");
    assert!(raw.flaw(ProofFlaw::PayloadArray).build().starts_with("W10.bnVsbA."));
}

#[test]
fn another_key_signs_under_the_same_header() {
    let [key, other] = [key(Algorithm::EdDSA), key(Algorithm::EdDSA)];
    let proof = key.proof("GET", URI).signed_with(&other).build();
    assert_eq!(part(&proof, 0)["jwk"], key.bare_jwk());
    let (input, signature) = proof.rsplit_once('.').unwrap();
    assert_eq!(bytes(signature), other.sign(input.as_bytes()));
}

#[test]
fn requests_get_one_of_each_field_and_both_are_sensitive() {
    let request = Request::builder().header("dpop", "x").header("authorization", "Basic x");
    let builder = key(Algorithm::EdDSA).proof("GET", URI).token("t");
    let request = builder.authorize(request.body("body").unwrap());
    for (name, start) in [("authorization", "DPoP t"), ("dpop", "ey")] {
        let values: Vec<_> = request.headers().get_all(name).iter().collect();
        assert_eq!(values.len(), 1);
        assert!(values[0].is_sensitive());
        assert!(values[0].to_str().unwrap().starts_with(start));
    }
    assert_eq!(*request.body(), "body");
}

#[test]
fn without_a_token_the_authorization_stays() {
    let request = Request::builder().header("authorization", "Basic x").body(()).unwrap();
    let request = key(Algorithm::EdDSA).proof("POST", URI).authorize(request);
    assert_eq!(request.headers()["authorization"], "Basic x");
    assert!(request.headers().contains_key("dpop"));
}

#[test]
fn debug_shows_neither_token_nor_claims() {
    let builder = key(Algorithm::EdDSA).proof("GET", URI).token("secret").nonce("n-secret");
    let shown = format!("{:?}", builder.flaw(ProofFlaw::Padded));
    assert_eq!(shown, "ProofBuilder { flaws: [Padded], .. }");
}
