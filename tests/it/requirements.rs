//! What routes and handlers demand beyond a valid token.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::json;
use tower::{Layer, ServiceExt, service_fn};
use tower_resource_server::testing::{TestCertificate, TestIssuer, TokenBuilder};
use tower_resource_server::{
    Binding, Grant, Predicate, Rejection, RejectionKind, Requirement, ResourceServer, Scopes,
    StepUp,
};

use crate::dpop::Client;
use crate::observability::{CONFIG, Capture};
use crate::support::{Answer, Bed, ISSUER, NOW, RESOURCE, bearer, get, send};

/// The answer of a route with that requirement.
async fn ask(bed: &Bed, requirement: impl Into<Requirement>, token: &TokenBuilder) -> Answer {
    let layers = (bed.server.authenticate(), bed.server.require(requirement));
    send(layers, bearer(&token.build())).await
}

/// The grant a handler sees.
pub(crate) async fn grant(server: &ResourceServer, token: &str) -> Grant {
    let seen = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&seen);
    let inner = service_fn(move |request: Request<Full<Bytes>>| {
        let grant = request.extensions().get::<Grant>().cloned();
        *keep.lock().expect("no panic") = grant;
        async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())) }
    });
    let answer = server.authenticate().layer(inner).oneshot(bearer(token)).await;
    assert_eq!(answer.expect("infallible").status(), StatusCode::OK);
    let grant = seen.lock().expect("no panic").take();
    grant.expect("a grant in the request's extensions")
}

fn with_scope(bed: &Bed, scope: &str) -> TokenBuilder {
    bed.issuer.token().scope(scope)
}

#[tokio::test]
async fn all_scopes_are_needed_and_all_are_named() {
    let bed = Bed::new();
    let both = || Scopes::all(["read", "write"]);
    ask(&bed, both(), &with_scope(&bed, "write other read")).await.assert_ok();
    for scope in ["read", "write", "", "READ write", "readwrite"] {
        let answer = ask(&bed, both(), &with_scope(&bed, scope)).await;
        answer.assert_s403("read write");
        assert_eq!(answer.json()["scope"], "read write", "{scope:?}");
    }
    ask(&bed, both(), &bed.issuer.token()).await.assert_s403("read write");
}

#[tokio::test]
async fn any_scope_is_enough_and_the_least_is_asked_for() {
    let bed = Bed::new();
    let either = || Scopes::any(["reports/read", "admin"]);
    for scope in ["reports/read", "x admin"] {
        ask(&bed, either(), &with_scope(&bed, scope)).await.assert_ok();
    }
    ask(&bed, either(), &with_scope(&bed, "reports")).await.assert_s403("reports/read");
}

#[tokio::test]
async fn requirements_combine() {
    let bed = Bed::new();
    let combined = || Scopes::all(["a"]).and(Scopes::any(["b", "c"])).or(Scopes::all(["root"]));
    for scope in ["a b", "c a", "root"] {
        ask(&bed, combined(), &with_scope(&bed, scope)).await.assert_ok();
    }
    for scope in ["a", "b c", ""] {
        // When neither holds, the client is told what the first lacks.
        ask(&bed, combined(), &with_scope(&bed, scope)).await.assert_s403("a b");
    }
}

#[tokio::test]
async fn a_scope_named_twice_is_challenged_once() {
    let bed = Bed::new();
    let requirement = Scopes::all(["a", "b"]).and(Scopes::all(["b", "c"]));
    let answer = ask(&bed, requirement, &with_scope(&bed, "a")).await;
    assert_eq!(answer.challenge().get("scope"), Some("a b c"));
}

#[tokio::test]
async fn nested_layers_add_up() {
    let bed = Bed::new();
    let layers = || {
        (
            bed.server.authenticate().require(Scopes::all(["base"])),
            bed.server.require(Scopes::all(["route"])),
        )
    };
    let token = |scope: &str| bearer(&with_scope(&bed, scope).build());
    send(layers(), token("base route")).await.assert_ok();
    send(layers(), token("route")).await.assert_s403("base");
    send(layers(), token("base")).await.assert_s403("route");
}

