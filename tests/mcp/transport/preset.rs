//! `Builder::mcp`, and the layer without it.

use http::{HeaderValue, Method, StatusCode};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_resource_server::layer::FormTokenLayer;
use tower_resource_server::mcp::{Mcp, Revision};
use tower_resource_server::render::ProblemJson;
use tower_resource_server::testing::TestIssuer;
use tower_resource_server::{
    AllowedIssuers, Builder, Fapi2, IssuerResolver, RejectionKind, ResolveFuture, ResourceServer,
    Scopes, SenderConstraint,
};

use super::{ask, bare, bed, post};
use crate::support::{Bed, ISSUER, Logs, RESOURCE, read};

fn builder() -> Builder {
    TestIssuer::new(ISSUER).resource_server(RESOURCE)
}

/// The faults of an MCP server with that setting, made before the preset and after it.
fn faults(mcp: &Mcp, change: impl Fn(Builder) -> Builder) -> Vec<(&'static str, String)> {
    let built = [change(builder()).mcp(mcp.clone()), change(builder().mcp(mcp.clone()))];
    let [one, other] = built.map(|builder| builder.build().expect_err("a contradiction"));
    assert_eq!(one.to_string(), other.to_string(), "the order of settings does not matter");
    assert!(one.faults().iter().all(|fault| !fault.suggestion().is_empty()));
    one.faults().iter().map(|fault| (fault.setting(), fault.problem().to_owned())).collect()
}

fn settings(mcp: &Mcp, change: impl Fn(Builder) -> Builder) -> Vec<&'static str> {
    faults(mcp, change).into_iter().map(|(setting, _)| setting).collect()
}

#[test]
fn what_contradicts_it_is_a_fault() {
    let mcp = Mcp::new();
    let of = |change: fn(Builder) -> Builder| settings(&mcp, change);
    assert_eq!(of(Builder::dpop_challenge_first), ["dpop_challenge_first"]);
    assert_eq!(of(Builder::challenges_in_one_line), ["challenges_in_one_line"]);
    assert_eq!(of(Builder::hide_metadata), ["hide_metadata"]);
    assert_eq!(of(|builder| builder.danger().accept_any_audience()), ["danger"]);
    let later = Mcp::new().revisions([Revision::V2025_11_25, Revision::V2026_07_28]);
    assert!(builder().mcp(later).hide_metadata().build().is_ok());
}

#[test]
fn origins_and_revisions_are_checked() {
    let found =
        faults(&Mcp::new().allowed_origins(["null", "https://a/", "*", "a"]), |builder| builder);
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found.iter().all(|(setting, _)| *setting == "mcp"));
    assert!(found[1].1.contains("\"https://a/\""));
    assert_eq!(settings(&Mcp::new().revisions([]), |builder| builder), ["mcp"]);
    let many = (0..257).map(|at| format!("https://a{at}.example"));
    assert_eq!(settings(&Mcp::new().allowed_origins(many), |builder| builder), ["mcp"]);
    let enough = (0..256).map(|at| format!("https://a{at}.example"));
    assert!(builder().mcp(Mcp::new().allowed_origins(enough)).build().is_ok());
}

#[test]
fn an_authorization_server_has_a_name() {
    #[derive(Debug)]
    struct Nobody;
    impl IssuerResolver for Nobody {
        fn resolve<'a>(&'a self, _: &'a str) -> ResolveFuture<'a> {
            Box::pin(async { Ok(None) })
        }
    }
    let server = |allowed| {
        ResourceServer::builder(RESOURCE).resolve_issuers(allowed, Nobody).mcp(Mcp::new()).build()
    };
    let error = server(AllowedIssuers::below("https://as.example.com/")).expect_err("no name");
    assert_eq!(error.faults()[0].setting(), "mcp");
    assert!(server(AllowedIssuers::exact(["https://as.example.com/a"])).is_ok());
}

#[tokio::test]
async fn a_slash_at_the_end_is_warned_of() {
    let (logs, _guard) = Logs::capture();
    for (resource, warned) in [
        ("https://api.example.com/mcp", false),
        ("https://api.example.com", false),
        ("https://api.example.com/mcp/", true),
    ] {
        let built = TestIssuer::new(ISSUER).resource_server(resource).mcp(Mcp::new()).build();
        assert!(built.is_ok());
        assert_eq!(logs.text().contains("ends with a slash"), warned, "{resource}");
    }
}

