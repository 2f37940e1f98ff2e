//! The protected resource metadata document (RFC 9728).

use axum::Router;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use tower::ServiceExt;
use tower_resource_server::testing::TestIssuer;
use tower_resource_server::{
    Issuer, ResourceMetadata, ResourceServer, Scopes, SharedCaching, StepUp,
};

use crate::observability::{CONFIG, Capture};
use crate::support::{Answer, Bed, ISSUER, RESOURCE, read, send};

const ROOT: &str = "/.well-known/oauth-protected-resource";

fn server(resource: &str) -> ResourceServer {
    TestIssuer::new(ISSUER).resource_server(resource).build().expect("a valid configuration")
}

fn with(metadata: ResourceMetadata) -> ResourceServer {
    Bed::with(|builder| builder.metadata(metadata)).server
}

fn request(method: Method, uri: &str) -> Request<Full<Bytes>> {
    Request::builder().method(method).uri(uri).body(Full::default()).expect("a request")
}

async fn ask(server: &ResourceServer, method: Method, uri: &str) -> Answer {
    let response = server.metadata().oneshot(request(method, uri)).await.expect("infallible");
    read(response, false).await
}

pub(crate) async fn document(server: &ResourceServer) -> Value {
    let answer = ask(server, Method::GET, server.metadata().path()).await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.json()
}

/// Path and query of a URL.
fn target(url: &str) -> &str {
    let after = url.split_once("://").expect("an absolute URL").1;
    after.find(['/', '?']).map_or("/", |at| &after[at..])
}

fn well_known() -> Vec<(String, String)> {
    let vectors: Value = serde_json::from_str(include_str!("../vectors.json")).expect("JSON");
    let rows = vectors["tables"]["prm_well_known"].as_array().expect("a table").clone();
    let text = |row: &Value, name: &str| row[name].as_str().expect("a string").to_owned();
    rows.iter().map(|row| (text(row, "resource"), text(row, "metadata_url"))).collect()
}

#[tokio::test]
async fn the_document_lies_where_the_vectors_say() {
    let rows = well_known();
    assert_eq!(rows.len(), 8);
    for (resource, url) in rows {
        let server = server(&resource);
        let answer = ask(&server, Method::GET, target(&url)).await;
        // R9728-3-1: each URL of the vectors answers 200.
        assert_eq!(answer.status, StatusCode::OK, "{url}");
        // R9728-2-1: the identifier, exactly as configured.
        assert_eq!(answer.json()["resource"], resource.as_str());
    }
}

#[tokio::test]
async fn the_layer_and_the_router_serve_the_same_places() {
    for (resource, url) in well_known() {
        let server = server(&resource);
        let layered = send(server.metadata_layer(), request(Method::GET, target(&url))).await;
        assert_eq!(layered.json()["resource"], resource.as_str());
        assert!(!layered.handled);
        let router = Router::new().merge(server.metadata());
        let response =
            router.oneshot(request(Method::GET, target(&url))).await.expect("infallible");
        assert_eq!(read(response, false).await.body, layered.body, "{url}");
    }
}

#[tokio::test]
async fn only_the_slash_after_the_host_is_dropped() {
    // R9728-3.1-1: the slash after the host goes, that of a path stays.
    assert_eq!(server("https://h.example/").metadata().path(), ROOT);
    assert_eq!(server("https://h.example/mcp/").metadata().path(), format!("{ROOT}/mcp/"));
    let mcp = server("https://h.example/mcp/");
    for other in [ROOT.to_owned(), format!("{ROOT}/"), format!("{ROOT}/mcp")] {
        assert_eq!(ask(&mcp, Method::GET, &other).await.status, StatusCode::NOT_FOUND, "{other}");
    }
}

