//! Which tokens are sent where, and which are verified here.

use tower_resource_server::testing::ScriptedFetch;
use tower_resource_server::testing::{
    DpopClient, Endpoint, FixedClock, Flaw, SigningKey, TestAuthorizationServer, TestIssuer,
};
use tower_resource_server::{
    Algorithm, Builder, Introspection, Issuer, Profile, RejectionKind, ResourceServer,
};

use super::bed::{TOKEN, basic, right, right_but};
use crate::support::{ISSUER, NOW, RESOURCE, get, present, send};

fn authorization_server(identifier: &str, clock: &FixedClock) -> TestAuthorizationServer {
    TestAuthorizationServer::of(TestIssuer::new(identifier).clock(clock.clone()))
}

fn introspection(server: &TestAuthorizationServer) -> Introspection {
    Introspection::at(server.url(Endpoint::Introspection), basic())
}

/// [`ISSUER`], whose signed tokens are verified here and whose opaque ones are asked about.
fn mixed(
    change: impl FnOnce(Introspection) -> Introspection,
) -> (TestAuthorizationServer, ResourceServer) {
    let clock = FixedClock::at(NOW);
    let server = authorization_server(ISSUER, &clock);
    let issuer = server.trusted().introspect(change(introspection(&server)));
    let builder = ResourceServer::builder(RESOURCE).issuer(issuer).clock(clock);
    let resource_server = builder.fetch(server.clone()).build().expect("valid");
    (server, resource_server)
}

#[tokio::test]
async fn signed_and_opaque_tokens_live_side_by_side() {
    let (issuer, server) = mixed(|introspection| introspection);
    let (jwt, opaque) = (issuer.token().build(), issuer.opaque(&issuer.token()));
    for _ in 0..2 {
        present(&server, &jwt).await.assert_ok();
        present(&server, &opaque).await.assert_ok();
    }
    assert_eq!(issuer.count(Endpoint::Introspection), 1);
    assert_eq!(issuer.count(Endpoint::Jwks), 1);
    // A signed token that is bad is judged here, and shown to nobody.
    let forged = issuer.token().flaw(Flaw::BadSignature).build();
    let answer = present(&server, &forged).await;
    answer.assert_t401();
    assert_eq!(answer.kind(), Some(RejectionKind::BadSignature));
    assert_eq!(issuer.count(Endpoint::Introspection), 1);
}

#[tokio::test]
async fn bound_tokens_of_both_kinds_need_their_key() {
    let (issuer, server) = mixed(|introspection| introspection);
    let key = SigningKey::generate(Algorithm::ES256);
    let bound = issuer.token().bound_to(&key);
    for token in [bound.build(), issuer.opaque(&bound)] {
        let client = DpopClient::new(key.clone(), token.clone()).clock(FixedClock::at(NOW));
        // R9449-6-1: by a claim or by a member of the answer.
        send(server.authenticate(), client.authorize(get(&[]))).await.assert_ok();
        let plain = present(&server, &token).await;
        assert_eq!(plain.kind(), Some(RejectionKind::BoundTokenAsBearer));
    }
}

#[tokio::test]
async fn what_is_no_signed_token_is_asked_about() {
    let (issuer, server) = mixed(|introspection| introspection);
    let tokens = [
        "abc",
        "a.b",
        "a.b.c",
        "v4.local.payload",
        "a.b.c.d",
        // The form of an encrypted token.
        "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.a.b.c.d",
        "eyJhbGciOiJub25lIn0",
        "e30",
        "..",
    ];
    for (calls, token) in (1..).zip(tokens) {
        let answer = present(&server, token).await;
        answer.assert_t401();
        assert_eq!(answer.kind(), Some(RejectionKind::InactiveToken), "{token}");
        assert_eq!(issuer.count(Endpoint::Introspection), calls, "{token}");
    }
}

#[tokio::test]
async fn signed_tokens_of_strangers_are_shown_to_nobody() {
    let (issuer, server) = mixed(Introspection::every_token);
    let strangers = TestIssuer::new("https://evil.example").clock(FixedClock::at(NOW));
    let answer = present(&server, &strangers.token().build()).await;
    assert_eq!(answer.kind(), Some(RejectionKind::UntrustedIssuer));
    let nameless = issuer.token().without_claim("iss").build();
    let answer = present(&server, &nameless).await;
    assert_eq!(answer.kind(), Some(RejectionKind::MissingClaim));
    let no_claims = issuer.token().raw_payload("[]").build();
    let answer = present(&server, &no_claims).await;
    assert_eq!(answer.kind(), Some(RejectionKind::MalformedToken));
    assert_eq!(issuer.count(Endpoint::Introspection), 0);
}

