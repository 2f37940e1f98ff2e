//! JWT access tokens (RFC 9068).

use std::time::Duration;

use serde_json::json;
use tower::Layer;
use tower_resource_server::testing::{FixedClock, ScriptedFetch, TestIssuer};
use tower_resource_server::{
    Algorithm, Issuer, Profile, RejectionKind, ResourceServer, Scopes, StepUp,
};

use crate::support::{
    Answer, Bed, ISSUER, NOW, RESOURCE, bearer, grant, key, present, publishing, send, send_vector,
    server_of, token_by, trusting, vector_server, vector_token,
};

fn assert_kind(answer: &Answer, kind: RejectionKind) {
    answer.assert_t401();
    assert_eq!(answer.kind(), Some(kind));
}

#[tokio::test]
async fn rs256_is_accepted_by_default() {
    let signer = key(Algorithm::RS256, "rsa");
    let server = server_of([signer.public_jwk()]);
    present(&server, &token_by(&signer).build()).await.assert_ok();
}

#[tokio::test]
async fn the_type_is_that_of_an_access_token() {
    // R9068-2.1-2: with or without the prefix, in any case of letters, never absent.
    send_vector("at-valid").await.assert_ok();
    send_vector("at-valid-typ-prefixed").await.assert_ok();
    send_vector("at-valid-typ-case").await.assert_ok();
    assert_kind(&send_vector("at-typ-missing").await, RejectionKind::WrongTokenType);
    // R9068-4-1-1: anything else is rejected.
    assert_kind(&send_vector("at-typ-jwt").await, RejectionKind::WrongTokenType);
    assert_kind(&send_vector("at-typ-dpop").await, RejectionKind::WrongTokenType);
}

#[tokio::test]
async fn nothing_that_resembles_the_type_will_do() {
    let bed = Bed::new();
    for typ in ["", "at", "at+jwt ", "at+jwtx", "text/at+jwt", "application/", "jwt+at", "JOSE"] {
        let answer = bed.bearer(&bed.issuer.token().header("typ", typ).build()).await;
        assert_kind(&answer, RejectionKind::WrongTokenType);
    }
    for typ in [json!(null), json!(1), json!(["at+jwt"])] {
        let answer = bed.bearer(&bed.issuer.token().header("typ", typ).build()).await;
        assert_kind(&answer, RejectionKind::MalformedToken);
    }
}

const REQUIRED: [&str; 7] = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"];

#[tokio::test]
async fn every_required_claim_is_required() {
    for claim in REQUIRED {
        // R9068-2.2-1: the strict profile, which is the default.
        let answer = send_vector(&format!("at-missing-{claim}")).await;
        assert_kind(&answer, RejectionKind::MissingClaim);
    }
}

#[tokio::test]
async fn the_lenient_profile_lets_four_claims_be_absent() {
    let signer = key(Algorithm::ES256, "k");
    let issuer = publishing([signer.public_jwk()]).profile(Profile::Lenient);
    let server = trusting(issuer).build().expect("valid");
    for claim in REQUIRED {
        let answer = present(&server, &token_by(&signer).without_claim(claim).build()).await;
        // R9068-2.2-1: client_id, jti, iat and sub only.
        match claim {
            "sub" | "client_id" | "iat" | "jti" => answer.assert_ok(),
            _ => assert_kind(&answer, RejectionKind::MissingClaim),
        }
    }
    let answer = present(&server, &token_by(&signer).header("typ", "JWT").build()).await;
    assert_kind(&answer, RejectionKind::WrongTokenType);
}

#[tokio::test]
async fn claims_of_the_wrong_type_are_refused_by_every_profile() {
    let signer = key(Algorithm::ES256, "k");
    for profile in [Profile::Rfc9068, Profile::Lenient] {
        let issuer = publishing([signer.public_jwk()]).profile(profile);
        let server = trusting(issuer).build().expect("valid");
        for (claim, value) in [
            ("sub", json!(7)),
            ("sub", json!(null)),
            ("client_id", json!(["client-1"])),
            ("jti", json!({})),
            ("scope", json!(true)),
            ("iat", json!("1700000000")),
            ("iat", json!(false)),
            ("nbf", json!([NOW])),
            ("exp", json!(null)),
        ] {
            let answer = present(&server, &token_by(&signer).claim(claim, value).build()).await;
            // R9068-2.2-2: strings are strings and times are numbers.
            assert_kind(&answer, RejectionKind::InvalidClaim);
        }
    }
}

