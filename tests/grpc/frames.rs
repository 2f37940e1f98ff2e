//! What goes over the wire, frame by frame, where a client would hide it.

use http::{HeaderMap, Method, Request};
use http_body_util::Limited;
use tower::layer::util::Identity;
use tower::util::MapRequestLayer;
use tower_resource_server::Scopes;

use crate::service::Served;
use crate::support::Bed;
use crate::wire::{
    Connection, DATA, END_STREAM, HEADERS, RST_STREAM, nothing, over_http1, unending,
};

#[tokio::test]
async fn a_refusal_is_one_frame_that_ends_the_stream() {
    let bed = Bed::new();
    let served = Served::behind(bed.server.authenticate()).await;
    let mut connection = Connection::to(served.address).await;
    let got = connection.call("/demo.Tools/Add", &[], nothing()).await;
    // GRPC-resp-1-1: :status 200, one HEADERS frame with END_STREAM, nothing else.
    let frames = connection.frames(1);
    assert_eq!(frames.len(), 1, "{frames:?}");
    assert_eq!((frames[0].kind, frames[0].flags & END_STREAM), (HEADERS, END_STREAM));
    assert_eq!(got.status, 200);
    assert!(got.body.is_empty() && got.trailers.is_none());
    // GRPC-resp-2-1: the type as requested; a status in decimal.
    assert_eq!(got.text("content-type"), Some("application/grpc"));
    assert_eq!(got.text("grpc-status"), Some("16"));
    assert_eq!(got.text("grpc-message"), Some("The request carries no access token"));
    assert_eq!(got.text("content-length"), None);
    // GRPC-resp-6-1: in the same HEADERS.
    assert_eq!(got.headers.get_all("www-authenticate").iter().count(), 2);
}

#[tokio::test]
async fn a_stream_is_refused_before_it_ends_and_reset_without_an_error() {
    let bed = Bed::new();
    let served = Served::behind(bed.server.authenticate()).await;
    let mut connection = Connection::to(served.address).await;
    for path in ["/demo.Tools/Sum", "/demo.Tools/Double"] {
        let got = connection.call(path, &[], unending()).await;
        assert_eq!((got.status, got.text("grpc-status")), (200, Some("16")));
    }
    // By its answer, all frames that were sent before are there.
    connection.call("/demo.Tools/Add", &[], nothing()).await;
    for stream in [1, 3] {
        let frames = connection.frames(stream);
        let kinds: Vec<_> = frames.iter().map(|frame| frame.kind).collect();
        assert!(!kinds.contains(&DATA), "{frames:?}");
        assert_eq!((kinds[0], frames[0].flags & END_STREAM), (HEADERS, END_STREAM));
        // GRPC-req-6-1: RST_STREAM with NO_ERROR; the body is not read to its end, which never comes.
        let reset = frames.iter().find(|frame| frame.kind == RST_STREAM).expect("a reset");
        assert_eq!(reset.payload, [0, 0, 0, 0]);
    }
    assert_eq!(served.tools.calls(), 0);
}

#[tokio::test]
async fn broken_metadata_is_refused_and_never_seen_again() {
    let bed = Bed::new();
    let served = Served::behind(bed.server.authenticate()).await;
    let mut connection = Connection::to(served.address).await;
    let huge = format!("Bearer {}", "a".repeat(12_000));
    let cases: [(&str, &[u8], Option<&str>); 9] = [
        ("authorization", b"Bearer \xe9secret", Some("invalid_request")),
        ("authorization", b"Bearer secret secret", Some("invalid_request")),
        ("authorization", b"\xff\xfe", Some("invalid_request")),
        ("authorization", b"DPoP secret", Some("invalid_dpop_proof")),
        ("authorization", huge.as_bytes(), Some("invalid_token")),
        ("authorization", b"", None),
        ("authorization-bin", b"QmVhcmVyIHNlY3JldA", None),
        ("dpop", b"\xe9secret", None),
        ("grpc-timeout", b"secret", None),
    ];
    for (name, value, error) in cases {
        let got = connection.call("/demo.Tools/Add", &[(name, value)], nothing()).await;
        // GRPC-req-9-1, GRPC-req-4-1: what is not ASCII is malformed, and -bin is another field.
        assert_eq!((got.status, got.text("grpc-status")), (200, Some("16")), "{name}");
        let challenges: Vec<_> = got.headers.get_all("www-authenticate").iter().collect();
        let first = challenges[0].to_str().expect("ASCII");
        let named = error.map(|error| format!("error=\"{error}\""));
        assert_eq!(named.is_some(), first.contains("error="), "{name} {first}");
        assert!(named.is_none_or(|named| first.contains(&named)), "{name} {first}");
        assert!(!format!("{:?}", got.headers).contains("secret"), "{name}");
    }
    let token = bed.token();
    let bound = [("authorization", format!("DPoP {token}")), ("dpop", "a.b.c".to_owned())];
    let lines: Vec<_> = bound.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let got = connection.call("/demo.Tools/Add", &lines, nothing()).await;
    assert_eq!(got.text("grpc-message"), Some("The DPoP proof is malformed"));
    assert_eq!(served.tools.calls(), 0);
}

