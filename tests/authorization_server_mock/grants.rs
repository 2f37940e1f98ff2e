//! The three grants, and what makes each fail.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::bed::{Bed, RESOURCE, VERIFIER, basic};

#[tokio::test]
async fn a_code_gives_tokens() {
    let bed = Bed::new().await;
    let client = bed.public().await;
    let code = bed.code(&client, &[("resource", RESOURCE)]).await;
    let answer = bed.redeem(&client, &code, &[]).await;
    // AS-R6749-5.1-1
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.field("content-type"), Some("application/json"));
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    let body = answer.json();
    assert!(body["access_token"].is_string() && body["refresh_token"].is_string());
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 300);
    assert_eq!(body["scope"], "tools/read");
}

#[tokio::test]
async fn a_code_is_good_once() {
    let bed = Bed::new().await;
    let client = bed.public().await;
    let code = bed.code(&client, &[]).await;
    let tokens = bed.redeem(&client, &code, &[]).await.json();
    let renewed = bed.refresh(&client, &tokens["refresh_token"], &[]).await.json();
    let active =
        async |tokens: &Value| bed.introspect(&tokens["access_token"]).await["active"].clone();
    assert_eq!((active(&tokens).await, active(&renewed).await), (json!(true), json!(true)));
    // Another client has no say in it.
    let other = bed.public().await;
    bed.redeem(&other, &code, &[]).await.is_refused(400, "invalid_grant");
    assert_eq!(active(&tokens).await, true);

    bed.clock.advance(Duration::from_secs(30));
    // AS-R6749-4.1.3-1: the second use fails, and ends all that came of the first.
    bed.redeem(&client, &code, &[]).await.is_refused(400, "invalid_grant");
    assert_eq!((active(&tokens).await, active(&renewed).await), (json!(false), json!(false)));
    let refresh = &renewed["refresh_token"];
    bed.refresh(&client, refresh, &[]).await.is_refused(400, "invalid_grant");
}

