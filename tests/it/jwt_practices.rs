//! JWT and its best current practices (RFC 7519, RFC 8725 and its successor).

use serde_json::{Value, json};
use tower_resource_server::testing::{FixedClock, ScriptedFetch, TestIssuer, TokenBuilder};
use tower_resource_server::{
    Algorithm, Builder, ConfigFault, CryptoBackend, Issuer, RejectionKind,
};

use crate::support::{
    Answer, Bed, ISSUER, Logs, NOW, RESOURCE, grant, key, payload, present, publishing,
    send_vector, server_of, token_by, trusting,
};

fn assert_kind(answer: &Answer, kind: RejectionKind) {
    answer.assert_t401();
    assert_eq!(answer.kind(), Some(kind));
}

#[tokio::test]
async fn aud_is_a_string_or_an_array_of_strings() {
    // R7519-4.1.3-1: anything else is no audience.
    assert_kind(&send_vector("at-aud-object").await, RejectionKind::InvalidClaim);
    let bed = Bed::new();
    for audience in [json!([RESOURCE, 1]), json!([1]), json!(1), json!(null), json!([[RESOURCE]])] {
        let answer = bed.bearer(&bed.issuer.token().claim("aud", audience).build()).await;
        // R7519-4.1.3-1: nor is an array with a number in it.
        assert_kind(&answer, RejectionKind::InvalidClaim);
    }
}

#[tokio::test]
async fn a_token_is_not_used_before_its_time() {
    // R7519-4.1.5-1: not before nbf, leeway allowed.
    assert_kind(&send_vector("at-nbf-future").await, RejectionKind::TokenNotYetValid);
    let bed = Bed::new();
    for claim in ["nbf", "iat"] {
        let from = |seconds| bed.issuer.token().claim(claim, NOW + seconds).build();
        // R7519-4.1.5-1: now + leeway is still accepted.
        bed.bearer(&from(60)).await.assert_ok();
        assert_kind(&bed.bearer(&from(61)).await, RejectionKind::TokenNotYetValid);
    }
}

#[tokio::test]
async fn a_token_may_be_used_again() {
    let bed = Bed::with(|builder| builder.token_cache_bytes(0));
    let token = bed.token();
    for _ in 0..3 {
        bed.bearer(&token).await.assert_ok();
    }
}

#[tokio::test]
async fn a_numeric_date_is_a_number_up_to_the_year_9999() {
    // R7519-2-1: fractions are fine, strings and booleans are not.
    assert_kind(&send_vector("at-exp-string").await, RejectionKind::InvalidClaim);
    assert_kind(&send_vector("at-exp-bool").await, RejectionKind::InvalidClaim);
    send_vector("at-valid-fractional-exp").await.assert_ok();
    let bed = Bed::new();
    // R7519-2-1: what is no date anyone means is refused, not wrapped; before 1970 is over.
    let huge = bed.bearer(&bed.issuer.token().claim("exp", 1e308).build()).await;
    assert_kind(&huge, RejectionKind::InvalidClaim);
    let year_9999 = bed.issuer.token().claim("exp", 253_402_300_799_i64).build();
    bed.bearer(&year_9999).await.assert_ok();
    let answer = bed.bearer(&bed.issuer.token().claim("exp", -1).build()).await;
    assert_kind(&answer, RejectionKind::ExpiredToken);
}

#[tokio::test]
async fn a_fraction_of_a_second_counts() {
    let signer = key(Algorithm::ES256, "k");
    let exact = trusting(publishing([signer.public_jwk()])).leeway(std::time::Duration::ZERO);
    let exact = exact.build().expect("valid");
    let at = |exp: f64| token_by(&signer).claim("exp", exp).build();
    present(&exact, &at(NOW as f64 + 0.001)).await.assert_ok();
    assert_kind(&present(&exact, &at(NOW as f64)).await, RejectionKind::ExpiredToken);
    assert_kind(&present(&exact, &at(NOW as f64 - 0.001)).await, RejectionKind::ExpiredToken);
}