#[tokio::test]
async fn authentication_claims_reach_the_handler_and_the_step_up() {
    let bed = Bed::new();
    let token = bed.issuer.token().claim("acr", "urn:mfa").claim("amr", json!(["otp"]));
    let token = token.claim("auth_time", NOW - 100).build();
    let grant = grant(&bed.server, &token).await;
    // R9068-2.2.1-1: exposed as issued, and what the step-up goes by.
    assert_eq!(grant.claim::<String>("acr").as_deref(), Some("urn:mfa"));
    assert_eq!(grant.claim::<Vec<String>>("amr"), Some(vec!["otp".to_owned()]));
    assert_eq!(grant.claim::<u64>("auth_time"), Some(NOW - 100));
    assert!(grant.require(StepUp::acr(["urn:mfa"]).max_age(Duration::from_secs(300))).is_ok());
    let stronger = grant.require(StepUp::acr(["urn:phr"])).expect_err("another class");
    assert_eq!(stronger.kind(), RejectionKind::InsufficientAuthentication);
    bed.clock.advance(Duration::from_secs(261));
    let later = grant.require(StepUp::within(Duration::from_secs(300))).expect_err("too long ago");
    assert_eq!(later.kind(), RejectionKind::InsufficientAuthentication);
}

#[tokio::test]
async fn scope_is_one_string() {
    let bed = Bed::new();
    for scope in [json!(["read"]), json!([]), json!({}), json!(null)] {
        let answer = bed.bearer(&bed.issuer.token().claim("scope", scope).build()).await;
        // R9068-2.2.3-1: an array is not a scope.
        assert_kind(&answer, RejectionKind::InvalidClaim);
    }
    // Nor does the array that some servers name `scp` grant anything.
    let token = bed.issuer.token().claim("scp", json!(["read"])).build();
    let layer = bed.server.authenticate().require(Scopes::all(["read"]));
    send(layer, bearer(&token)).await.assert_s403("read");
}

#[tokio::test]
async fn an_encrypted_token_is_refused() {
    // R9068-4-2-1, R8725BIS-3.3-1: nothing here decrypts, so five segments are no token.
    assert_kind(&send_vector("at-jwe-shape").await, RejectionKind::MalformedToken);
}

#[tokio::test]
async fn the_issuer_is_compared_byte_for_byte() {
    // R9068-4-3-1: neither a slash nor the case of the host is passed over.
    assert_kind(&send_vector("at-iss-slash").await, RejectionKind::UntrustedIssuer);
    assert_kind(&send_vector("at-iss-case").await, RejectionKind::UntrustedIssuer);
    let bed = Bed::new();
    for issuer in ["", "as.example.com", "https://as.example.com:443", "https://as.example.co"] {
        let answer = bed.bearer(&bed.issuer.token().claim("iss", issuer).build()).await;
        assert_kind(&answer, RejectionKind::UntrustedIssuer);
    }
}

#[tokio::test]
async fn the_audience_names_this_server() {
    // R9068-4-4-1: one of the token's audiences is ours.
    for name in ["at-aud-other", "at-aud-prefix", "at-aud-slash", "at-aud-empty"] {
        assert_kind(&send_vector(name).await, RejectionKind::WrongAudience);
    }
    assert_kind(&send_vector("at-missing-aud").await, RejectionKind::MissingClaim);
    send_vector("at-valid-aud-array").await.assert_ok();
}