#[tokio::test]
async fn the_first_challenge_names_the_scopes_where_the_layer_knows_them() {
    let bed = Bed::new();
    let layer = bed.server.authenticate().require(Scopes::all(["read", "write"]));
    let anonymous = send(layer, get(&[])).await;
    anonymous.assert_n401();
    assert_eq!(anonymous.challenge().get("scope"), Some("read write"));
    let optional = (bed.server.authenticate().optional(), bed.server.require(Scopes::all(["x"])));
    let anonymous = send(optional, get(&[])).await;
    anonymous.assert_n401();
    assert_eq!(anonymous.challenge().get("scope"), Some("x"));
}

#[tokio::test]
async fn the_hierarchy_is_transitive_and_one_way() {
    let bed = Bed::with(|builder| {
        builder.scope_includes("admin", "write").scope_includes("write", "read")
    });
    let token = |scope: &str| with_scope(&bed, scope);
    for held in ["admin", "write", "read"] {
        ask(&bed, Scopes::all(["read"]), &token(held)).await.assert_ok();
    }
    ask(&bed, Scopes::all(["admin"]), &token("write read")).await.assert_s403("admin");
    ask(&bed, Scopes::all(["write"]), &token("read")).await.assert_s403("write");
    let held = grant(&bed.server, &token("admin").build()).await;
    assert!(held.has_scope("read") && !held.has_scope("other"));
    assert_eq!(held.scopes().collect::<Vec<_>>(), ["admin"], "as the token names them");
}

fn verified() -> Predicate {
    Predicate::new("The email address is not verified", |grant| {
        grant.claim::<bool>("email_verified") == Some(true)
    })
}

#[tokio::test]
async fn a_predicate_tells_its_reason() {
    let bed = Bed::new();
    let token = bed.issuer.token();
    ask(&bed, verified(), &token.clone().claim("email_verified", true)).await.assert_ok();
    for value in [json!(false), json!("true"), json!(null)] {
        let answer = ask(&bed, verified(), &token.clone().claim("email_verified", value)).await;
        assert_eq!(answer.kind(), Some(RejectionKind::RequirementNotMet));
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        let challenge = answer.challenge();
        assert_eq!(challenge.get("error"), Some("insufficient_scope"));
        let reason = "The email address is not verified";
        assert_eq!(challenge.get("error_description"), Some(reason));
        assert_eq!(answer.json()["error_description"], reason);
    }
}

#[tokio::test]
async fn each_predicate_tells_its_own_reason() {
    let bed = Bed::new();
    let adult = Predicate::new("The user is not of age", |grant| {
        grant.claim::<u32>("age").is_some_and(|age| age >= 18)
    });
    let server = &bed.server;
    let layers = (server.authenticate(), server.require(verified().and(adult)));
    let token = bed.issuer.token();
    for (token, reason) in [
        (token.clone().claim("age", 20), "The email address is not verified"),
        (token.clone().claim("email_verified", true), "The user is not of age"),
        (token.clone(), "The email address is not verified"),
    ] {
        let answer = send(layers.clone(), bearer(&token.build())).await;
        assert_eq!(answer.challenge().get("error_description"), Some(reason));
        assert_eq!(answer.json()["error_description"], reason);
    }
}

#[tokio::test]
async fn a_layer_tells_each_request_what_it_lacks() {
    let bed = Bed::new();
    let demand = StepUp::acr(["urn:mfa"]).and(Scopes::all(["read"]));
    let layers = (bed.server.authenticate(), bed.server.require(demand));
    let weak = || bed.issuer.token().claim("acr", "urn:pwd");
    let tokens = [(weak().scope("read").build(), None), (weak().build(), Some("read"))];
    for (token, scope) in tokens.iter().cycle().take(4) {
        let answer = send(layers.clone(), bearer(token)).await;
        assert_eq!(answer.json()["error"], "insufficient_user_authentication");
        assert_eq!(answer.json()["acr_values"], "urn:mfa");
        assert_eq!(answer.json()["scope"].as_str(), *scope);
        assert_eq!(answer.challenge().get("scope"), *scope);
    }
    let strong = bed.issuer.token().claim("acr", "urn:mfa").scope("other");
    for _ in 0..2 {
        let answer = send(layers.clone(), bearer(&strong.build())).await;
        answer.assert_s403("read");
        assert_eq!(answer.json()["scope"], "read");
        assert_eq!(answer.json().get("acr_values"), None);
        // The route demands it, but it is not what is missing.
        assert_eq!(answer.rejection.expect("a refusal").acr_values(), None);
    }
}

