//! Signed answers (RFC 9701).

use std::time::Duration;

use serde_json::{Value, json};
use tower_resource_server::testing::{
    FixedClock, ScriptedFetch, SigningKey, TestIssuer, TokenBuilder,
};
use tower_resource_server::{
    Algorithm, Builder, Introspection, IntrospectionError, Issuer, RejectionKind, ResourceServer,
};

use super::bed::{ENDPOINT, Failures, TOKEN, assert_told, basic, right_but};
use crate::observability::Capture;
use crate::support::{ISSUER, NOW, RESOURCE, key, present};

const JWKS: &str = "https://as.example.com/jwks.json";
const MEDIA_TYPE: &str = "application/token-introspection+jwt";

struct Signed {
    clock: FixedClock,
    issuer: TestIssuer,
    fetch: ScriptedFetch,
    failures: Failures,
    server: ResourceServer,
}

impl Signed {
    fn new() -> Self {
        Self::with(TestIssuer::new(ISSUER), |issuer| issuer)
    }

    fn with(issuer: TestIssuer, change: impl FnOnce(Issuer) -> Issuer) -> Self {
        Self::having(issuer, change, |builder| builder)
    }

    fn having(
        issuer: TestIssuer,
        change: impl FnOnce(Issuer) -> Issuer,
        settings: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let clock = FixedClock::at(NOW);
        let issuer = issuer.clock(clock.clone());
        let fetch = ScriptedFetch::new().json_at(JWKS, issuer.jwks_json());
        let introspection = Introspection::at(ENDPOINT, basic())
            .signed_answers([Algorithm::ES256])
            .cache_refusals_for(Duration::ZERO);
        let trusted = change(Issuer::jwks_uri(ISSUER, JWKS)).introspect(introspection);
        let failures = Failures::default();
        let builder = ResourceServer::builder(RESOURCE).issuer(trusted).clock(clock.clone());
        let builder = settings(builder.fetch(fetch.clone()).observer(failures.clone()));
        Self { clock, issuer, fetch, failures, server: builder.build().expect("valid") }
    }

    /// An answer that is right in everything: neither `sub` nor `exp` at the top.
    fn answer(&self) -> TokenBuilder {
        let mut token = self.issuer.token().header("typ", "token-introspection+jwt");
        for claim in ["sub", "client_id", "jti", "exp"] {
            token = token.without_claim(claim);
        }
        token.claim("token_introspection", right_but("active", json!(true)))
    }

    /// What becomes of a request when the endpoint answers that.
    async fn says(&self, content_type: &str, body: String) -> crate::support::Answer {
        self.fetch.at(ENDPOINT, 200, content_type, body);
        present(&self.server, TOKEN).await
    }

    async fn says_jwt(&self, answer: &TokenBuilder) -> crate::support::Answer {
        self.says(MEDIA_TYPE, answer.build()).await
    }

    /// That answer is none, and the log says why.
    async fn assert_unbelieved(&self, answer: &TokenBuilder, cause: &str) {
        self.assert_unbelieved_text(answer.build(), cause).await;
    }

    async fn assert_unbelieved_text(&self, answer: String, cause: &str) {
        let log = Capture::start();
        let refusal = self.says(MEDIA_TYPE, answer.clone()).await;
        refusal.assert_x503();
        assert_eq!(refusal.kind(), Some(RejectionKind::IntrospectionUnavailable));
        assert_eq!(self.failures.take(), [IntrospectionError::Signature], "{answer}");
        assert_told(&log, IntrospectionError::Signature, cause);
    }
}

/// What an active answer says, with another member.
fn active_but(name: &str, value: Value) -> Value {
    let mut members = right_but(name, value);
    members["active"] = json!(true);
    members
}