#[tokio::test]
async fn a_resource_with_a_query_asks_for_it() {
    let server = server("https://h.example/r?t=1");
    for other in ["/r", "/r?t=2", "/r?t=1&u=2"] {
        let answer = ask(&server, Method::GET, &format!("{ROOT}{other}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{other}");
    }
}

#[tokio::test]
async fn the_root_alias_is_on_request_and_keeps_the_resource() {
    let issuer = TestIssuer::new(ISSUER);
    let alias = issuer
        .resource_server("https://h.example/mcp")
        .metadata(ResourceMetadata::new().root_alias())
        .build()
        .expect("a valid configuration");
    // R9728-3.1-2: off by default; as the documented alias, with the resource unchanged.
    let plain = server("https://h.example/mcp");
    assert_eq!(ask(&plain, Method::GET, ROOT).await.status, StatusCode::NOT_FOUND);
    assert_eq!(ask(&alias, Method::GET, ROOT).await.json()["resource"], "https://h.example/mcp");
    let router = Router::new().merge(alias.metadata());
    for path in [ROOT, alias.metadata().path()] {
        let answer = router.clone().oneshot(request(Method::GET, path)).await.expect("infallible");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn the_document_has_the_derived_members() {
    let other = TestIssuer::new("https://other.example.com/");
    let bed = Bed::with(|builder| builder.issuer(other.trusted()));
    let found = document(&bed.server).await;
    assert_eq!(found["resource"], RESOURCE);
    // R9728-2-2: the configured issuers, exactly.
    assert_eq!(found["authorization_servers"], json!([ISSUER, "https://other.example.com/"]));
    assert_eq!(found["bearer_methods_supported"], json!(["header"]));
}

#[tokio::test]
async fn scopes_are_the_union_of_what_routes_name() {
    let bed = Bed::new();
    let before = document(&bed.server).await;
    // R9728-3.2-2: no member without a value.
    assert_eq!(before.get("scopes_supported"), None);
    let _ = bed.server.require(Scopes::all(["read", "write"]));
    let _ =
        bed.server.authenticate().require(Scopes::any(["read", "admin"]).and(StepUp::acr(["x"])));
    let _ = bed.server.require(Scopes::all(["offline_access"]));
    // R9728-2-4: the union of the routes' scopes, without offline_access.
    let after = document(&bed.server).await;
    assert_eq!(after["scopes_supported"], json!(["admin", "read", "write"]));
}

#[tokio::test]
async fn chosen_scopes_take_the_place_of_the_routes() {
    let chosen = ResourceMetadata::new().scopes_supported(["public"]);
    let server = with(chosen);
    let _ = server.require(Scopes::all(["internal"]));
    assert_eq!(document(&server).await["scopes_supported"], json!(["public"]));
}

#[tokio::test]
async fn a_faulty_requirement_adds_no_scope() {
    let bed = Bed::new();
    let _ = bed.server.require(Scopes::all(["read write"]));
    assert!(bed.server.try_require(Scopes::all(["a\"b"])).is_err());
    assert_eq!(document(&bed.server).await.get("scopes_supported"), None);
}

#[tokio::test]
async fn chosen_members_are_emitted() {
    let metadata = ResourceMetadata::new()
        .name("Payments")
        .member("resource_name#it", "Pagamenti")
        .documentation("https://dev.example.com/docs")
        .policy("https://dev.example.com/policy")
        .terms_of_service("https://dev.example.com/tos")
        .jwks_uri("https://api.example.com/jwks.json")
        .resource_signing_algorithms(["ES256"])
        .authorization_details_types(["payment"]);
    let found = document(&with(metadata)).await;
    // R9728-2-7: name and pages.
    assert_eq!(found["resource_name"], "Payments");
    assert_eq!(found["resource_documentation"], "https://dev.example.com/docs");
    assert_eq!(found["resource_policy_uri"], "https://dev.example.com/policy");
    assert_eq!(found["resource_tos_uri"], "https://dev.example.com/tos");
    // R9728-2.1-1: a member with a language tag, beside the one without.
    assert_eq!(found["resource_name#it"], "Pagamenti");
    // R9728-2-9, R9396-10-1: types of authorization details.
    assert_eq!(found["authorization_details_types_supported"], json!(["payment"]));
    assert_eq!(found["jwks_uri"], "https://api.example.com/jwks.json");
    assert_eq!(found["resource_signing_alg_values_supported"], json!(["ES256"]));
}

#[tokio::test]
async fn members_without_a_value_are_left_out() {
    let metadata = ResourceMetadata::new()
        .name("")
        .member("x-null", Value::Null)
        .authorization_details_types::<String>([])
        .scopes_supported::<String>([]);
    let found = document(&with(metadata)).await;
    let members: Vec<_> = found.as_object().expect("an object").keys().collect();
    // R9728-3.2-2: neither empty nor null members; several values are arrays.
    let expected = [
        "authorization_servers",
        "bearer_methods_supported",
        "dpop_signing_alg_values_supported",
        "resource",
    ];
    assert_eq!(members, expected);
    assert!(expected[..3].iter().all(|name| found[name].is_array()));
}

pub(crate) fn refused(metadata: ResourceMetadata) -> String {
    let issuer = TestIssuer::new(ISSUER);
    let built = issuer.resource_server(RESOURCE).metadata(metadata).build();
    built.expect_err("a fault").to_string()
}

#[test]
fn unsigned_and_plain_http_members_are_refused() {
    let none = ResourceMetadata::new().resource_signing_algorithms(["ES256", "none"]);
    // R9728-2-6: never `none`.
    assert!(refused(none).contains("lists none"));
    let plain = ResourceMetadata::new().jwks_uri("http://api.example.com/jwks.json");
    assert!(refused(plain).contains("is not https"));
}

fn signed(claims: &Value) -> String {
    let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
    format!("{}.{payload}.c2ln", URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256"}"#))
}

#[tokio::test]
async fn signed_metadata_is_served_verbatim_and_says_the_same() {
    let claims = json!({ "iss": "https://signer.example.com", "resource": RESOURCE,
        "authorization_servers": [ISSUER], "resource_name": "Payments" });
    let jwt = signed(&claims);
    let metadata = || ResourceMetadata::new().name("Payments");
    let found = document(&with(metadata().signed_metadata(&jwt))).await;
    // R9728-2.2-1: verbatim; what differs from the plain members is refused.
    assert_eq!(found["signed_metadata"], jwt.as_str());
    for (name, value) in [
        ("resource", json!("https://evil.example.com")),
        ("authorization_servers", json!(["https://evil.example.com"])),
        ("resource_name", json!("Other")),
    ] {
        let mut claims = claims.clone();
        claims[name] = value;
        let error = refused(metadata().signed_metadata(signed(&claims)));
        assert!(error.contains("signed_metadata") && error.contains(name), "{error}");
    }
}

#[test]
fn signed_metadata_is_linted() {
    let itself = json!({ "iss": "https://signer.example.com", "signed_metadata": "a.b.c" });
    // R9728-2.2-2: not a claim inside itself.
    let error = refused(ResourceMetadata::new().signed_metadata(signed(&itself)));
    assert!(error.contains("holds signed_metadata"), "{error}");
    let nobody = json!({ "resource": RESOURCE });
    let error = refused(ResourceMetadata::new().signed_metadata(signed(&nobody)));
    assert!(error.contains("has no iss"), "{error}");
    for text in ["", "a.b", "a.b.c.d", "a.!.c", "a.bm8.c"] {
        let metadata = ResourceMetadata::new().signed_metadata(text);
        assert!(refused(metadata).contains("is not a signed JWT"), "{text}");
    }
}

#[tokio::test]
async fn the_answer_is_one_json_object_that_caches_may_keep() {
    let bed = Bed::new();
    let answer = ask(&bed.server, Method::GET, ROOT).await;
    // R9728-3.2-1: 200, exactly application/json, one object.
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.all("content-type"), ["application/json"]);
    assert!(answer.json().is_object());
    // R9728-7.10-1: cacheable for an hour.
    assert_eq!(answer.all("cache-control"), ["public, max-age=3600"]);
    let shorter = with(ResourceMetadata::new().max_age(60));
    let answer = ask(&shorter, Method::GET, ROOT).await;
    assert_eq!(answer.all("cache-control"), ["public, max-age=60"]);
}

#[tokio::test]
async fn a_known_tag_is_answered_without_the_document() {
    let bed = Bed::new();
    let first = ask(&bed.server, Method::GET, ROOT).await;
    let mut again = request(Method::GET, ROOT);
    again.headers_mut().insert("if-none-match", first.headers["etag"].clone());
    let answer = bed.server.metadata().oneshot(again.clone()).await.expect("infallible");
    assert_eq!(answer.status(), StatusCode::NOT_MODIFIED);
    let _ = bed.server.require(Scopes::all(["new"]));
    let answer = bed.server.metadata().oneshot(again).await.expect("infallible");
    assert_eq!(answer.status(), StatusCode::OK, "the document has changed");
}

#[tokio::test]
async fn errors_use_ordinary_statuses() {
    let bed = Bed::new();
    // R9728-3.2-3: 404 elsewhere, 405 with Allow for other methods.
    let elsewhere = ask(&bed.server, Method::GET, "/elsewhere").await;
    assert_eq!(elsewhere.status, StatusCode::NOT_FOUND);
    let post = ask(&bed.server, Method::POST, ROOT).await;
    assert_eq!(post.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(post.all("allow"), ["GET, HEAD"]);
}

#[tokio::test]
async fn the_router_answers_other_methods_itself() {
    let router = Router::new().merge(Bed::new().server.metadata());
    let response = router.oneshot(request(Method::POST, ROOT)).await.expect("infallible");
    let answer = read(response, false).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.all("allow"), ["GET, HEAD"]);
}

#[tokio::test]
async fn head_has_the_fields_of_get_and_no_body() {
    let bed = Bed::new();
    let get = ask(&bed.server, Method::GET, ROOT).await;
    let head = ask(&bed.server, Method::HEAD, ROOT).await;
    assert!(head.body.is_empty() && !get.body.is_empty());
    for name in ["content-type", "cache-control", "etag"] {
        assert_eq!(head.all(name), get.all(name), "{name}");
    }
}

#[tokio::test]
async fn nothing_in_the_request_changes_the_document() {
    let bed = Bed::new();
    let plain = ask(&bed.server, Method::GET, ROOT).await;
    let mut evil = request(Method::GET, &format!("https://evil.example.com{ROOT}"));
    for name in ["host", "x-forwarded-host", "forwarded", "origin"] {
        evil.headers_mut().insert(name, "evil.example.com".parse().expect("a value"));
    }
    let response = bed.server.metadata().oneshot(evil).await.expect("infallible");
    // R9728-3.3-1: no reflection of Host; the resource stays the configured one.
    let answer = read(response, false).await;
    assert_eq!(answer.json()["resource"], RESOURCE);
    assert_eq!(answer.body, plain.body);
}

#[tokio::test]
async fn a_client_finds_the_resource_it_called() {
    let server = TestIssuer::new(ISSUER)
        .resource_server("https://api.example.com/mcp")
        .build()
        .expect("a valid configuration");
    let called = "https://api.example.com/mcp";
    let refused = send(server.authenticate(), request(Method::POST, called)).await;
    let challenge = refused.challenge();
    let url = challenge.get("resource_metadata").expect("the document's URL");
    assert!(url.starts_with("https://api.example.com/"), "{url}");
    let found = ask(&server, Method::GET, url).await.json();
    // R9728-3.3-2: the resource is the URL that the client requested.
    assert_eq!(found["resource"], called);
}

#[tokio::test]
async fn every_challenge_names_the_document() {
    let bed = Bed::new();
    let url = format!("{RESOURCE}{ROOT}");
    for request in [crate::support::get(&[]), crate::support::bearer("garbage")] {
        let answer = send(bed.server.authenticate(), request).await;
        for challenge in answer.challenges() {
            assert_eq!(challenge.get("resource_metadata"), Some(url.as_str()));
        }
    }
}

#[tokio::test]
async fn the_document_is_public_where_all_else_is_protected() {
    let bed = Bed::new();
    let layers = (bed.server.metadata_layer(), bed.server.authenticate());
    let answer = send(layers.clone(), request(Method::GET, ROOT)).await;
    // R9728-7.7-1: 200 without a token, readable from any origin.
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.all("access-control-allow-origin"), ["*"]);
    send(layers, crate::support::get(&[])).await.assert_n401();
}

#[tokio::test]
async fn merged_after_the_layer_the_document_is_public() {
    let bed = Bed::new();
    let router = Router::new()
        .route("/r", get(|| async { "secret" }))
        .layer(bed.server.authenticate())
        .merge(bed.server.metadata());
    let public = router.clone().oneshot(request(Method::GET, ROOT)).await.expect("infallible");
    assert_eq!(public.status(), StatusCode::OK);
    let protected = router.oneshot(request(Method::GET, "/r")).await.expect("infallible");
    assert_eq!(protected.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_browser_may_ask_first() {
    let bed = Bed::new();
    let answer = ask(&bed.server, Method::OPTIONS, ROOT).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(answer.all("access-control-allow-origin"), ["*"]);
    assert_eq!(answer.all("access-control-allow-methods"), ["GET, HEAD"]);
}

#[tokio::test]
async fn other_requests_reach_the_service_behind_the_layer() {
    let bed = Bed::with(|builder| builder.shared_caching(SharedCaching::Rewrite));
    for path in ["/r", "/.well-known", "/.well-known/oauth-protected-resource/x"] {
        let answer = send(bed.server.metadata_layer(), request(Method::GET, path)).await;
        assert!(answer.handled, "{path}");
        assert_eq!(answer.status, StatusCode::OK);
    }
}

fn build(resource: &str) -> Result<ResourceServer, tower_resource_server::ConfigError> {
    let issuer = TestIssuer::new(ISSUER);
    ResourceServer::builder(resource).issuer(Issuer::jwks(ISSUER, issuer.jwks())).build()
}

#[test]
fn the_resource_is_an_https_url_without_fragment() {
    // R9728-1.2-1, R9728-7.1-1: a fragment and plain http are refused, loopback aside.
    for resource in ["https://api.example.com/#x", "http://api.example.com", "/r", "urn:x:y"] {
        let error = build(resource).expect_err(resource);
        assert_eq!(error.faults()[0].setting(), "resource", "{resource}");
    }
    assert!(build("http://127.0.0.1:8080").is_ok());
    let log = Capture::start();
    assert!(build("https://api.example.com/?t=1").is_ok());
    let warnings = log.of(CONFIG);
    // R9728-1.2-1: a query is discouraged.
    assert!(warnings.iter().any(|event| event.level == tracing::Level::WARN
        && event.get("message").is_some_and(|text| text.contains("query"))));
}

fn router_of(server: &ResourceServer) -> Router {
    Router::new().route("/other", get(|| async {})).merge(server.metadata())
}

#[tokio::test]
async fn a_path_that_looks_like_a_route_pattern_is_taken_literally() {
    for path in ["/:tenant", "/*rest", "/a/*"] {
        let server = server(&format!("https://api.example.com{path}"));
        let own = request(Method::GET, server.metadata().path());
        let response = router_of(&server).oneshot(own).await;
        assert_eq!(response.expect("infallible").status(), StatusCode::OK, "{path}");
        let other = router_of(&server).oneshot(request(Method::GET, &format!("{ROOT}/a/x"))).await;
        assert_eq!(other.expect("infallible").status(), StatusCode::NOT_FOUND, "{path}");
    }
}
