//! What Tower asks of a middleware: readiness, errors, bodies, cost.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Empty, Full};
use tower::buffer::Buffer;
use tower::limit::ConcurrencyLimit;
use tower::load_shed::LoadShed;
use tower::timeout::Timeout;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_resource_server::testing::{FixedClock, ScriptedFetch, TestIssuer};
use tower_resource_server::{Issuer, ResourceServer, Scopes};

use crate::support::{Bed, Handler, ISSUER, NOW, RESOURCE, Silent, bearer, get};

type Sent = Request<Full<Bytes>>;

/// Panics when called without having been made ready; a clone has yet to be made ready.
#[derive(Debug, Default)]
pub(crate) struct Strict {
    ready: bool,
    pub(crate) calls: Arc<AtomicUsize>,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self { ready: false, calls: Arc::clone(&self.calls) }
    }
}

impl<B> Service<Request<B>> for Strict {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without being ready");
        self.calls.fetch_add(1, Ordering::SeqCst);
        ready(Ok(Response::default()))
    }
}

pub(crate) fn is_ready<S: Service<Sent>>(service: &mut S) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    matches!(service.poll_ready(&mut context), Poll::Ready(Ok(())))
}

async fn made_ready<S: Service<Sent>>(service: &mut S) -> &mut S
where
    S::Error: std::fmt::Debug,
{
    service.ready().await.expect("ready")
}

/// Status of one request; the service stays, as on a connection that is kept.
pub(crate) async fn status<S, B>(service: &mut S, request: Sent) -> StatusCode
where
    S: Service<Sent, Response = Response<B>>,
    S::Error: std::fmt::Debug,
{
    let response = made_ready(service).await.call(request).await;
    response.expect("a response").status()
}

/// A token seen first and again, none, garbage, none again, then the good one once more.
async fn mixed<S, B>(mut service: S, token: &str)
where
    S: Service<Sent, Response = Response<B>>,
    S::Error: std::fmt::Debug,
{
    for (request, expected) in [
        (bearer(token), 200),
        (bearer(token), 200),
        (get(&[]), 401),
        (bearer("garbage"), 401),
        (get(&[]), 401),
        (bearer(token), 200),
    ] {
        assert_eq!(status(&mut service, request).await, expected);
    }
}

#[tokio::test]
async fn the_instance_made_ready_is_the_one_called() {
    let bed = Bed::new();
    let inner = Strict::default();
    let calls = Arc::clone(&inner.calls);
    mixed(bed.server.authenticate().layer(inner), &bed.token()).await;
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn all_layers_together_keep_the_contract() {
    let bed = Bed::new();
    let layers = (
        bed.server.metadata_layer(),
        bed.server.authenticate(),
        bed.server.require(Scopes::all(["read"])),
    );
    mixed(layers.layer(Strict::default()), &bed.token()).await;
}

#[tokio::test]
async fn an_optional_layer_keeps_the_contract() {
    let bed = Bed::new();
    let mut service = bed.server.authenticate().optional().layer(Strict::default());
    for (request, expected) in
        [(get(&[]), 200), (bearer("garbage"), 401), (get(&[]), 200), (bearer(&bed.token()), 200)]
    {
        assert_eq!(status(&mut service, request).await, expected);
    }
}

/// Neither gets ready nor answers.
#[derive(Clone)]
struct Failing;

impl Service<Sent> for Failing {
    type Response = Response<Empty<Bytes>>;
    type Error = &'static str;
    type Future = Ready<Result<Self::Response, &'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        Poll::Ready(Err("not ready"))
    }

    fn call(&mut self, _: Sent) -> Self::Future {
        ready(Err("not served"))
    }
}

#[tokio::test]
async fn errors_of_the_inner_service_pass_through() {
    let bed = Bed::new();
    let layers = (
        bed.server.metadata_layer(),
        bed.server.authenticate(),
        bed.server.require(Scopes::all(["read"])),
    );
    let mut service = layers.layer(Failing);
    assert_eq!(service.ready().await.err(), Some("not ready"));
    let token = bed.token();
    for _ in ["seen first", "seen before"] {
        assert_eq!(service.call(bearer(&token)).await.err(), Some("not served"));
    }
}

#[tokio::test]
async fn a_pending_inner_service_is_waited_for() {
    let bed = Bed::new();
    let limited = ConcurrencyLimit::new(Handler::default(), 1);
    let mut holder = limited.clone();
    assert!(is_ready(&mut holder));
    let mut service = bed.server.authenticate().layer(limited);
    assert!(!is_ready(&mut service));
    drop(holder);
    assert!(is_ready(&mut service));
    let response = service.call(bearer(&bed.token())).await.expect("infallible");
    assert_eq!(response.status(), StatusCode::OK);
}

