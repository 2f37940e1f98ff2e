//! Bodies: what is read of them, for how long, and that they arrive whole.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full, StreamBody};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_resource_server::RejectionKind as Kind;
use tower_resource_server::layer::BufferedBody;
use tower_resource_server::mcp::Tools;

use super::{assert_plain, call, calling, post, through, tools};
use crate::support::{Answer, Bed, Handler, read};

/// A request for a tool whose body is those frames.
fn streaming<S>(frames: S) -> Request<StreamBody<S>> {
    call("read_file").map(|_| StreamBody::new(frames))
}

type Sent = Result<Frame<Bytes>, std::io::Error>;

fn data(text: impl Into<Bytes>) -> Sent {
    Ok(Frame::data(text.into()))
}

/// The body of a call in pieces of that size.
fn pieces(size: usize) -> Vec<Sent> {
    let body = calling("read_file").to_string().into_bytes();
    body.chunks(size).map(|piece| data(piece.to_vec())).collect()
}

async fn send<B>(bed: &Bed, tools: Tools, request: Request<B>) -> Answer
where
    B: Body<Data = Bytes>,
{
    let handler = Handler::default();
    let layers = (bed.server.authenticate(), bed.server.require_tools(tools));
    let request = bed.issuer.token().scope("read").authorize(request);
    let response = layers.layer(handler.clone()).oneshot(request).await.expect("infallible");
    read(response, handler.calls() > 0).await
}

#[tokio::test]
async fn what_is_no_message_is_told_apart() {
    let bed = Bed::new();
    for body in ["", "{", "\u{feff}{}", "read_file", "name=read_file"] {
        let answer = through(&bed, tools(), post(body)).await;
        assert_plain(&answer, 400, Kind::MalformedMessage);
    }
    let not_text = calling("read_file").to_string().replace("read_file", "read").into_bytes();
    let not_text: Vec<_> = not_text.into_iter().map(|b| if b == b'r' { 0xff } else { b }).collect();
    assert_plain(&through(&bed, tools(), post(not_text)).await, 400, Kind::MalformedMessage);
    for body in [
        "{}",
        "[]",
        "\"read_file\"",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","method":"ping","params":{"name":"read_file"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file","n\u0061me":"delete_file"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file"},"Params":{"name":"delete_file"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\ud800"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":["read_file"]}}"#,
    ] {
        let answer = through(&bed, tools().others_any_token(), post(body)).await;
        assert_plain(&answer, 400, Kind::InvalidMessage);
    }
    let arguments = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep = calling("read_file").to_string().replace("{}", &arguments);
    assert_plain(&through(&bed, tools(), post(deep)).await, 400, Kind::InvalidMessage);
}

