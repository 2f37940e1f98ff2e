//! What a builder refuses, and how it says so.

use std::time::Duration;

use axum::Router;
use proptest::prelude::*;
use serde_json::json;
use tower_resource_server::testing::{ScriptedFetch, TestIssuer};
use tower_resource_server::{
    Algorithm, Builder, ConfigError, Issuer, JwkSet, ResourceMetadata, ResourceServer, Scopes,
};

use crate::support::{Bed, ISSUER, RESOURCE, get, send};

fn builder() -> Builder {
    TestIssuer::new(ISSUER).resource_server(RESOURCE)
}

fn of_resource(resource: &str) -> Builder {
    TestIssuer::new(ISSUER).resource_server(resource)
}

fn of_issuer(issuer: &str) -> Builder {
    ResourceServer::builder(RESOURCE).issuer(Issuer::jwks(issuer, TestIssuer::new(issuer).jwks()))
}

fn of_jwks_uri(uri: &str) -> Builder {
    ResourceServer::builder(RESOURCE).issuer(Issuer::jwks_uri(ISSUER, uri))
}

fn of_metadata(metadata: ResourceMetadata) -> Builder {
    builder().metadata(metadata)
}

/// Setting, words of the problem, and the builder with that one fault.
type Row = (&'static str, &'static str, Builder);

fn identities() -> Vec<Row> {
    let twice = TestIssuer::new(ISSUER);
    vec![
        ("resource", "not an absolute https URL", of_resource("api.example.com")),
        ("resource", "not an absolute https URL", of_resource("")),
        ("resource", "not an absolute https URL", of_resource("https://user@api.example.com")),
        ("resource", "not an absolute https URL", of_resource("HTTPS//api.example.com")),
        ("resource", "not an absolute https URL", of_resource("https://api.example.com/a b")),
        ("resource", "has a fragment", of_resource("https://api.example.com/#x")),
        ("resource", "plain http", of_resource("http://api.example.com")),
        ("resource", "require_https", of_resource("http://localhost").require_https()),
        ("issuer", "no issuer", ResourceServer::builder(RESOURCE)),
        ("issuer", "plain http", of_issuer("http://as.example.com")),
        ("issuer", "not an absolute https URL", of_issuer("as.example.com")),
        ("issuer", "query or a fragment", of_issuer("https://as.example.com?x")),
        ("issuer", "query or a fragment", of_issuer("https://as.example.com/#x")),
        ("issuer", "given twice", twice.resource_server(RESOURCE).issuer(twice.trusted())),
        ("audience", "is empty", builder().audience("")),
        ("audience", "not an absolute URI", builder().audience("/api")),
        ("audience", "not an absolute URI", builder().audience("api")),
        ("audience", "not an absolute URI", builder().audience("https://api.example.com/#x")),
        ("audience", "not an absolute URI", builder().audience("urn:api#x")),
        ("audience", "name is empty", builder().audience_name("")),
    ]
}