/// After each request to one clone, which is kept, another can be made ready.
async fn gives_back<S, B>(service: S, requests: Vec<Sent>)
where
    S: Service<Sent, Response = Response<B>> + Clone,
    S::Error: std::fmt::Debug,
{
    for request in requests {
        let mut kept = service.clone();
        let response = made_ready(&mut kept).await.call(request).await.expect("a response");
        drop(response);
        assert!(is_ready(&mut service.clone()), "the permit is still held");
    }
}

#[tokio::test]
async fn a_refusal_gives_the_permit_back() {
    let bed = Bed::new();
    let token = bed.token();
    let late = bed.issuer.token().expires_in(Duration::from_secs(10)).build();
    let limited = ConcurrencyLimit::new(Handler::default(), 1);
    let service = bed.server.authenticate().layer(limited);
    gives_back(service.clone(), vec![bearer(&late)]).await;
    bed.clock.advance(Duration::from_secs(100));
    let forged = bed.issuer.token().flaw(tower_resource_server::testing::Flaw::BadSignature);
    let requests =
        vec![get(&[]), bearer("garbage"), bearer(&forged.build()), bearer(&late), bearer(&token)];
    gives_back(service, requests).await;
}

#[tokio::test]
async fn a_refusal_by_the_inner_layer_gives_the_permit_back() {
    let bed = Bed::new();
    let limited = ConcurrencyLimit::new(Handler::default(), 1);
    let layers = (bed.server.authenticate(), bed.server.require(Scopes::all(["write"])));
    let token = bed.token();
    gives_back(layers.layer(limited), vec![bearer(&token), bearer(&token)]).await;
}

#[tokio::test]
async fn the_metadata_document_gives_the_permit_back() {
    let bed = Bed::new();
    let limited = ConcurrencyLimit::new(Handler::default(), 1);
    let mut document = get(&[]);
    *document.uri_mut() = Uri::from_static("/.well-known/oauth-protected-resource");
    gives_back(bed.server.metadata_layer().layer(limited), vec![document]).await;
}

#[tokio::test]
async fn a_future_that_is_dropped_gives_the_permit_back() {
    let bed = Bed::new();
    let limited = ConcurrencyLimit::new(Handler::default(), 1);
    let service = bed.server.authenticate().layer(limited);
    let mut kept = service.clone();
    // A token seen first: the future holds the inner service and is never polled.
    drop(made_ready(&mut kept).await.call(bearer(&bed.token())));
    assert!(is_ready(&mut service.clone()));
}