#[tokio::test]
async fn a_signed_answer_is_asked_for_and_believed() {
    let signed = Signed::new();
    signed.says_jwt(&signed.answer()).await.assert_ok();
    let calls: Vec<_> =
        signed.fetch.exchanges().into_iter().filter(|call| *call.uri() == *ENDPOINT).collect();
    let [call] = &calls[..] else { panic!("one call") };
    // R9701-4-1.
    assert_eq!(call.headers()["accept"], MEDIA_TYPE);
    assert_eq!(signed.fetch.count_at(JWKS), 1);
}

#[tokio::test]
async fn the_type_is_that_of_an_answer_and_of_nothing_else() {
    for typ in ["Token-Introspection+JWT", "application/token-introspection+jwt"] {
        let signed = Signed::new();
        signed.says_jwt(&signed.answer().header("typ", typ)).await.assert_ok();
    }
    let signed = Signed::new();
    for typ in ["JWT", "at+jwt", "introspection+jwt", ""] {
        let cause = format!("its typ is {typ:?}");
        // R9701-5-1: an access token, say, would be an answer about itself.
        signed.assert_unbelieved(&signed.answer().header("typ", typ), &cause).await;
    }
    let none = "its header has no typ";
    signed.assert_unbelieved(&signed.answer().header("typ", 1), none).await;
    signed.assert_unbelieved(&signed.answer().without_header("typ"), none).await;
    for content_type in ["application/jwt", "application/json", "text/plain"] {
        // R9701-5-1: so is the content type.
        signed.says(content_type, signed.answer().build()).await.assert_x503();
        assert_eq!(signed.failures.take(), [IntrospectionError::ContentType], "{content_type}");
    }
    signed.says(&format!("{MEDIA_TYPE}; charset=utf-8"), signed.answer().build()).await.assert_ok();
}

#[tokio::test]
async fn plain_json_is_no_answer_where_a_signed_one_is_demanded() {
    let signed = Signed::new();
    let body = right_but("active", json!(true)).to_string();
    // R9701-4-2.
    signed.says("application/json", body.clone()).await.assert_x503();
    assert_eq!(signed.failures.take(), [IntrospectionError::ContentType]);
    signed.says(MEDIA_TYPE, body).await.assert_x503();
    assert_eq!(signed.failures.take(), [IntrospectionError::Signature]);
}

#[tokio::test]
async fn an_answer_is_by_the_issuer_for_this_server() {
    let signed = Signed::new();
    let answer = || signed.answer();
    let (no_iss, no_iat) = ("it has no string iss", "it has no number iat");
    let other_aud = "its aud is neither this server nor its client id";
    let early = "its iat is before it was asked for";
    for (bad, cause) in [
        // R9701-5-2.
        (answer().claim("iss", "https://evil.example"), "its iss is \"https://evil.example\""),
        (answer().claim("iss", json!([ISSUER])), no_iss),
        (answer().without_claim("iss"), no_iss),
        (answer().audience("https://other.example.com"), other_aud),
        (answer().audiences(["https://other.example.com", "api-2"]), other_aud),
        (answer().claim("aud", json!([])), other_aud),
        (answer().claim("aud", 1), other_aud),
        (answer().without_claim("aud"), other_aud),
        (answer().without_claim("iat"), no_iat),
        (answer().claim("iat", "now"), no_iat),
        (answer().claim("iat", NOW + 61), "its iat is ahead"),
        // It is made for this call: one that was heard before is none.
        (answer().claim("iat", NOW - 61), early),
        (answer().claim("iat", NOW - 86_400), early),
        (answer().without_claim("token_introspection"), "it has no token_introspection"),
        (answer().raw_payload("[]"), "its payload is not a JSON object"),
    ] {
        signed.assert_unbelieved(&bad, cause).await;
    }
    for good in [
        answer().audience("api-1"),
        answer().audiences(["https://other.example.com", RESOURCE]),
        answer().claim("iat", NOW + 60),
        answer().claim("iat", NOW - 60),
    ] {
        let signed = Signed::with(signed.issuer.clone(), |issuer| issuer);
        signed.says_jwt(&good).await.assert_ok();
    }
}