fn keys() -> Vec<Row> {
    let none = JwkSet::from_json(br#"{"keys":[]}"#).expect("a key set");
    let secret = br#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#;
    let secret = JwkSet::from_json(secret).expect("a key set");
    let keys = TestIssuer::new(ISSUER).jwks();
    let other = Issuer::jwks(ISSUER, keys).algorithms([Algorithm::RS256]);
    let with = |issuer| ResourceServer::builder(RESOURCE).issuer(issuer);
    let silent = Issuer::jwks_uri(ISSUER, "https://as.example.com/jwks").algorithms([]);
    vec![
        ("issuer", "accepts no algorithm", with(silent).fetch(ScriptedFetch::new())),
        ("jwks", "no key usable", with(Issuer::jwks(ISSUER, none))),
        ("jwks", "(1 skipped)", with(Issuer::jwks(ISSUER, secret))),
        ("jwks", "no key usable", with(other)),
        ("jwks_uri", "not an absolute https URL", of_jwks_uri("/jwks")),
        ("jwks_uri", "plain http", of_jwks_uri("http://as.example.com/jwks")),
        ("jwks_uri", "on loopback", of_jwks_uri("http://127.0.0.1:1/jwks")),
        ("jwks_uri", "has a fragment", of_jwks_uri("https://as.example.com/jwks#keys")),
        (
            "jwks_uri",
            "not an absolute https URL",
            of_jwks_uri(&format!("https://as.example.com/{}", "x".repeat(70_000))),
        ),
        ("fetch_timeout", "zero", builder().fetch_timeout(Duration::ZERO)),
        ("fetch_timeout", "more than 60 s", builder().fetch_timeout(Duration::from_secs(61))),
    ]
}

fn limits() -> Vec<Row> {
    vec![
        ("leeway", "more than 300 s", builder().leeway(Duration::from_millis(300_001))),
        ("leeway", "more than 300 s", builder().leeway(Duration::MAX)),
        ("max_token_bytes", "256", builder().max_token_bytes(255)),
        ("max_token_bytes", "1048576", builder().max_token_bytes(1024 * 1024 + 1)),
        ("retry_after", "less than a second", builder().retry_after(Duration::from_millis(999))),
        ("scope_hierarchy", "not a scope", builder().scope_includes("a b", "c")),
        ("scope_hierarchy", "not a scope", builder().scope_includes("a", "")),
        ("scope_hierarchy", "includes itself", builder().scope_includes("a", "a")),
    ]
}

fn challenges() -> Vec<Row> {
    let param = |name: &str| builder().challenge_param(name, "x");
    let mut rows = vec![
        ("realm", "control", builder().realm("a\nb")),
        ("realm", "control", builder().realm("a\0")),
        ("realm", "non-ASCII", builder().realm("caf\u{e9}")),
        ("error_uri", "not an absolute URI", builder().error_uri("/errors")),
        ("error_uri", "not an absolute URI", builder().error_uri("https://h/\"")),
        ("documentation", "not an absolute URI", builder().documentation("errors.html")),
        ("challenge_param", "given twice", param("x").challenge_param("X", "y")),
        ("challenge_param", "cannot stand", param("a b")),
        ("challenge_param", "cannot stand", param("")),
        ("challenge_param", "cannot stand", builder().challenge_param("x", "a\r\nb")),
    ];
    for name in ["realm", "Scope", "error", "ERROR_description", "error_uri", "resource_metadata"] {
        rows.push(("challenge_param", "written by the library", param(name)));
    }
    for name in ["algs", "acr_values", "max_age", "nonce"] {
        rows.push(("challenge_param", "written by the library", param(name)));
    }
    rows
}

fn metadata() -> Vec<Row> {
    let new = ResourceMetadata::new;
    vec![
        ("metadata", "not a scope", of_metadata(new().scopes_supported(["a b"]))),
        ("metadata", "offline_access", of_metadata(new().scopes_supported(["offline_access"]))),
        ("metadata", "not an absolute URL", of_metadata(new().documentation("/docs"))),
        ("metadata", "not an absolute URL", of_metadata(new().policy(" "))),
        ("metadata", "not an absolute URL", of_metadata(new().member("resource_tos_uri#de", 1))),
        ("metadata", "not https", of_metadata(new().jwks_uri("http://localhost/jwks"))),
        ("metadata", "lists none", of_metadata(new().resource_signing_algorithms(["none"]))),
        ("metadata", "signed JWT", of_metadata(new().signed_metadata("{}"))),
        ("metadata", "other settings", of_metadata(new().member("resource", RESOURCE))),
        ("metadata", "other settings", of_metadata(new().member("scopes_supported", json!([])))),
    ]
}

#[test]
fn every_fault_is_found_alone_and_explained() {
    let rows = [identities(), keys(), limits(), challenges(), metadata()].concat_rows();
    for (setting, words, builder) in rows {
        let error = builder.build().expect_err(words);
        let [fault] = error.faults() else { panic!("{words}: {error}") };
        assert_eq!(fault.setting(), setting, "{error}");
        assert!(fault.problem().contains(words), "{words}: {error}");
        assert!(fault.suggestion().len() > 5, "{error}");
        let line = format!("{setting}: {}; {}", fault.problem(), fault.suggestion());
        assert!(error.to_string().contains(&line), "{error}");
    }
}

trait ConcatRows {
    fn concat_rows(self) -> Vec<Row>;
}

impl<const N: usize> ConcatRows for [Vec<Row>; N] {
    fn concat_rows(self) -> Vec<Row> {
        self.into_iter().flatten().collect()
    }
}

fn settings(error: &ConfigError) -> Vec<&'static str> {
    error.faults().iter().map(|fault| fault.setting()).collect()
}