#[tokio::test]
async fn a_missing_scope_outweighs_a_predicate() {
    let bed = Bed::new();
    let requirement = verified().and(Scopes::all(["read"]));
    let answer = ask(&bed, requirement, &bed.issuer.token()).await;
    answer.assert_s403("read");
    assert_eq!(answer.kind(), Some(RejectionKind::InsufficientScope));
}

/// `/step` of the test bed.
fn step() -> StepUp {
    StepUp::acr(["urn:mfa", "urn:phr"]).max_age(Duration::from_secs(300))
}

/// U401 of the matrix; the challenge.
fn assert_u401(answer: &Answer) -> crate::support::Challenge {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?}");
    assert!(!answer.handled);
    assert_eq!(answer.all("cache-control"), ["no-store"]);
    assert_eq!(answer.kind(), Some(RejectionKind::InsufficientAuthentication));
    let challenge = answer.challenge();
    assert_eq!(challenge.get("error"), Some("insufficient_user_authentication"));
    challenge
}

fn stepped(bed: &Bed) -> TokenBuilder {
    bed.issuer.token().claim("acr", "urn:mfa").claim("auth_time", NOW)
}

#[tokio::test]
async fn a_weak_authentication_is_challenged() {
    let bed = Bed::new();
    let answer = ask(&bed, step(), &stepped(&bed).claim("acr", "urn:pwd")).await;
    // R9470-3-1: the error code, in the Bearer challenge.
    let challenge = assert_u401(&answer);
    assert_eq!(challenge.scheme, "Bearer");
    // R9470-3-2: 401, not 403.
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.json()["error"], "insufficient_user_authentication");
    let client = Client::with(&bed, |token| token.claim("acr", "urn:pwd").claim("auth_time", NOW));
    let layers = (bed.server.authenticate(), bed.server.require(step()));
    let answer = send(layers, client.request()).await;
    // R9470-3-1: to a client that makes proofs, in the DPoP challenge, which is the only one.
    let challenge = assert_u401(&answer);
    assert_eq!((&*challenge.scheme, answer.schemes()), ("DPoP", vec!["DPoP".to_owned()]));
    assert_eq!(challenge.get("acr_values"), Some("urn:mfa urn:phr"));
}

#[tokio::test]
async fn one_of_the_classes_is_enough() {
    let bed = Bed::new();
    // R9470-3-3: in the configured order, and the second suffices.
    let answer = ask(&bed, step(), &stepped(&bed).claim("acr", "urn:pwd")).await;
    assert_eq!(assert_u401(&answer).get("acr_values"), Some("urn:mfa urn:phr"));
    ask(&bed, step(), &stepped(&bed).claim("acr", "urn:phr")).await.assert_ok();
}

#[tokio::test]
async fn classes_are_compared_exactly() {
    let bed = Bed::new();
    // R9470-3-7: another case, a prefix or a list is another class.
    for acr in ["urn:MFA", "urn:mf", "urn:mfa ", "urn:mfa urn:phr", ""] {
        assert_u401(&ask(&bed, step(), &stepped(&bed).claim("acr", acr)).await);
    }
}

#[tokio::test]
async fn an_old_authentication_is_challenged() {
    let bed = Bed::new();
    let oldest = NOW - 300 - 60;
    ask(&bed, step(), &stepped(&bed).claim("auth_time", oldest)).await.assert_ok();
    // R9470-6.1-1: older than 300 s and the leeway; a fresh iat is no substitute.
    let old = stepped(&bed).claim("auth_time", oldest - 1).claim("iat", NOW);
    let challenge = assert_u401(&ask(&bed, step(), &old).await);
    // R9470-3-4: a number of seconds.
    assert_eq!(challenge.get("max_age"), Some("300"));
}

#[tokio::test]
async fn a_token_ages_while_it_is_remembered() {
    let bed = Bed::new();
    let token = stepped(&bed).expires_in(Duration::from_secs(3600));
    let now = StepUp::within(Duration::ZERO);
    ask(&bed, now.clone(), &token).await.assert_ok();
    bed.clock.advance(Duration::from_secs(60));
    ask(&bed, now.clone(), &token).await.assert_ok();
    bed.clock.advance(Duration::from_secs(1));
    let answer = ask(&bed, now, &token).await;
    assert_eq!(assert_u401(&answer).get("max_age"), Some("0"));
}

