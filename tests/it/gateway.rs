//! In front of other services: what of the credentials goes on (RFC 8707 §3).

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_resource_server::layer::AuthenticateLayer;
use tower_resource_server::{Dpop, Grant, RejectionKind, Scopes, SealedNonces};

use crate::dpop::{Client, with_proofs};
use crate::support::{Bed, bearer, get, send};

/// What the service inside sees of a request.
struct Seen {
    status: StatusCode,
    headers: Option<HeaderMap>,
    subject: Option<String>,
}

async fn see(layer: AuthenticateLayer, request: Request<Full<Bytes>>) -> Seen {
    let seen = Arc::new(Mutex::new((None, None)));
    let keep = Arc::clone(&seen);
    let upstream = service_fn(move |request: Request<Full<Bytes>>| {
        let grant = request.extensions().get::<Grant>();
        let subject = grant.and_then(Grant::subject).map(str::to_owned);
        *keep.lock().expect("no panic") = (Some(request.headers().clone()), subject);
        async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())) }
    });
    let response = layer.layer(upstream).oneshot(request).await.expect("infallible");
    let (headers, subject) = seen.lock().expect("no panic").clone();
    Seen { status: response.status(), headers, subject }
}

/// What went on of the fields that carry credentials, and of one that does not.
fn carried(seen: &Seen) -> [usize; 3] {
    let headers = seen.headers.as_ref().expect("the service was called");
    ["authorization", "dpop", "x-other"].map(|name| headers.get_all(name).iter().count())
}

fn marked(mut request: Request<Full<Bytes>>) -> Request<Full<Bytes>> {
    request.headers_mut().insert("x-other", http::HeaderValue::from_static("stays"));
    request
}

#[tokio::test]
async fn credentials_go_no_further() {
    let bed = Bed::new();
    let strip = || bed.server.authenticate().strip_credentials();
    let token = bed.token();
    for _ in 0..2 {
        let seen = see(strip(), marked(bearer(&token))).await;
        assert_eq!(seen.status, StatusCode::OK);
        // R8707-3-1: a new token and a remembered one.
        assert_eq!(carried(&seen), [0, 0, 1]);
        assert_eq!(seen.subject.as_deref(), Some("user-1"));
    }
    let client = Client::new(&bed);
    let seen = see(strip(), marked(client.request())).await;
    // R8707-3-1: nor does a proof.
    assert_eq!((seen.status, carried(&seen)), (StatusCode::OK, [0, 0, 1]));
    let stray = with_proofs(bearer(&token), &["one", "two"]);
    let seen = see(strip(), marked(stray)).await;
    // R8707-3-1: nor any field of that name, used or not.
    assert_eq!((seen.status, carried(&seen)), (StatusCode::OK, [0, 0, 1]));
}

#[tokio::test]
async fn without_it_they_are_handed_on() {
    let bed = Bed::new();
    let seen = see(bed.server.authenticate(), marked(Client::new(&bed).request())).await;
    assert_eq!(carried(&seen), [1, 1, 1]);
}

#[tokio::test]
async fn what_stood_in_an_anonymous_request_goes_no_further_either() {
    let bed = Bed::new();
    let strip = || bed.server.authenticate().optional().strip_credentials();
    for line in ["", "Bearer", "bearer "] {
        let request = with_proofs(get(&[("authorization", line)]), &["x"]);
        let seen = see(strip(), marked(request)).await;
        // R8707-3-1
        assert_eq!((seen.status, carried(&seen)), (StatusCode::OK, [0, 0, 1]), "{line:?}");
        assert_eq!(seen.subject, None);
    }
    let mut preflight = with_proofs(get(&[]), &["x"]);
    *preflight.method_mut() = http::Method::OPTIONS;
    for (name, value) in
        [("origin", "https://app.example.com"), ("access-control-request-method", "GET")]
    {
        preflight.headers_mut().insert(name, http::HeaderValue::from_static(value));
    }
    let seen = see(bed.server.authenticate().strip_credentials(), marked(preflight)).await;
    assert_eq!((seen.status, carried(&seen)), (StatusCode::OK, [0, 0, 1]));
}

#[tokio::test]
async fn layers_further_in_have_the_grant_and_no_credentials() {
    let bed = Bed::new();
    let strip = || bed.server.authenticate().strip_credentials();
    let request = || bearer(&bed.token());
    send((strip(), bed.server.require(Scopes::all(["read"]))), request()).await.assert_ok();
    send((strip(), bed.server.require(Scopes::all(["write"]))), request())
        .await
        .assert_s403("write");
    // A second layer that looks for the token finds none.
    let answer = send((strip(), bed.server.authenticate()), request()).await;
    answer.assert_n401();
    assert_eq!(answer.kind(), Some(RejectionKind::MissingCredentials));
    // The innermost may strip them.
    send((bed.server.authenticate(), strip()), request()).await.assert_ok();
}

#[tokio::test]
async fn a_refusal_strips_nothing_of_its_answer() {
    let bed = Bed::with(|builder| builder.dpop(Dpop::new().nonces(SealedNonces::random())));
    let client = Client::new(&bed);
    let answer = send(bed.server.authenticate().strip_credentials(), client.request()).await;
    answer.assert_nonce401();
    assert!(!answer.handled);
}
