//! JSON Web Signature, Key and Algorithms (RFC 7515, 7797, 7517, 7518).

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Value, json};
use tower_resource_server::testing::{Flaw, ProofFlaw, SigningKey};
use tower_resource_server::{Algorithm, Builder, CryptoBackend, DenyList, JwkSet, RejectionKind};

use crate::dpop::{Client, proven};
use crate::support::{
    Answer, Bed, ISSUER, NOW, get, key, present, published_jws, publishing, send, send_vector,
    server_of, token_by, trusting, twin,
};

fn assert_kind(answer: &Answer, kind: RejectionKind) {
    answer.assert_t401();
    assert_eq!(answer.kind(), Some(kind), "{answer:?}");
}

/// The signed part of a token, and its signature decoded.
fn take_apart(token: &str) -> (&str, Vec<u8>) {
    let (signed, signature) = token.rsplit_once('.').expect("a JWS");
    (signed, BASE64URL.decode(signature).expect("base64url"))
}

#[tokio::test]
async fn segments_are_base64url_and_nothing_else() {
    // R7515-2-1: no padding.
    assert_kind(&send_vector("at-padded").await, RejectionKind::MalformedToken);
    let bed = Bed::new();
    let token = bed.token();
    let spots = [3, token.find('.').expect("a dot") + 3, token.len() - 3];
    for at in spots {
        for character in ["+", "/", "~"] {
            let mut changed = token.clone();
            changed.replace_range(at..=at, character);
            // R7515-2-1: not the other alphabet.
            assert_kind(&bed.bearer(&changed).await, RejectionKind::MalformedToken);
        }
        for space in [" ", "\t", "  ", "="] {
            let mut changed = token.clone();
            changed.insert_str(at, space);
            // R7515-2-1: no space; the header's own grammar refuses it first.
            bed.bearer(&changed).await.assert_r400();
        }
        // R7515-2-1: no line break; not even HTTP carries one.
        let broken = format!("Bearer {}\n{}", &token[..at], &token[at..]);
        assert!(http::HeaderValue::from_str(&broken).is_err());
    }
}

#[tokio::test]
async fn spare_bits_are_zero() {
    // R7515-2-2: one text for one signature.
    assert_kind(&send_vector("at-noncanonical-b64").await, RejectionKind::MalformedToken);
}

#[tokio::test]
async fn there_are_three_segments() {
    // R7515-3.1-1: neither two nor four.
    assert_kind(&send_vector("at-two-parts").await, RejectionKind::MalformedToken);
    assert_kind(&send_vector("at-four-parts").await, RejectionKind::MalformedToken);
    let bed = Bed::new();
    let token = bed.token();
    for wrong in [".", "..", "...", "a", &format!("{token}."), &format!(".{token}")] {
        assert_kind(&bed.bearer(wrong).await, RejectionKind::MalformedToken);
    }
}

#[tokio::test]
async fn header_names_are_unique() {
    // R7515-4-1: a repeated parameter is refused, whatever its values.
    assert_kind(&send_vector("at-dup-header").await, RejectionKind::MalformedToken);
    let bed = Bed::new();
    for name in ["alg", "typ", "kid", "x"] {
        let header = format!(
            r#"{{"{name}":"a","alg":"ES256","typ":"at+jwt","kid":"test-1","x":1,"{name}":"a"}}"#
        );
        let answer = bed.bearer(&bed.issuer.token().raw_header(header).build()).await;
        assert_kind(&answer, RejectionKind::MalformedToken);
    }
}

#[tokio::test]
async fn unknown_header_parameters_are_ignored() {
    // R7515-4-2: unless they are critical.
    send_vector("at-valid-unknown-header").await.assert_ok();
    let bed = Bed::new();
    let token = bed.issuer.token().header("x", json!({ "y": [1] })).header("ALG", "none");
    bed.bearer(&token.build()).await.assert_ok();
}