#[tokio::test]
async fn class_and_age_stand_in_one_challenge() {
    let bed = Bed::new();
    let both_wrong = bed.issuer.token().claim("acr", "urn:pwd").claim("auth_time", NOW - 4000);
    // R9470-3-5: both failing, one challenge with both.
    let challenge = assert_u401(&ask(&bed, step(), &both_wrong).await);
    assert_eq!(challenge.get("acr_values"), Some("urn:mfa urn:phr"));
    assert_eq!(challenge.get("max_age"), Some("300"));
}

#[tokio::test]
async fn step_ups_that_add_up_are_challenged_together() {
    let bed = Bed::new();
    let parts = || {
        StepUp::acr(["urn:mfa", "urn:phr"])
            .and(StepUp::within(Duration::from_secs(900)))
            .and(StepUp::acr(["urn:phr"]).max_age(Duration::from_secs(300)))
    };
    // The first part holds; the challenge must still ask for what the others need.
    let answer = ask(&bed, parts(), &stepped(&bed).claim("auth_time", NOW - 600)).await;
    let challenge = assert_u401(&answer);
    assert_eq!(challenge.get("acr_values"), Some("urn:phr"));
    assert_eq!(challenge.get("max_age"), Some("300"));
    ask(&bed, parts(), &stepped(&bed).claim("acr", "urn:phr")).await.assert_ok();
}

#[tokio::test]
async fn an_alternative_step_up_is_not_asked_for_with_the_first() {
    let bed = Bed::new();
    let requirement = StepUp::acr(["urn:mfa"]).or(StepUp::within(Duration::from_secs(5)));
    let answer = ask(&bed, requirement, &bed.issuer.token()).await;
    let challenge = assert_u401(&answer);
    assert_eq!(challenge.get("acr_values"), Some("urn:mfa"));
    assert_eq!(challenge.get("max_age"), None);
}

#[tokio::test]
async fn step_up_and_scope_lacking_are_one_challenge() {
    let bed = Bed::new();
    let requirement = || Scopes::all(["pay"]).and(step());
    // R9470-3-6, D-7: one 401 with the scope as well.
    let challenge = assert_u401(&ask(&bed, requirement(), &bed.token_builder()).await);
    assert_eq!(challenge.get("scope"), Some("pay"));
    assert_eq!(challenge.get("acr_values"), Some("urn:mfa urn:phr"));
    let answer = ask(&bed, requirement(), &bed.token_builder().scope("pay")).await;
    assert_eq!(assert_u401(&answer).get("scope"), None, "the scope is there");
    ask(&bed, requirement(), &stepped(&bed)).await.assert_s403("pay");
    ask(&bed, requirement(), &stepped(&bed).scope("pay")).await.assert_ok();
}

impl Bed {
    fn token_builder(&self) -> TokenBuilder {
        self.issuer.token()
    }
}

#[tokio::test]
async fn absent_or_odd_claims_meet_nothing() {
    let bed = Bed::new();
    let good = || stepped(&bed);
    let wrong_types = [json!("1700000000"), json!([NOW]), json!(null), json!(true)];
    // R9470-6.1-2: absent, of a wrong type, or in the future beyond the leeway.
    for token in [good().without_claim("acr"), good().without_claim("auth_time")] {
        assert_u401(&ask(&bed, step(), &token).await);
    }
    for value in wrong_types {
        assert_u401(&ask(&bed, step(), &good().claim("auth_time", value)).await);
    }
    for acr in [json!(1), json!(["urn:mfa"]), json!(null)] {
        assert_u401(&ask(&bed, step(), &good().claim("acr", acr)).await);
    }
    assert_u401(&ask(&bed, step(), &good().claim("auth_time", NOW + 61)).await);
    ask(&bed, step(), &good().claim("auth_time", NOW + 60)).await.assert_ok();
    ask(&bed, step(), &good().claim("auth_time", NOW as f64 + 0.5)).await.assert_ok();
}

#[tokio::test]
async fn odd_step_up_claims_do_not_spoil_other_routes() {
    let bed = Bed::new();
    let token = bed.issuer.token().scope("read").claim("acr", 1).claim("auth_time", "x");
    ask(&bed, Scopes::all(["read"]), &token).await.assert_ok();
}

