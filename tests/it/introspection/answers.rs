//! What an answer says of a token, and what becomes of the request.

use std::time::Duration;

use serde_json::{Value, json};
use tower_resource_server::testing::{Condition, Garbage, ScriptedFetch};
use tower_resource_server::{IntrospectionError, RejectionKind, StepUp};

use super::bed::{Asked, ENDPOINT, TOKEN, assert_told, right, right_but, scripted};
use crate::observability::Capture;
use crate::support::{NOW, RESOURCE, bearer, grant, present, send};

#[tokio::test]
async fn an_active_token_opens_the_door() {
    let asked = Asked::new();
    let answer = asked.read_with(&asked.token()).await;
    answer.assert_ok();
    assert_eq!(&answer.body[..], b"user-1");
}

#[tokio::test]
async fn only_true_is_active() {
    for active in [json!("true"), json!(1), json!([true]), json!(""), json!({})] {
        let asked = Asked::new();
        let log = Capture::start();
        // R7662-2.2-1: neither active nor a verdict.
        asked.about(right_but("active", active.clone())).await.assert_x503();
        assert_eq!(asked.failures.take(), [IntrospectionError::Malformed], "{active}");
        assert_told(&log, IntrospectionError::Malformed, "active is not a boolean");
        asked.serves().await;
    }
}