#[tokio::test]
async fn errors_are_json_rpc_unless_another_envelope_was_chosen() {
    let answer = ask(bed().server.mcp(), bare(Method::POST, &[])).await;
    assert_eq!(answer.json()["error"]["code"], -32001);
    for bed in [
        Bed::with(|builder| builder.mcp(Mcp::new()).envelope(ProblemJson::default())),
        Bed::with(|builder| builder.envelope(ProblemJson::default()).mcp(Mcp::new())),
    ] {
        let answer = ask(bed.server.mcp(), bare(Method::POST, &[])).await;
        assert_eq!(answer.all("content-type"), ["application/problem+json"]);
    }
}

#[tokio::test]
async fn bearer_comes_first_and_in_a_line_of_its_own() {
    let answer = ask(bed().server.mcp(), bare(Method::POST, &[])).await;
    assert_eq!(answer.schemes(), ["Bearer", "DPoP"]);
}

#[tokio::test]
async fn it_goes_with_other_settings() {
    let bed = Bed::with(|builder| {
        let builder = builder.sender_constraint(SenderConstraint::Dpop);
        builder.mcp(Mcp::new()).fapi2(Fapi2::new().short_lived_tokens())
    });
    let answer = ask(bed.server.mcp(), bare(Method::POST, &[])).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "it did not come over TLS");
}

#[tokio::test]
async fn tokens_in_forms_are_not_looked_at() {
    let bed = bed();
    let stack = ServiceBuilder::new().layer(FormTokenLayer::new()).layer(bed.server.mcp());
    let service = stack.service(service_fn(|_: http::Request<_>| async {
        Ok::<_, std::convert::Infallible>(http::Response::new(
            http_body_util::Full::<bytes::Bytes>::default(),
        ))
    }));
    let body = http_body_util::Full::from(format!("access_token={}", bed.token()));
    let mut request = bare(Method::POST, &[]).map(|_| body);
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert("content-type", form);
    let response = service.oneshot(request).await.expect("infallible");
    read(response, false).await.assert_n401();
}

#[tokio::test]
async fn without_the_preset_the_layer_fails_closed() {
    let (logs, _guard) = Logs::capture();
    let bed = Bed::new();
    for request in [post(&bed.token(), &[]), bare(Method::POST, &[]), bare(Method::OPTIONS, &[])] {
        let answer = ask(bed.server.mcp(), request).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.kind(), Some(RejectionKind::InvalidRequirement));
        assert!(!answer.handled);
    }
    assert!(logs.text().contains("built without mcp"));
}

#[tokio::test]
async fn a_layer_of_another_server_fails_closed() {
    let (one, other) = (bed(), bed());
    let authenticate = other.server.authenticate().optional();
    let layer = one.server.mcp().authenticate(authenticate);
    for request in [post(&other.token(), &[]), bare(Method::POST, &[])] {
        let answer = ask(layer.clone(), request).await;
        assert_eq!(answer.kind(), Some(RejectionKind::MissingAuthentication));
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!answer.handled);
    }
}

#[tokio::test]
async fn faulty_requirements_are_reported_or_fail_closed() {
    let bed = bed();
    let faulty = || Scopes::all(["a b"]);
    let error = bed.server.mcp().try_require(faulty()).expect_err("no scope");
    assert_eq!(error.faults()[0].setting(), "require");
    let answer = ask(bed.server.mcp().require(faulty()), post(&bed.token(), &[])).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    let sound = bed.server.mcp().try_require(Scopes::all(["read"])).expect("a scope");
    ask(sound, post(&bed.token(), &[])).await.assert_ok();
}

#[tokio::test]
async fn the_instance_that_was_made_ready_is_called() {
    let bed = bed();
    let endpoint = service_fn(|_: http::Request<http_body_util::Full<bytes::Bytes>>| async {
        Ok::<_, std::convert::Infallible>(http::Response::new(
            http_body_util::Full::<bytes::Bytes>::default(),
        ))
    });
    // One permit: whoever calls another instance than the one that is ready waits for ever.
    let limited = tower::limit::ConcurrencyLimitLayer::new(1).layer(endpoint);
    let mut service = bed.server.mcp().layer(limited);
    for _ in 0..2 {
        for request in [
            post(&bed.token(), &[]),
            post(&bed.token(), &[("origin", "https://evil.example")]),
            post(&bed.token(), &[("mcp-protocol-version", "1999-12-31")]),
            post(&bed.token(), &[("mcp-session-id", "unknown")]),
            bare(Method::POST, &[]),
        ] {
            let ready = service.ready().await.expect("infallible");
            let response = tower::Service::call(ready, request).await.expect("infallible");
            assert!(response.status().as_u16() < 500);
        }
    }
}
