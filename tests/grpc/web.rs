//! gRPC-Web, through the layer of tonic on either side of ours.

use bytes::Bytes;
use http::uri::PathAndQuery;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;
use tonic_web::{GrpcWebClientLayer, GrpcWebLayer};
use tower::ServiceBuilder;

use crate::service::{Number, Served, metadata};
use crate::support::Bed;

/// A call over HTTP/1.1, by the client of tonic-web.
async fn add(served: &Served, token: Option<&str>) -> Result<i64, Status> {
    let http = Client::builder(TokioExecutor::new()).build_http();
    let web = ServiceBuilder::new().layer(GrpcWebClientLayer::new()).service(http);
    let origin = format!("http://{}", served.address).parse().expect("a URI");
    let mut client = tonic::client::Grpc::with_origin(web, origin);
    let mut request = Request::new(Number::of(1));
    if let Some(token) = token {
        let authorization = format!("Bearer {token}").parse().expect("ASCII");
        request.metadata_mut().insert("authorization", authorization);
    }
    client.ready().await.expect("always");
    let path = PathAndQuery::from_static("/demo.Tools/Add");
    let codec = ProstCodec::<Number, Number>::default();
    Ok(client.unary(request, path, codec).await?.into_inner().value)
}

/// The service with the layer of tonic-web inside of ours, and outside.
async fn both(bed: &Bed) -> [Served; 2] {
    let inside = Served::behind((bed.server.authenticate(), GrpcWebLayer::new())).await;
    let outside = Served::behind((GrpcWebLayer::new(), bed.server.authenticate())).await;
    [inside, outside]
}

#[tokio::test]
async fn either_order_serves_and_refuses() {
    let bed = Bed::new();
    for served in both(&bed).await {
        assert_eq!(add(&served, Some(&bed.token())).await.expect("a valid token"), 2);
        for (token, error) in [(None, ""), (Some("garbage"), "error=\"invalid_token\"")] {
            let status = add(&served, token).await.expect_err("refused");
            // GRPC-req-3-1: a client of gRPC-Web sees the status and its metadata.
            assert_eq!(status.code(), Code::Unauthenticated);
            let challenges = metadata(&status, "www-authenticate");
            assert_eq!(challenges.len(), 2);
            assert!(challenges[0].contains(error));
        }
        assert_eq!(served.tools.calls(), 1);
    }
}

#[tokio::test]
async fn a_refusal_has_no_body_and_the_type_that_was_asked_for() {
    let bed = Bed::new();
    for served in both(&bed).await {
        for content_type in ["application/grpc-web+proto", "application/grpc-web-text+proto"] {
            let http = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
            let request = http::Request::post(format!("http://{}/demo.Tools/Add", served.address))
                .header("content-type", content_type)
                .header("accept", content_type)
                .body(Full::default())
                .expect("a request");
            let response = http.request(request).await.expect("an answer");
            // GRPC-req-3-1: headers only, the status in a header field.
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()["content-type"], content_type);
            assert_eq!(response.headers()["grpc-status"], "16");
            let body = http_body_util::BodyExt::collect(response.into_body()).await;
            assert!(body.expect("whole").to_bytes().is_empty());
        }
    }
}
