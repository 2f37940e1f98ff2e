//! The authorization endpoint: who is redirected, and with what.

use http::{Method, StatusCode};
use http_body_util::Full;
use serde_json::json;

use crate::bed::{Bed, CHALLENGE, REDIRECT, parameters, query};

#[tokio::test]
async fn nobody_is_sent_where_no_client_has_registered() {
    let bed = Bed::new().await;
    let client = bed.public().await;
    // AS-R6749-4.1.2.1-1: the very request of the table, and its kin.
    bed.get("/authorize?client_id=x").await.is_page(400);
    bed.get("/authorize").await.is_page(400);
    for change in [
        ("client_id", ""),
        ("client_id", "x"),
        ("redirect_uri", ""),
        ("redirect_uri", "https://evil.example/cb"),
        ("redirect_uri", "javascript:alert(1)"),
        ("redirect_uri", "//evil.example"),
        ("redirect_uri", "<script>alert(1)</script>"),
    ] {
        let answer = bed.authorize(&client, &[change]).await;
        answer.is_page(400);
        assert!(!answer.text().contains("evil") && !answer.text().contains("alert"));
        // AS-OIDC-3.1.2.6-2: whatever the prompt is.
        bed.authorize(&client, &[change, ("prompt", "none")]).await.is_page(400);
    }
    // Of two places to return to it is not certain which.
    let twice = format!("redirect_uri={}", query(&[("redirect_uri", REDIRECT)]));
    let path = format!("/authorize?{}&{twice}", query(&parameters(&client, &[])));
    bed.get(&path).await.is_page(400);
}

#[tokio::test]
async fn redirect_uris_are_compared_character_by_character() {
    let bed = Bed::new().await;
    let uris =
        [REDIRECT, "https://app.example/cb?a=1", "http://localhost:5000/cb", "http://[::1]/"];
    let (client, _) = bed.client_with(json!({ "redirect_uris": uris })).await;
    // AS-R6749-4.1.2.1-2: exact, but for the port on loopback.
    for other in [
        "http://127.0.0.1:4000/cb/",
        "http://127.0.0.1:4000/cb?a=1",
        "http://127.0.0.1:4000/CB",
        "http://127.0.0.1:4000/cb#",
        "https://127.0.0.1:4000/cb",
        "http://127.0.0.2:4000/cb",
        "http://127.0.0.1.evil.example:4000/cb",
        "http://127.0.0.1:4000@evil.example/cb",
        "http://127.0.0.1:x/cb",
        "https://app.example/cb",
        "https://app.example:443/cb?a=1",
        "https://app.example/cb?a=1&b=2",
        "http://localhost:5001/cb",
    ] {
        bed.authorize(&client, &[("redirect_uri", other)]).await.is_page(400);
    }
    let good = ["http://127.0.0.1:4999/cb", "http://127.0.0.1/cb", "http://[::1]:7/"];
    for same in uris.into_iter().chain(good) {
        let answer = bed.authorize(&client, &[("redirect_uri", same)]).await;
        assert!(answer.location().starts_with(same), "{answer:?}");
    }
}

#[tokio::test]
async fn other_errors_go_to_the_client() {
    let bed = Bed::new().await;
    let client = bed.public().await;
    // AS-R6749-4.1.2.1-3: by redirect, with the state.
    let answer = bed.authorize(&client, &[("scope", "tools/delete")]).await;
    answer.is_returned("invalid_scope");
    assert_eq!(answer.returned("state").as_deref(), Some("xyz"));
    assert!(answer.location().starts_with(&format!("{REDIRECT}?error=invalid_scope&")));

    let grants = json!({ "grant_types": ["refresh_token"] });
    let (without_codes, _) = bed.client_with(grants).await;
    bed.authorize(&without_codes, &[]).await.is_returned("unauthorized_client");
    // AS-R6749-4.1.2.1-4: each code, and what it takes.
    for (change, error) in [
        (("response_mode", "fragment"), "invalid_request"),
        (("max_age", "-1"), "invalid_request"),
        (("login_hint", "deny"), "access_denied"),
        (("response_type", "token"), "unsupported_response_type"),
        (("scope", "tools/read\u{e9}"), "invalid_scope"),
        (("scope", "\"tools/read\""), "invalid_scope"),
        (("login_hint", "fail"), "server_error"),
        (("login_hint", "busy"), "temporarily_unavailable"),
        (("resource", "https://other.example/"), "invalid_target"),
        (("resource", "https://mcp.example.com/mcp#x"), "invalid_target"),
        (("resource", "/mcp"), "invalid_target"),
    ] {
        bed.authorize(&client, &[change]).await.is_returned(error);
    }
    for (name, error) in [
        // AS-OIDC-3.1.2.6-1: what a server without request objects has to say of them.
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ] {
        bed.authorize(&client, &[(name, "x")]).await.is_returned(error);
    }
}

#[tokio::test]
async fn the_response_type_is_needed() {
    let bed = Bed::new().await;
    let client = bed.public().await;
    // AS-R6749-4.1.2.1-6
    bed.authorize(&client, &[("response_type", "")]).await.is_returned("invalid_request");
    for other in ["token", "id_token", "code token", "Code"] {
        let answer = bed.authorize(&client, &[("response_type", other)]).await;
        answer.is_returned("unsupported_response_type");
    }
}