#[tokio::test]
async fn the_algorithm_is_named_exactly() {
    // R7515-4.1.1-1: present, understood, in its own letters.
    assert_kind(&send_vector("at-alg-missing").await, RejectionKind::UnacceptableAlgorithm);
    assert_kind(&send_vector("at-alg-lower").await, RejectionKind::UnacceptableAlgorithm);
    let bed = Bed::new();
    for alg in [json!(null), json!(256), json!(["ES256"]), json!({ "ES256": 1 })] {
        let answer = bed.bearer(&bed.issuer.token().header("alg", alg).build()).await;
        assert_kind(&answer, RejectionKind::MalformedToken);
    }
}

#[tokio::test]
async fn a_token_brings_no_key_of_its_own() {
    // R7515-4.1.2-1: the key in the header or behind its URL did sign.
    assert_kind(&send_vector("at-embedded-jwk").await, RejectionKind::BadSignature);
    assert_kind(&send_vector("at-jku").await, RejectionKind::UnknownKey);
    let bed = Bed::new();
    let stranger = key(Algorithm::ES256, "stranger");
    let forged = bed.issuer.token().header("jwk", stranger.public_jwk()).signed_with(&stranger);
    for token in [
        forged.clone().header("kid", "stranger"),
        forged.clone().without_header("kid"),
        forged.header("x5c", json!(["MIIB"])).header("x5u", "https://evil.example"),
    ] {
        bed.bearer(&token.build()).await.assert_t401();
    }
    // R7515-4.1.2-1: nor do they spoil a token that the issuer's key has signed.
    let genuine = bed.issuer.token().header("jwk", stranger.public_jwk()).header("jku", "x");
    bed.bearer(&genuine.build()).await.assert_ok();
}

#[tokio::test]
async fn a_key_id_is_a_case_sensitive_string() {
    let signer = key(Algorithm::ES256, "AS-ES256");
    let server = server_of([signer.public_jwk()]);
    present(&server, &token_by(&signer).build()).await.assert_ok();
    for kid in ["as-es256", "AS-ES25", "AS-ES256 ", ""] {
        let answer = present(&server, &token_by(&signer).header("kid", kid).build()).await;
        // R7515-4.1.4-1: another name is another key.
        assert_kind(&answer, RejectionKind::UnknownKey);
    }
    for kid in [json!(1), json!(null), json!(["AS-ES256"])] {
        let answer = present(&server, &token_by(&signer).header("kid", kid).build()).await;
        // R7515-4.1.4-1: and a number is no name.
        assert_kind(&answer, RejectionKind::MalformedToken);
    }
}

#[tokio::test]
async fn whatever_is_critical_is_refused() {
    // R7515-4.1.11-1: nothing is understood here, and ill-formed lists are refused as well.
    assert_kind(&send_vector("at-crit-empty").await, RejectionKind::UnsupportedCritical);
    assert_kind(&send_vector("at-crit-unknown").await, RejectionKind::UnsupportedCritical);
    let bed = Bed::new();
    for crit in [
        json!(["exp"]),
        json!(["alg"]),
        json!("x"),
        json!(["x", "x"]),
        json!([1]),
        json!({}),
        json!(null),
        json!(false),
    ] {
        let token = bed.issuer.token().header("x", 1).header("crit", crit);
        // R7515-4.1.11-1: absent, defined by JWS itself, no array, repeated.
        assert_kind(&bed.bearer(&token.build()).await, RejectionKind::UnsupportedCritical);
    }
}