#[tokio::test]
async fn only_the_issuers_keys_verify() {
    // R9068-4-5-1: no other signature, no other key, no key of the token's own.
    for name in [
        "at-sig-bad",
        "at-sig-der",
        "at-sig-zero",
        "at-sig-empty",
        "at-wrong-key",
        "at-embedded-jwk",
    ] {
        assert_kind(&send_vector(name).await, RejectionKind::BadSignature);
    }
    assert_kind(&send_vector("at-jku").await, RejectionKind::UnknownKey);
    assert_kind(&send_vector("at-alg-none").await, RejectionKind::UnacceptableAlgorithm);
}

#[tokio::test]
async fn expiry_is_exact_to_the_second() {
    // R9068-4-6-1: without leeway, a token is over at `exp` itself.
    assert_kind(&send_vector("at-exp-now").await, RejectionKind::ExpiredToken);
    assert_kind(&send_vector("at-exp-past").await, RejectionKind::ExpiredToken);
    let bed = Bed::new();
    let expired_for = |seconds| bed.issuer.token().claim("exp", NOW - seconds).build();
    // R9068-4-6-1: with the default leeway of 60 s.
    bed.bearer(&expired_for(59)).await.assert_ok();
    assert_kind(&bed.bearer(&expired_for(60)).await, RejectionKind::ExpiredToken);
}

#[test]
fn leeway_is_minutes_at_most() {
    let issuer = Bed::new().issuer;
    let build = |seconds| {
        issuer.resource_server(RESOURCE).leeway(Duration::from_secs(seconds)).build().is_ok()
    };
    assert!(build(300));
    // R9068-4-6-1: more is a configuration error.
    assert!(!build(301));
}

#[tokio::test]
async fn every_failure_is_an_invalid_token() {
    let all: serde_json::Value =
        serde_json::from_str(include_str!("../vectors.json")).expect("the vectors are JSON");
    let tokens = all["generated"]["access_tokens"].as_array().expect("tokens");
    let server = vector_server();
    let mut judged = 0;
    for vector in tokens.iter().filter(|vector| vector["expect"] == "invalid_token") {
        let name = vector["name"].as_str().expect("a name");
        if name != "at-json-serialization" {
            // R9068-4-1: 401 with error="invalid_token", whatever failed.
            present(&server, &vector_token(name)).await.assert_t401();
            judged += 1;
        }
    }
    assert_eq!(judged, 50);
}

fn remote_server(fetch: &ScriptedFetch, keys: &[serde_json::Value]) -> ResourceServer {
    fetch.always_json(json!({ "keys": keys }));
    let builder = trusting(Issuer::jwks_uri(ISSUER, "https://as.example.com/jwks"));
    builder.fetch(fetch.clone()).build().expect("valid")
}

#[tokio::test]
async fn a_token_that_fails_before_its_key_is_looked_up_fetches_nothing() {
    let fetch = ScriptedFetch::new();
    let signer = key(Algorithm::ES256, "k");
    let server = remote_server(&fetch, &[signer.public_jwk()]);
    let stranger = TestIssuer::with_key("https://evil.example", signer.clone());
    for token in [
        stranger.clock(FixedClock::at(NOW)).token().build(),
        token_by(&signer).header("typ", "JWT").build(),
        token_by(&signer).header("alg", "HS256").build(),
        token_by(&signer).header("crit", json!(["x"])).build(),
        token_by(&signer).claim("iss", json!([ISSUER])).build(),
        token_by(&signer).without_claim("sub").build(),
        "a.b.c".to_owned(),
    ] {
        present(&server, &token).await.assert_t401();
        // R9068-4-2: neither an unknown issuer nor any other cheap failure causes a fetch.
        assert_eq!(fetch.count(), 0);
    }
    present(&server, &token_by(&signer).build()).await.assert_ok();
    assert_eq!(fetch.count(), 1);
}

#[tokio::test]
async fn no_claim_is_judged_before_the_signature() {
    let bed = Bed::new();
    let forged = |claim, value: serde_json::Value| {
        let token = bed.issuer.token().claim(claim, value);
        token.flaw(tower_resource_server::testing::Flaw::BadSignature).build()
    };
    for token in [
        forged("aud", json!("https://other.example")),
        forged("exp", json!(1)),
        forged("nbf", json!(NOW + 3600)),
        forged("cnf", json!({ "kid": "k" })),
    ] {
        assert_kind(&bed.bearer(&token).await, RejectionKind::BadSignature);
    }
}