#[tokio::test]
async fn nobody_holds_a_permit_while_keys_are_fetched() {
    let fetch = ScriptedFetch::new();
    let (issuer, server) = remote(&fetch);
    fetch.always_json(issuer.jwks_json());
    server.ready().await.expect("the keys are there");
    let hold = fetch.hold();
    let limited = ConcurrencyLimit::new(Strict::default(), 1);
    let service = server.authenticate().layer(limited);
    let stranger = issuer.token().flaw(tower_resource_server::testing::Flaw::UnknownKeyId);
    let mut kept = service.clone();
    let mut waiting = Box::pin(made_ready(&mut kept).await.call(bearer(&stranger.build())));
    assert!(first_poll(&mut waiting).is_none());
    // A token of a known key goes its way meanwhile.
    let mut other = service.clone();
    assert!(is_ready(&mut other), "a stranger holds the permit");
    assert_eq!(status(&mut other, bearer(&issuer.token().build())).await, StatusCode::OK);
    hold.release();
    assert_eq!(waiting.await.expect("a response").status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn nobody_holds_a_permit_while_a_form_is_read() {
    let limited = ConcurrencyLimit::new(Strict::default(), 1);
    let service = tower_resource_server::layer::FormTokenLayer::new().layer(limited);
    let ready = |service: &mut _| {
        let mut context = Context::from_waker(Waker::noop());
        Service::<Request<Silent>>::poll_ready(service, &mut context).is_ready()
    };
    let form = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
    let (mut first, mut second) = (service.clone(), service.clone());
    assert!(ready(&mut first));
    let mut reading = Box::pin(first.call(form.body(Silent).expect("well formed")));
    assert!(first_poll(&mut reading).is_none());
    assert!(ready(&mut second), "the form holds the permit");
    assert!(first_poll(second.call(Request::new(Silent))).is_some());
}

#[tokio::test]
async fn other_middleware_works_inside() {
    let bed = Bed::new();
    let (layer, token) = (bed.server.authenticate(), bed.token());
    mixed(layer.layer(ConcurrencyLimit::new(Strict::default(), 1)), &token).await;
    mixed(layer.layer(Buffer::new(Strict::default(), 2)), &token).await;
    mixed(layer.layer(LoadShed::new(Strict::default())), &token).await;
    mixed(layer.layer(Timeout::new(Strict::default(), Duration::from_secs(60))), &token).await;
}

#[tokio::test]
async fn other_middleware_works_around() {
    let bed = Bed::new();
    let token = bed.token();
    let service = || bed.server.authenticate().layer(Strict::default());
    mixed(ConcurrencyLimit::new(service(), 1), &token).await;
    mixed(Buffer::new(service(), 2), &token).await;
    mixed(LoadShed::new(service()), &token).await;
    mixed(Timeout::new(service(), Duration::from_secs(60)), &token).await;
}

#[tokio::test]
async fn a_shed_load_is_an_error_and_no_refusal() {
    let bed = Bed::new();
    let limited = ConcurrencyLimit::new(Handler::default(), 1);
    let mut holder = limited.clone();
    assert!(is_ready(&mut holder));
    let mut service = bed.server.authenticate().layer(LoadShed::new(limited));
    let token = bed.token();
    for _ in ["seen first", "seen before"] {
        let error = made_ready(&mut service).await.call(bearer(&token)).await.expect_err("shed");
        assert!(error.is::<tower::load_shed::error::Overloaded>());
    }
}

/// The future's answer at the first poll, if it has one.
fn first_poll<F: Future>(future: F) -> Option<F::Output> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

#[test]
fn with_keys_at_hand_every_answer_is_there_at_the_first_poll() {
    let bed = Bed::new();
    let token = bed.token();
    let mut service = bed.server.authenticate().layer(Handler::default());
    for (request, expected) in
        [(bearer(&token), 200), (bearer(&token), 200), (get(&[]), 401), (bearer("garbage"), 401)]
    {
        assert!(is_ready(&mut service));
        let response = first_poll(service.call(request)).expect("at the first poll");
        assert_eq!(response.expect("infallible").status(), expected);
    }
}

fn remote(fetch: &ScriptedFetch) -> (TestIssuer, ResourceServer) {
    let clock = FixedClock::at(NOW);
    let issuer = TestIssuer::new(ISSUER).clock(clock.clone());
    let server = ResourceServer::builder(RESOURCE)
        .issuer(Issuer::jwks_uri(ISSUER, "https://as.example.com/jwks"))
        .fetch(fetch.clone())
        .clock(clock)
        .build()
        .expect("a valid configuration");
    (issuer, server)
}

#[tokio::test]
async fn without_keys_the_answer_waits_for_them() {
    let fetch = ScriptedFetch::new();
    let (issuer, server) = remote(&fetch);
    fetch.always_json(issuer.jwks_json());
    let hold = fetch.hold();
    let mut service = server.authenticate().layer(Strict::default());
    let token = issuer.token().build();
    let mut future = pin!(made_ready(&mut service).await.call(bearer(&token)));
    let mut context = Context::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_pending());
    hold.release();
    assert_eq!(future.await.expect("infallible").status(), StatusCode::OK);
    assert!(is_ready(&mut service));
    let response = first_poll(service.call(bearer(&token))).expect("keys are at hand now");
    assert_eq!(response.expect("infallible").status(), StatusCode::OK);
    assert_eq!(fetch.count(), 1);
}

#[derive(Clone)]
struct Extension(#[allow(dead_code, reason = "only its size counts")] [u64; 12]);

/// Answers without an allocation of its own; `extend` puts one extension into the request.
#[derive(Clone)]
struct Bare {
    extend: bool,
}

impl Service<Sent> for Bare {
    type Response = Response<Empty<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Sent) -> Self::Future {
        if self.extend {
            request.extensions_mut().insert(Extension([7; 12]));
        }
        ready(Ok(Response::new(Empty::new())))
    }
}

fn allocations<S, B>(service: &mut S, request: Sent) -> u64
where
    S: Service<Sent, Response = Response<B>, Error = Infallible>,
{
    assert!(is_ready(service));
    let mut status = None;
    let cost = allocation_counter::measure(|| {
        let response = first_poll(service.call(request)).expect("at the first poll");
        status = response.ok().map(|response| response.status());
    });
    assert_eq!(status, Some(StatusCode::OK));
    cost.count_total
}

#[test]
fn a_token_seen_before_costs_one_request_extension() {
    let bed = Bed::new();
    let authorization = HeaderValue::try_from(format!("Bearer {}", bed.token())).expect("a value");
    let request = || {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = Uri::from_static("/r");
        request.headers_mut().insert("authorization", authorization.clone());
        request
    };
    let floor = allocations(&mut Bare { extend: true }, request());
    assert!(floor > allocations(&mut Bare { extend: false }, request()));
    let mut service = bed.server.authenticate().layer(Bare { extend: false });
    allocations(&mut service, request());
    for _ in 0..3 {
        let warm = allocations(&mut service, request());
        assert!(warm <= floor, "{warm} allocations over {floor}");
    }
}

/// Neither `Default` nor `Clone`, and no `Body` either.
struct Opaque(String);

/// A body in frames, with trailers; neither `Default` nor `Clone`.
struct Frames {
    left: VecDeque<Frame<Bytes>>,
    hint: u64,
}

impl Frames {
    fn new() -> Self {
        let trailers = HeaderMap::from_iter([(
            http::HeaderName::from_static("x-checksum"),
            HeaderValue::from_static("1"),
        )]);
        let data = ["one", "two"].map(|text| Frame::data(Bytes::from_static(text.as_bytes())));
        let left = data.into_iter().chain([Frame::trailers(trailers)]).collect();
        Self { left, hint: 6 }
    }
}

impl Body for Frames {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        let frame = self.left.pop_front();
        if let Some(data) = frame.as_ref().and_then(Frame::data_ref) {
            self.hint -= data.len() as u64;
        }
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.hint)
    }
}