#[tokio::test]
async fn an_issuer_can_be_asked_about_its_signed_tokens_too() {
    let (issuer, server) = mixed(Introspection::every_token);
    let jwt = issuer.token().build();
    let answer = present(&server, &jwt).await;
    // It does not know the token: revoked, whatever the signature.
    assert_eq!(answer.kind(), Some(RejectionKind::InactiveToken));
    let known = issuer.token().claim("n", 2).build();
    issuer.register(known.clone(), right_but("sub", "from-the-answer".into()));
    let answer = present(&server, &known).await;
    answer.assert_ok();
    assert_eq!(&answer.body[..], b"from-the-answer");
    assert_eq!(issuer.count(Endpoint::Jwks), 0);
}

#[tokio::test]
async fn without_keys_signed_tokens_are_asked_about() {
    let clock = FixedClock::at(NOW);
    let issuer = authorization_server(ISSUER, &clock);
    let trusted = Issuer::introspection(ISSUER, introspection(&issuer));
    let builder = ResourceServer::builder(RESOURCE).issuer(trusted).clock(clock);
    let server = builder.fetch(issuer.clone()).build().expect("valid");
    server.ready().await.expect("there are no keys to wait for");
    let jwt = issuer.token().build();
    issuer.register(jwt.clone(), right_but("sub", "user-1".into()));
    present(&server, &jwt).await.assert_ok();
    assert_eq!(issuer.count(Endpoint::Introspection), 1);
}

#[tokio::test]
async fn an_answer_of_introspection_is_no_token() {
    let (issuer, server) = mixed(|introspection| introspection);
    let signed = issuer
        .token()
        .header("typ", "token-introspection+jwt")
        .claim("token_introspection", right_but("active", true.into()));
    let answer = present(&server, &signed.build()).await;
    // R9701-5-6: signed by the issuer, for this server, and of another type.
    answer.assert_t401();
    assert_eq!(answer.kind(), Some(RejectionKind::WrongTokenType));
}

/// [`ISSUER`] without keys: it is asked about all its tokens.
fn keyless() -> (TestAuthorizationServer, ResourceServer) {
    let clock = FixedClock::at(NOW);
    let issuer = authorization_server(ISSUER, &clock);
    let trusted = Issuer::introspection(ISSUER, introspection(&issuer));
    let builder = ResourceServer::builder(RESOURCE).issuer(trusted).clock(clock);
    let server = builder.fetch(issuer.clone()).build().expect("valid");
    (issuer, server)
}

#[tokio::test]
async fn a_jwt_of_another_kind_is_shown_to_nobody() {
    for (issuer, server) in [mixed(Introspection::every_token), keyless()] {
        for typ in [
            "token-introspection+jwt",
            "application/token-introspection+jwt",
            "Logout+JWT",
            "secevent+jwt",
            "dpop+jwt",
            "client-authentication+jwt",
        ] {
            let other = issuer.token().header("typ", typ).build();
            // Whatever its issuer would say of it.
            issuer.register(other.clone(), right());
            let answer = present(&server, &other).await;
            // R9701-5-6: signed by the issuer, for this server, and of another type.
            answer.assert_t401();
            assert_eq!(answer.kind(), Some(RejectionKind::WrongTokenType), "{typ}");
        }
        assert_eq!(issuer.count(Endpoint::Introspection), 0);
        let own = issuer.token().header("typ", "JWT").build();
        issuer.register(own.clone(), right());
        present(&server, &own).await.assert_ok();
    }
}

#[tokio::test]
async fn an_id_token_of_keycloak_is_none_for_an_api_of_that_client() {
    let clock = FixedClock::at(NOW);
    let issuer = authorization_server(ISSUER, &clock);
    let trusted = issuer.trusted().profile(Profile::Keycloak);
    let trusted = trusted.introspect(introspection(&issuer).every_token());
    let builder = ResourceServer::builder(RESOURCE).issuer(trusted).clock(clock);
    let server = builder.fetch(issuer.clone()).build().expect("valid");
    for (typ, accepted) in [("Bearer", true), ("ID", false), ("Refresh", false)] {
        let token = issuer.token().header("typ", "JWT").claim("typ", typ).build();
        // Its answers have the claims of the token, and are active for all three.
        issuer.register(token.clone(), right_but("typ", typ.into()));
        let answer = present(&server, &token).await;
        if accepted {
            answer.assert_ok();
        } else {
            answer.assert_t401();
            assert_eq!(answer.kind(), Some(RejectionKind::WrongTokenType), "{typ}");
        }
    }
}

const OTHER: &str = "https://other.example.com";

