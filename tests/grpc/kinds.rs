//! Every kind of refusal, as a gRPC client and as a service see it.

use std::error::Error;

use http::{HeaderValue, StatusCode};
use tonic::{Code, Status};
use tower_resource_server::render::ProblemJson;
use tower_resource_server::{Rejection, RejectionKind};

use crate::service::metadata;
use crate::ways::{SECRETS, ways};

/// What the error map says of a kind. 13 is for mistakes in our own set-up alone.
fn code(kind: RejectionKind) -> Code {
    match kind {
        RejectionKind::InvalidRequirement | RejectionKind::MissingAuthentication => Code::Internal,
        kind if is_of_mcp(kind) => match kind.status().as_u16() {
            404 => Code::NotFound,
            405 => Code::Unimplemented,
            408 => Code::DeadlineExceeded,
            413 => Code::ResourceExhausted,
            _ => Code::InvalidArgument,
        },
        kind if kind.status().is_server_error() => Code::Unavailable,
        kind if kind.status() == 403 => Code::PermissionDenied,
        _ => Code::Unauthenticated,
    }
}

/// Whether a rule of MCP was broken, which says nothing about who calls.
fn is_of_mcp(kind: RejectionKind) -> bool {
    let about_the_caller = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
    let status = kind.status();
    status.is_client_error() && kind.error_code().is_none() && !about_the_caller.contains(&status)
}

#[tokio::test]
async fn every_kind_has_its_code_in_the_answer_to_a_call() {
    // What reads messages of MCP takes no other type.
    let of_mcp = |kind| is_of_mcp(kind) || kind == RejectionKind::UnlistedTool;
    for way in ways().into_iter().filter(|way| !of_mcp(way.kind)) {
        let (answer, _) = way
            .refuse_edited(ProblemJson::default(), |mut request| {
                let grpc = HeaderValue::from_static("application/grpc");
                request.headers_mut().insert("content-type", grpc);
                request
            })
            .await;
        let kind = way.kind;
        // GRPC-resp-1-1, GRPC-resp-2-1, GRPC-resp-4-1, GRPC-resp-5-1, D-23: whatever the envelope.
        assert_eq!(answer.status, 200, "{kind}");
        assert!(answer.body.is_empty(), "{kind}");
        assert_eq!(answer.all("content-type"), ["application/grpc"], "{kind}");
        assert_eq!(answer.all("grpc-status"), [(code(kind) as i32).to_string()], "{kind}");
        assert_eq!(answer.all("cache-control"), ["no-store"], "{kind}");
        let outage = code(kind) == Code::Unavailable;
        assert_eq!(answer.all("retry-after").len(), usize::from(outage), "{kind}");
        let status = Status::from_header_map(&answer.headers).expect("a status");
        assert_eq!(status.code(), code(kind), "{kind}");
        assert!(!SECRETS.iter().any(|secret| answer.text().contains(secret)), "{kind}");
        let rejection = answer.rejection.expect("in the extensions");
        assert_eq!(status.message(), rejection.description(), "{kind}");
        assert_eq!(i32::from(rejection.grpc_code()), status.code() as i32, "{kind}");
    }
}

#[tokio::test]
async fn every_kind_becomes_a_status_of_tonic() {
    for way in ways() {
        // The request is none of gRPC, so that the rejection comes in HTTP form at first.
        let (answer, _) = way.refuse(ProblemJson::default()).await;
        let (kind, challenges) = (way.kind, answer.all("www-authenticate").len());
        assert_eq!(answer.status, kind.status(), "{kind}");
        let nonces = answer.all("dpop-nonce").len();
        let rejection = answer.rejection.expect("in the extensions");
        let status = Status::from(rejection.clone());
        assert_eq!(status.code(), code(kind), "{kind}");
        assert_eq!(status.message(), rejection.description(), "{kind}");
        assert_eq!(metadata(&status, "www-authenticate").len(), challenges, "{kind}");
        assert_eq!(metadata(&status, "dpop-nonce").len(), nonces, "{kind}");
        for name in ["grpc-status", "grpc-message", "content-type"] {
            assert!(metadata(&status, name).is_empty(), "{kind}: {name}");
        }
        let source = status.source().and_then(|source| source.downcast_ref::<Rejection>());
        assert_eq!(source.map(Rejection::kind), Some(kind));
    }
}

#[test]
fn the_codes_of_all_kinds_are_those_of_the_error_map() {
    for kind in RejectionKind::ALL.iter().copied() {
        // GRPC-resp-4-1, GRPC-resp-5-1: 16, 7, 14 or 13 for what is about the caller or ourselves.
        assert_eq!(Code::from_i32(i32::from(kind.grpc_code())), code(kind), "{kind}");
    }
    let reached: Vec<_> = ways().iter().map(|way| way.kind).collect();
    for kind in RejectionKind::ALL {
        assert!(reached.contains(kind), "no way to {kind}");
    }
}