#[tokio::test]
async fn escapes_do_not_hide_a_tool() {
    let bed = Bed::new();
    let plain = calling("delete_file").to_string();
    for (from, to) in [
        ("tools/call", r"tools\/call"),
        ("tools/call", r"tool\u0073/call"),
        ("delete_file", r"\u0064elete_file"),
        ("\"method\"", r#""\u006dethod""#),
        ("\"name\"", r#""n\u0061me""#),
    ] {
        let body = plain.replace(from, to);
        assert_ne!(body, plain);
        through(&bed, tools(), post(body)).await.assert_s403("delete");
    }
}

#[tokio::test]
async fn only_plain_json_is_read() {
    let bed = Bed::new();
    let of = |name: &'static str, value: &'static str| {
        let mut request = call("read_file");
        request.headers_mut().insert(name, value.parse().expect("a field value"));
        request
    };
    for request in [
        of("content-type", "text/plain"),
        of("content-type", "application/x-www-form-urlencoded"),
        of("content-type", "application/json; charset=utf-7"),
        of("content-encoding", "gzip"),
    ] {
        let answer = through(&bed, tools(), request).await;
        assert_plain(&answer, 415, Kind::UnsupportedMediaType);
    }
    let utf_8 = of("content-type", "application/json; charset=utf-8");
    through(&bed, tools(), utf_8).await.assert_ok();
}

#[tokio::test]
async fn a_body_over_the_limit_is_not_read() {
    let bed = Bed::new();
    let length = calling("read_file").to_string().len();
    through(&bed, tools().limit(length), call("read_file")).await.assert_ok();
    let answer = through(&bed, tools().limit(length - 1), call("read_file")).await;
    assert_plain(&answer, 413, Kind::MessageTooLarge);
    let longer = post(format!("{}{}", calling("read_file"), " ".repeat(4 * 1024 * 1024)));
    assert_plain(&through(&bed, tools(), longer).await, 413, Kind::MessageTooLarge);

    // In pieces that do not end.
    let endless = stream::repeat_with(|| data(" ".repeat(1000)));
    let answer = send(&bed, tools(), streaming(endless)).await;
    assert_plain(&answer, 413, Kind::MessageTooLarge);
}

/// Announces more than the limit, and fails if it is read.
struct Announced;

impl Body for Announced {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        panic!("read");
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(5 * 1024 * 1024)
    }
}

#[tokio::test]
async fn what_announces_more_is_not_even_begun() {
    let bed = Bed::new();
    let answer = send(&bed, tools(), call("read_file").map(|_| Announced)).await;
    assert_plain(&answer, 413, Kind::MessageTooLarge);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_end_is_given_up() {
    let bed = Bed::new();
    // A byte a second, as long as anyone listens.
    let slow = || {
        Box::pin(stream::repeat(()).then(|()| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            data(" ")
        }))
    };
    let begun = tokio::time::Instant::now();
    let answer = send(&bed, tools(), streaming(slow())).await;
    assert_plain(&answer, 408, Kind::MessageTimeout);
    assert_eq!(begun.elapsed(), Duration::from_secs(30));

    let begun = tokio::time::Instant::now();
    let short = tools().read_timeout(Duration::from_secs(5));
    let silent = streaming(stream::pending::<Sent>());
    assert_plain(&send(&bed, short.clone(), silent).await, 408, Kind::MessageTimeout);
    assert_eq!(begun.elapsed(), Duration::from_secs(5));

    // Frames without end and without content, and never a pause.
    let empty = streaming(stream::repeat_with(|| data("")));
    let answer = tokio::select! {
        answer = send(&bed, short, empty) => answer,
        () = tick() => unreachable!("the clock goes on"),
    };
    assert_plain(&answer, 408, Kind::MessageTimeout);
}

/// Moves the paused clock on, since a task that is never idle keeps it from doing so by itself.
async fn tick() {
    for _ in 0..100 {
        tokio::time::advance(Duration::from_millis(100)).await;
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_in_time_is_waited_for() {
    let bed = Bed::new();
    let slow = stream::iter(pieces(7)).then(|piece| async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        piece
    });
    send(&bed, tools(), streaming(Box::pin(slow))).await.assert_ok();
}

#[tokio::test]
async fn a_body_that_breaks_off_runs_nothing() {
    let bed = Bed::new();
    let mut frames = pieces(usize::MAX);
    frames.push(Err(std::io::Error::other("reset")));
    let answer = send(&bed, tools(), streaming(stream::iter(frames))).await;
    assert_plain(&answer, 400, Kind::MalformedMessage);
}

/// What the service inside received.
async fn received<B>(request: Request<B>) -> (Bytes, Option<HeaderMap>)
where
    B: Body<Data = Bytes>,
    B::Error: std::fmt::Debug,
{
    let bed = Bed::new();
    let seen = Arc::new(Mutex::new(None));
    let inner = service_fn(|request: Request<BufferedBody<B>>| {
        let seen = Arc::clone(&seen);
        async move {
            let hint = request.body().size_hint();
            let body = request.into_body().collect().await.expect("a body");
            let trailers = body.trailers().cloned();
            let bytes = body.to_bytes();
            assert!(hint.lower() <= bytes.len() as u64);
            *seen.lock().expect("no panic") = Some((bytes, trailers));
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }
    });
    let layers = (bed.server.authenticate(), bed.server.require_tools(tools()));
    let request = bed.issuer.token().scope("read").authorize(request);
    let response = layers.layer(inner).oneshot(request).await.expect("infallible");
    assert_eq!(response.status(), 200);
    drop(response);
    let seen = seen.lock().expect("no panic").take();
    seen.expect("the service was called")
}

#[tokio::test]
async fn the_service_inside_gets_the_body_whole() {
    let whole = Bytes::from(format!("\t{} \r\n", calling("read_file")));
    assert_eq!(received(post(whole.clone())).await, (whole, None));
    let whole = Bytes::from(calling("read_file").to_string());
    for size in [1, 7, usize::MAX] {
        let (bytes, trailers) = received(streaming(stream::iter(pieces(size)))).await;
        assert_eq!((bytes, trailers), (whole.clone(), None), "{size}");
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("x-checksum", "1".parse().expect("a field value"));
    let mut frames = pieces(7);
    frames.insert(3, data(""));
    frames.push(Ok(Frame::trailers(trailers.clone())));
    let expected = (whole, Some(trailers));
    assert_eq!(received(streaming(stream::iter(frames))).await, expected);
    // What is not read is passed through.
    let get = Request::get("/mcp").body(Full::<Bytes>::default()).expect("a request");
    assert_eq!(received(get).await, (Bytes::new(), None));
}

/// A body that arrives when it is told to.
fn held() -> (tokio::sync::oneshot::Sender<()>, impl Stream<Item = Sent>) {
    let (send, arrived) = tokio::sync::oneshot::channel();
    let frames = stream::once(async {
        let _ = arrived.await;
        data(calling("read_file").to_string())
    });
    (send, frames)
}

#[tokio::test]
async fn readiness_is_not_held_while_a_body_is_read() {
    let bed = Bed::new();
    let inner = ServiceBuilder::new().concurrency_limit(1).service(Handler::default());
    let layers = (bed.server.authenticate(), bed.server.require_tools(tools()));
    let service = layers.layer(inner);
    let token = bed.issuer.token().scope("read");
    let (arrive, frames) = held();
    type Frames = Pin<Box<dyn Stream<Item = Sent>>>;
    let slow: Request<StreamBody<Frames>> = streaming(Box::pin(frames));
    let mut first = pin!(service.clone().oneshot(token.authorize(slow)));
    assert!(futures_util::poll!(first.as_mut()).is_pending());
    // The one permit is free for another.
    let quick: Request<StreamBody<Frames>> = streaming(Box::pin(stream::iter(pieces(9))));
    let second = service.oneshot(token.authorize(quick)).await;
    assert_eq!(second.expect("infallible").status(), 200);
    arrive.send(()).expect("the body is awaited");
    assert_eq!(first.await.expect("infallible").status(), 200);
}
