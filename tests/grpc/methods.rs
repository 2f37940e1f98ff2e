//! What each method demands, by its full path.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::FutureExt;
use http::Request;
use http_body_util::Full;
use tonic::Code;
use tonic::service::{LayerExt, Routes};
use tower::layer::layer_fn;
use tower::limit::ConcurrencyLimit;
use tower::{Layer, Service, ServiceExt};
use tower_resource_server::{Methods, RejectionKind, Scopes};

use crate::service::{Served, Tools, metadata};
use crate::support::{Bed, Handler, bearer, get, read, send};

fn methods() -> Methods {
    Methods::new()
        .method("/demo.Tools/Add", Scopes::all(["tools/write"]))
        .any_token("/demo.Tools/Purge")
        .public("/demo.Tools/Greet")
        .method("/demo.Admin/*", Scopes::all(["admin"]))
}

#[tokio::test]
async fn each_method_demands_what_its_rule_says_and_others_are_denied() {
    let bed = Bed::new();
    let layers = (bed.server.authenticate().optional(), bed.server.require_methods(methods()));
    let served = Served::behind(layers).await;
    let anonymous = served.client().await;
    let reader = anonymous.clone().bearer(&bed.token());
    let writer = anonymous.clone().bearer(&bed.issuer.token().scope("tools/write").build());
    let code = |outcome: crate::service::Outcome| match outcome {
        Ok(_) => Code::Ok,
        Err(status) => status.code(),
    };
    // GRPC-req-8-1: by full path; what has no rule is denied.
    for (path, by_anonymous, by_reader, by_writer) in [
        ("/demo.Tools/Greet", Code::Ok, Code::Ok, Code::Ok),
        ("/demo.Tools/Add", Code::Unauthenticated, Code::PermissionDenied, Code::Ok),
        // Its rule lets any token in; the method itself then demands more.
        (
            "/demo.Tools/Purge",
            Code::Unauthenticated,
            Code::PermissionDenied,
            Code::PermissionDenied,
        ),
        ("/demo.Tools/Sum", Code::Unauthenticated, Code::PermissionDenied, Code::PermissionDenied),
        ("/demo.Tools/add", Code::Unauthenticated, Code::PermissionDenied, Code::PermissionDenied),
        (
            "/demo.Tools/%41dd",
            Code::Unauthenticated,
            Code::PermissionDenied,
            Code::PermissionDenied,
        ),
        ("/demo.Other/Add", Code::Unauthenticated, Code::PermissionDenied, Code::PermissionDenied),
        ("/demo.Admin/Any", Code::Unauthenticated, Code::PermissionDenied, Code::PermissionDenied),
    ] {
        assert_eq!(code(anonymous.unary(path, 1).await), by_anonymous, "{path}");
        assert_eq!(code(reader.unary(path, 1).await), by_reader, "{path}");
        assert_eq!(code(writer.unary(path, 1).await), by_writer, "{path}");
    }
    let status = anonymous.unary("/demo.Tools/Add", 1).await.expect_err("no token");
    assert!(metadata(&status, "www-authenticate")[0].contains("scope=\"tools/write\""));
    let admin = anonymous.bearer(&bed.issuer.token().scope("admin").build());
    // GRPC-req-8-1: a method that its rule allows and no router knows is 12.
    assert_eq!(code(admin.unary("/demo.Admin/Any", 1).await), Code::Unimplemented);
}

#[tokio::test]
async fn no_scope_helps_where_there_is_no_rule() {
    let bed = Bed::new();
    let layers = (bed.server.authenticate(), bed.server.require_methods(methods()));
    let answer = send(layers, bearer(&bed.token())).await;
    assert_eq!(answer.kind(), Some(RejectionKind::UnlistedMethod));
    assert_eq!(answer.status, 403);
    assert!(answer.all("www-authenticate").is_empty() && answer.body.is_empty());
    assert_eq!(answer.all("cache-control"), ["no-store"]);
}

#[tokio::test]
async fn a_public_method_takes_an_optional_layer_around() {
    let bed = Bed::new();
    let greet = || {
        let mut request = get(&[("content-type", "application/grpc")]);
        *request.uri_mut() = "/demo.Tools/Greet".parse().expect("a URI");
        request
    };
    let strict = (bed.server.authenticate(), bed.server.require_methods(methods()));
    assert_eq!(send(strict, greet()).await.all("grpc-status"), ["16"]);
    let open = (bed.server.authenticate().optional(), bed.server.require_methods(methods()));
    assert!(send(open, greet()).await.handled);
    let alone = send(bed.server.require_methods(methods()), greet()).await;
    assert_eq!(alone.kind(), Some(RejectionKind::MissingAuthentication));
    assert_eq!(alone.all("grpc-status"), ["13"]);
    let other =
        (Bed::new().server.authenticate().optional(), bed.server.require_methods(methods()));
    let answer = send(other, greet()).await;
    assert_eq!(answer.kind(), Some(RejectionKind::MissingAuthentication));
}