#[test]
fn all_faults_are_told_at_once() {
    let error = of_resource("http://api.example.com")
        .issuer(Issuer::jwks_uri("http://as.example.com", "http://as.example.com/jwks"))
        .audience("")
        .audience("api")
        .leeway(Duration::from_secs(301))
        .max_token_bytes(0)
        .fetch_timeout(Duration::ZERO)
        .scope_includes("a", "b")
        .scope_includes("b", "c")
        .scope_includes("c", "a")
        .realm("\u{7f}")
        .challenge_param("realm", "x")
        .error_uri("x")
        .documentation("x")
        .metadata(ResourceMetadata::new().member("resource", "x").jwks_uri("http://x"))
        .build()
        .expect_err("everything is wrong");
    let expected = [
        "resource",
        "issuer",
        "jwks_uri",
        "audience",
        "audience",
        "leeway",
        "max_token_bytes",
        "fetch_timeout",
        "scope_hierarchy",
        "scope_hierarchy",
        "scope_hierarchy",
        "realm",
        "challenge_param",
        "error_uri",
        "documentation",
        "metadata",
        "metadata",
    ];
    assert_eq!(settings(&error), expected, "{error}");
}

#[test]
fn the_text_has_one_line_a_fault() {
    let error = builder().audience("").leeway(Duration::MAX).build().expect_err("two faults");
    assert_eq!(error.to_string().lines().count(), 3);
}

#[test]
fn an_issuer_without_algorithms_is_told_beside_its_useless_keys() {
    let issuer = TestIssuer::new(ISSUER).trusted().algorithms([]);
    let error = ResourceServer::builder(RESOURCE).issuer(issuer).build().expect_err("two faults");
    assert_eq!(settings(&error), ["issuer", "jwks"]);
}

#[test]
fn what_is_unusual_but_right_is_accepted() {
    for good in [
        of_resource("http://localhost:8080"),
        of_resource("http://127.0.0.1/mcp"),
        of_resource("https://api.example.com:8443/a/b/"),
        of_issuer("http://[::1]:9000"),
        of_issuer("https://as.example.com/tenant/"),
        #[cfg(feature = "http-client")]
        of_jwks_uri("http://127.0.0.1:1/jwks").allow_loopback(),
        of_jwks_uri("http://127.0.0.1:1/jwks").fetch(ScriptedFetch::new()),
        builder()
            .issuer(Issuer::discover("https://two.example.com/tenant/"))
            .fetch(ScriptedFetch::new()),
        builder().allow_private_hosts(["as.internal", "KEYCLOAK", "10.1.2.3", "[fd00::1]"]),
        builder().audience("urn:example:api").audience_name("a plain name"),
        builder().leeway(Duration::ZERO),
        builder().leeway(Duration::from_secs(300)),
        builder().max_token_bytes(256).token_cache_bytes(0),
        builder().realm("a \"quoted\" \\ realm, b=c").challenge_param("x-y", ""),
        builder().scope_includes("a", "b").scope_includes("a", "c").scope_includes("b", "c"),
        builder().error_uri("urn:example:errors"),
        builder().retry_after(Duration::from_secs(1)),
        builder().fetch_timeout(Duration::from_secs(60)),
    ] {
        if let Err(error) = good.build() {
            panic!("{error}");
        }
    }
}

#[tokio::test]
async fn the_audience_is_the_resource_unless_another_is_given() {
    let bed = Bed::with(|builder| builder.audience("urn:a").audience_name("b"));
    for (audience, good) in [("urn:a", true), ("b", true), (RESOURCE, false)] {
        let answer = bed.bearer(&bed.issuer.token().audience(audience).build()).await;
        assert_eq!(answer.status.is_success(), good, "{audience}");
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,24}",
        "https://[a-z]{1,8}(:[0-9]{0,5})?[/:*.?#a-z{}%0-9]{0,16}",
        "[a-z+.]{1,6}:[ -~]{0,12}",
    ]
}

