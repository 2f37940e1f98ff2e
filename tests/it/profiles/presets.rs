//! Each preset accepts the access tokens of its server, and nothing else of it.

use std::time::Duration;

use serde_json::{Value, json};
use tower_resource_server::testing::SigningKey;
use tower_resource_server::{Algorithm, Grant, Predicate, Profile, RejectionKind, Scopes, StepUp};

use super::fixture::builder;
use super::{Fixture, fixtures};
use crate::dpop::Client;
use crate::support::{NOW, bearer, grant, present, send};

fn name(kind: Option<RejectionKind>) -> &'static str {
    kind.map_or("accepted", RejectionKind::name)
}

/// What the fixtures say of a grant.
fn described(grant: &Grant) -> Value {
    json!({
        "sub": grant.subject(),
        "client_id": grant.client_id(),
        "scopes": grant.scopes().collect::<Vec<_>>(),
        "audience": grant.audience().collect::<Vec<_>>(),
        "jti": grant.token_id(),
    })
}

#[tokio::test]
async fn each_preset_reads_the_access_tokens_of_its_server() {
    for fixture in fixtures() {
        let server = fixture.server();
        for token in fixture.accepted() {
            let grant = grant(&server, &token.sign()).await;
            assert_eq!(described(&grant), *token.grant(), "{} {}", fixture.name, token.name);
            assert_eq!(grant.issuer(), fixture.identifier());
            let claims: Value = grant.claims().expect("any object");
            assert_eq!(claims, token.payload, "the claims are shown as they were sent");
        }
    }
}

#[tokio::test]
async fn each_preset_refuses_the_other_tokens_of_its_server() {
    for fixture in fixtures() {
        let server = fixture.server();
        for token in fixture.refused() {
            let answer = present(&server, &token.sign()).await;
            answer.assert_t401();
            assert_eq!(name(answer.kind()), token.kind(), "{} {}", fixture.name, token.name);
        }
    }
}

#[tokio::test]
async fn rfc_9068_accepts_what_conforms_and_nothing_else() {
    for fixture in fixtures() {
        let server = fixture.server_of(Profile::Rfc9068);
        for token in fixture.accepted() {
            let answer = present(&server, &token.sign()).await;
            if token.conforms() {
                answer.assert_ok();
            } else {
                answer.assert_t401();
            }
        }
        for token in fixture.refused() {
            present(&server, &token.sign()).await.assert_t401();
        }
    }
}

#[tokio::test]
async fn an_id_token_for_the_very_audience_is_refused() {
    // A client and its API may share a name. So the audience is not all that keeps ID tokens out.
    for fixture in fixtures() {
        let server = fixture.server();
        let token = fixture.token("id").with("aud", fixture.audience());
        let answer = present(&server, &token.sign()).await;
        answer.assert_t401();
        assert_eq!(name(answer.kind()), "wrong-token-type", "{}", fixture.name);
    }
}

#[tokio::test]
async fn nor_is_it_accepted_without_the_marks_of_an_id_token() {
    for (server, kind) in [
        ("auth0", "missing-claim"),
        ("cognito", "wrong-token-type"),
        ("entra-v1", "missing-claim"),
        ("entra-v2", "missing-claim"),
        ("hydra", "missing-claim"),
        ("keycloak", "wrong-token-type"),
        ("okta", "missing-claim"),
        ("zitadel", "missing-claim"),
    ] {
        let fixture = Fixture::named(server);
        let token = fixture.token("id").with("aud", fixture.audience());
        let token = token.without("nonce").without("at_hash");
        let answer = present(&fixture.server(), &token.sign()).await;
        answer.assert_t401();
        assert_eq!(name(answer.kind()), kind, "{server}");
    }
}

#[tokio::test]
async fn a_type_that_the_server_does_not_use_is_refused() {
    for fixture in fixtures() {
        let server = fixture.server();
        let token = fixture.access();
        let typed = token.header.get("typ").is_some();
        let mut others: Vec<_> =
            ["logout+jwt", "secevent+jwt", "dpop+jwt", "token-introspection+jwt", "", "JOSE"]
                .map(|typ| token.clone().with_header("typ", typ))
                .into();
        others.push(match fixture.profile {
            Profile::Cognito => token.clone().with_header("typ", "at+jwt"), // `JWT` is an emulator's
            _ if typed => token.clone().without_header("typ"),
            _ => token.clone().with_header("typ", "JWT"),
        });
        for other in others {
            let answer = present(&server, &other.sign()).await;
            answer.assert_t401();
            assert_eq!(
                name(answer.kind()),
                "wrong-token-type",
                "{} {}",
                fixture.name,
                other.header
            );
        }
        let nested = token.with_header("cty", "JWT").sign();
        assert_eq!(name(present(&server, &nested).await.kind()), "wrong-token-type");
    }
}