#[tokio::test]
async fn claim_names_are_unique() {
    // R7519-4-1: a repeated claim is refused.
    assert_kind(&send_vector("at-dup-claim").await, RejectionKind::MalformedToken);
    let bed = Bed::new();
    for more in [r#""sub":"admin","#, r#""x":1,"x":1,"#, r#""\u0073ub":"user-1","#] {
        let answer = bed.bearer(&bed.issuer.token().raw_payload(payload(more)).build()).await;
        assert_kind(&answer, RejectionKind::MalformedToken);
    }
}

#[tokio::test]
async fn unknown_claims_are_ignored() {
    let bed = Bed::new();
    let token = bed.issuer.token().claim("x", 1).claim("SUB", json!([])).claim("", json!({}));
    // R7519-4-2: whatever their names and types.
    bed.bearer(&token.build()).await.assert_ok();
}

#[tokio::test]
async fn nested_tokens_are_refused() {
    let bed = Bed::new();
    for cty in ["JWT", "jwt", "application/jwt"] {
        let answer = bed.bearer(&bed.issuer.token().header("cty", cty).build()).await;
        // R7519-5.2-1: a payload that is announced as another token.
        assert_kind(&answer, RejectionKind::WrongTokenType);
    }
    bed.bearer(&bed.issuer.token().header("cty", "json").build()).await.assert_ok();
}

#[tokio::test]
async fn a_good_outer_signature_saves_no_inner_token() {
    let bed = Bed::new();
    let outer =
        |inner: &str, cty: &str| bed.issuer.token().raw_payload(inner).header("cty", cty).build();
    let bad = bed.issuer.token().flaw(tower_resource_server::testing::Flaw::BadSignature).build();
    for cty in ["JWT", "json"] {
        // R8725-3.3-1: the whole is refused, the inner signature being bad.
        bed.bearer(&outer(&bad, cty)).await.assert_t401();
        bed.bearer(&outer(&bed.token(), cty)).await.assert_t401();
    }
}