#[tokio::test]
async fn whoever_redeems_a_code_has_asked_for_it() {
    let bed = Bed::new().await;
    let client = bed.public().await;
    let other_verifier = VERIFIER.replace('d', "e");
    for change in [
        ("code", "x"),
        ("code_verifier", ""),
        ("code_verifier", &other_verifier),
        ("code_verifier", &VERIFIER[1..]),
        ("redirect_uri", "http://127.0.0.1:4001/cb"),
        ("redirect_uri", "http://127.0.0.1:4000/cb/"),
    ] {
        let code = bed.code(&client, &[]).await;
        // AS-R6749-5.2-3: a code, a verifier or a place to return to that is not the right one.
        bed.redeem(&client, &code, &[change]).await.is_refused(400, "invalid_grant");
        // Whoever has copied a code tries one verifier.
        if change.0 != "code" {
            bed.redeem(&client, &code, &[]).await.is_refused(400, "invalid_grant");
        }
    }
    bed.redeem(&client, "", &[]).await.is_refused(400, "invalid_request");
    // RFC 7636 §4.1: a verifier that can be guessed is none, whatever its digest is.
    for verifier in ["guessed", &"a".repeat(42), &"a".repeat(129), &"+".repeat(43)] {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        let code = bed.code(&client, &[("code_challenge", &challenge)]).await;
        let answer = bed.redeem(&client, &code, &[("code_verifier", verifier)]).await;
        answer.is_refused(400, "invalid_grant");
    }
    // OAuth 2.1 leaves it to the verifier.
    let code = bed.code(&client, &[]).await;
    assert_eq!(bed.redeem(&client, &code, &[("redirect_uri", "")]).await.status, StatusCode::OK);
    let code = bed.code(&client, &[]).await;
    bed.clock.advance(Duration::from_secs(60));
    bed.redeem(&client, &code, &[]).await.is_refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_client_with_a_secret_may_do_without_a_challenge() {
    let bed = Bed::new().await;
    let (client, secret) = bed.confidential().await;
    let credentials = basic(&client, &secret);
    let change = [("code_challenge", ""), ("code_challenge_method", "")];
    let redeem = async |more: &[(&str, &str)]| {
        let code = bed.code(&client, &change).await;
        let form = [&[("grant_type", "authorization_code"), ("code", &code)], more].concat();
        bed.post("/token", &[("authorization", &credentials)], &form).await
    };
    let uri = ("redirect_uri", crate::bed::REDIRECT);
    assert_eq!(redeem(&[uri]).await.status, StatusCode::OK);
    redeem(&[]).await.is_refused(400, "invalid_grant");
    // AS-O21-3.2.4-1: somebody has taken the challenge out of the request, it may be.
    redeem(&[uri, ("code_verifier", VERIFIER)]).await.is_refused(400, "invalid_request");
}

#[tokio::test]
async fn a_refresh_token_is_good_once() {
    let bed = Bed::new().await;
    let client = bed.public().await;
    let first = bed.tokens(&client, &[("scope", "tools/read tools/write")]).await;
    let second = bed.refresh(&client, &first["refresh_token"], &[("scope", "tools/read")]).await;
    assert_eq!(second.status, StatusCode::OK);
    assert_eq!(second.json()["scope"], "tools/read");
    // Less once is not less for ever; more than was granted never is.
    let third = bed.refresh(&client, &second.json()["refresh_token"], &[]).await.json();
    assert_eq!(third["scope"], "tools/read tools/write");
    let more = [("scope", "tools/read admin")];
    bed.refresh(&client, &third["refresh_token"], &more).await.is_refused(400, "invalid_scope");
    let elsewhere = [("resource", "https://other.example/")];
    let refused = bed.refresh(&client, &third["refresh_token"], &elsewhere).await;
    refused.is_refused(400, "invalid_target");

    // AS-R6749-5.2-3: unknown, another client's, or used; the last ends the family.
    bed.refresh(&client, &json!("x"), &[]).await.is_refused(400, "invalid_grant");
    let other = bed.public().await;
    bed.refresh(&other, &third["refresh_token"], &[]).await.is_refused(400, "invalid_grant");
    assert_eq!(bed.introspect(&third["access_token"]).await["active"], true);
    bed.refresh(&client, &first["refresh_token"], &[]).await.is_refused(400, "invalid_grant");
    bed.refresh(&client, &third["refresh_token"], &[]).await.is_refused(400, "invalid_grant");
    assert_eq!(bed.introspect(&third["access_token"]).await, json!({ "active": false }));
}

#[tokio::test]
async fn a_client_may_act_for_itself() {
    let bed = Bed::new().await;
    let (client, secret) = bed.confidential().await;
    let ask = async |more: &[(&str, &str)]| {
        let form = [&[("grant_type", "client_credentials")], more].concat();
        bed.post("/token", &[("authorization", &basic(&client, &secret))], &form).await
    };
    let tokens = ask(&[("scope", "tools/read")]).await.json();
    assert_eq!(tokens["refresh_token"], Value::Null, "RFC 6749 §4.4.3");
    let token = bed.introspect(&tokens["access_token"]).await;
    assert_eq!((&token["sub"], &token["client_id"]), (&json!(client), &json!(client)));
    assert_eq!((&token["auth_time"], &token["aud"]), (&Value::Null, &json!(RESOURCE)));
    assert_eq!(ask(&[]).await.json()["scope"], Value::Null);
    ask(&[("scope", "admin")]).await.is_refused(400, "invalid_scope");
    ask(&[("resource", "https://other.example/")]).await.is_refused(400, "invalid_target");
}

#[tokio::test]
async fn a_grant_type_is_known_and_permitted() {
    let bed = Bed::new().await;
    let client = bed.public().await;
    let ask = async |grant_type: &str| {
        let form = [("client_id", client.as_str()), ("grant_type", grant_type)];
        bed.post("/token", &[], &form).await
    };
    // AS-R6749-5.2-3
    ask("password").await.is_refused(400, "unsupported_grant_type");
    ask("Authorization_code").await.is_refused(400, "unsupported_grant_type");
    ask("client_credentials").await.is_refused(400, "unauthorized_client");
    // AS-R6749-5.2-1, AS-R6749-3.2-1: JSON, no-store; an empty value is an omitted one.
    ask("").await.is_refused(400, "invalid_request");
}

#[tokio::test]
async fn the_token_endpoint_takes_posts_alone() {
    let bed = Bed::new().await;
    let client = bed.public().await;
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let request = bed.request(method, "/token").body(Full::default()).expect("valid");
        let answer = bed.send(request).await;
        // AS-R6749-3.2-1
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.field("allow"), Some("POST"));
    }
    // AS-R6749-3.2-1: what it does not know it ignores.
    let code = bed.code(&client, &[]).await;
    let more = [("unheard_of", "x"), ("also", "y")];
    assert_eq!(bed.redeem(&client, &code, &more).await.status, StatusCode::OK);
    // What is in the query does not count.
    bed.post("/token?grant_type=refresh_token", &[], &[("client_id", &client)])
        .await
        .is_refused(400, "invalid_request");
}

