//! The layer that reads a token from a form body (RFC 6750 §2.2), for those who must accept it.
//!
//! The token is found here and judged elsewhere: this layer leaves what it found in an extension of
//! the request, and the `authenticate` layer treats it as it treats every other source. What was
//! read of the body is kept and handed on in front of the rest, so that the application parses the
//! same bytes.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, request};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::buffered::{Buffer, BufferedBody, Read};
use super::future::{take_ready, taken};
use crate::credentials::{find_in_form, is_form};

const DEFAULT_LIMIT: usize = 64 * 1024;

/// Lets clients send their token as `access_token` in a form body. Goes directly outside an
/// [`authenticate`](crate::ResourceServer::authenticate) layer.
///
/// RFC 6750 §2.2 discourages the method, so nothing reads bodies unless this layer is there. Only
/// POST, PUT and PATCH requests of type `application/x-www-form-urlencoded` are read, up to a limit
/// of 64 KiB unless set otherwise; the inner service still gets the whole body. A longer body is
/// passed on unsearched. A token in the form and another in the Authorization field are refused.
///
/// # What counts as a token
///
/// The parameter `access_token`, once. An empty value is no token (RFC 6749 §3.1). Twice is refused
/// as `multiple-credentials`, and so is one in the form beside one in the `Authorization` field
/// (RFC 6750 §2). A body that has the parameter and any byte that is not ASCII is refused as
/// `malformed-authorization` (RFC 6750 §2.2).
///
/// It is a bearer token, whatever proofs the request has: one that is bound to a key is refused, and
/// so is any where bound tokens are [demanded](crate::SenderConstraint).
///
/// # What to know before using it
///
/// - A request that qualifies is read to its end, or to the limit, before anything is verified: a
///   stranger can make the server hold that many bytes for each request.
/// - There is no time limit here. A server that must not wait for slow senders needs a time-out
///   outside.
/// - When reading fails, the form counts as one without a token. The inner service gets what was
///   read and then the error.
/// - The metadata document lists `header` alone (RFC 9728 §2) unless
///   [`bearer_methods`](crate::ResourceMetadata::bearer_methods) says more.
/// - The inner service sees bodies of the type [`BufferedBody`], which axum turns into its own.
///
/// ```
/// use axum::{Router, body::Body, routing::post};
/// use http::{Request, StatusCode, header};
/// use tower::ServiceExt;
/// use tower_resource_server::layer::FormTokenLayer;
/// # use tower_resource_server::testing::TestIssuer;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
/// # let issuer = TestIssuer::new("https://as.example.com");
/// # let server = issuer.resource_server("https://api.example.com").build()?;
/// let app = Router::new()
///     .route("/notes", post(|body: String| async move { format!("{} bytes", body.len()) }))
///     .layer(server.authenticate())
///     .layer(FormTokenLayer::new().limit(8 * 1024));
///
/// let request = Request::post("/notes")
///     .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
///     .body(Body::from(format!("text=hello&access_token={}", issuer.token().build())))?;
/// assert_eq!(app.oneshot(request).await?.status(), StatusCode::OK);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FormTokenLayer {
    limit: usize,
}

impl FormTokenLayer {
    /// Reads forms of up to 64 KiB.
    #[must_use]
    pub const fn new() -> Self {
        Self { limit: DEFAULT_LIMIT }
    }

    /// Reads forms of up to so many bytes.
    ///
    /// A longer body is not refused. It is passed on whole and unsearched, so that a request whose
    /// only token stands in it is one without credentials.
    #[must_use]
    pub const fn limit(self, limit: usize) -> Self {
        Self { limit }
    }
}

impl Default for FormTokenLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for FormTokenLayer {
    type Service = FormTokens<S>;

    fn layer(&self, inner: S) -> Self::Service {
        FormTokens { inner, limit: self.limit }
    }
}

/// Reads forms for the [`Authenticate`](super::Authenticate) service inside.
///
/// Requests that are no forms are called at once. For the others, what the readiness of the inner
/// service had reserved is given back, and it is made ready again when the body is read: a slow
/// sender holds no permit.
#[derive(Clone, Debug)]
pub struct FormTokens<S> {
    inner: S,
    limit: usize,
}

impl<S, B> Service<Request<B>> for FormTokens<S>
where
    S: Service<Request<BufferedBody<B>>> + Clone,
    B: Body<Data = Bytes>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = FormTokenFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let state = if is_form(request.method(), request.headers()) {
            // What readiness reserved is not to be held while a stranger sends its body.
            drop(take_ready(&mut self.inner));
            let inner = self.inner.clone();
            let (parts, body) = request.into_parts();
            let (body, buffer) = (Box::pin(body), Buffer::new(self.limit));
            let reading = Reading { inner, parts, body, buffer };
            State::Reading { reading: Some(Box::new(reading)) }
        } else {
            State::Calling { future: self.inner.call(request.map(BufferedBody::untouched)) }
        };
        FormTokenFuture { state }
    }
}

struct Reading<S, B> {
    inner: S,
    parts: request::Parts,
    body: Pin<Box<B>>,
    buffer: Buffer,
}

impl<S, B: Body<Data = Bytes>> Reading<S, B> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Read<B::Error>> {
        self.buffer.poll(self.body.as_mut(), cx)
    }

    fn finish(self, read: Read<B::Error>) -> (S, Request<BufferedBody<B>>) {
        let Self { inner, mut parts, body, buffer } = self;
        let body = match read {
            Read::Whole => {
                let (body, bytes) = BufferedBody::whole(buffer);
                parts.extensions.insert(find_in_form(&bytes));
                body
            }
            Read::TooLong => BufferedBody::begun(buffer, body),
            Read::Failed(error) => BufferedBody::failed(buffer, error),
        };
        (inner, Request::from_parts(parts, body))
    }
}

pin_project! {
    /// The future of [`FormTokens`].
    pub struct FormTokenFuture<S, B>
    where
        S: Service<Request<BufferedBody<B>>>,
        B: Body,
    {
        #[pin]
        state: State<S, B, S::Future>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, F>
    where
        B: Body,
    {
        Reading { reading: Option<Box<Reading<S, B>>> },
        Readying { inner: S, request: Option<Request<BufferedBody<B>>> },
        Calling { #[pin] future: F },
    }
}

impl<S, B> Future for FormTokenFuture<S, B>
where
    S: Service<Request<BufferedBody<B>>>,
    B: Body<Data = Bytes>,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let mut this = self.as_mut().project();
            let next = match this.state.as_mut().project() {
                StateProjection::Calling { future } => return future.poll(cx),
                StateProjection::Reading { reading } => {
                    let read = match reading.as_mut() {
                        Some(reading) => ready!(reading.poll(cx)),
                        None => Read::Whole,
                    };
                    let (inner, request) = taken(reading).finish(read);
                    State::Readying { inner, request: Some(request) }
                }
                StateProjection::Readying { inner, request } => {
                    ready!(inner.poll_ready(cx))?;
                    State::Calling { future: inner.call(taken(request)) }
                }
            };
            this.state.set(next);
        }
    }
}