#[tokio::test]
async fn the_payload_is_one_json_object_in_utf8() {
    // R7519-7.2-1: exactly one, and nothing around it.
    for name in ["at-payload-array", "at-payload-trailing", "at-payload-utf16"] {
        assert_kind(&send_vector(name).await, RejectionKind::MalformedToken);
    }
    let bed = Bed::new();
    let sound = payload("");
    let not_utf8 = [sound.replace("user-1", "\u{1}").into_bytes(), vec![0xff]].concat();
    for bytes in [
        // R7519-7.2-1: a byte order mark, and surrogates that stand alone.
        format!("\u{feff}{sound}").into_bytes(),
        payload(r#""x":"\ud800","#).into_bytes(),
        payload(r#""x":{"y":["\udc00"]},"#).into_bytes(),
        payload(r#""\udfff":1,"#).into_bytes(),
        format!("{sound}{sound}").into_bytes(),
        format!("{sound}\0").into_bytes(),
        sound.replace("user-1", "a\nb").into_bytes(),
        not_utf8,
        Vec::new(),
        b"null".to_vec(),
        b"\"x\"".to_vec(),
    ] {
        let answer = bed.bearer(&bed.issuer.token().raw_payload(bytes).build()).await;
        assert_kind(&answer, RejectionKind::MalformedToken);
    }
    let spaced = format!(" \r\n\t{sound} ");
    bed.bearer(&bed.issuer.token().raw_payload(spaced).build()).await.assert_ok();
}

#[tokio::test]
async fn strings_are_compared_after_unescaping() {
    let bed = Bed::new();
    let escaped = payload("").replace("https://", r"https:\u002f\/");
    assert!(!escaped.contains(ISSUER));
    // R7519-7.3-1: iss and aud equal ours once they are read.
    bed.bearer(&bed.issuer.token().raw_payload(escaped).build()).await.assert_ok();
}

#[tokio::test]
async fn strings_are_not_normalized() {
    let composed = "urn:caf\u{e9}";
    let signer = key(Algorithm::ES256, "k");
    let server = trusting(publishing([signer.public_jwk()])).audience_name(composed);
    let server = server.build().expect("valid");
    present(&server, &token_by(&signer).audience(composed).build()).await.assert_ok();
    let decomposed = present(&server, &token_by(&signer).audience("urn:cafe\u{301}").build()).await;
    // R7519-7.3-1: the same to the eye, and not the same.
    assert_kind(&decomposed, RejectionKind::WrongAudience);
}

fn allowing(signer: Value, algorithms: &[Algorithm]) -> Builder {
    trusting(publishing([signer]).algorithms(algorithms.iter().copied()))
}

/// The key without `alg`.
fn unnamed(mut jwk: Value) -> Value {
    jwk.as_object_mut().expect("an object").remove("alg");
    jwk
}

#[tokio::test]
async fn only_algorithms_of_the_allow_list_are_accepted() {
    let signer = key(Algorithm::ES256, "k");
    let other = key(Algorithm::EdDSA, "other");
    let issuer = publishing([unnamed(signer.public_jwk()), other.public_jwk()]);
    let server = trusting(issuer.algorithms([Algorithm::EdDSA])).build().expect("valid");
    let answer = present(&server, &token_by(&signer).build()).await;
    // R8725-3.1-1: though the key would verify it.
    assert_kind(&answer, RejectionKind::UnacceptableAlgorithm);
    present(&server, &token_by(&other).build()).await.assert_ok();
}

#[tokio::test]
async fn the_allow_list_is_the_issuers_own() {
    let [one, two] = [key(Algorithm::ES256, "k"), key(Algorithm::ES256, "k")];
    let strict = publishing([one.public_jwk(), key(Algorithm::EdDSA, "ed").public_jwk()]);
    let second = TestIssuer::with_key("https://two.example.com", two).clock(FixedClock::at(NOW));
    let server = trusting(strict.algorithms([Algorithm::EdDSA])).issuer(second.trusted());
    let server = server.build().expect("valid");
    present(&server, &second.token().build()).await.assert_ok();
    let answer = present(&server, &token_by(&one).build()).await;
    // R8725-3.1-1: what one issuer may use is not another's.
    assert_kind(&answer, RejectionKind::UnacceptableAlgorithm);
}

#[tokio::test]
async fn a_key_verifies_exactly_one_algorithm() {
    let es256 = key(Algorithm::ES256, "ec");
    let server = server_of([es256.public_jwk()]);
    let answer = present(&server, &token_by(&es256).header("alg", "ES384").build()).await;
    // R8725-3.1-2: a key of ES256 is none of ES384.
    assert_kind(&answer, RejectionKind::UnknownKey);
    let [rs256, ps256] = [key(Algorithm::RS256, "rsa"), key(Algorithm::PS256, "rsa")];
    let pss = token_by(&ps256).build();
    // R8725-3.1-2: the same RSA key, marked RS256, or unmarked and so under the first of the list.
    for jwk in [rs256.public_jwk(), unnamed(rs256.public_jwk())] {
        assert_kind(&present(&server_of([jwk]), &pss).await, RejectionKind::UnknownKey);
    }
    let narrowed = allowing(unnamed(rs256.public_jwk()), &[Algorithm::PS256]).build();
    present(&narrowed.expect("valid"), &pss).await.assert_ok();
}

#[tokio::test]
async fn keys_that_are_off_their_curve_verify_nothing() {
    let good = key(Algorithm::ES256, "good");
    for &backend in CryptoBackend::ALL {
        for (x, y) in off_curve() {
            let bad = json!({ "kty": "EC", "crv": "P-256", "kid": "bad", "x": x, "y": y });
            let server = trusting(publishing([bad, good.public_jwk()])).crypto_backend(backend);
            let server = server.build().expect("the good key is left");
            let forged = token_by(&good).header("kid", "bad").build();
            // R8725-3.4-1: no token passes by such a key, and the good key is as good.
            present(&server, &forged).await.assert_t401();
            present(&server, &token_by(&good).build()).await.assert_ok();
        }
    }
}

/// Coordinates of no point on P-256: y off by one, all zero (infinity's stand-in), out of range.
fn off_curve() -> [(String, String); 3] {
    let x = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4";
    let pair = |x: &str, y: &str| (x.to_owned(), y.to_owned());
    let zero = "A".repeat(43);
    let ones = format!("{}8", "_".repeat(42));
    [pair(x, "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyQ"), pair(&zero, &zero), pair(&ones, &ones)]
}

#[tokio::test]
async fn coordinates_of_the_wrong_length_make_no_key() {
    let signer = key(Algorithm::ES256, "k");
    let mut short = signer.public_jwk();
    let x = short["x"].as_str().expect("x").to_owned();
    for wrong in ["_".repeat(41) + "w", "A".to_owned() + &x, String::new()] {
        short["x"] = json!(wrong);
        let server = server_of([short.clone(), key(Algorithm::ES256, "good").public_jwk()]);
        // R8725-3.4-1: 31 bytes and the like; the key is skipped, so the token's is unknown.
        assert_kind(&present(&server, &token_by(&signer).build()).await, RejectionKind::UnknownKey);
    }
}

fn issuer_of(identifier: &str, algorithm: Algorithm) -> TestIssuer {
    TestIssuer::with_key(identifier, key(algorithm, "same")).clock(FixedClock::at(NOW))
}

#[tokio::test]
async fn a_key_belongs_to_its_issuer() {
    let [a, b] = ["https://a.example.com", "https://b.example.com"]
        .map(|identifier| issuer_of(identifier, Algorithm::ES256));
    let server = trusting(a.trusted()).issuer(b.trusted()).build().expect("valid");
    present(&server, &a.token().build()).await.assert_ok();
    present(&server, &b.token().build()).await.assert_ok();
    let crossed = a.token().signed_with(b.key()).build();
    // R8725-3.8-1: the other issuer's key, of the same id, does not speak for this one.
    assert_kind(&present(&server, &crossed).await, RejectionKind::BadSignature);
}

#[tokio::test]
async fn a_subject_is_one_of_its_issuer() {
    let [a, b] = ["https://a.example.com", "https://b.example.com"]
        .map(|identifier| issuer_of(identifier, Algorithm::EdDSA));
    let server = trusting(a.trusted()).issuer(b.trusted()).build().expect("valid");
    let [of_a, of_b] = [&a, &b].map(|issuer| issuer.token().claim("jti", "1").build());
    for _ in 0..2 {
        // R8725-3.8-2: the pair is exposed, and told apart when remembered too.
        let [left, right] = [grant(&server, &of_a).await, grant(&server, &of_b).await];
        assert_eq!(left.principal(), Some(("https://a.example.com", "user-1")));
        assert_eq!(right.principal(), Some(("https://b.example.com", "user-1")));
    }
}

#[tokio::test]
async fn the_audience_is_always_checked() {
    // R8725-3.9-1: a token for another party of the same issuer.
    assert_kind(&send_vector("at-aud-other").await, RejectionKind::WrongAudience);
    let bed = Bed::new();
    // R8725-3.9-1: an empty audience, which would compare with nothing, is a configuration error.
    let error = bed.issuer.resource_server(RESOURCE).audience("").build().expect_err("none");
    assert_eq!(error.faults().iter().map(ConfigFault::setting).collect::<Vec<_>>(), ["audience"]);
    // R8725-3.9-1: the opt-out is explicit and warns.
    let (log, listening) = Logs::capture();
    let open = Bed::with(|builder| builder.danger().accept_any_audience());
    drop(listening);
    assert!(log.text().contains("WARN") && log.text().contains("whatever their audience"));
    open.bearer(&open.issuer.token().audience("https://x.example").build()).await.assert_ok();
}

#[tokio::test]
async fn a_token_makes_nobody_fetch_what_it_names() {
    let fetch = ScriptedFetch::new();
    let signer = key(Algorithm::ES256, "k");
    fetch.always_json(json!({ "keys": [signer.public_jwk()] }));
    let jwks = "https://as.example.com/jwks";
    let server = trusting(Issuer::jwks_uri(ISSUER, jwks)).fetch(fetch.clone());
    let server = server.build().expect("valid");
    present(&server, &token_by(&signer).build()).await.assert_ok();
    for member in ["jku", "x5u"] {
        for kid in ["k", "unknown"] {
            let token = token_by(&signer).header(member, "https://evil.example/jwks");
            let token = token.header("kid", kid).signed_with(&key(Algorithm::ES256, "k"));
            present(&server, &token.build()).await.assert_t401();
        }
    }
    // R8725-3.10-1: the key set of the configuration and nothing else.
    assert!(fetch.requests().iter().all(|uri| uri == jwks), "{fetch:?}");
}

#[tokio::test]
async fn a_key_id_is_only_ever_compared() {
    let bed = Bed::new();
    let (log, _listening) = Logs::capture();
    let long = "kid-of-10-kB".repeat(850);
    for kid in [&long, "../../etc/passwd", "' OR 1=1 --", "x\r\nSet-Cookie: a=b", "test-1\0"] {
        let answer = bed.bearer(&bed.issuer.token().header("kid", kid).build()).await;
        // R8725-3.10-1: unknown, that is all; and neither echoed nor logged.
        assert_kind(&answer, RejectionKind::UnknownKey);
        let shown = format!("{}{:?}{}", log.text(), answer.headers, answer.json());
        for part in ["kid-of-10", "etc/passwd", "1=1", "Set-Cookie", "test-1"] {
            assert!(!shown.contains(part), "{part}");
        }
    }
    assert!(log.text().contains("unknown-key"));
}

#[tokio::test]
async fn algorithm_names_are_compared_case_sensitively() {
    // R8725BIS-3.1-1: against the allow-list.
    assert_kind(&send_vector("at-alg-None-case").await, RejectionKind::UnacceptableAlgorithm);
    assert_kind(&send_vector("at-alg-lower").await, RejectionKind::UnacceptableAlgorithm);
    let bed = Bed::new();
    for alg in ["none", "None", "NONE", "", " ES256", "ES256 ", "ES256\0", "HS256", "ES256K", "x"] {
        let answer = bed.bearer(&bed.issuer.token().header("alg", alg).build()).await;
        assert_kind(&answer, RejectionKind::UnacceptableAlgorithm);
    }
}

async fn accepts(algorithms: &[Algorithm], token: &TokenBuilder, jwk: &Value) -> bool {
    let server = allowing(jwk.clone(), algorithms).build().expect("valid");
    let answer = present(&server, &token.build()).await;
    if !answer.handled {
        answer.assert_t401();
    }
    answer.handled
}

#[tokio::test]
async fn the_two_names_of_ed25519_are_allowed_separately() {
    let signer = key(Algorithm::Ed25519, "k");
    let jwk = unnamed(signer.public_jwk());
    let [new, old] = ["Ed25519", "EdDSA"].map(|alg| token_by(&signer).header("alg", alg));
    // R8725BIS-3.2-1: either alone, or both during the transition.
    for (algorithms, takes_new, takes_old) in [
        (&[Algorithm::Ed25519][..], true, false),
        (&[Algorithm::EdDSA], false, true),
        (&[Algorithm::EdDSA, Algorithm::Ed25519], true, true),
    ] {
        assert_eq!(accepts(algorithms, &new, &jwk).await, takes_new, "{algorithms:?}");
        assert_eq!(accepts(algorithms, &old, &jwk).await, takes_old, "{algorithms:?}");
    }
}

#[tokio::test]
async fn an_ed25519_key_that_names_its_algorithm_holds_to_it() {
    let signer = key(Algorithm::Ed25519, "k");
    let server = server_of([signer.public_jwk()]);
    present(&server, &token_by(&signer).build()).await.assert_ok();
    let old = present(&server, &token_by(&signer).header("alg", "EdDSA").build()).await;
    assert_kind(&old, RejectionKind::UnknownKey);
}

#[tokio::test]
async fn a_token_has_only_the_characters_of_the_compact_form() {
    // R8725BIS-3.14-1: the braces already break the grammar of the header.
    send_vector("at-json-serialization").await.assert_r400();
    assert_kind(&send_vector("at-padded").await, RejectionKind::MalformedToken);
    let bed = Bed::with(Builder::lenient_token_charset);
    let token = bed.token();
    let json = bed.issuer.token().flaw(tower_resource_server::testing::Flaw::JsonSerialization);
    bed.bearer(&json.build()).await.assert_r400();
    for character in "+/~!\"#$%&'()*:;<=>?@[\\]^`{|}".chars() {
        for at in [5, token.len() / 2, token.len() - 3] {
            let mut changed = token.clone();
            changed.replace_range(at..=at, &character.to_string());
            // R8725BIS-3.14-1: also where the header's grammar lets the character through.
            assert_kind(&bed.bearer(&changed).await, RejectionKind::MalformedToken);
        }
    }
}