#[tokio::test]
async fn the_header_is_one_json_object() {
    let bed = Bed::new();
    for header in
        ["[]", "null", "\"x\"", "", "1", "{}{}", "{", "{\"alg\":\"ES256\",}", "\u{feff}{}"]
    {
        let answer = bed.bearer(&bed.issuer.token().raw_header(header).build()).await;
        // R7515-5.2-1: anything else rejects the token.
        assert_kind(&answer, RejectionKind::MalformedToken);
    }
    let not_utf8 = [&br#"{"alg":"ES256","typ":"at+jwt","x":""#[..], &[0xff], b"\"}"].concat();
    let answer = bed.bearer(&bed.issuer.token().raw_header(not_utf8).build()).await;
    // R7515-5.2-1: UTF-8 at that.
    assert_kind(&answer, RejectionKind::MalformedToken);
}

#[tokio::test]
async fn nothing_follows_the_json() {
    // R7515-10.12-1: not in the payload, nor in the header.
    assert_kind(&send_vector("at-payload-trailing").await, RejectionKind::MalformedToken);
    let bed = Bed::new();
    for end in ["x", "\0", "}", "{}", ","] {
        let header = format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":"test-1"}}{end}"#);
        let answer = bed.bearer(&bed.issuer.token().raw_header(header).build()).await;
        assert_kind(&answer, RejectionKind::MalformedToken);
    }
}

#[tokio::test]
async fn names_are_compared_after_unescaping() {
    let bed = Bed::new();
    let with = |header: &str| bed.issuer.token().raw_header(header).build();
    let escaped = r#"{"al\u0067":"ES\u003256","\u0074yp":"at+jwt","kid":"test\u002d1"}"#;
    // R7515-10.13-1: it is `alg`, and its value is ES256.
    bed.bearer(&with(escaped)).await.assert_ok();
    let twice = r#"{"alg":"ES256","al\u0067":"none","typ":"at+jwt","kid":"test-1"}"#;
    // R7515-10.13-1: so this is `alg` twice.
    assert_kind(&bed.bearer(&with(twice)).await, RejectionKind::MalformedToken);
}

#[tokio::test]
async fn an_ecdsa_signature_is_two_numbers_of_the_curves_length() {
    // R7515-A.3-1: not DER, not zero.
    assert_kind(&send_vector("at-sig-der").await, RejectionKind::BadSignature);
    assert_kind(&send_vector("at-sig-zero").await, RejectionKind::BadSignature);
    for algorithm in [Algorithm::ES256, Algorithm::ES384] {
        let signer = key(algorithm, "k");
        let token = token_by(&signer).build();
        let (signed, signature) = take_apart(&token);
        let half = signature.len() / 2;
        for &backend in CryptoBackend::ALL {
            let server = trusting(publishing([signer.public_jwk()])).crypto_backend(backend);
            let server = server.build().expect("valid");
            for wrong in [
                signature[1..].to_vec(),
                signature[..signature.len() - 1].to_vec(),
                [&[0], &signature[..]].concat(),
                [&signature[..], &[0]].concat(),
                [&[0], &signature[..half], &[0], &signature[half..]].concat(),
                [&signature[half..], &signature[..half]].concat(),
                signature[..half].to_vec(),
            ] {
                let token = format!("{signed}.{}", BASE64URL.encode(wrong));
                // R7515-A.3-1: 63 or 65 bytes and the like.
                assert_kind(&present(&server, &token).await, RejectionKind::BadSignature);
            }
            present(&server, &token).await.assert_ok();
        }
    }
}

#[tokio::test]
async fn both_signatures_of_a_pair_are_accepted() {
    // R7515-A.3-2: nothing here relies on a signature being the only one.
    send_vector("at-valid-high-s").await.assert_ok();
}

#[tokio::test]
async fn a_revoked_token_does_not_come_back_with_the_other_signature_of_the_pair() {
    let list = Arc::new(DenyList::new());
    let key = key(Algorithm::ES256, "k");
    let server = trusting(publishing([key.public_jwk()])).revocation(Arc::clone(&list));
    let server = server.build().expect("valid");
    let token = token_by(&key).claim("jti", "token-7").build();
    let twin = twin(&token);
    assert_ne!(twin, token);
    for token in [&token, &twin] {
        present(&server, token).await.assert_ok();
    }
    let until = UNIX_EPOCH + Duration::from_secs(NOW + 300);
    list.deny_token(ISSUER, "token-7", until).expect("room");
    for token in [&token, &twin] {
        // R7515-A.3-2: what is revoked is named by its jti, and not by its bytes.
        assert_kind(&present(&server, token).await, RejectionKind::RevokedToken);
    }
}

#[tokio::test]
async fn an_unencoded_payload_is_refused() {
    // R7797-7-1: never in a JWT.
    assert_kind(&send_vector("at-b64-false").await, RejectionKind::UnsupportedCritical);
    Bed::new().bearer(&published_jws("RFC7797-4.2")).await.assert_t401();
    let bed = Bed::new();
    for b64 in [json!(false), json!(0), json!("false"), json!(null)] {
        let answer = bed.bearer(&bed.issuer.token().header("b64", b64).build()).await;
        assert_kind(&answer, RejectionKind::UnsupportedCritical);
    }
    let answer = proven(|b| b, |proof| proof.flaw(ProofFlaw::UnencodedPayload)).await;
    // R7797-7-1: nor in a proof, which is one.
    answer.assert_p401();
    assert_eq!(answer.kind(), Some(RejectionKind::UnsupportedProofCritical));
    let client = Client::new(&bed);
    let lines = [format!("DPoP {}", client.token), published_jws("RFC7797-4.2")];
    let request = get(&[("authorization", &lines[0]), ("dpop", &lines[1])]);
    // R7797-7-1: the published one, whose payload is left out, in the place of a proof.
    send(bed.server.authenticate(), request).await.assert_p401();
    // R7797-6-1: listed as critical it would be honoured, and here it never is.
    assert_kind(&send_vector("at-crit-b64-true").await, RejectionKind::UnsupportedCritical);
}

#[tokio::test]
async fn published_tokens_are_no_access_tokens() {
    let bed = Bed::new();
    for id in ["RFC7515-A.3", "RFC8037-A.1/A.3/A.4", "RFC7797-4.2"] {
        bed.bearer(&published_jws(id)).await.assert_t401();
    }
}

/// A key with one member changed, or taken away by null.
fn changed(key: &SigningKey, member: &str, value: Value) -> Value {
    let mut jwk = key.public_jwk();
    match value {
        Value::Null => drop(jwk.as_object_mut().expect("an object").remove(member)),
        value => jwk[member] = value,
    }
    jwk
}

/// Asserts that an entry is passed over, and that the good key beside it serves.
async fn assert_skipped(signer: &SigningKey, entry: Value) {
    let good = key(Algorithm::ES256, "good");
    let set = json!({ "keys": [entry, good.public_jwk()] });
    let parsed = JwkSet::from_json(set.to_string().as_bytes()).expect("a set");
    assert_eq!((parsed.len(), parsed.skipped()), (1, 1), "{set}");
    for &backend in CryptoBackend::ALL {
        let issuer = publishing(set["keys"].as_array().expect("keys").clone());
        let server = trusting(issuer).crypto_backend(backend).build().expect("valid");
        present(&server, &token_by(&good).build()).await.assert_ok();
        let answer = present(&server, &token_by(signer).build()).await;
        assert_kind(&answer, RejectionKind::UnknownKey);
    }
}

#[tokio::test]
async fn a_key_without_type_is_skipped() {
    let signer = key(Algorithm::ES256, "k");
    // R7517-4.1-1: kty is required and case-sensitive.
    assert_skipped(&signer, changed(&signer, "kty", json!(null))).await;
    assert_skipped(&signer, changed(&signer, "kty", json!("ec"))).await;
    assert_skipped(&signer, changed(&signer, "kty", json!(1))).await;
    assert_skipped(&signer, changed(&signer, "crv", json!(null))).await;
}

/// Some issuers cut the leading zeros off; the keys of proofs are held to RFC 7518 §6.2.1.2.
#[tokio::test]
async fn a_coordinate_without_its_leading_zero_is_taken_as_meant() {
    // Multiples of the base point whose x, and whose y, begins with a zero octet.
    for (multiple, cut) in [(379_u16, "x"), (43, "y")] {
        let mut scalar = [0; 32];
        scalar[30..].copy_from_slice(&multiple.to_be_bytes());
        let signer = SigningKey::from_p256(&scalar).with_kid("k");
        let whole = signer.public_jwk()[cut].as_str().expect("base64url").to_owned();
        let octets = BASE64URL.decode(whole).expect("base64url");
        assert_eq!((octets.len(), octets[0]), (32, 0));
        let short = changed(&signer, cut, json!(BASE64URL.encode(&octets[1..])));
        present(&server_of([short]), &token_by(&signer).build()).await.assert_ok();
    }
}

#[tokio::test]
async fn a_key_for_encryption_verifies_nothing() {
    let signer = key(Algorithm::ES256, "k");
    // R7517-4.2-1: nor does one for any other use.
    assert_skipped(&signer, changed(&signer, "use", json!("enc"))).await;
    assert_skipped(&signer, changed(&signer, "use", json!("SIG"))).await;
    present(&server_of([changed(&signer, "use", json!(null))]), &token_by(&signer).build())
        .await
        .assert_ok();
}

#[tokio::test]
async fn a_key_that_may_not_verify_does_not() {
    let signer = key(Algorithm::ES256, "k");
    // R7517-4.3-1: key_ops must hold verify, and use must not say otherwise.
    assert_skipped(&signer, changed(&signer, "key_ops", json!(["sign"]))).await;
    assert_skipped(&signer, changed(&signer, "key_ops", json!([]))).await;
    assert_skipped(&signer, changed(&signer, "key_ops", json!("verify"))).await;
    let mut inconsistent = changed(&signer, "use", json!("enc"));
    inconsistent["key_ops"] = json!(["verify"]);
    assert_skipped(&signer, inconsistent).await;
    let both = changed(&signer, "key_ops", json!(["sign", "verify"]));
    present(&server_of([both]), &token_by(&signer).build()).await.assert_ok();
}

#[tokio::test]
async fn the_algorithm_of_a_key_is_that_of_the_token() {
    let eddsa = key(Algorithm::EdDSA, "k");
    let server = server_of([eddsa.public_jwk()]);
    let answer = present(&server, &token_by(&eddsa).header("alg", "Ed25519").build()).await;
    // R7517-4.4-1: a key marked for another algorithm does not fit.
    assert_kind(&answer, RejectionKind::UnknownKey);
    let signer = key(Algorithm::ES256, "k");
    assert_skipped(&signer, changed(&signer, "alg", json!("ES384"))).await;
    assert_skipped(&signer, changed(&signer, "alg", json!("ECDH-ES"))).await;
    assert_skipped(&signer, changed(&signer, "alg", json!("none"))).await;
}

#[tokio::test]
async fn keys_may_share_an_id() {
    let ec = key(Algorithm::ES256, "same");
    let rsa = key(Algorithm::RS256, "same");
    let other = key(Algorithm::ES256, "same");
    let server = server_of([ec.public_jwk(), rsa.public_jwk(), other.public_jwk()]);
    // R7517-4.5-1: the kind of key tells EC from RSA, and two of a kind are tried in turn.
    for signer in [&ec, &rsa, &other] {
        present(&server, &token_by(signer).build()).await.assert_ok();
    }
    let stranger = key(Algorithm::ES256, "same");
    let answer = present(&server, &token_by(&stranger).build()).await;
    assert_kind(&answer, RejectionKind::BadSignature);
}

#[tokio::test]
async fn without_an_id_a_few_keys_are_tried_and_no_more() {
    let signers: Vec<_> = (0..50).map(|n| key(Algorithm::EdDSA, &n.to_string())).collect();
    let jwks = |n: usize| signers[..n].iter().map(SigningKey::public_jwk);
    let anonymous = |n: usize| token_by(&signers[n - 1]).without_header("kid").build();
    // R7517-4.5-2: the last of three, or of four, is found.
    present(&server_of(jwks(3)), &anonymous(3)).await.assert_ok();
    present(&server_of(jwks(4)), &anonymous(4)).await.assert_ok();
    for n in [5, 50] {
        let answer = present(&server_of(jwks(n)), &anonymous(n)).await;
        // R7517-4.5-2: among more, no signature is even tried.
        assert_kind(&answer, RejectionKind::UnknownKey);
        present(&server_of(jwks(n)), &token_by(&signers[n - 1]).build()).await.assert_ok();
    }
}

#[tokio::test]
async fn without_an_id_only_keys_of_the_algorithm_count() {
    let signer = SigningKey::generate(Algorithm::ES256);
    let others = (0..10).map(|n| key(Algorithm::EdDSA, &n.to_string()).public_jwk());
    let server = server_of(others.chain([signer.public_jwk()]));
    present(&server, &token_by(&signer).build()).await.assert_ok();
}

#[tokio::test]
async fn a_key_without_an_id_serves_tokens_without_one() {
    let signer = SigningKey::generate(Algorithm::ES256);
    let server = server_of([signer.public_jwk()]);
    present(&server, &token_by(&signer).build()).await.assert_ok();
    let answer = present(&server, &token_by(&signer).header("kid", "some").build()).await;
    assert_kind(&answer, RejectionKind::UnknownKey);
}

fn rsa_512() -> Value {
    json!({ "kty": "RSA", "kid": "small", "e": "AQAB", "n": BASE64URL.encode([0xc5; 64]) })
}

#[tokio::test]
async fn keys_of_no_use_do_not_spoil_the_set() {
    let good = key(Algorithm::ES256, "good");
    let x57 = BASE64URL.encode([7; 57]);
    let off = BASE64URL.encode([9; 32]);
    // R7517-5-2: unknown types, bad points, sizes out of range, and what is no key at all.
    let set = json!({ "more": 1, "keys": [
        { "kty": "OKP", "crv": "Ed448", "kid": "good", "x": x57 },
        { "kty": "EC", "crv": "P-256", "kid": "good", "x": off, "y": off },
        { "kty": "AKP", "alg": "ML-DSA-44", "kid": "good", "pub": "AA" },
        rsa_512(), {}, [], null, 1, "key",
        good.public_jwk(),
    ] });
    let parsed = JwkSet::from_json(set.to_string().as_bytes()).expect("a set");
    assert_eq!((parsed.len(), parsed.skipped()), (2, 8));
    for &backend in CryptoBackend::ALL {
        let issuer = publishing(set["keys"].as_array().expect("keys").clone());
        let server = trusting(issuer).crypto_backend(backend).build().expect("valid");
        // R7517-5-2: the good one works.
        present(&server, &token_by(&good).build()).await.assert_ok();
    }
}

#[tokio::test]
async fn symmetric_and_private_keys_are_never_used() {
    let signer = key(Algorithm::ES256, "k");
    let jwk = signer.public_jwk();
    let point = |name: &str| BASE64URL.decode(jwk[name].as_str().expect(name)).expect("base64url");
    let secret = BASE64URL.encode([point("x"), point("y")].concat());
    let oct = json!({ "kty": "oct", "alg": "HS256", "kid": "k", "use": "sig", "k": secret });
    let hmac = token_by(&signer).flaw(Flaw::HmacWithPublicKey).build();
    let server = server_of([oct.clone(), key(Algorithm::ES256, "good").public_jwk()]);
    // R7517-5-3: the MAC is right, and counts for nothing.
    assert_kind(&present(&server, &hmac).await, RejectionKind::UnacceptableAlgorithm);
    assert_skipped(&signer, oct).await;
    // R7517-5-3: a key whose private part is published is nobody's alone.
    assert_skipped(&signer, changed(&signer, "d", json!(BASE64URL.encode([1; 32])))).await;
}

/// An RSA key with a modulus of these bytes and that exponent.
fn rsa(n: &[u8], e: &[u8]) -> Value {
    json!({ "kty": "RSA", "kid": "k", "n": BASE64URL.encode(n), "e": BASE64URL.encode(e) })
}

#[tokio::test]
async fn rsa_keys_have_2048_bits_at_least() {
    let signer = key(Algorithm::RS256, "k");
    let entry = |n: &[u8]| rsa(n, &[1, 0, 1]);
    let mut just_short = [0xff; 256];
    just_short[0] = 0x7f;
    let padded = [&[0; 128][..], &[0xc5; 128]].concat();
    let token = token_by(&signer).build();
    for small in [entry(&[0xc5; 128]), entry(&just_short), entry(&padded), entry(&[0xc5; 1025])] {
        let good = key(Algorithm::ES256, "good");
        let server = server_of([small, good.public_jwk()]);
        // R7518-3.3-1: 1024 bits are skipped, so are 2047, and so are more than anyone needs.
        assert_kind(&present(&server, &token).await, RejectionKind::UnknownKey);
    }
    assert_eq!(publishing_error([entry(&[0xc5; 128])]), ["jwks"]);
}

fn publishing_error(keys: impl IntoIterator<Item = Value>) -> Vec<&'static str> {
    let error = trusting(publishing(keys)).build().expect_err("no usable key");
    error.faults().iter().map(tower_resource_server::ConfigFault::setting).collect()
}

