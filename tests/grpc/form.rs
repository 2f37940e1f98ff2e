//! The form of the answer, whatever goes with the request.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::response::IntoResponse;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response, StatusCode};
use tonic::{Code, Status};
use tower_resource_server::render::{Empty, JsonRpc, OAuthJson, ProblemJson};
use tower_resource_server::{Builder, RejectionKind, Scopes};

use crate::support::{Answer, Bed, bearer, get, grant_of, refusals_of, send};

async fn refused(bed: &Bed, content_type: &str) -> Answer {
    send(bed.server.authenticate(), get(&[("content-type", content_type)])).await
}

#[tokio::test]
async fn the_content_type_decides_the_form() {
    let bed = Bed::new();
    for (sent, answered) in [
        ("application/grpc", "application/grpc"),
        ("application/grpc+proto", "application/grpc+proto"),
        ("APPLICATION/GRPC", "application/grpc"),
        ("application/grpc;x=y", "application/grpc"),
        ("application/grpc+secret", "application/grpc"),
        ("application/grpc+caf\u{e9}", "application/grpc"),
        // GRPC-req-3-1: gRPC-Web, in its own types.
        ("application/grpc-web", "application/grpc-web"),
        ("application/grpc-web+proto", "application/grpc-web+proto"),
        ("application/grpc-web-text", "application/grpc-web-text"),
        ("application/grpc-web-text+proto", "application/grpc-web-text+proto"),
    ] {
        let answer = refused(&bed, sent).await;
        // GRPC-resp-2-1, GRPC-req-2-1, GRPC-resp-7-1: the type that was asked for, and 200.
        assert_eq!(answer.status, StatusCode::OK, "{sent}");
        assert_eq!(answer.all("content-type"), [answered]);
        assert_eq!(answer.all("grpc-status"), ["16"]);
        assert!(answer.body.is_empty() && !answer.handled);
    }
    let garbage = format!("application/grpc{}", "x".repeat(10_000));
    for sent in [
        "application/json",
        "application/grpcfoo",
        "application/grpc-webfoo",
        "application/grpc, application/grpc",
        "text/plain",
        garbage.as_str(),
    ] {
        let answer = refused(&bed, sent).await;
        // GRPC-req-1-1, GRPC-req-2-1: everything else is HTTP.
        answer.assert_n401();
        assert!(answer.all("grpc-status").is_empty(), "{sent}");
    }
}

/// Every class of the error map, to calls.
async fn to_calls(change: impl FnOnce(Builder) -> Builder) -> Vec<Answer> {
    let grpc = HeaderValue::from_static("application/grpc");
    refusals_of(change, |mut request| {
        request.headers_mut().insert(CONTENT_TYPE, grpc.clone());
        *request.method_mut() = Method::POST;
        request
    })
    .await
}

const CODES: [&str; 9] = ["16", "16", "16", "7", "7", "16", "12", "14", "13"];

#[tokio::test]
async fn envelopes_have_no_say() {
    let plain = to_calls(|builder| builder.envelope(OAuthJson::default())).await;
    let problem = to_calls(|builder| builder.envelope(ProblemJson::default())).await;
    let json_rpc = to_calls(|builder| builder.envelope(JsonRpc::default())).await;
    let empty = to_calls(|builder| builder.envelope(Empty::default())).await;
    for (at, answer) in plain.iter().enumerate() {
        // D-23, GRPC-resp-1-1: the form of gRPC.
        assert_eq!((answer.status, answer.all("grpc-status")), (StatusCode::OK, vec![CODES[at]]));
        assert_eq!(answer.all("content-type"), ["application/grpc"]);
        assert!(answer.body.is_empty());
        for other in [&problem[at], &json_rpc[at], &empty[at]] {
            assert_eq!(other.headers, answer.headers);
            assert!(other.body.is_empty());
        }
    }
    assert_eq!(plain[6].headers.len(), 2, "concealed: type and status alone");
    assert_eq!(plain[6].kind(), Some(RejectionKind::InsufficientScope));
    assert_eq!(plain[7].all("retry-after").len(), 1);
}