#[tokio::test]
async fn an_invalid_token_learns_nothing_of_the_policy() {
    let bed = Bed::new();
    let layer = bed.server.authenticate().require(step());
    let weak = || bed.issuer.token().claim("acr", "urn:pwd");
    let expired = weak().claim("exp", NOW - 61).build();
    let certificate = TestCertificate::random();
    let bound = weak().bound_to_certificate(certificate.client()).build();
    let other = TestCertificate::random();
    for (request, kind) in [
        (bearer("garbage"), RejectionKind::MalformedToken),
        (get(&[]), RejectionKind::MissingCredentials),
        (bearer(&expired), RejectionKind::ExpiredToken),
        (other.attach(bearer(&bound)), RejectionKind::CertificateMismatch),
    ] {
        let answer = send(layer.clone(), request).await;
        assert_eq!((answer.status, answer.kind()), (StatusCode::UNAUTHORIZED, Some(kind)));
        for challenge in [answer.challenge_of("Bearer"), answer.challenge_of("DPoP")] {
            // R9470-9-1: no step-up parameters before the token is valid: one that is well signed
            // but expired, or used without its certificate, learns no more than none.
            assert_eq!((challenge.get("acr_values"), challenge.get("max_age")), (None, None));
            assert_ne!(challenge.get("error"), Some("insufficient_user_authentication"));
        }
    }
    send(layer.clone(), bearer("garbage")).await.assert_t401();
    // The same token with its certificate gets that far.
    assert_u401(&send(layer, certificate.attach(bearer(&bound))).await);
}

#[tokio::test]
async fn the_challenge_is_the_same_for_everybody() {
    let bed = Bed::new();
    let layers = (bed.server.authenticate(), bed.server.require(step()));
    let of = |subject: &str, acr: &str| bed.issuer.token().subject(subject).claim("acr", acr);
    let first = send(layers.clone(), bearer(&of("alice", "urn:pwd").build())).await;
    let second = send(layers, bearer(&of("bob", "urn:otp").build())).await;
    // R9470-9-2: nothing in it depends on the user.
    assert_eq!(assert_u401(&first), assert_u401(&second));
    assert_eq!(first.body, second.body);
}

