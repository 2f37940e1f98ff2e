//! Clients: how they register, and how they authenticate themselves.

use http::{Method, StatusCode, header};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::authorization_server_mock::Client;
use crate::bed::{Answer, Bed, REDIRECT, basic};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

#[tokio::test]
async fn a_secret_is_sent_in_one_way() {
    let bed = Bed::new().await;
    let (client, secret) = bed.confidential().await;
    let (id, right) = (("client_id", client.as_str()), ("client_secret", secret.as_str()));
    let credentials = basic(&client, &secret);
    let field = ("authorization", credentials.as_str());
    let ask = async |fields: &[(&str, &str)], form: &[(&str, &str)]| -> Answer {
        bed.post("/token", fields, &[&[GRANT], form].concat()).await
    };
    assert_eq!(ask(&[field], &[]).await.status, StatusCode::OK);
    assert_eq!(ask(&[field], &[id]).await.status, StatusCode::OK);
    assert_eq!(ask(&[], &[id, right]).await.status, StatusCode::OK);
    // AS-R6749-5.2-4: two ways at once, or one parameter twice.
    ask(&[field], &[right]).await.is_refused(400, "invalid_request");
    ask(&[field], &[id, right]).await.is_refused(400, "invalid_request");
    ask(&[field], &[("client_assertion", "x")]).await.is_refused(400, "invalid_request");
    ask(&[field, field], &[]).await.is_refused(400, "invalid_request");
    ask(&[field], &[("client_id", "x")]).await.is_refused(400, "invalid_request");
    ask(&[field], &[GRANT]).await.is_refused(400, "invalid_request");
    ask(&[], &[id, id, right]).await.is_refused(400, "invalid_request");
    ask(&[field], &[("new", "1"), ("new", "2")]).await.is_refused(400, "invalid_request");
}

#[tokio::test]
async fn a_wrong_secret_is_refused() {
    let bed = Bed::new().await;
    let (client, secret) = bed.confidential().await;
    let public = bed.public().await;
    let bearer = format!("Bearer {secret}");
    let joined = basic(&client, &secret);
    for field in [
        basic(&client, "wrong"),
        basic(&client, ""),
        basic("x", &secret),
        basic(&public, ""),
        basic(&public, "x"),
        bearer,
        joined.replace("Basic ", "Basic"),
        joined.replace("Basic ", "Basic !"),
        "Basic".to_owned(),
        "Basic OnM=".to_owned(),
        "Basic /w==".to_owned(),
        "Basic JTop".to_owned(),
    ] {
        let answer = bed.post("/token", &[("authorization", &field)], &[GRANT]).await;
        // AS-R6749-5.2-2: 401 and how to do it, if it was tried in the header.
        answer.is_refused(401, "invalid_client");
        let challenge = answer.field("www-authenticate").expect("a challenge");
        assert!(challenge.starts_with("Basic realm=\""), "{challenge}");
    }
    for form in [
        vec![("client_id", client.as_str()), ("client_secret", "wrong")],
        vec![("client_id", client.as_str())],
        vec![("client_id", public.as_str()), ("client_secret", "x")],
        vec![("client_id", "x")],
        vec![],
        vec![("client_id", client.as_str()), ("client_assertion", "x")],
    ] {
        // AS-R6749-5.2-2: else 400.
        bed.post("/token", &[], &[&[GRANT], &form[..]].concat())
            .await
            .is_refused(400, "invalid_client");
    }
}

#[tokio::test]
async fn a_client_may_be_known_beforehand() {
    let bed = Bed::with(|options| options.clients.push(Client::service("a:b", "c d%"))).await;
    let answer = bed.post("/token", &[("authorization", &basic("a:b", "c d%"))], &[GRANT]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

/// RFC 7591 §3.2.1.
#[tokio::test]
async fn a_client_is_told_what_it_is() {
    let bed = Bed::new().await;
    let answer = bed.register(json!({ "redirect_uris": [REDIRECT], "tos_uri": "https://x" })).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    let document = answer.json();
    assert!(document["client_id"].is_string() && document["client_secret"].is_string());
    assert_eq!(document["client_id_issued_at"], 1_800_000_000);
    assert_eq!(document["client_secret_expires_at"], 1_800_086_400);
    assert_eq!(document["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(document["grant_types"], json!(["authorization_code"]));
    assert_eq!(document["response_types"], json!(["code"]));

    // As the Rust MCP SDK registers.
    let public = json!({
        "client_name": "MCP client", "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code", "refresh_token", "urn:example:other"],
        "token_endpoint_auth_method": "none", "response_types": ["code"],
        "scope": "tools/read unheard-of", "application_type": "native",
    });
    let document = bed.register(public).await.json();
    assert_eq!(document["client_secret"], Value::Null);
    assert_eq!(document["grant_types"], json!(["authorization_code", "refresh_token"]));
    assert_eq!(document["scope"], "tools/read");
    // That scope is meant where it asks for none in particular.
    let client = document["client_id"].as_str().expect("an identifier");
    assert_eq!(bed.tokens(client, &[("scope", "")]).await["scope"], "tools/read");
}

#[tokio::test]
async fn a_client_without_a_code_grant_returns_nowhere() {
    let bed = Bed::new().await;
    let service = json!({ "grant_types": ["client_credentials"], "response_types": [] });
    let document = bed.register(service).await.json();
    assert_eq!(document["response_types"], json!([]));
    assert!(document["client_secret"].is_string());
}

/// RFC 7591 §3.2.2.
#[tokio::test]
async fn bad_metadata_is_refused() {
    let bed = Bed::new().await;
    for uris in [
        json!([]),
        json!(["/cb"]),
        json!(["http://app.example/cb"]),
        json!(["https://app.example/cb#"]),
        json!(["https:app.example"]),
        json!(["https://user@app.example/"]),
        json!(["javascript:alert(1)"]),
        json!(["data:text/html,x"]),
        json!(["https://app.example/\r\nx: y"]),
        json!(["https://app.example/\u{e9}"]),
        json!([REDIRECT, ""]),
        json!([format!("https://app.example/{}", "a".repeat(2048))]),
        json!(vec!["https://app.example/"; 9]),
    ] {
        let answer = bed.register(json!({ "redirect_uris": uris })).await;
        answer.is_refused(400, "invalid_redirect_uri");
    }
    let app = json!({ "redirect_uris": ["com.example.app:/cb", "http://localhost/cb"] });
    assert_eq!(bed.register(app).await.status, StatusCode::CREATED);
    for bad in [
        json!({ "redirect_uris": REDIRECT }),
        json!({ "redirect_uris": [REDIRECT], "grant_types": [1] }),
        json!({ "redirect_uris": [REDIRECT], "response_types": ["token"] }),
        json!({ "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "private_key_jwt" }),
        json!({ "redirect_uris": [REDIRECT], "scope": "\"" }),
        json!({ "token_endpoint_auth_method": "none", "grant_types": ["client_credentials"] }),
        json!([]),
        json!(null),
    ] {
        bed.register(bad).await.is_refused(400, "invalid_client_metadata");
    }
    for (kind, body) in [
        ("application/json", "{".to_owned()),
        ("application/json", "x".repeat(9000)),
        ("text/plain", "{}".to_owned()),
    ] {
        let request = bed.request(Method::POST, "/register").header(header::CONTENT_TYPE, kind);
        let answer = bed.send(request.body(Full::from(body)).expect("valid")).await;
        answer.is_refused(400, "invalid_client_metadata");
    }
}