/// All fields but the date.
fn fields(mut headers: HeaderMap) -> HeaderMap {
    headers.remove("date");
    headers
}

#[tokio::test]
async fn a_concealed_method_is_answered_as_one_that_does_not_exist() {
    let bed = Bed::new();
    let hidden = bed.server.require(Scopes::all(["staff"])).conceal();
    let served = Served::behind((bed.server.authenticate(), hidden)).await;
    let open = Served::behind(bed.server.authenticate()).await;
    let authorization = format!("Bearer {}", bed.token());
    let lines = [("authorization", authorization.as_bytes())];
    let mut concealed = Connection::to(served.address).await;
    let mut missing = Connection::to(open.address).await;
    let hidden = concealed.call("/demo.Tools/Add", &lines, nothing()).await;
    let unknown = missing.call("/demo.Tools/None", &lines, nothing()).await;
    assert_eq!((unknown.status, unknown.text("grpc-status")), (200, Some("12")));
    assert_eq!((hidden.status, fields(hidden.headers)), (200, fields(unknown.headers)));
    // Requests without a token still get their 16.
    let anonymous = concealed.call("/demo.Tools/Add", &[], nothing()).await;
    assert_eq!(anonymous.text("grpc-status"), Some("16"));
}

fn preflight(
    connection: &Connection,
    path: &str,
    body: crate::wire::Body,
) -> Request<crate::wire::Body> {
    let mut request = connection.request(Method::OPTIONS, path, body);
    let lines = [("origin", "https://a.example"), ("access-control-request-method", "POST")];
    for (name, value) in lines {
        request.headers_mut().insert(name, value.parse().expect("ASCII"));
    }
    request
}

#[tokio::test]
async fn a_preflight_is_no_call_that_anybody_can_make() {
    // tonic looks at the path alone.
    let bare = Served::behind(Identity::new()).await;
    let mut connection = Connection::to(bare.address).await;
    let request = preflight(&connection, "/demo.Tools/Double", nothing());
    connection.send(request).await;
    assert_eq!(bare.tools.calls(), 1);

    let bed = Bed::new();
    let served = Served::behind(bed.server.authenticate()).await;
    let scoped = (bed.server.authenticate().optional(), bed.server.require(Scopes::all(["read"])));
    let scoped = Served::behind(scoped).await;
    let wrap = |request: Request<tonic::body::Body>| request.map(|body| Limited::new(body, 1024));
    let wrapped = (MapRequestLayer::new(wrap), bed.server.authenticate());
    let wrapped = Served::behind(wrapped).await;
    for served in [served, scoped, wrapped] {
        let mut connection = Connection::to(served.address).await;
        for body in [nothing(), unending()] {
            let request = preflight(&connection, "/demo.Tools/Double", body);
            let got = connection.send(request).await;
            assert_eq!((got.status, got.text("grpc-status")), (401, None));
        }
        assert_eq!(served.tools.calls(), 0);
    }
}

#[tokio::test]
async fn other_methods_and_http_1_are_answered_without_harm() {
    let bed = Bed::new();
    let served = Served::behind(bed.server.authenticate()).await;
    let connection = Connection::to(served.address).await;
    let request = |method: Method| {
        let mut request = connection.request(method, "/demo.Tools/Add", nothing());
        *request.uri_mut() = "/demo.Tools/Add".parse().expect("a path");
        request.headers_mut().insert("content-type", "application/grpc".parse().expect("ASCII"));
        request
    };
    let methods =
        [Method::POST, Method::HEAD, Method::GET, Method::PUT, Method::HEAD, Method::POST];
    let answers = over_http1(served.address, methods.into_iter().map(request).collect()).await;
    assert_eq!(answers.len(), 6);
    for got in answers {
        // GRPC-resp-7-1: never a 401 of that type.
        assert_eq!((got.status, got.text("grpc-status")), (200, Some("16")));
        assert!(got.body.is_empty());
        assert_eq!(got.text("cache-control"), Some("no-store"));
    }
}
