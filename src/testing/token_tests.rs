use std::time::UNIX_EPOCH;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;
use crate::algorithm::Algorithm;
use crate::testing::{FixedClock, TestIssuer, base64url};

const NOW: u64 = 1_700_000_000;

fn issuer() -> TestIssuer {
    TestIssuer::new("https://as.example.com").clock(FixedClock::at(NOW))
}

fn part(token: &str, index: usize) -> Value {
    let segment = token.split('.').nth(index).expect("as the kit makes it");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).expect("as the kit makes it"))
        .expect("as the kit makes it")
}

#[test]
fn the_default_is_an_rfc_9068_token() {
    let token = issuer().token().build();
    assert_eq!(part(&token, 0), json!({ "typ": "at+jwt", "alg": "ES256", "kid": "test-1" }));
    let mut claims = part(&token, 1);
    let jti = claims
        .as_object_mut()
        .expect("as the kit makes it")
        .remove("jti")
        .expect("as the kit makes it");
    assert_eq!(jti.as_str().map(str::len), Some(22));
    let expected = json!({
        "iss": "https://as.example.com", "sub": "user-1", "client_id": "client-1",
        "aud": "https://api.example.com", "iat": NOW, "exp": NOW + 300,
    });
    assert_eq!(claims, expected);
}

#[test]
fn claims_and_headers_are_set_and_left_out() {
    let builder = issuer().token().subject("alice").client_id("app").scope("read write");
    let builder = builder.audiences(["a", "b"]).expires_in(Duration::from_secs(10));
    let builder = builder.claim("n", 1).without_claim("jti");
    let token = builder.header("x", true).without_header("kid").build();
    assert_eq!(part(&token, 0), json!({ "typ": "at+jwt", "alg": "ES256", "x": true }));
    let expected = json!({
        "iss": "https://as.example.com", "sub": "alice", "client_id": "app", "aud": ["a", "b"],
        "iat": NOW, "exp": NOW + 10, "scope": "read write", "n": 1,
    });
    assert_eq!(part(&token, 1), expected);
}

#[test]
fn every_token_has_its_own_jti() {
    let issuer = issuer();
    let [one, two] = [issuer.token(), issuer.token()].map(|token| part(&token.build(), 1));
    assert_ne!(one["jti"], two["jti"]);
}

#[test]
fn raw_parts_are_signed_as_they_are() {
    let builder = issuer().token().raw_header("[]").raw_payload(*b"null");
    let token = builder.flaw(Flaw::PayloadArray).flaw(Flaw::DuplicateHeader).build();
    assert!(token.starts_with("W10.bnVsbA."));
}

#[test]
fn another_key_signs_under_the_issuers_header() {
    let other = SigningKey::generate(Algorithm::EdDSA).with_kid("other");
    let token = issuer().token().signed_with(&other).build();
    assert_eq!(part(&token, 0)["kid"], "test-1");
    let (input, signature) = token.rsplit_once('.').expect("as the kit makes it");
    assert_eq!(signature, base64url(other.sign(input.as_bytes())));
}

#[test]
fn requests_get_one_sensitive_authorization() {
    let builder = issuer().token();
    let request = Request::builder()
        .header(AUTHORIZATION, "Basic x")
        .body("body")
        .expect("as the kit makes it");
    let request = builder.authorize(request);
    let values: Vec<_> = request.headers().get_all(AUTHORIZATION).iter().collect();
    assert_eq!(values.len(), 1);
    assert!(values[0].is_sensitive());
    assert!(values[0].to_str().expect("as the kit makes it").starts_with("Bearer ey"));
    assert_eq!(*request.body(), "body");
}

#[test]
fn every_flaw_fits_a_header() {
    for flaw in Flaw::ALL {
        let _ = issuer().token().flaw(flaw).authorize(Request::new(()));
    }
}

#[test]
fn times_before_the_epoch_round_down() {
    let key = SigningKey::generate(Algorithm::ES256);
    let before = UNIX_EPOCH - Duration::from_millis(1);
    assert_eq!(part(&TokenBuilder::new("i", &key, before).build(), 1)["iat"], -1);
}

#[test]
fn a_bound_token_names_the_key_by_thumbprint() {
    let key = SigningKey::generate(Algorithm::EdDSA);
    let token = issuer().token().bound_to(&key).build();
    assert_eq!(part(&token, 1)["cnf"], json!({ "jkt": key.thumbprint() }));
    assert_eq!(key.thumbprint().len(), 43);
}