#[tokio::test]
async fn an_answer_is_made_in_the_second_of_its_call_at_the_earliest() {
    let issuer = TestIssuer::new(ISSUER);
    let strict = |builder: Builder| builder.leeway(Duration::ZERO);
    let signed = Signed::having(issuer, |issuer| issuer, strict);
    signed.clock.advance(Duration::from_millis(900));
    // R9701-5-2: whole seconds are what iat has.
    signed.says_jwt(&signed.answer().claim("iat", NOW)).await.assert_ok();
    signed.clock.advance(Duration::from_secs(60));
    let before = signed.answer().claim("iat", NOW + 59);
    signed.assert_unbelieved(&before, "its iat is before it was asked for").await;
    signed.says_jwt(&signed.answer().claim("iat", NOW + 60)).await.assert_ok();
}

#[tokio::test]
async fn what_stands_beside_the_answer_counts_for_nothing() {
    let signed = Signed::new();
    let beside = signed
        .answer()
        .claim("active", true)
        .claim("scope", "admin")
        .claim("sub", "somebody-else")
        .claim("exp", NOW - 1000);
    let answer = signed.says_jwt(&beside).await;
    // R9701-5-3, R9701-5-2: sub and exp at the top are ignored, and so is all else there.
    answer.assert_ok();
    assert_eq!(&answer.body[..], b"user-1");
    let grant = crate::support::grant(&signed.server, TOKEN).await;
    assert_eq!(grant.scopes().collect::<Vec<_>>(), ["read"]);
    // Nor does it stand in for what is missing inside.
    let signed = Signed::new();
    let outside = signed.answer().claim("active", true).claim("token_introspection", json!({}));
    signed.says_jwt(&outside).await.assert_x503();
    assert_eq!(signed.failures.take(), [IntrospectionError::Malformed]);
}

#[tokio::test]
async fn the_signature_is_by_a_key_of_the_issuer() {
    let signed = Signed::new();
    let stranger = SigningKey::generate(Algorithm::ES256).with_kid("test-1");
    // R9701-5-4.
    let unverified = |kid| format!("no key of the issuer verifies it, with alg ES256 and {kid}");
    let forged = signed.answer().signed_with(&stranger);
    signed.assert_unbelieved(&forged, &unverified("kid \"test-1\"")).await;
    let [header, payload, _] =
        &signed.answer().build().split('.').map(str::to_owned).collect::<Vec<_>>()[..]
    else {
        panic!("three parts")
    };
    let none = "eyJhbGciOiJub25lIiwidHlwIjoidG9rZW4taW50cm9zcGVjdGlvbitqd3QifQ";
    let (form, not_accepted) =
        ("it is not a compact JWS", "its alg is \"none\", which is not accepted");
    let encrypted = "it is encrypted: unset introspection_encrypted_response_alg of this client";
    for (body, cause) in [
        (format!("{header}.{payload}."), &*unverified("kid \"test-1\"")),
        (format!("{header}.{payload}"), form),
        (format!("{header}.{payload}.a.b"), form),
        (String::new(), form),
        (format!("{header}.{payload}.!"), "its signature is not base64url"),
        (format!("!.{payload}.a"), "its header is not a JSON object in base64url"),
        (format!("W10.{payload}.a"), "its header is not a JSON object in base64url"),
        (format!("{header}.{payload}.a.b.c"), encrypted),
        (format!("{none}.{payload}."), not_accepted),
    ] {
        // R9701-5-4: unsigned, or not in this form.
        signed.assert_unbelieved_text(body, cause).await;
    }
    let critical = signed.answer().header("crit", json!(["x"])).header("x", 1);
    signed.assert_unbelieved(&critical, "its header has crit or b64").await;
    signed.assert_unbelieved(&signed.answer().header("alg", "none"), not_accepted).await;
    let nameless = signed.answer().without_header("alg");
    signed.assert_unbelieved(&nameless, "its header has no alg").await;
    let numbered = signed.answer().header("kid", 7);
    signed.assert_unbelieved(&numbered, "its kid is not a string").await;
    let another = signed.answer().header("kid", "another\n");
    signed.assert_unbelieved(&another, &unverified("kid \"another\\n\"")).await;
    signed.says_jwt(&signed.answer()).await.assert_ok();
}