#[tokio::test]
async fn a_parameter_is_there_once() {
    let bed = Bed::new().await;
    let client = bed.public().await;
    let path = format!("/authorize?{}", query(&parameters(&client, &[])));
    bed.get(&format!("{path}&scope=tools")).await.is_returned("invalid_request");
    bed.get(&format!("{path}&new=1&new=2")).await.is_returned("invalid_request");
    // Of two states it is not certain which to send back.
    let answer = bed.get(&format!("{path}&state=abc")).await;
    answer.is_returned("invalid_request");
    assert_eq!(answer.returned("state"), None);
}

#[tokio::test]
async fn the_state_goes_back_as_it_came() {
    let bed = Bed::new().await;
    let uri = "https://app.example/cb?a=1&state=own";
    let (client, _) = bed.client_with(json!({ "redirect_uris": [REDIRECT, uri] })).await;
    let states =
        ["a b+c%20&d=e;f/?#", "\u{e9}\u{1f600}", "\"<>\\^`{|}", "%zz", "%2525", "\r\nx: y"];
    for state in states {
        for change in [("scope", "tools/read"), ("scope", "none")] {
            let answer = bed.authorize(&client, &[("state", state), change]).await;
            // AS-R6749-4.1.2.1-5: byte by byte, with codes and with errors.
            assert_eq!(answer.returned("state").as_deref(), Some(state));
        }
    }
    // AS-R6749-4.1.2.1-5: not sent, not echoed.
    for change in [("scope", "tools/read"), ("scope", "none")] {
        assert_eq!(bed.authorize(&client, &[("state", ""), change]).await.returned("state"), None);
    }
    // AS-R6749-4.1.2.1-5: the query that was there stays.
    let change = [("redirect_uri", uri), ("scope", "none")];
    let answer = bed.authorize(&client, &change).await;
    assert!(answer.location().starts_with(&format!("{uri}&error=invalid_scope&")), "{answer:?}");
    let states = answer.returned_all().into_iter().filter(|(name, _)| name == "state");
    assert_eq!(states.map(|(_, value)| value).collect::<Vec<_>>(), ["own", "xyz"]);
}

#[tokio::test]
async fn a_public_client_has_to_send_a_challenge() {
    let bed = Bed::new().await;
    let client = bed.public().await;
    // AS-O21-4.1.1-1: the vector of RFC 7636 Appendix B verifies; no challenge is an error.
    let code = bed.code(&client, &[("code_challenge", CHALLENGE)]).await;
    assert_eq!(bed.redeem(&client, &code, &[]).await.status, StatusCode::OK);
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    bed.authorize(&client, &without).await.is_returned("invalid_request");
    bed.authorize(&client, &[("code_challenge", "")]).await.is_returned("invalid_request");
    for bad in ["short", &CHALLENGE[1..], &format!("{CHALLENGE}A"), &CHALLENGE.replace('-', "+")] {
        bed.authorize(&client, &[("code_challenge", bad)]).await.is_returned("invalid_request");
    }
    // AS-O21-4.1.1-2: plain is what is meant without a method, and is not supported.
    for method in ["plain", "", "s256", "S512"] {
        let answer = bed.authorize(&client, &[("code_challenge_method", method)]).await;
        answer.is_returned("invalid_request");
    }
}

#[tokio::test]
async fn the_request_may_be_a_form() {
    let bed = Bed::new().await;
    let client = bed.public().await;
    for (change, name) in [(("scope", "tools/read"), "code"), (("scope", "none"), "error")] {
        let answer = bed.post("/authorize", &[], &parameters(&client, &[change])).await;
        // AS-O21-7.5.3-1: a browser does not send the form again after 303.
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert!(answer.returned(name).is_some(), "{answer:?}");
    }
}

#[tokio::test]
async fn scripts_do_not_reach_it() {
    let bed = Bed::new().await;
    let client = bed.public().await;
    let path = format!("/authorize?{}", query(&parameters(&client, &[])));
    for method in [Method::GET, Method::OPTIONS] {
        let from = |path: &str| {
            let request = bed.request(method.clone(), path).header("origin", "https://app.example");
            let request = request.header("access-control-request-method", "GET");
            bed.send(request.body(Full::default()).expect("valid"))
        };
        // AS-O21-3.1-1: while they do reach what clients fetch.
        assert_eq!(from(&path).await.field("access-control-allow-origin"), None);
        assert_eq!(from("/jwks.json").await.field("access-control-allow-origin"), Some("*"));
        assert_eq!(from("/token").await.field("access-control-allow-origin"), Some("*"));
    }
}

#[tokio::test]
async fn each_answer_says_whose_it_is() {
    for issuer in [None, Some("https://as.example.com")] {
        let bed = Bed::with(|options| options.issuer = issuer.map(str::to_owned)).await;
        let client = bed.public().await;
        let metadata = bed.get("/.well-known/oauth-authorization-server").await.json();
        let own = metadata["issuer"].as_str().expect("an issuer");
        assert_eq!(own, issuer.unwrap_or(&bed.base));
        assert!(!own.contains(['?', '#']));
        // AS-R9207-2.3-1
        assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
        for change in [
            ("scope", "tools/read"),
            ("scope", "none"),
            ("login_hint", "fail"),
            ("prompt", "none"),
            ("request", "x"),
        ] {
            let answer = bed.authorize(&client, &[change]).await;
            // AS-R9207-2-1: in codes and errors, exactly.
            assert_eq!(answer.returned("iss").as_deref(), Some(own));
        }
    }
}