#[tokio::test]
async fn faulty_rules_are_all_named_and_deny_everything() {
    let bed = Bed::new();
    let faulty = || {
        Methods::new()
            .public("demo.Tools/Greet")
            .any_token("/demo.Tools/Add")
            .method("/demo.Tools/Add", Scopes::all(["a b"]))
            .any_token("/demo.Tools/")
    };
    let error = bed.server.try_require_methods(faulty()).expect_err("four faults");
    let faults: Vec<_> = error.faults().iter().map(|fault| fault.setting()).collect();
    assert_eq!(faults, ["require_methods", "require_methods", "require", "require_methods"]);
    assert!(error.to_string().contains("\"/demo.Tools/Add\" has two rules"));
    let layers = (bed.server.authenticate(), bed.server.require_methods(faulty()));
    let mut request = bearer(&bed.token());
    *request.uri_mut() = "/demo.Tools/Add".parse().expect("a URI");
    let answer = send(layers, request).await;
    assert_eq!(answer.kind(), Some(RejectionKind::InvalidRequirement));
    assert!(bed.server.try_require_methods(methods()).is_ok());
}

#[tokio::test]
async fn the_scopes_of_methods_stand_in_the_metadata() {
    let bed = Bed::new();
    let _layer = bed.server.require_methods(methods());
    let mut request = get(&[]);
    *request.uri_mut() = bed.server.metadata().path().parse().expect("a path");
    let response = bed.server.metadata().oneshot(request).await;
    let answer = read(response.expect("infallible"), false).await;
    assert_eq!(answer.json()["scopes_supported"], serde_json::json!(["admin", "tools/write"]));
}

#[tokio::test]
async fn a_preflight_is_no_way_around_a_rule() {
    let bed = Bed::new();
    let preflight = || {
        let lines = [("origin", "https://a.example"), ("access-control-request-method", "POST")];
        let mut request = get(&lines);
        *request.method_mut() = http::Method::OPTIONS;
        *request.uri_mut() = "/demo.Tools/Add".parse().expect("a URI");
        request
    };
    let layers = (bed.server.authenticate(), bed.server.require_methods(methods()));
    let answer = send(layers, preflight()).await;
    assert!(!answer.handled);
    assert_eq!(answer.kind(), Some(RejectionKind::MissingCredentials));
}

#[tokio::test]
async fn a_service_can_have_a_layer_of_its_own() {
    let bed = Bed::new();
    let staff = bed.server.require(Scopes::all(["staff"]));
    let routes = Routes::new(staff.named_layer(Tools::default()));
    let layer = bed.server.authenticate();
    let served = Served::behind(layer_fn(move |_: Routes| layer.layer(routes.clone()))).await;
    let client = served.client().await;
    let status = client.clone().bearer(&bed.token()).add(1).await.expect_err("another scope");
    assert_eq!(status.code(), Code::PermissionDenied);
    let token = bed.issuer.token().scope("staff").build();
    client.bearer(&token).add(1).await.expect("the scope of the service");
}

async fn made_ready<S>(service: &mut S) -> &mut S
where
    S: Service<Request<Full<Bytes>>, Error = Infallible>,
{
    service.ready().await.expect("infallible")
}

#[tokio::test]
async fn a_refusal_gives_the_permit_back() {
    let bed = Bed::new();
    let layers = (bed.server.authenticate(), bed.server.require_methods(methods()));
    let mut service = layers.layer(ConcurrencyLimit::new(Handler::default(), 1));
    for (path, code) in [("/demo.Tools/Add", 7), ("/demo.Tools/Sum", 7), ("/demo.Tools/Purge", 0)] {
        let mut call = bearer(&bed.token());
        *call.uri_mut() = path.parse().expect("a path");
        call.headers_mut().insert("content-type", "application/grpc".parse().expect("ASCII"));
        let ready = made_ready(&mut service).now_or_never().expect("a permit is there");
        let response = ready.call(call).await.expect("infallible");
        let status = response
            .headers()
            .get("grpc-status")
            .map_or(0, |status| status.to_str().expect("ASCII").parse().expect("a number"));
        assert_eq!(status, code, "{path}");
    }
}