#[tokio::test]
async fn hooks_for_header_fields_run_and_can_break_nothing() {
    let bodies = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&bodies);
    let answers = to_calls(|builder| {
        builder
            .no_store(|headers| {
                for (name, value) in [
                    ("x-refused-by", "gateway-1"),
                    ("grpc-status", "0"),
                    ("grpc-message", "fine"),
                    ("grpc-status-details-bin", "not base64!"),
                    ("grpc-encoding", "gzip"),
                    ("content-type", "text/html"),
                ] {
                    headers.insert(name, HeaderValue::from_static(value));
                }
            })
            .www_authenticate(|_, headers| {
                headers.insert("www-authenticate", HeaderValue::from_static("Basic"));
            })
            .send_error(move |_, _, response| {
                counter.fetch_add(1, Ordering::SeqCst);
                *response.body_mut() = "body".into();
            })
    })
    .await;
    assert_eq!(bodies.load(Ordering::SeqCst), 0, "there is no body to write");
    let untouched = to_calls(|builder| builder).await;
    for (at, (answer, plain)) in answers.iter().zip(&untouched).enumerate() {
        let mut headers = answer.headers.clone();
        let added = headers.remove("x-refused-by");
        assert_eq!(added.is_some(), CODES[at] != "12", "{at}");
        assert_eq!(headers, plain.headers, "{at}");
        assert!(answer.body.is_empty() && answer.status == 200);
        Status::from_header_map(&answer.headers).expect("a status");
    }
}

#[tokio::test]
async fn a_hook_that_panics_costs_nothing() {
    let panicking = to_calls(|builder| builder.no_store(|_| panic!("a hook"))).await;
    let untouched = to_calls(|builder| builder).await;
    for (answer, plain) in panicking.iter().zip(&untouched) {
        assert_eq!(answer.headers, plain.headers);
    }
}

#[tokio::test]
async fn scripts_may_read_the_outcome() {
    let bed = Bed::with(Builder::expose_headers);
    let origin = ("origin", "https://app.example.com");
    for content_type in
        ["application/grpc-web+proto", "application/grpc-web-text", "application/grpc"]
    {
        let lines = [("content-type", content_type), origin];
        let answer = send(bed.server.authenticate(), get(&lines)).await;
        // FETCH-3.2-3, GRPC-req-3-1: grpc-status and grpc-message beside the others, by name.
        let all = ["www-authenticate, dpop-nonce, grpc-status, grpc-message"];
        assert_eq!(answer.all("access-control-expose-headers"), all);
        let authorization = format!("Bearer {}", bed.token());
        let lines = [lines[0], lines[1], ("authorization", authorization.as_str())];
        let served = send(bed.server.authenticate(), get(&lines)).await;
        assert!(served.handled);
        assert_eq!(served.all("access-control-expose-headers"), all);
    }
    let answer = send(bed.server.authenticate(), get(&[origin])).await;
    assert_eq!(answer.all("access-control-expose-headers"), ["www-authenticate, dpop-nonce"]);
}

#[tokio::test]
async fn connect_gets_no_200_which_would_be_a_tunnel() {
    let bed = Bed::new();
    let mut request = get(&[("content-type", "application/grpc")]);
    *request.method_mut() = Method::CONNECT;
    send(bed.server.authenticate(), request).await.assert_n401();
}

#[tokio::test]
async fn what_is_concealed_and_no_post_is_not_kept_by_caches() {
    let bed = Bed::new();
    let hidden = || bed.server.require(Scopes::all(["staff"])).conceal();
    for (method, caching) in [(Method::POST, vec![]), (Method::GET, vec!["no-store"])] {
        let mut request = bearer(&bed.token());
        let proto = HeaderValue::from_static("application/grpc+proto");
        request.headers_mut().insert(CONTENT_TYPE, proto);
        *request.method_mut() = method;
        let answer = send((bed.server.authenticate(), hidden()), request).await;
        let status = Status::from_header_map(&answer.headers).expect("a status");
        assert_eq!((status.code(), status.message()), (Code::Unimplemented, ""));
        assert_eq!(answer.all("content-type"), ["application/grpc"]);
        assert_eq!(answer.all("cache-control"), caching);
        let rejection = answer.rejection.expect("in the extensions");
        assert_eq!((rejection.status(), rejection.grpc_code()), (StatusCode::NOT_FOUND, 12));
        let status = Status::from(rejection);
        assert_eq!((status.code(), status.message()), (Code::Unimplemented, ""));
    }
}

#[tokio::test]
async fn what_a_handler_refuses_has_the_form_of_its_request() {
    let bed = Bed::new();
    for (content_type, status) in [("application/grpc-web+proto", 200), ("application/json", 403)] {
        let mut request = bearer(&bed.token());
        let value = HeaderValue::from_static(content_type);
        request.headers_mut().insert(CONTENT_TYPE, value);
        let grant = grant_of(&bed.server, request).await;
        let rejection = grant.require(Scopes::all(["write"])).expect_err("another scope");
        let without_framework = Response::<Bytes>::from(rejection.clone());
        let by_axum = rejection.into_response();
        for headers in [without_framework.headers(), by_axum.headers()] {
            assert_eq!(headers[CONTENT_TYPE], content_type);
            assert_eq!(headers.get("grpc-status").is_some_and(|code| code == "7"), status == 200);
            assert_eq!(headers.get_all("www-authenticate").iter().count(), 1);
        }
        assert_eq!(without_framework.status(), status);
        assert_eq!(by_axum.status(), status);
    }
}