#[tokio::test]
async fn a_token_for_another_audience_is_refused() {
    for fixture in fixtures() {
        let server = fixture.server();
        let token = fixture.access();
        let claim = if token.has("aud") { "aud" } else { "client_id" };
        for audience in [json!("another"), json!(format!("{}/", fixture.audience()))] {
            let answer = present(&server, &token.clone().with(claim, audience).sign()).await;
            answer.assert_t401();
            assert_eq!(answer.kind(), Some(RejectionKind::WrongAudience), "{}", fixture.name);
        }
        let answer = present(&server, &token.without(claim).sign()).await;
        assert_eq!(answer.kind(), Some(RejectionKind::MissingClaim), "{}", fixture.name);
    }
}

#[tokio::test]
async fn what_a_preset_demands_is_demanded() {
    for (server, required) in [
        ("auth0", &["iss", "exp", "sub", "azp", "iat"][..]),
        ("cognito", &["iss", "exp", "sub", "client_id", "iat", "jti"]),
        ("entra-v1", &["iss", "exp", "sub", "appid", "iat"]),
        ("entra-v2", &["iss", "exp", "sub", "azp", "iat"]),
        ("google", &["iss", "exp", "sub", "azp", "iat"]),
        ("hydra", &["iss", "exp", "sub", "client_id", "iat", "jti"]),
        ("keycloak", &["iss", "exp", "sub", "azp", "iat", "jti"]),
        ("okta", &["iss", "exp", "sub", "cid", "iat", "jti"]),
        ("zitadel", &["iss", "exp", "sub", "iat", "jti"]),
    ] {
        let fixture = Fixture::named(server);
        let configured = fixture.server();
        for claim in required {
            let answer = present(&configured, &fixture.access().without(claim).sign()).await;
            answer.assert_t401();
            let kind = answer.kind();
            assert_eq!(kind, Some(RejectionKind::MissingClaim), "{server} {claim}");
        }
    }
}

#[tokio::test]
async fn the_claim_that_names_the_kind_of_token_decides() {
    for (server, claim, values) in [
        ("cognito", "token_use", [json!("id"), json!("Access"), json!(["access"])]),
        ("keycloak", "typ", [json!("ID"), json!("bearer"), json!(null)]),
    ] {
        let fixture = Fixture::named(server);
        let configured = fixture.server();
        let absent = fixture.access().without(claim);
        let wrong = values.map(|value| fixture.access().with(claim, value));
        for token in wrong.into_iter().chain([absent]) {
            let answer = present(&configured, &token.sign()).await;
            answer.assert_t401();
            assert_eq!(answer.kind(), Some(RejectionKind::WrongTokenType), "{}", token.payload);
        }
    }
}

#[tokio::test]
async fn a_mark_of_another_kind_refuses_a_token_that_is_right_otherwise() {
    for fixture in fixtures() {
        let server = fixture.server();
        for mark in
            ["nonce", "at_hash", "c_hash", "s_hash", "events", "htm", "htu", "token_introspection"]
        {
            let answer = present(&server, &fixture.access().with(mark, "x").sign()).await;
            if fixture.profile == Profile::Keycloak && mark == "nonce" {
                answer.assert_ok();
                continue;
            }
            answer.assert_t401();
            let kind = answer.kind();
            assert_eq!(kind, Some(RejectionKind::WrongTokenType), "{} {mark}", fixture.name);
        }
    }
}

#[tokio::test]
async fn a_list_of_scopes_holds_one_scope_an_item() {
    for (server, claim) in [("okta", "scp"), ("hydra", "scp"), ("hydra", "scope")] {
        let fixture = Fixture::named(server);
        let configured = fixture.server();
        let token = |scopes: Value| fixture.access().without("scp").with(claim, scopes).sign();
        for scopes in [json!([]), json!(""), json!(["a", "b"]), json!("a b")] {
            present(&configured, &token(scopes)).await.assert_ok();
        }
        for scopes in [json!(["a b"]), json!([""]), json!([1]), json!({}), json!(["\u{e9}"])] {
            let answer = present(&configured, &token(scopes.clone())).await;
            answer.assert_t401();
            assert_eq!(answer.kind(), Some(RejectionKind::InvalidClaim), "{server} {scopes}");
        }
    }
    // Where the server has a string, an array is none.
    for (server, claim) in [("entra-v2", "scp"), ("cognito", "scope"), ("keycloak", "scope")] {
        let fixture = Fixture::named(server);
        let token = fixture.access().with(claim, json!(["admin"])).sign();
        let answer = present(&fixture.server(), &token).await;
        assert_eq!(answer.kind(), Some(RejectionKind::InvalidClaim), "{server}");
    }
}

