//! What a real client makes of an HTTP status, and that `grpc-status` counts for more.

use std::convert::Infallible;

use http::{Request, Response};
use tonic::Code;
use tonic::body::Body;
use tonic::service::Routes;
use tower::layer::layer_fn;
use tower::service_fn;

use crate::service::Served;

/// The code that a call is answered with by something in front of the service.
async fn code(status: u16, grpc_status: Option<&'static str>) -> Code {
    let answer = move |_: Request<Body>| async move {
        let mut response = Response::builder().status(status);
        if let Some(grpc_status) = grpc_status {
            response = response.header("grpc-status", grpc_status);
        }
        Ok::<_, Infallible>(response.body(Body::empty()).expect("a response"))
    };
    let served = Served::behind(layer_fn(move |_: Routes| service_fn(answer))).await;
    served.client().await.add(1).await.expect_err("not served").code()
}

#[tokio::test]
async fn without_a_grpc_status_the_http_status_is_translated() {
    let guide = include_str!("../../src/guide/tonic.md");
    // GRPC-map-1-1: the table of the guide, which is also what the client does.
    for (status, code_of, row) in [
        (400, Code::Internal, "| 400, 431 | 13 `INTERNAL` |"),
        (401, Code::Unauthenticated, "| 401 | 16 `UNAUTHENTICATED` |"),
        (403, Code::PermissionDenied, "| 403 | 7 `PERMISSION_DENIED` |"),
        (404, Code::Unimplemented, "| 404 | 12 `UNIMPLEMENTED` |"),
        (429, Code::Unavailable, "| 429, 502, 503, 504 | 14 `UNAVAILABLE` |"),
        (502, Code::Unavailable, "| 429, 502, 503, 504 | 14 `UNAVAILABLE` |"),
        (503, Code::Unavailable, "| 429, 502, 503, 504 | 14 `UNAVAILABLE` |"),
        (504, Code::Unavailable, "| 429, 502, 503, 504 | 14 `UNAVAILABLE` |"),
        (500, Code::Unknown, "| any other | 2 `UNKNOWN` |"),
        (431, Code::Unknown, "tonic's own client takes 431 for `UNKNOWN`"),
    ] {
        assert!(guide.contains(row), "{row}");
        assert_eq!(code(status, None).await, code_of, "{status}");
    }
}

#[tokio::test]
async fn a_grpc_status_counts_for_more_than_an_http_status() {
    for (status, grpc_status) in [(401, "7"), (200, "7"), (503, "7"), (400, "7")] {
        // GRPC-map-2-1: where both are there.
        assert_eq!(code(status, Some(grpc_status)).await, Code::PermissionDenied, "{status}");
    }
}