fn anything() -> impl Strategy<Value = (Builder, String)> {
    let texts = prop::collection::vec(text(), 14);
    texts.prop_map(|texts| {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n] =
            <[String; 14]>::try_from(texts).expect("14");
        let metadata = ResourceMetadata::new()
            .root_alias()
            .name(a.clone())
            .documentation(b.clone())
            .signed_metadata(c.clone())
            .scopes_supported([d.clone()])
            .member(e.clone(), f.clone());
        let builder = ResourceServer::builder(g)
            .issuer(Issuer::jwks_uri(h, i))
            .audience(j.clone())
            .audience_name(j)
            .realm(k.clone())
            .error_uri(l.clone())
            .documentation(l)
            .challenge_param(m.clone(), k)
            .scope_includes(m, n.clone())
            .fetch(ScriptedFetch::new())
            .metadata(metadata);
        (builder, n)
    })
}

/// A server that differs from the test bed in the texts that reach the wire.
fn plausible() -> impl Strategy<Value = (Builder, String)> {
    let resource = "https://[a-z]{1,8}(:[0-9]{1,4})?(/[:*a-z.-]{0,6}){0,3}([?][a-z=&]{0,4})?";
    let name = "[A-Za-z_-]{1,8}";
    (resource, "[ -~]{0,12}", name, "[ -~\t]{0,12}", text()).prop_map(|texts| {
        let (resource, realm, name, value, scope) = texts;
        let issuer = TestIssuer::new(ISSUER);
        let builder = issuer
            .resource_server(resource)
            .audience_name("api")
            .realm(realm)
            .challenge_param(name, value)
            .metadata(ResourceMetadata::new().root_alias());
        (builder, scope)
    })
}

/// Everything that can be made of a server that was built.
fn use_it(server: &ResourceServer, scope: &str) {
    let _: Router = Router::new().merge(server.metadata());
    let _ = server.try_require(Scopes::all([scope]));
    let layer = server.authenticate().require(Scopes::any([scope]));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let answer = runtime.block_on(send(layer, get(&[])));
    if answer.status == 401 {
        assert_eq!(answer.schemes(), ["Bearer", "DPoP"]);
    } else {
        assert_eq!(answer.status, 500);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_builder_panic((builder, scope) in anything()) {
        match builder.build() {
            Ok(server) => use_it(&server, &scope),
            Err(error) => prop_assert!(!error.faults().is_empty() && !error.to_string().is_empty()),
        }
    }

    #[test]
    fn what_is_accepted_can_be_served((builder, scope) in plausible()) {
        match builder.build() {
            Ok(server) => use_it(&server, &scope),
            Err(error) => prop_assert_eq!(settings(&error), ["challenge_param"]),
        }
    }

    #[test]
    fn no_key_set_makes_the_reader_panic(json in text()) {
        let _ = JwkSet::from_json(json.as_bytes());
        let _ = JwkSet::from_json(format!(r#"{{"keys":[{json}]}}"#).as_bytes());
    }
}

#[test]
fn a_private_host_is_a_host_that_can_be_private() {
    let hosts = [
        ("https://as.internal", "is not a host"),
        ("as.internal:8443", "is not a host"),
        ("*.internal", "is not a host"),
        ("10.0.0.0/8", "is not a host"),
        ("", "is not a host"),
        ("localhost", "is loopback"),
        ("127.0.0.1", "is loopback"),
        ("1.1.1.1", "is a public address"),
        ("169.254.169.254", "is a link-local or reserved address"),
        ("fe80::1", "is a link-local or reserved address"),
    ];
    let error = builder().allow_private_hosts(hosts.map(|(host, _)| host)).build();
    let error = error.expect_err("nonsense");
    assert_eq!(error.faults().len(), hosts.len());
    for (fault, (host, problem)) in error.faults().iter().zip(hosts) {
        assert_eq!(fault.setting(), "allow_private_hosts");
        assert_eq!(fault.problem(), format!("{host:?} {problem}"));
    }
}

#[cfg(not(feature = "http-client"))]
#[test]
fn discovery_needs_a_client() {
    let issuers = ["https://one.example.com", "https://two.example.com"].map(Issuer::discover);
    let [one, two] = issuers;
    let error = ResourceServer::builder(RESOURCE).issuer(one).issuer(two).build();
    assert_eq!(settings(&error.expect_err("no client")), ["fetch"]);
}