#[tokio::test]
async fn what_is_no_object_with_active_is_no_verdict() {
    let no_object = "it is not one JSON object";
    for (body, cause) in [
        ("", no_object),
        ("null", no_object),
        ("true", no_object),
        ("[]", no_object),
        (r#"[{"active":true}]"#, no_object),
        ("{}", "it has no member active"),
        (r#"{"active":null}"#, "active is not a boolean"),
        (r#"{"active":true"#, no_object),
        (r#"{"active":true} {}"#, no_object),
        (r#"{"active":true,"active":true}"#, no_object),
        (r#"{"active":false,"active":true}"#, no_object),
        (r#"{"active":true,"sub":"\ud800"}"#, no_object),
        ("\u{feff}{\"active\":true}", no_object),
        ("active=true", no_object),
    ] {
        let fetch = ScriptedFetch::new().at(ENDPOINT, 200, "application/json", body);
        let (server, failures) =
            scripted(&fetch, |introspection| introspection.audience_optional());
        let log = Capture::start();
        let answer = present(&server, TOKEN).await;
        // R7662-2.2-1: malformed.
        answer.assert_x503();
        assert_eq!(answer.kind(), Some(RejectionKind::IntrospectionUnavailable), "{body}");
        assert_eq!(failures.take(), [IntrospectionError::Malformed], "{body}");
        assert_told(&log, IntrospectionError::Malformed, cause);
        fetch.json_at(ENDPOINT, right_but("active", json!(true)));
        present(&server, TOKEN).await.assert_ok();
    }
}

#[tokio::test]
async fn what_is_no_text_is_no_verdict() {
    let mut body = right_but("active", json!(true)).to_string().into_bytes();
    let end = body.len() - 1;
    body.splice(end..end, *b",\"x\":\"\xff\"");
    let fetch = ScriptedFetch::new().at(ENDPOINT, 200, "application/json", body);
    let (server, failures) = scripted(&fetch, |introspection| introspection);
    let log = Capture::start();
    // R7662-2.2-1: malformed.
    present(&server, TOKEN).await.assert_x503();
    assert_eq!(failures.take(), [IntrospectionError::Malformed]);
    assert_told(&log, IntrospectionError::Malformed, "it is not UTF-8");
}

#[tokio::test]
async fn garbage_is_no_verdict_and_not_remembered() {
    for garbage in Garbage::ALL {
        let asked = Asked::new();
        let token = asked.token();
        asked.authorization_server.set(Condition::Garbage(garbage));
        // R7662-2.2-1: whatever stands in place of an answer.
        asked.present(&token).await.assert_x503();
        asked.authorization_server.set(Condition::Up);
        asked.present(&token).await.assert_ok();
    }
}

#[tokio::test]
async fn answers_are_json_by_their_content_type() {
    let body = right_but("active", json!(true)).to_string();
    for content_type in ["application/json", "Application/JSON; charset=utf-8"] {
        let fetch = ScriptedFetch::new().always(200, content_type, body.clone());
        let (server, _) = scripted(&fetch, |introspection| introspection);
        present(&server, TOKEN).await.assert_ok();
    }
    for (content_type, cause) in [
        (Some("text/plain"), "\"text/plain\""),
        (Some("text/html; charset=\"utf-8\""), "\"text/html; charset=\\\"utf-8\\\"\""),
        (Some("application/token-introspection+jwt"), "\"application/token-introspection+jwt\""),
        (Some("application/jwt"), "\"application/jwt\""),
        (None, "there is none"),
    ] {
        let mut answer = http::Response::new(bytes::Bytes::from(body.clone()));
        if let Some(content_type) = content_type {
            let value = content_type.parse().expect("a field value");
            answer.headers_mut().insert("content-type", value);
        }
        let fetch = ScriptedFetch::new();
        fetch.respond_with(answer);
        let (server, failures) = scripted(&fetch, |introspection| introspection);
        let log = Capture::start();
        present(&server, TOKEN).await.assert_x503();
        assert_eq!(failures.take(), [IntrospectionError::ContentType], "{content_type:?}");
        assert_told(&log, IntrospectionError::ContentType, cause);
        fetch.respond(200, "application/json", body.clone());
        present(&server, TOKEN).await.assert_ok();
    }
}

#[tokio::test]
async fn members_of_the_wrong_type_are_a_fault_of_the_answer() {
    for (name, value) in [
        ("sub", json!(1)),
        ("client_id", json!(["client-1"])),
        ("scope", json!(["read"])),
        ("scope", json!(true)),
        ("jti", json!(7)),
        ("aud", json!(1)),
        ("aud", json!([RESOURCE, 1])),
        ("aud", json!({ "0": RESOURCE })),
        ("iss", json!(["https://as.example.com"])),
        ("exp", json!("soon")),
        ("exp", json!((NOW + 300).to_string())),
        ("exp", json!(1e300)),
        ("nbf", json!("then")),
        ("iat", json!([])),
        ("cnf", json!("jkt")),
        ("cnf", json!({ "jkt": 1 })),
        ("cnf", json!({ "jkt": "short" })),
        ("cnf", json!({ "jkt": null })),
        ("cnf", json!({ "x5t#S256": "short" })),
        ("cnf", json!({ "x5t#S256": ["bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"] })),
        ("token_type", json!(1)),
        ("token_use", json!(1)),
        ("typ", json!(["Bearer"])),
        ("authorization_details", json!("payment")),
        ("authorization_details", json!([{ "no": "type" }])),
    ] {
        let asked = Asked::new();
        let log = Capture::start();
        let answer = asked.about(right_but(name, value.clone())).await;
        answer.assert_x503();
        assert_eq!(answer.kind(), Some(RejectionKind::IntrospectionUnavailable), "{name} {value}");
        assert_eq!(asked.failures.take(), [IntrospectionError::WrongType], "{name} {value}");
        assert_told(&log, IntrospectionError::WrongType, &format!("it is {name}"));
        asked.serves().await;
    }
}

#[tokio::test]
async fn null_is_absent() {
    // What Gluu and others write of what they do not know.
    let mut members = right();
    for name in ["sub", "client_id", "scope", "jti", "iss", "exp", "nbf", "iat"] {
        members[name] = json!(null);
    }
    for name in ["token_type", "token_use", "typ", "acr", "auth_time", "authorization_details"] {
        members[name] = json!(null);
    }
    let asked = Asked::new();
    asked.authorization_server.register(TOKEN, members.clone());
    // R7662-2.2-4: no scope at all.
    asked.read_with(TOKEN).await.assert_s403("read");
    let grant = grant(&asked.server, TOKEN).await;
    assert_eq!((grant.subject(), grant.token_id(), grant.expires_at()), (None, None, None));
    members["aud"] = json!(null);
    let answer = Asked::new().about(members.clone()).await;
    assert_eq!(answer.kind(), Some(RejectionKind::MissingClaim));
    let lenient = Asked::with(|introspection| introspection.audience_optional());
    lenient.about(members).await.assert_ok();
}

#[tokio::test]
async fn a_confirmation_that_is_null_is_no_absent_one() {
    let asked = Asked::new();
    let mut members = right();
    members["cnf"] = json!(null);
    // R7662-2.2-5: cnf is never ignored.
    asked.about(members).await.assert_x503();
    assert_eq!(asked.failures.take(), [IntrospectionError::WrongType]);
}

#[tokio::test]
async fn scopes_may_be_a_list_where_that_was_chosen() {
    let asked = Asked::with(|introspection| introspection.scope_lists());
    let list = json!(["openid", "read"]);
    for scope in [list.clone(), json!("openid read")] {
        let token = scope.to_string().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        asked.authorization_server.register(token.clone(), right_but("scope", scope));
        asked.read_with(&token).await.assert_ok();
        let grant = grant(&asked.server, &token).await;
        assert_eq!(grant.scopes().collect::<Vec<_>>(), ["openid", "read"]);
    }
    asked.authorization_server.register("none", right_but("scope", json!([])));
    // R7662-2.2-4.
    asked.read_with("none").await.assert_s403("read");
    for (token, scope) in [("a", json!(["read write"])), ("b", json!([1])), ("c", json!([null]))] {
        asked.authorization_server.register(token, right_but("scope", scope));
        asked.present(token).await.assert_x503();
        assert_eq!(asked.failures.take(), [IntrospectionError::WrongType]);
    }
    let strict = Asked::new();
    strict.about(right_but("scope", list)).await.assert_x503();
}

#[tokio::test]
async fn a_type_that_names_no_other_kind_hinders_nobody() {
    for (name, value) in [
        ("typ", "Bearer"),
        ("typ", "JWT"),
        ("typ", "at+jwt"),
        ("token_type", "N/A"),
        ("token_type", "access_token"),
        ("token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("token_use", "access_token"),
        ("token_use", "access"),
    ] {
        Asked::new().about(right_but(name, json!(value))).await.assert_ok();
    }
    // Access tokens of Keycloak have it, before version 25.
    Asked::new().about(right_but("nonce", json!("n-0S6_WzA2Mj"))).await.assert_ok();
}

#[tokio::test]
async fn a_token_that_is_not_active_is_refused() {
    let asked = Asked::new();
    let token = asked.token();
    asked.authorization_server.revoke(&token);
    for token in [token.as_str(), "abc", "never-issued"] {
        let answer = asked.present(token).await;
        // R7662-2.2-2, R6750-3.1-2: revoked, or never heard of.
        answer.assert_t401();
        assert_eq!(answer.kind(), Some(RejectionKind::InactiveToken));
        assert_eq!(answer.challenge().get("error"), Some("invalid_token"));
    }
    // Whatever else stands in the answer.
    let members = json!({ "active": false, "sub": 1, "exp": "x", "aud": RESOURCE });
    asked.about(members).await.assert_t401();
    assert_eq!(asked.failures.take(), []);
}

#[tokio::test]
async fn what_an_active_answer_says_is_held_against_clock_and_configuration() {
    let day = 24 * 60 * 60;
    for (name, value, kind) in [
        // R7662-2.2-3.
        ("nbf", json!(NOW + 61), RejectionKind::TokenNotYetValid),
        ("iat", json!(NOW + day), RejectionKind::TokenNotYetValid),
        ("iss", json!("https://evil.example"), RejectionKind::UntrustedIssuer),
        ("iss", json!("https://as.example.com/"), RejectionKind::UntrustedIssuer),
        ("iss", json!(""), RejectionKind::UntrustedIssuer),
        ("aud", json!("https://other.example.com"), RejectionKind::WrongAudience),
        ("aud", json!(["https://other.example.com", "api"]), RejectionKind::WrongAudience),
        ("aud", json!([]), RejectionKind::WrongAudience),
        ("aud", json!(""), RejectionKind::WrongAudience),
        ("aud", json!(null), RejectionKind::MissingClaim),
        // R7662-2.2-6.
        ("token_type", json!("refresh_token"), RejectionKind::WrongTokenType),
        ("token_type", json!("Refresh_Token"), RejectionKind::WrongTokenType),
        (
            "token_type",
            json!("urn:ietf:params:oauth:token-type:refresh_token"),
            RejectionKind::WrongTokenType,
        ),
        ("token_type", json!("id_token"), RejectionKind::WrongTokenType),
        // Ory Hydra says it here, beside a token_type of Bearer.
        ("token_use", json!("refresh_token"), RejectionKind::WrongTokenType),
        ("token_use", json!("id"), RejectionKind::WrongTokenType),
        ("token_type", json!("N_A"), RejectionKind::WrongTokenType),
        // Keycloak says it here: the claims of its JWTs are in its answers.
        ("typ", json!("ID"), RejectionKind::WrongTokenType),
        ("typ", json!("Refresh"), RejectionKind::WrongTokenType),
        ("typ", json!("Offline"), RejectionKind::WrongTokenType),
        ("typ", json!("Logout"), RejectionKind::WrongTokenType),
        ("typ", json!("Serialized-ID"), RejectionKind::WrongTokenType),
        // The type of a JWT, where an answer has that.
        ("typ", json!("logout+jwt"), RejectionKind::WrongTokenType),
        ("typ", json!("application/token-introspection+jwt"), RejectionKind::WrongTokenType),
        // And members that mark other kinds.
        ("at_hash", json!("77QmUPtjPfzWtF2AnpK9RQ"), RejectionKind::WrongTokenType),
        ("events", json!({}), RejectionKind::WrongTokenType),
        // R9449-6.2-2: bound, and nobody says to which key.
        ("token_type", json!("DPoP"), RejectionKind::UnsupportedConfirmation),
        ("token_type", json!("dpop"), RejectionKind::UnsupportedConfirmation),
        ("typ", json!("DPoP"), RejectionKind::UnsupportedConfirmation),
    ] {
        let asked = Asked::new();
        // Twice, since what is remembered says the same.
        for _ in 0..2 {
            let answer = asked.about(right_but(name, value.clone())).await;
            answer.assert_t401();
            assert_eq!(answer.kind(), Some(kind), "{name} {value}");
        }
    }
}

#[tokio::test]
async fn times_have_the_leeway_of_signed_tokens() {
    for (name, value) in [("exp", NOW - 59), ("nbf", NOW + 60), ("iat", NOW + 60)] {
        // The issuer of the kit has a clock of its own and calls what is past its exp inactive.
        let body = right_but(name, json!(value)).to_string().replacen('{', r#"{"active":true,"#, 1);
        let fetch = ScriptedFetch::new().always(200, "application/json", body);
        let (server, _) = scripted(&fetch, |introspection| introspection);
        present(&server, TOKEN).await.assert_ok();
    }
}

#[tokio::test]
async fn an_expired_token_that_is_called_active_is_refused() {
    let body = right_but("exp", json!(NOW - 61)).to_string().replacen('{', r#"{"active":true,"#, 1);
    let fetch = ScriptedFetch::new().always(200, "application/json", body);
    let (server, _) = scripted(&fetch, |introspection| introspection);
    let answer = present(&server, TOKEN).await;
    // R7662-2.2-3: whatever the issuer thinks of its own exp.
    answer.assert_t401();
    assert_eq!(answer.kind(), Some(RejectionKind::ExpiredToken));
}

#[tokio::test]
async fn all_members_but_active_and_aud_may_be_absent() {
    let asked = Asked::new();
    asked.about(json!({ "aud": RESOURCE })).await.assert_ok();
    asked.about(json!({ "aud": ["x", RESOURCE] })).await.assert_ok();
}

#[tokio::test]
async fn the_audience_may_be_absent_where_that_was_chosen() {
    let lenient = Asked::with(|introspection| introspection.audience_optional());
    // R7662-2.2-3: by policy.
    lenient.about(json!({})).await.assert_ok();
    let other = Asked::with(|introspection| introspection.audience_optional());
    let answer = other.about(json!({ "aud": "https://other.example.com" })).await;
    answer.assert_t401();
    assert_eq!(answer.kind(), Some(RejectionKind::WrongAudience));
}

#[tokio::test]
async fn scopes_are_a_text_and_absent_they_are_none() {
    let asked = Asked::new();
    asked.authorization_server.register("few", right_but("scope", json!("write read")));
    asked.authorization_server.register("none", right_but("scope", json!(null)));
    asked.authorization_server.register("empty", right_but("scope", json!("")));
    asked.read_with("few").await.assert_ok();
    for token in ["none", "empty"] {
        // R7662-2.2-4.
        asked.read_with(token).await.assert_s403("read");
    }
}

#[tokio::test]
async fn further_members_are_there_for_the_application() {
    let asked = Asked::new();
    let mut members = right_but("username", json!("alice"));
    members["extension_field"] = json!({ "deep": [1, "two", null] });
    members["authorization_details"] = json!([{ "type": "payment", "cents": 7 }]);
    asked.authorization_server.register(TOKEN, members);
    let grant = grant(&asked.server, TOKEN).await;
    // R7662-2.2-5: what is not known hinders nobody.
    assert_eq!(grant.claim::<String>("username").as_deref(), Some("alice"));
    assert_eq!(grant.claim::<Value>("extension_field"), Some(json!({ "deep": [1, "two", null] })));
    assert_eq!(grant.claim::<bool>("active"), Some(true));
    let all: Value = grant.claims().expect("an object");
    assert_eq!(all["sub"], "user-1");
    // R9396-9.2-1: as those of a signed token.
    let details = grant.authorization_details::<Value>().expect("an array");
    assert_eq!(details, [json!({ "type": "payment", "cents": 7 })]);
    assert_eq!(grant.issuer(), "https://as.example.com");
    assert_eq!(grant.principal(), Some(("https://as.example.com", "user-1")));
    assert!(grant.expires_at().is_some());
}

#[tokio::test]
async fn a_token_without_exp_has_no_end_that_is_known() {
    let asked = Asked::new();
    asked.authorization_server.register(TOKEN, right_but("exp", json!(null)));
    assert_eq!(grant(&asked.server, TOKEN).await.expires_at(), None);
}

#[tokio::test]
async fn step_up_reads_acr_and_auth_time_of_the_answer() {
    let step_up = || StepUp::acr(["urn:mfa"]).max_age(Duration::from_secs(300));
    let cases = [
        (json!({ "acr": "urn:mfa", "auth_time": NOW - 299 }), true),
        (json!({ "acr": "urn:mfa", "auth_time": NOW - 600 }), false),
        (json!({ "acr": "urn:pwd", "auth_time": NOW }), false),
        (json!({ "acr": "urn:mfa" }), false),
        (json!({}), false),
        (json!({ "acr": ["urn:mfa"], "auth_time": NOW }), false),
    ];
    for (more, enough) in cases {
        let asked = Asked::new();
        let mut members = right();
        members.as_object_mut().expect("an object").extend(more.as_object().cloned().expect("one"));
        asked.authorization_server.register(TOKEN, members);
        let layer = asked.server.authenticate().require(step_up());
        let answer = send(layer, bearer(TOKEN)).await;
        // R9470-6.2-1: top-level members, and the same verdicts as with signed tokens.
        if enough {
            answer.assert_ok();
        } else {
            assert_eq!(answer.kind(), Some(RejectionKind::InsufficientAuthentication), "{more}");
            let challenge = answer.challenge();
            assert_eq!(challenge.get("error"), Some("insufficient_user_authentication"));
        }
    }
}
