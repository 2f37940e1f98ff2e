//! Claim mappers for servers that no preset is for.

use serde_json::{Value, json};
use tower_resource_server::testing::{FixedClock, TokenBuilder};
use tower_resource_server::{
    Algorithm, ClaimMapper, ConfigError, ConfigFault, Issuer, Profile, RejectionKind,
    ResourceServer,
};

use super::Fixture;
use super::fixture::builder;
use crate::support::{ISSUER, NOW, RESOURCE, grant, key, present, publishing, token_by, trusting};

/// A server that trusts [`ISSUER`] with that mapper, and tokens of its.
fn mapped(mapper: impl Into<ClaimMapper>) -> (ResourceServer, TokenBuilder) {
    let signer = key(Algorithm::ES256, "k");
    let issuer = publishing([signer.public_jwk()]).profile(mapper).audience(RESOURCE);
    (trusting(issuer).build().expect("valid"), token_by(&signer))
}

async fn kind(server: &ResourceServer, token: &TokenBuilder) -> Option<RejectionKind> {
    present(server, &token.build()).await.kind()
}

#[tokio::test]
async fn a_new_mapper_is_rfc_9068() {
    for (server, token) in [mapped(ClaimMapper::new()), mapped(ClaimMapper::default())] {
        present(&server, &token.build()).await.assert_ok();
        for claim in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"] {
            let token = token.clone().without_claim(claim);
            assert_eq!(kind(&server, &token).await, Some(RejectionKind::MissingClaim), "{claim}");
        }
        let jwt = token.clone().header("typ", "JWT");
        assert_eq!(kind(&server, &jwt).await, Some(RejectionKind::WrongTokenType));
        // Its type says what it is, so that no claim needs to.
        present(&server, &token.claim("nonce", "n").build()).await.assert_ok();
    }
}

#[tokio::test]
async fn claims_are_read_where_the_mapper_says() {
    let (server, token) = mapped(
        ClaimMapper::new()
            .subject(["oid", "sub"])
            .client_id(["app"])
            .audience(["resource", "aud"])
            .scope(["rights"])
            .scope_lists()
            .token_id(["uti"]),
    );
    let token = token.claim("oid", "o").claim("app", "a").claim("uti", "u");
    let token = token.claim("rights", json!(["r", "w"]));
    let read = grant(&server, &token.build()).await;
    assert_eq!((read.subject(), read.client_id()), (Some("o"), Some("a")));
    assert_eq!(read.token_id(), Some("u"));
    assert_eq!(read.scopes().collect::<Vec<_>>(), ["r", "w"]);
    let second = grant(&server, &token.clone().without_claim("oid").build()).await;
    assert_eq!(second.subject(), Some("user-1"));
    // The first that is there counts, even if it is empty or of no use.
    let empty = token.clone().claim("oid", "");
    assert_eq!(kind(&server, &empty).await, Some(RejectionKind::MissingClaim));
    let elsewhere = token.clone().claim("resource", "https://else.example");
    assert_eq!(kind(&server, &elsewhere).await, Some(RejectionKind::WrongAudience));
    let wrong = token.claim("oid", 7);
    assert_eq!(kind(&server, &wrong).await, Some(RejectionKind::InvalidClaim));
}

#[tokio::test]
async fn each_of_the_four_may_be_made_optional() {
    for (mapper, claim) in [
        (ClaimMapper::new().optional_subject(), "sub"),
        (ClaimMapper::new().optional_client_id(), "client_id"),
        (ClaimMapper::new().optional_issued_at(), "iat"),
        (ClaimMapper::new().optional_token_id(), "jti"),
    ] {
        let (server, token) = mapped(mapper);
        for other in ["sub", "client_id", "iat", "jti", "aud", "exp"] {
            let found = kind(&server, &token.clone().without_claim(other)).await;
            let missing = (other != claim).then_some(RejectionKind::MissingClaim);
            assert_eq!(found, missing, "{claim} optional, {other} absent");
        }
    }
}

#[tokio::test]
async fn further_claims_may_be_demanded_or_refused() {
    let mapper = ClaimMapper::new().require_claims(["tenant"]).refuse_claims(["id_only"]);
    let (server, token) = mapped(mapper.require_value("kind", ["access", "at"]));
    let token = token.claim("tenant", json!({})).claim("kind", "at");
    present(&server, &token.build()).await.assert_ok();
    for tenant in [json!(null), json!("")] {
        let token = token.clone().claim("tenant", tenant);
        assert_eq!(kind(&server, &token).await, Some(RejectionKind::MissingClaim));
    }
    let absent = token.clone().without_claim("tenant");
    assert_eq!(kind(&server, &absent).await, Some(RejectionKind::MissingClaim));
    for value in [json!("id"), json!(["at"]), json!("")] {
        let token = token.clone().claim("kind", value);
        assert_eq!(kind(&server, &token).await, Some(RejectionKind::WrongTokenType));
    }
    let marked = token.claim("id_only", json!(null));
    assert_eq!(kind(&server, &marked).await, Some(RejectionKind::WrongTokenType));
}

#[tokio::test]
async fn types_are_compared_as_media_types() {
    let (server, token) = mapped(ClaimMapper::new().types(["application/X-at+JWT", "JWT"]));
    for typ in ["x-at+jwt", "X-AT+JWT", "application/x-at+jwt", "JWT", "jwt", "application/jwt"] {
        present(&server, &token.clone().header("typ", typ).build()).await.assert_ok();
    }
    for typ in ["at+jwt", "x-at", "text/jwt", ""] {
        let token = token.clone().header("typ", typ);
        assert_eq!(kind(&server, &token).await, Some(RejectionKind::WrongTokenType), "{typ}");
    }
    let (server, token) = mapped(ClaimMapper::new().untyped());
    present(&server, &token.clone().without_header("typ").build()).await.assert_ok();
    assert_eq!(kind(&server, &token).await, Some(RejectionKind::WrongTokenType));
}

