//! A connection on which every frame that the server sends is seen.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const END_STREAM: u8 = 1;

/// A frame of HTTP/2 (RFC 9113 §4.1).
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<u8>>>);

/// Remembers what is read.
struct Tapped {
    stream: TcpStream,
    seen: Seen,
}

impl AsyncRead for Tapped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.seen.0.lock().expect("no panic").extend(&buf.filled()[before..]);
        polled
    }
}

impl AsyncWrite for Tapped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

pub(crate) type Body = UnsyncBoxBody<Bytes, std::convert::Infallible>;

/// A client of HTTP/2 that hides nothing.
pub(crate) struct Connection {
    sender: http2::SendRequest<Body>,
    address: SocketAddr,
    seen: Seen,
}

impl Connection {
    pub(crate) async fn to(address: SocketAddr) -> Self {
        let seen = Seen::default();
        let stream = TcpStream::connect(address).await.expect("the server listens");
        let stream = TokioIo::new(Tapped { stream, seen: seen.clone() });
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), stream).await.expect("HTTP/2");
        tokio::spawn(connection);
        Self { sender, address, seen }
    }

    /// Sends a call of that method; the body decides when the stream is ended.
    pub(crate) async fn call(&mut self, path: &str, lines: &[(&str, &[u8])], body: Body) -> Got {
        let mut request = self.request(Method::POST, path, body);
        request.headers_mut().insert("content-type", "application/grpc".parse().expect("ASCII"));
        for (name, value) in lines {
            let name: http::HeaderName = name.parse().expect("a name");
            let value = http::HeaderValue::from_bytes(value).expect("a value");
            request.headers_mut().append(name, value);
        }
        self.send(request).await
    }

    pub(crate) fn request(&self, method: Method, path: &str, body: Body) -> Request<Body> {
        let uri = format!("http://{}{path}", self.address);
        Request::builder().method(method).uri(uri).body(body).expect("a request")
    }

    pub(crate) async fn send(&mut self, request: Request<Body>) -> Got {
        self.sender.ready().await.expect("connected");
        Got::read(self.sender.send_request(request).await.expect("an answer")).await
    }

    /// The frames of that stream so far.
    pub(crate) fn frames(&self, stream: u32) -> Vec<Frame> {
        let mut frames = parse(&self.seen.0.lock().expect("no panic"));
        frames.retain(|frame| frame.stream == stream);
        frames
    }
}

fn parse(mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while bytes.len() >= 9 {
        let length = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]) as usize;
        if bytes.len() < 9 + length {
            break;
        }
        let stream = u32::from_be_bytes([bytes[5], bytes[6], bytes[7], bytes[8]]);
        let payload = bytes[9..9 + length].to_vec();
        frames.push(Frame { kind: bytes[3], flags: bytes[4], stream, payload });
        bytes = &bytes[9 + length..];
    }
    frames
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
}

impl Got {
    async fn read(response: Response<Incoming>) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("whole");
        let trailers = body.trailers().cloned();
        let (status, headers) = (parts.status.as_u16(), parts.headers);
        Self { status, headers, body: body.to_bytes(), trailers }
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("ASCII"))
    }
}

pub(crate) fn nothing() -> Body {
    Empty::new().boxed_unsync()
}

/// One message, and then nothing, without an end.
pub(crate) fn unending() -> Body {
    use futures_util::stream::{self, StreamExt};
    let message = Bytes::from_static(&[0, 0, 0, 0, 0]);
    let first = stream::iter([Ok(http_body::Frame::data(message))]);
    http_body_util::StreamBody::new(first.chain(stream::pending())).boxed_unsync()
}

/// The answers to these requests, one after the other on a connection of HTTP/1.1.
pub(crate) async fn over_http1(address: SocketAddr, requests: Vec<Request<Body>>) -> Vec<Got> {
    let stream = TcpStream::connect(address).await.expect("the server listens");
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.expect("a connection");
    tokio::spawn(connection);
    let mut answers = Vec::new();
    for mut request in requests {
        request.headers_mut().insert("host", "api.example.com".parse().expect("ASCII"));
        sender.ready().await.expect("still open");
        answers.push(Got::read(sender.send_request(request).await.expect("an answer")).await);
    }
    answers
}
