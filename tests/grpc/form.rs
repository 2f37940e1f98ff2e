//! The form of the answer, whatever goes with the request.

use http::StatusCode;

use crate::support::{Answer, Bed, get, send};

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
    ] {
        let answer = refused(&bed, sent).await;
        // GRPC-resp-2-1, GRPC-req-2-1, GRPC-resp-7-1: the type that was asked for, and 200.
        assert_eq!(answer.status, StatusCode::OK, "{sent}");
        assert_eq!(answer.all("content-type"), [answered]);
        assert_eq!(answer.all("grpc-status"), ["16"]);
        assert!(answer.body.is_empty() && !answer.handled);
    }
    for sent in ["application/json", "application/grpcfoo", "application/grpc-webfoo", "text/plain"]
    {
        let answer = refused(&bed, sent).await;
        // GRPC-req-1-1, GRPC-req-2-1: everything else is HTTP.
        answer.assert_n401();
        assert!(answer.all("grpc-status").is_empty(), "{sent}");
    }
}