#[tokio::test]
async fn a_type_may_be_absent_beside_those_that_are_named() {
    let (server, token) = mapped(ClaimMapper::new().types(["JWT"]).optional_type());
    let absent = token.clone().without_header("typ");
    for token in [&absent, &token.clone().header("typ", "JWT")] {
        present(&server, &token.build()).await.assert_ok();
    }
    for typ in ["at+jwt", "dpop+jwt", ""] {
        let token = token.clone().header("typ", typ);
        assert_eq!(kind(&server, &token).await, Some(RejectionKind::WrongTokenType), "{typ}");
    }
    // A header that says nothing leaves it to the marks of other kinds, beside `at+jwt` too.
    let (server, token) = mapped(ClaimMapper::new().optional_type());
    let absent = token.clone().without_header("typ");
    for token in [&token, &absent] {
        present(&server, &token.build()).await.assert_ok();
    }
    let marked = absent.claim("at_hash", "77QmUPtjPfzWtF2AnpK9RQ");
    assert_eq!(kind(&server, &marked).await, Some(RejectionKind::WrongTokenType));
}

#[tokio::test]
async fn a_type_counts_only_from_the_issuer_that_uses_it() {
    // A strict issuer beside one whose tokens say `JWT` or nothing.
    let signer = key(Algorithm::ES256, "k");
    let (keycloak, okta) = (Fixture::named("keycloak"), Fixture::named("okta"));
    let server = builder()
        .issuer(publishing([signer.public_jwk()]))
        .issuer(keycloak.issuer(Profile::Keycloak))
        .issuer(okta.issuer(Profile::Okta))
        .build()
        .expect("valid");
    for token in [keycloak.access(), okta.access()] {
        present(&server, &token.sign()).await.assert_ok();
    }
    let token = token_by(&signer);
    present(&server, &token.build()).await.assert_ok();
    for token in [token.clone().header("typ", "JWT"), token.clone().without_header("typ")] {
        assert_eq!(kind(&server, &token).await, Some(RejectionKind::WrongTokenType));
    }
    let typed = okta.access().with_header("typ", "JWT").sign();
    assert_eq!(present(&server, &typed).await.kind(), Some(RejectionKind::WrongTokenType));
    // A header that was remembered for one issuer is judged anew for another.
    let shared = builder()
        .issuer(publishing([signer.public_jwk()]).profile(ClaimMapper::new().types(["JWT"])))
        .issuer(strict_twin(&signer.public_jwk()))
        .build()
        .expect("valid");
    let jwt = token.header("typ", "JWT");
    present(&shared, &jwt.build()).await.assert_ok();
    let twin = jwt.claim("iss", "https://twin.example.com");
    assert_eq!(kind(&shared, &twin).await, Some(RejectionKind::WrongTokenType));
}

fn strict_twin(jwk: &Value) -> Issuer {
    let set = json!({ "keys": [jwk] }).to_string();
    let keys = tower_resource_server::JwkSet::from_json(set.as_bytes()).expect("a key set");
    Issuer::jwks("https://twin.example.com", keys)
}

#[tokio::test]
async fn a_preset_may_be_changed() {
    let fixture = Fixture::named("okta");
    let server = fixture.server_of(ClaimMapper::from(Profile::Okta).subject(["uid", "sub"]));
    let user = grant(&server, &fixture.access().sign()).await;
    assert_eq!(user.subject(), Some("00u9h8g7f6e5d4c3b2a1"));
    let client = grant(&server, &fixture.token("client credentials").sign()).await;
    assert!(client.is_client_itself());
}

fn faults(mapper: ClaimMapper) -> Vec<&'static str> {
    let signer = key(Algorithm::ES256, "k");
    let issuer = publishing([signer.public_jwk()]).profile(mapper);
    let built = ResourceServer::builder(RESOURCE).issuer(issuer).clock(FixedClock::at(NOW)).build();
    let error = built.err();
    let faults = error.as_ref().map_or(&[][..], ConfigError::faults);
    assert!(faults.iter().all(|fault| fault.problem().contains(ISSUER)), "{faults:?}");
    faults.iter().map(ConfigFault::setting).collect()
}

#[test]
fn a_mapper_that_accepts_no_token_or_any_is_a_fault() {
    let none: [&str; 0] = [];
    let new = ClaimMapper::new;
    for (mapper, problem) in [
        (new().types(none), "no type"),
        (new().types(["dpop+jwt"]), "a proof"),
        (new().types(["JWT", "application/Logout+JWT"]), "a logout token"),
        (new().types([""]), "an empty type"),
        (new().subject(none), "no claim for the subject"),
        (new().scope([""]), "a claim without a name"),
        (new().require_value("kind", none), "no value"),
        (new().require_claims(["tenant"]).refuse_claims(["tenant"]), "both"),
        (new().types(["JWT"]).require_claims(["nonce"]), "a mark is demanded"),
        (new().types(["JWT"]).accept_nonce(), "no mark is left"),
    ] {
        assert_eq!(faults(mapper), ["profile"], "{problem}");
    }
    assert_eq!(faults(new().audience(["client_id"])), ["audience"]);
    assert_eq!(faults(new().require_claims(["nonce"])), [""; 0], "the type says what it is");
    assert_eq!(faults(new().types(["JWT"]).require_value("k", ["v"]).accept_nonce()), [""; 0]);
}