#[tokio::test]
async fn each_ecdsa_algorithm_has_its_curve() {
    let p384 = key(Algorithm::ES384, "k");
    let unmarked = changed(&p384, "alg", json!(null));
    for &backend in CryptoBackend::ALL {
        let server = trusting(publishing([unmarked.clone()])).crypto_backend(backend);
        let server = server.build().expect("valid");
        let answer = present(&server, &token_by(&p384).header("alg", "ES256").build()).await;
        // R7518-3.4-1: ES256 is not for P-384.
        assert_kind(&answer, RejectionKind::UnknownKey);
        present(&server, &token_by(&p384).build()).await.assert_ok();
    }
    // R7518-3.4-1: nor is a key that claims as much.
    assert_skipped(&p384, changed(&p384, "alg", json!("ES256"))).await;
    assert_skipped(&p384, changed(&p384, "crv", json!("P-256"))).await;
}

#[tokio::test]
async fn a_leading_zero_in_the_modulus_is_dropped() {
    let signer = key(Algorithm::RS256, "k");
    let n = signer.public_jwk()["n"].as_str().expect("n").to_owned();
    let n = BASE64URL.decode(n).expect("base64url");
    let token = token_by(&signer).build();
    for &backend in CryptoBackend::ALL {
        let entry = rsa(&[&[0, 0], &n[..]].concat(), &[0, 1, 0, 1]);
        let server = trusting(publishing([entry])).crypto_backend(backend).build().expect("valid");
        // R7518-6.3.1-1: tolerated.
        present(&server, &token).await.assert_ok();
    }
}