#[tokio::test]
async fn an_id_token_is_no_access_token() {
    let bed = Bed::new();
    let id_token = bed.issuer.token().header("typ", "JWT").audience("client-1");
    let id_token = id_token.claim("nonce", "n").claim("at_hash", "h").build();
    // R9068-5-1: by its type and by its audience.
    assert_kind(&bed.bearer(&id_token).await, RejectionKind::WrongTokenType);
    let renamed = bed.issuer.token().audience("client-1").claim("nonce", "n").build();
    assert_kind(&bed.bearer(&renamed).await, RejectionKind::WrongAudience);
}

#[tokio::test]
async fn a_client_acting_for_itself_is_told_from_a_user() {
    let bed = Bed::new();
    let own = bed.issuer.token().subject("client-1").client_id("client-1").build();
    let users = bed.issuer.token().subject("user-1").client_id("client-1").build();
    // R9068-5-2: the handler can ask.
    assert!(grant(&bed.server, &own).await.is_client_itself());
    assert!(!grant(&bed.server, &users).await.is_client_itself());
}

#[tokio::test]
async fn without_sub_and_client_id_nobody_acts_for_itself() {
    let signer = key(Algorithm::ES256, "k");
    let issuer = publishing([signer.public_jwk()]).profile(Profile::Lenient);
    let server = trusting(issuer).build().expect("valid");
    let token = token_by(&signer).without_claim("sub").without_claim("client_id").build();
    let grant = grant(&server, &token).await;
    assert!(!grant.is_client_itself());
    assert_eq!(grant.principal(), None);
}

#[tokio::test]
async fn every_key_of_the_set_may_have_signed() {
    let fetch = ScriptedFetch::new();
    let [first, second] = [key(Algorithm::ES256, "one"), key(Algorithm::EdDSA, "two")];
    let server = remote_server(&fetch, &[first.public_jwk(), second.public_jwk()]);
    // R9068-5-3: the second key of jwks_uri as well as the first.
    present(&server, &token_by(&second).build()).await.assert_ok();
    present(&server, &token_by(&first).build()).await.assert_ok();
    assert_eq!(fetch.count(), 1);
}

#[tokio::test]
async fn the_handler_gets_the_claims_as_sent() {
    let bed = Bed::new();
    let token = bed.issuer.token().scope("read  write").claim("tenant", json!({ "id": 7 }));
    let grant = grant(&bed.server, &token.build()).await;
    assert_eq!(grant.issuer(), ISSUER);
    assert_eq!(grant.subject(), Some("user-1"));
    assert_eq!(grant.client_id(), Some("client-1"));
    assert_eq!(grant.audience().collect::<Vec<_>>(), [RESOURCE]);
    assert_eq!(grant.scopes().collect::<Vec<_>>(), ["read", "write"]);
    assert!(grant.token_id().is_some());
    assert_eq!(grant.claim::<serde_json::Value>("tenant"), Some(json!({ "id": 7 })));
    let expires = std::time::UNIX_EPOCH + Duration::from_secs(NOW + 300);
    assert_eq!(grant.expires_at(), Some(expires));
    let typed: std::collections::BTreeMap<String, serde_json::Value> =
        grant.claims().expect("a map");
    assert_eq!(typed["iat"], NOW);
}

#[tokio::test]
async fn layers_of_one_server_share_what_it_knows() {
    let fetch = ScriptedFetch::new();
    let signer = key(Algorithm::ES256, "k");
    let server = remote_server(&fetch, &[signer.public_jwk()]);
    let token = token_by(&signer).build();
    for layer in [server.authenticate(), server.clone().authenticate(), server.authenticate()] {
        let _ = layer.layer(crate::support::Handler::default());
        send(layer, bearer(&token)).await.assert_ok();
    }
    assert_eq!(fetch.count(), 1);
}
