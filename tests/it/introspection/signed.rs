//! Signed answers (RFC 9701).

use std::time::Duration;

use serde_json::{Value, json};
use tower_resource_server::testing::{
    FixedClock, ScriptedFetch, SigningKey, TestIssuer, TokenBuilder,
};
use tower_resource_server::{
    Algorithm, Introspection, IntrospectionError, Issuer, RejectionKind, ResourceServer,
};

use super::bed::{ENDPOINT, Failures, TOKEN, basic, right_but};
use crate::support::{ISSUER, NOW, RESOURCE, key, present};

const JWKS: &str = "https://as.example.com/jwks.json";
const MEDIA_TYPE: &str = "application/token-introspection+jwt";

struct Signed {
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
        let clock = FixedClock::at(NOW);
        let issuer = issuer.clock(clock.clone());
        let fetch = ScriptedFetch::new().json_at(JWKS, issuer.jwks_json());
        let introspection = Introspection::at(ENDPOINT, basic())
            .signed_answers([Algorithm::ES256])
            .cache_refusals_for(Duration::ZERO);
        let trusted = change(Issuer::jwks_uri(ISSUER, JWKS)).introspect(introspection);
        let failures = Failures::default();
        let builder = ResourceServer::builder(RESOURCE).issuer(trusted).clock(clock);
        let builder = builder.fetch(fetch.clone()).observer(failures.clone());
        Self { issuer, fetch, failures, server: builder.build().expect("valid") }
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

    /// That answer is none.
    async fn assert_unbelieved(&self, answer: &TokenBuilder) {
        let refusal = self.says_jwt(answer).await;
        refusal.assert_x503();
        assert_eq!(refusal.kind(), Some(RejectionKind::IntrospectionUnavailable));
        assert_eq!(self.failures.take(), [IntrospectionError::Signature], "{answer:?}");
    }
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
    for typ in [json!("JWT"), json!("at+jwt"), json!("introspection+jwt"), json!(""), json!(1)] {
        // R9701-5-1: an access token, say, would be an answer about itself.
        signed.assert_unbelieved(&signed.answer().header("typ", typ)).await;
    }
    signed.assert_unbelieved(&signed.answer().without_header("typ")).await;
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
    for bad in [
        // R9701-5-2.
        answer().claim("iss", "https://evil.example"),
        answer().claim("iss", json!([ISSUER])),
        answer().without_claim("iss"),
        answer().audience("https://other.example.com"),
        answer().audiences(["https://other.example.com", "api-2"]),
        answer().claim("aud", json!([])),
        answer().claim("aud", 1),
        answer().without_claim("aud"),
        answer().without_claim("iat"),
        answer().claim("iat", "now"),
        answer().claim("iat", NOW + 61),
        answer().without_claim("token_introspection"),
    ] {
        signed.assert_unbelieved(&bad).await;
    }
    for good in [
        answer().audience("api-1"),
        answer().audiences(["https://other.example.com", RESOURCE]),
        answer().claim("iat", NOW + 60),
        answer().claim("iat", NOW - 86_400),
    ] {
        let signed = Signed::with(signed.issuer.clone(), |issuer| issuer);
        signed.says_jwt(&good).await.assert_ok();
    }
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
    signed.assert_unbelieved(&signed.answer().signed_with(&stranger)).await;
    let [header, payload, _] =
        &signed.answer().build().split('.').map(str::to_owned).collect::<Vec<_>>()[..]
    else {
        panic!("three parts")
    };
    for body in [
        format!("{header}.{payload}."),
        format!("{header}.{payload}"),
        format!("{header}.{payload}.!"),
        format!("{header}.{payload}.a.b"),
        String::new(),
        "eyJhbGciOiJub25lIiwidHlwIjoidG9rZW4taW50cm9zcGVjdGlvbitqd3QifQ".to_owned()
            + &format!(".{payload}."),
    ] {
        // R9701-5-4: unsigned, or not in this form.
        signed.says(MEDIA_TYPE, body.clone()).await.assert_x503();
        assert_eq!(signed.failures.take(), [IntrospectionError::Signature], "{body}");
    }
    signed.assert_unbelieved(&signed.answer().header("crit", json!(["x"])).header("x", 1)).await;
    signed.assert_unbelieved(&signed.answer().header("alg", "none")).await;
    signed.assert_unbelieved(&signed.answer().header("kid", "another")).await;
}

#[tokio::test]
async fn only_the_registered_algorithms_sign_answers() {
    let key = key(Algorithm::EdDSA, "ed");
    let issuer = TestIssuer::with_key(ISSUER, key);
    let signed = Signed::with(issuer, |issuer| issuer);
    // R9701-5-4: a key of the issuer, and not the algorithm that was registered.
    signed.assert_unbelieved(&signed.answer()).await;
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
        (right_but("exp", json!("soon")), IntrospectionError::Malformed),
    ] {
        let spoiled = signed.answer().claim("token_introspection", inside.clone());
        signed.says_jwt(&spoiled).await.assert_x503();
        assert_eq!(signed.failures.take(), [error], "{inside}");
    }
    let other = signed.answer().claim("token_introspection", {
        let mut members = right_but("aud", json!("https://other.example.com"));
        members["active"] = json!(true);
        members
    });
    let answer = signed.says_jwt(&other).await;
    assert_eq!(answer.kind(), Some(RejectionKind::WrongAudience));
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