#[tokio::test]
async fn senseless_exponents_and_moduli_are_skipped() {
    let signer = key(Algorithm::RS256, "k");
    let n = [0xc5; 256];
    for e in [&[][..], &[0], &[1], &[2], &[1, 0, 0], &[0, 1], &[1, 0, 0, 0, 1], &[0xff; 256]] {
        // R7518-6.3.1-1: e is odd, more than one, and not huge.
        assert_skipped(&signer, rsa(&n, e)).await;
    }
    assert_skipped(&signer, rsa(&[], &[1, 0, 1])).await;
    assert_skipped(&signer, rsa(&[0; 300], &[1, 0, 1])).await;
    for even in [[0xc4; 256], [0x80; 256]] {
        let good = key(Algorithm::ES256, "good");
        for &backend in CryptoBackend::ALL {
            let issuer = publishing([rsa(&even, &[1, 0, 1]), good.public_jwk()]);
            let server = trusting(issuer).crypto_backend(backend).build().expect("valid");
            // R7518-6.3.1-1: never a panic, whatever the backend thinks of the modulus.
            present(&server, &token_by(&signer).build()).await.assert_t401();
        }
    }
}

#[tokio::test]
async fn tokens_near_the_limit_are_read_and_longer_ones_are_not() {
    let bed = Bed::with(|builder: Builder| builder.max_token_bytes(4096));
    let filled = |length: usize| bed.issuer.token().claim("x", "y".repeat(length)).build();
    // Three bytes make four characters, so this much is missing to the limit.
    let length = (4096 - filled(0).len()) / 4 * 3;
    bed.bearer(&filled(length)).await.assert_ok();
    let answer = bed.bearer(&filled(length + 3)).await;
    answer.assert_r400();
    assert_eq!(answer.kind(), Some(RejectionKind::TokenTooLarge));
}