fn opaque(token: &str) -> Request<Opaque> {
    bearer(token).map(|_| Opaque("untouched".to_owned()))
}

async fn streamed(request: Request<Opaque>) -> Result<Response<Frames>, Infallible> {
    assert_eq!(request.body().0, "untouched");
    Ok(Response::new(Frames::new()))
}

#[tokio::test]
async fn bodies_pass_through_frame_by_frame() {
    let bed = Bed::new();
    let layers = (
        bed.server.metadata_layer(),
        bed.server.authenticate(),
        bed.server.require(Scopes::all(["read"])),
    );
    let service = layers.layer(service_fn(streamed));
    let response = service.oneshot(opaque(&bed.token())).await.expect("infallible");
    let mut body = response.into_body();
    assert_eq!(body.size_hint().exact(), Some(6));
    for (text, left) in [("one", 3), ("two", 0)] {
        let frame = body.frame().await.expect("a frame").expect("no error");
        assert_eq!(frame.into_data().ok(), Some(Bytes::from_static(text.as_bytes())));
        assert_eq!(body.size_hint().exact(), Some(left));
    }
    assert!(!body.is_end_stream());
    let trailers = body.frame().await.expect("a frame").expect("no error");
    assert_eq!(trailers.into_trailers().expect("trailers")["x-checksum"], "1");
    assert!(body.is_end_stream());
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn a_refusal_has_the_body_it_announces() {
    let bed = Bed::new();
    let service = bed.server.authenticate().layer(service_fn(streamed));
    let response = service.clone().oneshot(opaque("garbage")).await.expect("infallible");
    let announced = response.body().size_hint().exact();
    assert!(!response.body().is_end_stream());
    let body = response.into_body().collect().await.expect("no error").to_bytes();
    assert_eq!(announced, Some(body.len() as u64));
    let anonymous = get(&[]).map(|_| Opaque(String::new()));
    let response = service.oneshot(anonymous).await.expect("infallible");
    assert!(response.body().is_end_stream());
    assert_eq!(response.body().size_hint().exact(), Some(0));
}

fn assert_send<T: Send>(_: &T) {}

#[tokio::test]
async fn service_and_future_are_send_where_the_inner_is() {
    let bed = Bed::new();
    let layers = (
        bed.server.metadata_layer(),
        bed.server.authenticate(),
        bed.server.require(Scopes::all(["read"])),
    );
    assert_send(&layers);
    let mut service = layers.layer(Handler::default());
    assert_send(&service);
    assert_send(&service.call(get(&[])));
    let spawned = tokio::spawn(service.oneshot(bearer(&bed.token())));
    let response = spawned.await.expect("no panic").expect("infallible");
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn an_inner_service_that_is_not_send_is_served_all_the_same() {
    let bed = Bed::new();
    let shared = Rc::new(());
    let inner = service_fn(move |_: Request<Rc<str>>| {
        let shared = Rc::clone(&shared);
        async move {
            drop(shared);
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let request = bearer(&bed.token()).map(|_| Rc::from("not send either"));
    let response = bed.server.authenticate().layer(inner).oneshot(request).await;
    assert_eq!(response.expect("infallible").status(), StatusCode::OK);
}