#[tokio::test]
async fn issuers_of_signed_tokens_are_told_apart_by_their_name() {
    let clock = FixedClock::at(NOW);
    let realms = [ISSUER, OTHER].map(|issuer| authorization_server(issuer, &clock));
    let fetch = ScriptedFetch::new();
    let mut builder = ResourceServer::builder(RESOURCE).clock(clock).fetch(fetch.clone());
    for realm in &realms {
        let mut members = right_but("iss", realm.issuer().issuer().into());
        members["active"] = true.into();
        fetch.json_at(&realm.url(Endpoint::Introspection), members);
        let asked = introspection(realm).signed_tokens_only();
        builder = builder.issuer(Issuer::introspection(realm.issuer().issuer(), asked));
    }
    let server = builder.build().expect("no token belongs to both");
    for realm in &realms {
        let grant = crate::support::grant(&server, &realm.token().build()).await;
        assert_eq!(grant.issuer(), realm.issuer().issuer());
        assert_eq!(fetch.count_at(&realm.url(Endpoint::Introspection)), 1);
    }
    // What names neither is shown to neither.
    let nameless = realms[0].token().without_claim("iss").build();
    for token in [TOKEN, nameless.as_str()] {
        present(&server, token).await.assert_t401();
    }
    assert_eq!(fetch.count(), 2);
}

#[tokio::test]
async fn one_issuer_of_signed_tokens_leaves_opaque_ones_to_another() {
    let (fetch, builder) =
        two(|introspection| introspection.signed_tokens_only(), |introspection| introspection);
    let server = builder.build().expect("valid");
    assert_eq!(crate::support::grant(&server, TOKEN).await.issuer(), OTHER);
    let signed = TestIssuer::new(ISSUER).clock(FixedClock::at(NOW)).token().build();
    assert_eq!(crate::support::grant(&server, &signed).await.issuer(), ISSUER);
    assert_eq!(fetch.count(), 2);
}

/// Two issuers of opaque tokens, told apart by how those begin.
fn two(
    first: impl FnOnce(Introspection) -> Introspection,
    second: impl FnOnce(Introspection) -> Introspection,
) -> (ScriptedFetch, Builder) {
    let at = |issuer: &str| format!("{issuer}/introspect");
    let fetch = ScriptedFetch::new();
    for issuer in [ISSUER, OTHER] {
        let mut members = right_but("iss", issuer.into());
        members["active"] = true.into();
        fetch.json_at(&at(issuer), members);
    }
    let first = first(Introspection::at(at(ISSUER), basic()));
    let second = second(Introspection::at(at(OTHER), basic()));
    let builder = ResourceServer::builder(RESOURCE)
        .issuer(Issuer::introspection(ISSUER, first))
        .issuer(Issuer::introspection(OTHER, second))
        .clock(FixedClock::at(NOW))
        .fetch(fetch.clone());
    (fetch, builder)
}

#[tokio::test]
async fn the_longest_prefix_tells_whom_to_ask() {
    let (fetch, builder) = two(
        |introspection| introspection.token_prefix("ory_").token_prefix("x-"),
        |introspection| introspection.token_prefix("ory_at_"),
    );
    let server = builder.build().expect("valid");
    for (token, asked) in [
        ("ory_at_1", OTHER),
        ("ory_at_", OTHER),
        ("ory_ac_1", ISSUER),
        ("x-1", ISSUER),
        // A prefix is the configuration's word, whatever the token looks like.
        ("x-1.e30.e30", ISSUER),
    ] {
        let grant = crate::support::grant(&server, token).await;
        assert_eq!(grant.issuer(), asked, "{token}");
        let requests = fetch.requests();
        let last = requests.last().expect("a call");
        assert_eq!(last.to_string(), format!("{asked}/introspect"), "{token}");
    }
    // Nobody is asked about what belongs to nobody.
    for token in [TOKEN, "Ory_at_1", "ory", "xx-1"] {
        let answer = present(&server, token).await;
        answer.assert_t401();
        assert_eq!(answer.kind(), Some(RejectionKind::MalformedToken), "{token}");
    }
    assert_eq!(fetch.count(), 5);
}

#[tokio::test]
async fn one_issuer_may_take_what_no_prefix_claims() {
    let (_, builder) =
        two(|introspection| introspection, |introspection| introspection.token_prefix("ory_at_"));
    let server = builder.build().expect("valid");
    for (token, asked) in [("ory_at_1", OTHER), (TOKEN, ISSUER), ("ory", ISSUER)] {
        assert_eq!(crate::support::grant(&server, token).await.issuer(), asked, "{token}");
    }
}

#[test]
fn a_token_of_two_issuers_is_a_fault() {
    for (_, builder) in [
        two(|introspection| introspection, |introspection| introspection),
        two(
            |introspection| introspection.token_prefix("a_"),
            |introspection| introspection.token_prefix("b_").token_prefix("a_"),
        ),
    ] {
        let error = builder.build().expect_err("ambiguous");
        let [fault] = error.faults() else { panic!("{error}") };
        assert_eq!(fault.setting(), "introspection");
        assert!(fault.problem().contains(ISSUER) && fault.problem().contains(OTHER), "{fault}");
        assert!(fault.suggestion().contains("token_prefix"), "{fault}");
    }
}