#[tokio::test]
async fn a_grant_tells_what_the_token_says() {
    let bed = Bed::new();
    let token =
        bed.issuer.token().scope("b  a").claim("jti", "id-1").audiences([RESOURCE, "urn:x"]);
    let grant = grant(&bed.server, &token.build()).await;
    assert_eq!(grant.issuer(), ISSUER);
    assert_eq!(grant.subject(), Some("user-1"));
    assert_eq!(grant.principal(), Some((ISSUER, "user-1")));
    assert_eq!(grant.client_id(), Some("client-1"));
    assert_eq!(grant.audience().collect::<Vec<_>>(), [RESOURCE, "urn:x"]);
    assert_eq!(grant.token_id(), Some("id-1"));
    assert_eq!(grant.scopes().collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!(grant.expires_at(), Some(UNIX_EPOCH + Duration::from_secs(NOW + 300)));
    assert_eq!(grant.binding(), &Binding::Bearer);
    assert!(grant.has_scope("a") && !grant.has_scope("A"));
}

#[tokio::test]
async fn a_client_that_acts_for_itself_is_told_from_a_user() {
    let bed = Bed::new();
    let user = grant(&bed.server, &bed.token()).await;
    assert!(!user.is_client_itself());
    let client = bed.issuer.token().subject("client-1").client_id("client-1").build();
    assert!(grant(&bed.server, &client).await.is_client_itself());
}

#[derive(Debug, Deserialize, PartialEq)]
struct Mine {
    sub: String,
    tenant: u32,
}

#[tokio::test]
async fn claims_come_as_the_types_of_the_application() {
    let bed = Bed::new();
    let token = bed.issuer.token().claim("tenant", 7).claim("roles", json!(["a", "b"])).build();
    let grant = grant(&bed.server, &token).await;
    assert_eq!(grant.claims(), Ok(Mine { sub: "user-1".into(), tenant: 7 }));
    assert_eq!(grant.claim::<Vec<String>>("roles"), Some(vec!["a".into(), "b".into()]));
    assert_eq!(grant.claim::<u32>("roles"), None);
    assert_eq!(grant.claim::<u32>("absent"), None);
    assert!(grant.claims::<Vec<u8>>().is_err());
}

#[tokio::test]
async fn a_handler_can_demand_more() {
    let bed = Bed::new();
    let held = grant(&bed.server, &bed.token()).await;
    assert!(held.require(Scopes::any(["read", "x"])).is_ok());
    let refused = held.require(Scopes::all(["read", "write"])).expect_err("write is lacking");
    assert_eq!(refused.kind(), RejectionKind::InsufficientScope);
    assert_eq!(refused.scope(), Some("read write"));
    let refused = held.require(step()).expect_err("no acr");
    assert_eq!(refused.kind(), RejectionKind::InsufficientAuthentication);
    let refused = held.require(verified()).expect_err("no email");
    assert_eq!(refused.kind(), RejectionKind::RequirementNotMet);
    assert_eq!(refused.description(), "The email address is not verified");
}

fn faulty() -> Vec<Requirement> {
    vec![
        Scopes::all(["read write"]).into(),
        Scopes::all(["a\"b"]).into(),
        Scopes::any([""]).into(),
        Scopes::all::<String>([]).into(),
        Scopes::any::<String>([]).into(),
        StepUp::acr::<String>([]).into(),
        StepUp::acr(["urn:mfa urn:phr"]).into(),
        Predicate::new("", |_| true).into(),
        Predicate::new("say \"no\"", |_| true).into(),
        Predicate::new("error=x", |_| true).into(),
        Predicate::new("line\nbreak", |_| true).into(),
        Scopes::all(["read"]).or(Scopes::all(["a b"])),
        Scopes::all(["read"]).and(StepUp::acr([""])),
        // Nobody meets both, so a client that follows the challenge would get it for ever.
        StepUp::acr(["a"]).and(StepUp::acr(["b"])),
        StepUp::acr(["a", "b"]).and(StepUp::acr(["b", "c"])).and(StepUp::acr(["a", "c"])),
        StepUp::acr(["a"]).and(Scopes::all(["x"]).and(StepUp::acr(["A"]))),
        Scopes::all(["x"]).or(StepUp::acr(["a"]).and(StepUp::acr(["b"]))),
        StepUp::acr(["a"]).and(StepUp::acr(["b"]).or(StepUp::acr(["c"]))),
    ]
}

#[tokio::test]
async fn a_faulty_requirement_refuses_everybody() {
    let bed = Bed::new();
    for requirement in faulty() {
        let log = Capture::start();
        let layer = bed.server.require(requirement.clone());
        assert_eq!(log.of(CONFIG).len(), 1, "said at once: {requirement:?}");
        let answer = send((bed.server.authenticate(), layer), bearer(&bed.token())).await;
        assert_unusable(&answer);
        let outer = bed.server.authenticate().require(requirement);
        assert_unusable(&send(outer, bearer(&bed.token())).await);
    }
}

fn assert_unusable(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{answer:?}");
    assert_eq!(answer.kind(), Some(RejectionKind::InvalidRequirement));
    assert!(!answer.handled);
    assert!(answer.all("www-authenticate").is_empty());
    assert_eq!(answer.all("cache-control"), ["no-store"]);
}

#[tokio::test]
async fn concealing_a_faulty_requirement_still_refuses() {
    let bed = Bed::new();
    let layer = bed.server.require(Scopes::all(["a b"])).conceal();
    assert_unusable(&send((bed.server.authenticate(), layer), bearer(&bed.token())).await);
}

#[tokio::test]
async fn a_faulty_requirement_of_a_handler_is_refused() {
    let bed = Bed::new();
    let held = grant(&bed.server, &bed.token()).await;
    for requirement in faulty() {
        let refused = held.require(requirement).expect_err("faulty");
        assert_eq!(refused.kind(), RejectionKind::InvalidRequirement);
        assert_eq!(refused.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}

#[test]
fn faults_can_be_had_instead() {
    let bed = Bed::new();
    for requirement in faulty() {
        let error = bed.server.try_require(requirement.clone()).expect_err("faulty");
        assert!(error.faults().iter().all(|fault| fault.setting() == "require"), "{error}");
        assert!(!error.faults()[0].suggestion().is_empty());
        assert!(bed.server.authenticate().try_require(requirement).is_err());
    }
    let two = Scopes::all(["a b"]).and(StepUp::acr(["c d"]));
    assert_eq!(bed.server.try_require(two).expect_err("faulty").faults().len(), 2);
    assert!(bed.server.try_require(Scopes::all(["read"])).is_ok());
    for met in [
        StepUp::acr(["a"]).or(StepUp::acr(["b"])),
        StepUp::acr(["a"]).and(StepUp::within(Duration::ZERO)).and(StepUp::acr(["b", "a"])),
        StepUp::acr(["a"]).and(Scopes::all(["x"]).or(StepUp::acr(["b"]))),
        StepUp::acr(["a"]).and(StepUp::acr(["b"]).or(Scopes::all(["x"]))),
        StepUp::acr(["a"]).and(StepUp::acr(["b"]).or(StepUp::acr(["a"]))),
    ] {
        assert!(bed.server.try_require(met).is_ok());
    }
    assert!(bed.server.authenticate().try_require(step()).is_ok());
}

/// Whoever follows the challenge gets in.
#[tokio::test]
async fn of_alternatives_the_challenge_asks_for_one_that_goes_with_the_rest() {
    let bed = Bed::new();
    let requirement = StepUp::acr(["gold"]).and(StepUp::acr(["silver"]).or(StepUp::acr(["gold"])));
    for (acr, passes) in [("none", false), ("silver", false), ("gold", true)] {
        let token = bed.issuer.token().claim("acr", acr).build();
        let layer = bed.server.authenticate().require(requirement.clone());
        let answer = send(layer, bearer(&token)).await;
        match passes {
            true => answer.assert_ok(),
            false => assert_eq!(answer.challenges()[0].get("acr_values"), Some("gold")),
        }
    }
    // So it is where both are to be chosen from, and where the one that goes is no step-up.
    let [a, b] = ["a", "b"].map(|acr| StepUp::acr([acr]));
    let both = b.clone().or(Scopes::all(["x"])).and(a.clone().or(b.clone()));
    let answer = send(bed.server.authenticate().require(both), bearer(&bed.token())).await;
    assert_eq!(answer.challenges()[0].get("acr_values"), Some("b"));
    let scoped = a.and(b.or(Scopes::all(["x"])));
    let token = bed.issuer.token().claim("acr", "a").build();
    let layer = bed.server.authenticate().require(scoped);
    send(layer, bearer(&token)).await.assert_s403("x");
}

#[tokio::test]
async fn without_authentication_around_it_a_requirement_refuses() {
    let bed = Bed::new();
    for request in [bearer(&bed.token()), get(&[])] {
        let answer = send(bed.server.require(Scopes::all(["read"])), request).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.kind(), Some(RejectionKind::MissingAuthentication));
        assert!(!answer.handled && answer.all("www-authenticate").is_empty());
    }
}

#[tokio::test]
async fn the_layers_in_the_wrong_order_refuse() {
    let bed = Bed::new();
    let layers = (bed.server.require(Scopes::all(["read"])), bed.server.authenticate());
    let answer = send(layers, bearer(&bed.token())).await;
    assert_eq!(answer.kind(), Some(RejectionKind::MissingAuthentication));
    assert!(!answer.handled);
}

#[tokio::test]
async fn the_grant_of_another_server_counts_for_nothing() {
    let (bed, other) = (Bed::new(), Bed::new());
    let token = other.token();
    for outer in [other.server.authenticate(), other.server.authenticate().optional()] {
        let layers = (outer, bed.server.require(Scopes::all(["read"])));
        let answer = send(layers.clone(), bearer(&token)).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.kind(), Some(RejectionKind::MissingAuthentication));
        assert!(!answer.handled);
    }
    let anonymous = (other.server.authenticate().optional(), bed.server.require(step()));
    let answer = send(anonymous, get(&[])).await;
    assert_eq!(answer.kind(), Some(RejectionKind::MissingAuthentication));
}

#[tokio::test]
async fn the_inner_of_two_servers_decides() {
    let bed = Bed::new();
    let other = TestIssuer::new("https://other.example.com").clock(bed.clock.clone());
    let second = other.resource_server(RESOURCE).clock(bed.clock.clone()).build().expect("valid");
    let layers = (bed.server.authenticate().optional(), second.authenticate());
    // The outer server refuses what the inner would take: both must be content.
    let answer = send(layers, bearer(&other.token().build())).await;
    assert_eq!(answer.kind(), Some(RejectionKind::UntrustedIssuer));
    let anonymous = (bed.server.authenticate(), second.authenticate().optional());
    send(anonymous, bearer(&bed.token())).await.assert_t401();
}

#[tokio::test]
async fn a_concealed_route_is_not_there_for_those_who_may_not() {
    let bed = Bed::new();
    let layers = (bed.server.authenticate(), bed.server.require(Scopes::all(["secret"])).conceal());
    let hidden = send(layers.clone(), bearer(&bed.token())).await;
    assert_eq!((hidden.status, hidden.handled), (StatusCode::NOT_FOUND, false));
    assert!(hidden.all("www-authenticate").is_empty());
    assert!(!String::from_utf8_lossy(&hidden.body).contains("scope"));
    assert_eq!(hidden.rejection.as_ref().map(Rejection::status), Some(StatusCode::NOT_FOUND));
    send(layers.clone(), get(&[])).await.assert_n401();
    send(layers, bearer(&with_scope(&bed, "secret").build())).await.assert_ok();
}

#[tokio::test]
async fn a_concealed_step_up_is_asked_of_those_who_may_know_of_the_route() {
    let bed = Bed::new();
    let staff = Predicate::new("Staff only", |grant| grant.claim("staff") == Some(true));
    let demand = Scopes::all(["secret"]).and(StepUp::acr(["urn:mfa"])).and(staff);
    let layers = (bed.server.authenticate(), bed.server.require(demand).conceal());
    let weak = || bed.issuer.token().claim("acr", "urn:pwd").claim("staff", true);
    let strong = || weak().claim("acr", "urn:mfa");
    for (token, kind) in [
        (weak(), RejectionKind::InsufficientScope),
        (strong(), RejectionKind::InsufficientScope),
        (weak().scope("secret").claim("staff", false), RejectionKind::RequirementNotMet),
        (strong().scope("secret").claim("staff", false), RejectionKind::RequirementNotMet),
    ] {
        let hidden = send(layers.clone(), bearer(&token.build())).await;
        assert_eq!((hidden.status, hidden.handled), (StatusCode::NOT_FOUND, false));
        assert_eq!(hidden.kind(), Some(kind));
        assert!(hidden.all("www-authenticate").is_empty());
        assert!(hidden.body.is_empty(), "{hidden:?}");
    }
    let answer = send(layers.clone(), bearer(&weak().scope("secret").build())).await;
    assert_eq!(assert_u401(&answer).get("acr_values"), Some("urn:mfa"));
    send(layers, bearer(&strong().scope("secret").build())).await.assert_ok();
}

#[tokio::test]
async fn a_grant_left_by_an_outer_layer_does_not_outlive_an_anonymous_request() {
    let bed = Bed::new();
    let stolen = grant(&bed.server, &bed.token()).await;
    let layers = (bed.server.authenticate().optional(), bed.server.require(Scopes::all(["read"])));
    let mut request = get(&[]);
    request.extensions_mut().insert(stolen);
    send(layers, request).await.assert_n401();
}

#[tokio::test]
async fn requirements_of_one_layer_add_up() {
    let bed = Bed::new();
    let layer = bed.server.authenticate().require(Scopes::all(["admin"]));
    let both = layer.clone().require(Scopes::all(["read"]));
    send(both.clone(), bearer(&bed.token())).await.assert_s403("admin read");
    let token = bed.issuer.token().scope("admin read").build();
    send(both, bearer(&token)).await.assert_ok();
    let tried = layer.try_require(Scopes::all(["read"])).expect("no fault");
    send(tried, bearer(&bed.token())).await.assert_s403("admin read");
    // A fault stays, whatever is added to it.
    let faulty = bed.server.authenticate().require(Scopes::all(["a b"]));
    let answer = send(faulty.require(Scopes::all(["read"])), bearer(&bed.token())).await;
    assert_eq!(answer.kind(), Some(RejectionKind::InvalidRequirement));
    // Each is sound, and both together are not.
    let first = || bed.server.authenticate().require(StepUp::acr(["a"]));
    assert!(first().try_require(StepUp::acr(["b"])).is_err());
    let both = first().require(StepUp::acr(["b"]));
    assert_unusable(&send(both, bearer(&bed.token())).await);
}
