//! Browsers: preflights, and refusals that scripts can read (Fetch §3.2).

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::Full;
use tower_http::cors::CorsLayer;
use tower_resource_server::{Builder, RejectionKind, Scopes};

use crate::dpop::Client;
use crate::support::{Answer, Bed, Handler, bearer, read, send_around};

const APP: &str = "https://app.example.com";
const DPOP: HeaderName = HeaderName::from_static("dpop");
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// As the guide shows it: outside the `authenticate` layer, with every name spelled out.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(HeaderValue::from_static(APP))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, DPOP, header::CONTENT_TYPE])
        .expose_headers([header::WWW_AUTHENTICATE, DPOP_NONCE])
}

fn request(method: Method, lines: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let mut request = crate::support::get(lines);
    *request.method_mut() = method;
    request
}

fn preflight() -> Request<Full<Bytes>> {
    request(
        Method::OPTIONS,
        &[
            ("origin", APP),
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "authorization,dpop"),
        ],
    )
}

/// Through CORS, authentication and a requirement, in the documented order.
async fn documented(bed: &Bed, request: Request<Full<Bytes>>) -> Answer {
    use tower::{Layer, ServiceExt};
    let handler = Handler::default();
    let layers = (cors(), bed.server.authenticate(), bed.server.require(Scopes::all(["read"])));
    let response = layers.layer(handler.clone()).oneshot(request).await.expect("infallible");
    read(response, handler.calls() > 0).await
}

fn names(answer: &Answer, field: &str) -> Vec<String> {
    let lines = answer.all(field);
    let names = lines.iter().flat_map(|line| line.split(','));
    names.map(|name| name.trim().to_ascii_lowercase()).collect()
}

#[tokio::test]
async fn a_preflight_is_answered_without_a_token() {
    let bed = Bed::new();
    let answer = documented(&bed, preflight()).await;
    // FETCH-3.2-1: the preflight gets no 401, from the CORS layer here, from the handler below.
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.all("www-authenticate").is_empty() && !answer.handled);
    assert_eq!(answer.all("access-control-allow-origin"), [APP]);
    // FETCH-3.2-2: both names stand there, not a star.
    let allowed = names(&answer, "access-control-allow-headers");
    assert!(allowed.contains(&"authorization".into()) && allowed.contains(&"dpop".into()));
    assert!(!allowed.contains(&"*".into()));
}

#[tokio::test]
async fn a_script_can_read_the_challenge() {
    let bed = Bed::new();
    for lines in [
        vec![("origin", APP)],
        vec![("origin", APP), ("authorization", "Bearer garbage")],
        vec![("origin", APP), ("authorization", "Bearer a b")],
    ] {
        let answer = documented(&bed, request(Method::GET, &lines)).await;
        assert!(answer.rejection.is_some() && !answer.handled);
        assert_eq!(answer.schemes(), ["Bearer", "DPoP"]);
        // FETCH-3.2-4: with the CORS layer outside, a refusal has its fields.
        assert_eq!(answer.all("access-control-allow-origin"), [APP]);
        let exposed = names(&answer, "access-control-expose-headers");
        assert!(exposed.contains(&"www-authenticate".into()));
    }
}

#[tokio::test]
async fn a_script_can_read_a_missing_scope() {
    let bed = Bed::new();
    let token = bed.issuer.token().scope("other").build();
    let authorization = format!("Bearer {token}");
    let lines = [("origin", APP), ("authorization", authorization.as_str())];
    let answer = documented(&bed, request(Method::GET, &lines)).await;
    answer.assert_s403("read");
    assert_eq!(answer.all("access-control-allow-origin"), [APP]);
}

#[tokio::test]
async fn a_request_with_a_token_is_served_with_cors_fields() {
    let bed = Bed::new();
    let authorization = format!("Bearer {}", bed.token());
    let lines = [("origin", APP), ("authorization", authorization.as_str())];
    let answer = documented(&bed, request(Method::GET, &lines)).await;
    answer.assert_ok();
    assert_eq!(answer.all("access-control-allow-origin"), [APP]);
}

async fn bare(bed: &Bed, request: Request<Full<Bytes>>) -> Answer {
    crate::support::send(bed.server.authenticate(), request).await
}

#[tokio::test]
async fn without_a_cors_layer_a_preflight_reaches_the_service() {
    let bed = Bed::new();
    // FETCH-3.2-1: passes to the handler, which sees an anonymous request.
    let answer = bare(&bed, preflight()).await;
    answer.assert_ok();
    assert_eq!(&answer.body[..], b"anonymous");
}

#[tokio::test]
async fn a_preflight_passes_a_requirement_too() {
    let bed = Bed::new();
    let layers = (bed.server.authenticate(), bed.server.require(Scopes::all(["read"])));
    crate::support::send(layers, preflight()).await.assert_ok();
}

#[tokio::test]
async fn other_options_requests_are_protected() {
    let bed = Bed::new();
    for lines in [vec![], vec![("origin", APP)], vec![("access-control-request-method", "GET")]] {
        // FETCH-3.2-1: OPTIONS is a preflight only with both fields.
        bare(&bed, request(Method::OPTIONS, &lines)).await.assert_n401();
    }
}

