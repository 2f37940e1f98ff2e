//! Streams that end with the token of their call.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http::uri::PathAndQuery;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::time::Instant;
use tonic::Code;
use tonic::service::Routes;
use tonic_prost::ProstCodec;
use tower::{Layer, ServiceExt, service_fn};
use tower_resource_server::testing::FixedClock;

use crate::service::{Number, Tools, metadata};
use crate::support::{Bed, Logs};

/// Of the tokens here; the leeway of the server is a minute.
const LIFETIME: Duration = Duration::from_secs(100);
const LEEWAY: Duration = Duration::from_secs(60);

fn token(bed: &Bed) -> String {
    bed.issuer.token().scope("read").expires_in(LIFETIME).build()
}

/// Numbers from a service of tonic within this task, so that time can stand still.
async fn numbers(bed: &Bed, closing: bool) -> tonic::Streaming<Number> {
    let layer = bed.server.authenticate();
    let layer = if closing { layer.close_on_expiry() } else { layer };
    let mut client = tonic::client::Grpc::new(layer.layer(Routes::new(Tools::default())));
    let mut request = tonic::Request::new(Number::of(-3));
    let authorization = format!("Bearer {}", token(bed)).parse().expect("ASCII");
    request.metadata_mut().insert("authorization", authorization);
    client.ready().await.expect("always");
    let path = PathAndQuery::from_static("/demo.Tools/Count");
    let codec = ProstCodec::<Number, Number>::default();
    client.server_streaming(request, path, codec).await.expect("a valid token").into_inner()
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_16_when_its_token_expires() {
    let bed = Bed::new();
    let (logs, _guard) = Logs::capture();
    let began = Instant::now();
    let mut numbers = numbers(&bed, true).await;
    for value in [3, 2, 1] {
        let number = numbers.message().await.expect("a number").expect("a number");
        assert_eq!(number.value, value);
    }
    let status = numbers.message().await.expect_err("expired");
    // GRPC-req-7-1: at `exp` and the leeway, with 16, its message and the challenge.
    assert_eq!(began.elapsed().as_secs(), (LIFETIME + LEEWAY).as_secs());
    assert_eq!(
        (status.code(), status.message()),
        (Code::Unauthenticated, "The access token expired")
    );
    let challenges = metadata(&status, "www-authenticate");
    assert!(challenges[0].starts_with("Bearer error=\"invalid_token\""), "{challenges:?}");
    assert!(logs.text().contains("kind=\"expired-token\""));
    assert!(numbers.message().await.expect("over").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_stream_goes_on_unless_that_was_asked_for() {
    let bed = Bed::new();
    let mut numbers = numbers(&bed, false).await;
    for _ in 0..3 {
        numbers.message().await.expect("a number").expect("a number");
    }
    bed.clock.advance(LIFETIME * 10);
    let waited = tokio::time::timeout(LIFETIME * 10, numbers.message()).await;
    // GRPC-req-7-1: authorized when it was begun; nothing ends it.
    assert!(waited.is_err());
}

type Frames = Vec<Frame<Bytes>>;

fn data(text: &'static str) -> Frame<Bytes> {
    Frame::data(Bytes::from_static(text.as_bytes()))
}

/// Says when it is dropped.
struct Guarded<B>(B, #[allow(dead_code, reason = "it is there to be dropped")] Arc<()>);

impl<B: Body + Unpin> Body for Guarded<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }
}

/// The response of a handler that sends these frames and nothing more, without an end.
async fn streaming(
    bed: &Bed,
    content_type: &str,
    frames: fn() -> Frames,
) -> (impl Body<Data = Bytes, Error = Infallible> + Unpin, Arc<()>) {
    let alive = Arc::new(());
    let guard = Arc::clone(&alive);
    let handler = service_fn(move |_: Request<()>| {
        let guard = Arc::clone(&guard);
        async move {
            let frames = stream::iter(frames()).map(Ok::<_, Infallible>).chain(stream::pending());
            Ok::<_, Infallible>(Response::new(Guarded(StreamBody::new(frames), guard)))
        }
    });
    let request = Request::post("/demo.Tools/Count")
        .header("content-type", content_type)
        .header("authorization", format!("Bearer {}", token(bed)))
        .body(())
        .expect("a request");
    let service = bed.server.authenticate().close_on_expiry().layer(handler);
    let response = service.oneshot(request).await.expect("infallible");
    (response.into_body(), alive)
}

async fn next<B: Body<Data = Bytes, Error = Infallible> + Unpin>(body: &mut B) -> Option<Bytes> {
    let frame = body.frame().await?.expect("infallible");
    Some(frame.into_data().expect("data"))
}

fn expire(clock: &FixedClock) {
    clock.advance(LIFETIME + LEEWAY);
}

#[tokio::test(start_paused = true)]
async fn a_stream_over_http_ends_as_if_it_were_complete() {
    let bed = Bed::new();
    let (mut body, alive) = streaming(&bed, "text/event-stream", || vec![data("a")]).await;
    assert_eq!(next(&mut body).await.as_deref(), Some(&b"a"[..]));
    assert_eq!(Arc::strong_count(&alive), 2);
    assert!(body.frame().await.is_none());
    assert!(body.is_end_stream());
    assert_eq!(Arc::strong_count(&alive), 1, "what produces the stream is gone");
    assert!(body.frame().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_never_rests_ends_by_the_clock() {
    let bed = Bed::new();
    let five = || ["a", "b", "c", "d", "e"].map(data).into();
    let (mut body, _) = streaming(&bed, "application/grpc", five).await;
    next(&mut body).await.expect("before the end");
    bed.clock.advance(LIFETIME + LEEWAY - Duration::from_secs(1));
    next(&mut body).await.expect("a second before the end");
    bed.clock.advance(Duration::from_secs(1));
    let began = Instant::now();
    next(&mut body).await.expect("the one frame that was ready");
    let last = body.frame().await.expect("trailers").expect("infallible");
    let trailers = last.into_trailers().expect("trailers");
    assert_eq!(trailers["grpc-status"], "16");
    assert_eq!(trailers.get_all("www-authenticate").iter().count(), 2);
    assert!(!trailers.contains_key("cache-control"));
    assert!(body.frame().await.is_none());
    assert_eq!(began.elapsed(), Duration::ZERO, "nothing was waited for");
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_a_call_of_one_message_is_whole() {
    let bed = Bed::new();
    let unary = || {
        let trailers = HeaderMap::from_iter([("grpc-status".parse().expect("a name"), 0.into())]);
        vec![data("message"), Frame::trailers(trailers)]
    };
    let (mut body, alive) = streaming(&bed, "application/grpc", unary).await;
    expire(&bed.clock);
    assert_eq!(next(&mut body).await.as_deref(), Some(&b"message"[..]));
    let trailers = body.frame().await.expect("trailers").expect("infallible").into_trailers();
    assert_eq!(trailers.expect("trailers")["grpc-status"], "0");
    assert!(body.frame().await.is_none(), "no second trailers");
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_grpc_web_stands_in_the_body() {
    let bed = Bed::new();
    for content_type in ["application/grpc-web+proto", "application/grpc-web-text"] {
        let (mut body, _) = streaming(&bed, content_type, || vec![data("a")]).await;
        next(&mut body).await.expect("a frame");
        let mut end = next(&mut body).await.expect("the end").to_vec();
        if content_type.ends_with("-text") {
            end = STANDARD.decode(end).expect("Base64");
        }
        // GRPC-req-3-1, GRPC-req-7-1: a frame of trailers, with its length.
        let (head, lines) = end.split_at(5);
        assert_eq!(head[0], 0x80);
        assert_eq!(head[1..], u32::try_from(lines.len()).expect("short").to_be_bytes());
        let lines = std::str::from_utf8(lines).expect("ASCII");
        assert!(lines.contains("grpc-status:16\r\ngrpc-message:The access token expired\r\n"));
        assert_eq!(lines.matches("www-authenticate:").count(), 2);
        assert!(body.frame().await.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn trailers_of_grpc_web_are_one_more_frame() {
    let bed = Bed::new();
    let unary = || vec![data("message"), data("trailers")];
    let (mut body, _) = streaming(&bed, "application/grpc-web", unary).await;
    expire(&bed.clock);
    assert_eq!(next(&mut body).await.as_deref(), Some(&b"message"[..]));
    let end = next(&mut body).await.expect("the end");
    assert_eq!(end[0], 0x80);
    assert!(String::from_utf8_lossy(&end).contains("grpc-status:16\r\n"));
    assert!(body.frame().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_body_of_a_known_size_is_never_cut() {
    let bed = Bed::new();
    let handler = service_fn(async |_: Request<()>| {
        Ok::<_, Infallible>(Response::new(Full::from(Bytes::from_static(b"whole"))))
    });
    let mut request = Request::new(());
    let authorization = format!("Bearer {}", token(&bed)).parse().expect("ASCII");
    request.headers_mut().insert("authorization", authorization);
    let service = bed.server.authenticate().close_on_expiry().layer(handler);
    let mut body = service.oneshot(request).await.expect("infallible").into_body();
    assert_eq!(body.size_hint().exact(), Some(5));
    expire(&bed.clock);
    assert_eq!(next(&mut body).await.as_deref(), Some(&b"whole"[..]));
}

#[test]
fn without_a_runtime_the_clock_is_asked_at_each_frame() {
    let bed = Bed::new();
    let streamed = streaming(&bed, "application/grpc", || ["a", "b", "c"].map(data).into());
    let (mut body, _) = futures_util::FutureExt::now_or_never(streamed).expect("at once");
    let mut next = || futures_util::FutureExt::now_or_never(body.frame()).flatten();
    assert!(next().expect("a frame").expect("infallible").is_data());
    expire(&bed.clock);
    assert!(next().expect("the frame that was ready").expect("infallible").is_data());
    assert!(next().expect("the end").expect("infallible").is_trailers());
    assert!(next().is_none());
}