#[tokio::test]
async fn less_is_granted_where_less_is_to_be_had() {
    use crate::authorization_server_mock::cli;
    let arguments = ["--scopes", "tools/read", "--token-lifetime", "1"];
    let given = cli::parse(lexopt::Parser::from_args(arguments)).expect("good").expect("no help");
    let bed = Bed::with(|options| {
        options.scopes_granted = given.options.scopes_granted;
        options.token_lifetime = given.options.token_lifetime;
    })
    .await;
    let client = bed.public().await;
    let tokens = bed.tokens(&client, &[("scope", "tools/read tools/write")]).await;
    assert_eq!((&tokens["scope"], &tokens["expires_in"]), (&json!("tools/read"), &json!(1)));
    assert_eq!(bed.introspect(&tokens["access_token"]).await["exp"], 1_800_000_001);
    let answer = bed.authorize(&client, &[("scope", "tools/write")]).await;
    answer.is_returned("access_denied");
    bed.clock.advance(Duration::from_secs(1));
    assert_eq!(bed.introspect(&tokens["access_token"]).await, json!({ "active": false }));
}

/// RFC 8707 §2: `resource` alone may be there more than once.
#[tokio::test]
async fn tokens_are_for_the_resources_asked_for() {
    let other = "https://other.example/mcp";
    let bed = Bed::with(|options| options.resources.push(other.to_owned())).await;
    let client = bed.public().await;
    let both = [("resource", RESOURCE), ("resource", other), ("resource", RESOURCE)];
    let audience = async |change: &[(&str, &str)], more: &[(&str, &str)]| {
        let code = bed.code(&client, change).await;
        let tokens = bed.redeem(&client, &code, more).await.json();
        bed.introspect(&tokens["access_token"]).await["aud"].clone()
    };
    assert_eq!(audience(&[], &[]).await, RESOURCE, "the first is meant if none is named");
    assert_eq!(audience(&both, &[]).await, json!([RESOURCE, other]));
    assert_eq!(audience(&both, &both[1..2]).await, other);
    let code = bed.code(&client, &both[..1]).await;
    bed.redeem(&client, &code, &both[1..2]).await.is_refused(400, "invalid_target");

    let many: Vec<_> = (0..9).map(|at| format!("https://{at}.example/")).collect();
    let many: Vec<_> = many.iter().map(|uri| ("resource", uri.as_str())).collect();
    let bed = Bed::with(|options| options.resources.clear()).await;
    let client = bed.public().await;
    assert!(bed.authorize(&client, &many[..8]).await.returned("code").is_some());
    bed.authorize(&client, &many).await.is_returned("invalid_target");
    bed.authorize(&client, &[]).await.is_returned("invalid_target");
}

impl Bed {
    async fn refresh(
        &self,
        client: &str,
        token: &Value,
        more: &[(&str, &str)],
    ) -> crate::bed::Answer {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", client),
            ("refresh_token", token.as_str().expect("a refresh token")),
        ];
        self.post("/token", &[], &[&form, more].concat()).await
    }
}