#[tokio::test]
async fn only_options_is_ever_a_preflight() {
    let bed = Bed::new();
    for method in [Method::GET, Method::POST, Method::HEAD] {
        let mut disguised = preflight();
        *disguised.method_mut() = method;
        bare(&bed, disguised).await.assert_n401();
    }
}

#[tokio::test]
async fn what_carries_credentials_or_content_is_no_preflight() {
    let bed = Bed::new();
    let with = |name: &'static str, value: &str| {
        let mut request = preflight();
        request.headers_mut().insert(name, value.parse().expect("a field value"));
        request
    };
    let authorization = format!("Bearer {}", bed.token());
    assert_eq!(&bare(&bed, with("authorization", &authorization)).await.body[..], b"user-1");
    bare(&bed, with("authorization", "Bearer garbage")).await.assert_t401();
    // A service that looks at the path alone would take these for calls.
    let call = bare(&bed, with("content-type", "application/grpc")).await;
    assert_eq!((call.all("grpc-status"), call.handled), (vec!["16"], false));
    bare(&bed, with("content-type", "text/plain")).await.assert_n401();
    bare(&bed, with("content-length", "5")).await.assert_n401();
    bare(&bed, with("transfer-encoding", "chunked")).await.assert_n401();
    bare(&bed, with("te", "trailers")).await.assert_n401();
    bare(&bed, with("content-length", "0")).await.assert_ok();
}

#[tokio::test]
async fn preflights_can_be_protected() {
    let bed = Bed::with(|builder| builder.protect_preflight());
    let answer = bare(&bed, preflight()).await;
    answer.assert_n401();
    assert_eq!(answer.kind(), Some(RejectionKind::MissingCredentials));
    // A CORS layer outside answers them before that.
    assert_eq!(documented(&bed, preflight()).await.status, StatusCode::OK);
    let optional =
        (bed.server.authenticate().optional(), bed.server.require(Scopes::all(["read"])));
    crate::support::send(optional, preflight()).await.assert_n401();
}

/// The answer to a request of a web page, by a server that exposes its fields and a handler that
/// sets these lines.
async fn exposing(line: Option<&'static str>, request: Request<Full<Bytes>>, bed: &Bed) -> Answer {
    let lines: Vec<_> =
        line.map(|line| ("access-control-expose-headers", line)).into_iter().collect();
    let handler = Handler::answering(200, &lines);
    let mut request = request;
    request.headers_mut().insert("origin", HeaderValue::from_static(APP));
    send_around(bed.server.authenticate(), handler, request).await
}

#[tokio::test]
async fn fields_are_exposed_by_name_where_the_server_is_to() {
    let bed = Bed::with(Builder::expose_headers);
    for line in [Some("*"), Some("X-A, *"), None] {
        let answer = exposing(line, bearer(&bed.token()), &bed).await;
        answer.assert_ok();
        // FETCH-3.2-3: a star says nothing where credentials are included, so the names stand
        // beside it; those of gRPC stand in answers to gRPC.
        let exposed = names(&answer, "access-control-expose-headers");
        assert!(exposed.contains(&"www-authenticate".into()), "{exposed:?}");
        assert!(exposed.contains(&"dpop-nonce".into()), "{exposed:?}");
        assert!(!exposed.contains(&"grpc-status".into()), "{exposed:?}");
        assert_eq!(exposed.contains(&"*".into()), line.is_some());
    }
    for request in [crate::support::get(&[]), bearer("garbage"), Client::new(&bed).request_as("x")]
    {
        let answer = exposing(None, request, &bed).await;
        assert!(answer.rejection.is_some());
        // FETCH-3.2-3: on refusals above all.
        let exposed = names(&answer, "access-control-expose-headers");
        assert_eq!(exposed, ["www-authenticate", "dpop-nonce"]);
    }
}

#[tokio::test]
async fn what_the_handler_exposes_is_kept_without_empty_elements() {
    let bed = Bed::with(Builder::expose_headers);
    for line in [",X-A,", "X-A", ", ,X-A , ,", "X-A,dpop-nonce", ",WWW-Authenticate,,X-A"] {
        let answer = exposing(Some(line), bearer(&bed.token()), &bed).await;
        assert_eq!(answer.all("access-control-expose-headers").len(), 1);
        let mut exposed = names(&answer, "access-control-expose-headers");
        exposed.sort_unstable();
        // R9110-5.6.1.2-1: a list of three names, each once and none empty.
        assert_eq!(exposed, ["dpop-nonce", "www-authenticate", "x-a"], "{line}");
    }
}

#[tokio::test]
async fn nothing_is_exposed_unless_asked_for() {
    let bed = Bed::new();
    let answer = exposing(Some(",X-A,"), bearer(&bed.token()), &bed).await;
    assert_eq!(answer.all("access-control-expose-headers"), [",X-A,"], "the handler's own");
    let refused = exposing(None, crate::support::get(&[]), &bed).await;
    assert!(refused.all("access-control-expose-headers").is_empty());
    let asked = Bed::with(Builder::expose_headers);
    let answer = asked.bearer(&asked.token()).await;
    assert!(answer.all("access-control-expose-headers").is_empty(), "no web page has asked");
}