#[tokio::test]
async fn scopes_are_demanded_wherever_they_stand() {
    for (server, held) in [
        ("auth0", "orders:read"),
        ("cognito", "orders/read"),
        ("entra-v1", "Orders.Read"),
        ("entra-v2", "Orders.Read"),
        ("hydra", "orders.read"),
        ("keycloak", "orders"),
        ("okta", "orders.read"),
    ] {
        let fixture = Fixture::named(server);
        let layer = fixture.server().authenticate();
        let request = || bearer(&fixture.access().sign());
        send(layer.clone().require(Scopes::all([held])), request()).await.assert_ok();
        send(layer.require(Scopes::all(["admin"])), request()).await.assert_s403("admin");
    }
}

#[tokio::test]
async fn a_step_up_goes_by_the_same_claims_as_ever() {
    for server in ["keycloak", "okta", "cognito", "hydra"] {
        let fixture = Fixture::named(server);
        let token = fixture.access().with("acr", "urn:mfa").with("auth_time", NOW - 100).sign();
        let layer = fixture.server().authenticate();
        let demand = |acr: &str, seconds| {
            let step_up = StepUp::acr([acr.to_owned()]).max_age(Duration::from_secs(seconds));
            layer.clone().require(step_up)
        };
        send(demand("urn:mfa", 300), bearer(&token)).await.assert_ok();
        let answer = send(demand("urn:phr", 300), bearer(&token)).await;
        assert_eq!(answer.kind(), Some(RejectionKind::InsufficientAuthentication));
        let answer = send(demand("urn:mfa", 10), bearer(&token)).await;
        assert_eq!(answer.kind(), Some(RejectionKind::InsufficientAuthentication));
    }
}

#[tokio::test]
async fn roles_are_read_by_a_predicate() {
    let clerks = Predicate::new("Only clerks may read orders", |grant| {
        let access: Option<Value> = grant.claim("realm_access");
        let roles = access.as_ref().and_then(|access| access["roles"].as_array());
        roles.is_some_and(|roles| roles.iter().any(|role| role == "clerk"))
    });
    let fixture = Fixture::named("keycloak");
    let layer = fixture.server().authenticate().require(clerks);
    send(layer.clone(), bearer(&fixture.access().sign())).await.assert_ok();
    let other = fixture.access().with("realm_access", json!({ "roles": ["guest"] }));
    let answer = send(layer, bearer(&other.sign())).await;
    assert_eq!(answer.kind(), Some(RejectionKind::RequirementNotMet));
}

#[tokio::test]
async fn a_bound_token_of_keycloak_needs_its_proof() {
    let fixture = Fixture::named("keycloak");
    let key = SigningKey::generate(Algorithm::ES256);
    let bound =
        fixture.access().with("typ", "DPoP").with("cnf", json!({ "jkt": key.thumbprint() }));
    let client = Client { key, token: bound.sign() };
    let server = fixture.server();
    send(server.authenticate(), client.request()).await.assert_ok();
    present(&server, &client.token).await.assert_t401();
}

#[tokio::test]
async fn both_versions_of_entra_are_issuers_side_by_side() {
    let (first, second) = (Fixture::named("entra-v1"), Fixture::named("entra-v2"));
    let builder = builder().issuer(first.issuer(Profile::Entra));
    let server = builder.issuer(second.issuer(Profile::Entra)).build().expect("valid");
    let old = grant(&server, &first.access().sign()).await;
    let new = grant(&server, &second.access().sign()).await;
    assert_eq!(old.subject(), new.subject());
    assert_ne!(old.principal(), new.principal(), "two issuers, two principals");
    // Each keeps to its own audience, though both are one tenant.
    let crossed = first.access().with("aud", second.audience()).sign();
    let answer = present(&server, &crossed).await;
    assert_eq!(answer.kind(), Some(RejectionKind::WrongAudience));
}