#[tokio::test]
async fn only_the_registered_algorithms_sign_answers() {
    let key = key(Algorithm::EdDSA, "ed");
    let issuer = TestIssuer::with_key(ISSUER, key);
    let signed = Signed::with(issuer, |issuer| issuer);
    // R9701-5-4: a key of the issuer, and not the algorithm that was registered.
    signed.assert_unbelieved(&signed.answer(), "its alg is \"EdDSA\", which is not accepted").await;
}

#[tokio::test]
async fn answers_may_have_an_algorithm_that_tokens_may_not() {
    let issuer = TestIssuer::with_key(ISSUER, key(Algorithm::ES256, "es"));
    let signed = Signed::with(issuer, |issuer| issuer.algorithms([Algorithm::EdDSA]));
    signed.says_jwt(&signed.answer()).await.assert_ok();
    let answer = present(&signed.server, &signed.issuer.token().build()).await;
    assert_eq!(answer.kind(), Some(RejectionKind::UnacceptableAlgorithm));
}

#[tokio::test]
async fn an_inactive_token_is_refused_by_a_signed_answer_too() {
    let signed = Signed::new();
    let inactive = signed.answer().claim("token_introspection", json!({ "active": false }));
    let answer = signed.says_jwt(&inactive).await;
    // R9701-5-5.
    answer.assert_t401();
    assert_eq!(answer.kind(), Some(RejectionKind::InactiveToken));
    for (inside, error) in [
        (json!({ "active": "true" }), IntrospectionError::Malformed),
        (json!([]), IntrospectionError::Malformed),
        (json!("{\"active\":true}"), IntrospectionError::Malformed),
        (Value::Null, IntrospectionError::Malformed),
        (right_but("exp", json!(NOW + 300)), IntrospectionError::Malformed),
        (active_but("exp", json!("soon")), IntrospectionError::WrongType),
        (active_but("scope", json!(["read"])), IntrospectionError::WrongType),
        (active_but("aud", json!(1)), IntrospectionError::WrongType),
        (active_but("cnf", json!({ "jkt": 1 })), IntrospectionError::WrongType),
    ] {
        let spoiled = signed.answer().claim("token_introspection", inside.clone());
        signed.says_jwt(&spoiled).await.assert_x503();
        assert_eq!(signed.failures.take(), [error], "{inside}");
    }
    for (name, value, kind) in [
        ("aud", "https://other.example.com", RejectionKind::WrongAudience),
        ("typ", "ID", RejectionKind::WrongTokenType),
    ] {
        let other = signed.answer().claim("token_introspection", active_but(name, json!(value)));
        assert_eq!(signed.says_jwt(&other).await.kind(), Some(kind));
    }
}

#[tokio::test]
async fn keys_that_are_new_are_waited_for() {
    let mut signed = Signed::new();
    signed.server.ready().await.expect("the keys are there");
    signed.issuer.rotate(key(Algorithm::ES256, "new"));
    signed.fetch.json_at(JWKS, signed.issuer.jwks_json());
    signed.says_jwt(&signed.answer()).await.assert_ok();
    assert_eq!(signed.fetch.count_at(JWKS), 2);
}

#[tokio::test]
async fn without_keys_nothing_is_believed() {
    let signed = Signed::new();
    signed.fetch.fail_at(JWKS, tower_resource_server::fetch::FetchErrorKind::Transport);
    signed.says_jwt(&signed.answer()).await.assert_x503();
    assert_eq!(signed.failures.take(), [IntrospectionError::KeysUnavailable]);
    assert_eq!(signed.fetch.count_at(JWKS), 1);
}
