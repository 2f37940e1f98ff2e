//! A [`Fetch`] of any Tower HTTP client.

use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::pin;

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_LENGTH;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tokio::time::timeout;
use tower_service::Service;

use super::{Fetch, FetchError, FetchErrorKind, FetchFuture, FetchLimits};

type BoxError = Box<dyn Error + Send + Sync>;

/// Makes a [`Fetch`] of a Tower HTTP client.
///
/// Each fetch clones the client, waits until the clone is ready, sends the request and reads the
/// answer, all within [`FetchLimits::timeout`]. An answer longer than [`FetchLimits::max_bytes`] is
/// given up as soon as that shows: by its announced length, else by the frame that passes the
/// limit.
///
/// Answers come back as they are, a redirect too: give it a client that follows none. *Not*
/// checked here: the scheme and the addresses of the host, how a TLS peer proves itself, how long
/// the header section is. That is the client's part; the embedded one (feature `http-client`) does
/// it. When the source chain of a client's error holds a [`FetchError`], its kind is reported, else
/// [`FetchErrorKind::Transport`].
///
/// A fetch runs on a Tokio runtime whose timers are enabled, and panics elsewhere.
#[derive(Clone)]
pub struct TowerFetch<S> {
    service: S,
}

impl<S> TowerFetch<S> {
    /// Fetches with `service`.
    #[must_use]
    pub const fn new(service: S) -> Self {
        Self { service }
    }
}

impl<S> fmt::Debug for TowerFetch<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TowerFetch").finish_non_exhaustive()
    }
}

impl<S, B> Fetch for TowerFetch<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Send,
    B::Error: Into<BoxError>,
{
    fn fetch(&self, request: Request<Bytes>, limits: FetchLimits) -> FetchFuture<'_> {
        let service = self.service.clone();
        Box::pin(async move {
            let exchange = exchange(service, request.map(Full::new), limits.max_bytes);
            match timeout(limits.timeout, exchange).await {
                Ok(answer) => answer,
                Err(late) => Err(FetchError::with_source(FetchErrorKind::Timeout, late)),
            }
        })
    }
}

async fn exchange<S, B>(
    mut service: S,
    request: Request<Full<Bytes>>,
    max_bytes: usize,
) -> Result<Response<Bytes>, FetchError>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    poll_fn(|context| service.poll_ready(context)).await.map_err(transport)?;
    let answer = service.call(request).await.map_err(transport)?;
    if announced_bytes(&answer) > u64::try_from(max_bytes).unwrap_or(u64::MAX) {
        return Err(FetchError::new(FetchErrorKind::TooLarge));
    }
    let (head, body) = answer.into_parts();
    Ok(Response::from_parts(head, collect(body, max_bytes).await?))
}

async fn collect<B>(body: B, max_bytes: usize) -> Result<Bytes, FetchError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let mut body = pin!(body);
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(transport)?.into_data() else { continue };
        if data.len() > max_bytes - read.len() {
            return Err(FetchError::new(FetchErrorKind::TooLarge));
        }
        read.extend_from_slice(&data);
    }
    Ok(read.freeze())
}

/// The least length the answer says it has. Answers without a body may name the length of another.
fn announced_bytes<B: Body>(answer: &Response<B>) -> u64 {
    if answer.body().is_end_stream() {
        return 0;
    }
    let header = answer.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let announced = header.and_then(|text| text.parse().ok()).unwrap_or(0);
    announced.max(answer.body().size_hint().lower())
}

fn transport(error: impl Into<BoxError>) -> FetchError {
    match error.into().downcast::<FetchError>() {
        Ok(own) => *own,
        Err(error) => {
            let kind = kind_below(&*error).unwrap_or(FetchErrorKind::Transport);
            FetchError::with_source(kind, error)
        }
    }
}

/// The kind of the first [`FetchError`] in the source chain.
fn kind_below(error: &(dyn Error + 'static)) -> Option<FetchErrorKind> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(own) = error.downcast_ref::<FetchError>() {
            return Some(own.kind());
        }
        next = below(error);
    }
    None
}

/// `io::Error` names as its source that of the error it wraps, and so skips the wrapped one.
fn below<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Duration;

    use http_body::Frame;

    use super::*;

    /// A body of given frames; after the last it ends or, when told to, stays silent.
    #[derive(Clone, Default)]
    struct Frames(VecDeque<&'static str>, bool);

    impl Body for Frames {
        type Data = Bytes;
        type Error = io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
            match self.0.pop_front() {
                Some("reset") => {
                    Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::ConnectionReset))))
                }
                Some(text) => {
                    Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(text.as_bytes())))))
                }
                None if self.1 => Poll::Pending,
                None => Poll::Ready(None),
            }
        }
    }

    type Outcome = fn() -> Result<Response<Frames>, BoxError>;

    /// Answers by a script; a call before it was polled ready is a failure of the test.
    struct Scripted {
        outcome: Outcome,
        ready_at: Option<Pin<Box<tokio::time::Sleep>>>,
        ready_after: Duration,
        ready: bool,
    }

    impl Clone for Scripted {
        fn clone(&self) -> Self {
            Self { ready_at: None, ready: false, ..*self }
        }
    }

    impl Service<Request<Full<Bytes>>> for Scripted {
        type Response = Response<Frames>;
        type Error = BoxError;
        type Future = std::future::Ready<Result<Response<Frames>, BoxError>>;

        fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
            let after = self.ready_after;
            let sleep = self.ready_at.get_or_insert_with(|| Box::pin(tokio::time::sleep(after)));
            self.ready = sleep.as_mut().poll(context).is_ready();
            if self.ready { Poll::Ready(Ok(())) } else { Poll::Pending }
        }

        fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
            assert!(self.ready, "called before it was ready");
            std::future::ready((self.outcome)())
        }
    }

    fn limits() -> FetchLimits {
        FetchLimits { max_bytes: 8, timeout: Duration::from_secs(5) }
    }

    async fn fetch(ready_after: u64, outcome: Outcome) -> Result<Response<Bytes>, FetchError> {
        let ready_after = Duration::from_secs(ready_after);
        let service = Scripted { outcome, ready_at: None, ready_after, ready: false };
        TowerFetch::new(service).fetch(Request::new(Bytes::new()), limits()).await
    }

    async fn refused(ready_after: u64, outcome: Outcome) -> FetchErrorKind {
        fetch(ready_after, outcome).await.expect_err("a failure").kind()
    }

    fn body<const N: usize>(frames: [&'static str; N]) -> Frames {
        Frames(VecDeque::from(frames), false)
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_up_to_the_limit_comes_back_as_it_is() {
        let answer = fetch(4, || {
            let redirect = Response::builder().status(302).header("location", "http://[::1]/");
            Ok(redirect.body(body(["four", "four"]))?)
        });
        let answer = answer.await.expect("an answer");
        assert_eq!((answer.status().as_u16(), &answer.body()[..]), (302, &b"fourfour"[..]));
        assert_eq!(answer.headers()["location"], "http://[::1]/");
    }

    #[tokio::test(start_paused = true)]
    async fn a_byte_more_is_too_large() {
        let kind = refused(0, || Ok(Response::new(body(["four", "four", "1", "reset"]))));
        assert_eq!(kind.await, FetchErrorKind::TooLarge);
    }

    #[tokio::test(start_paused = true)]
    async fn an_announced_length_is_refused_unread() {
        let announced =
            || Ok(Response::builder().header("content-length", "9").body(body(["reset"]))?);
        assert_eq!(refused(0, announced).await, FetchErrorKind::TooLarge);
        let full = Response::new(Full::new(Bytes::from_static(b"123456789")));
        assert_eq!(announced_bytes(&full), 9);
        let head = Response::builder().header("content-length", "9").body(Full::<Bytes>::default());
        assert_eq!(announced_bytes(&head.expect("a response")), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn neither_readiness_nor_body_may_outlast_the_timeout() {
        assert_eq!(refused(6, || Ok(Response::default())).await, FetchErrorKind::Timeout);
        let before = tokio::time::Instant::now();
        let silent = || Ok(Response::new(Frames(VecDeque::from(["four"]), true)));
        assert_eq!(refused(0, silent).await, FetchErrorKind::Timeout);
        assert_eq!(before.elapsed().as_secs(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_broken_connection_is_transport_with_its_source() {
        let error = fetch(0, || Err("no route".into())).await.expect_err("a failure");
        assert_eq!(error.kind(), FetchErrorKind::Transport);
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("no route"));
        let reset = refused(0, || Ok(Response::new(body(["four", "reset"]))));
        assert_eq!(reset.await, FetchErrorKind::Transport);
    }

    #[tokio::test(start_paused = true)]
    async fn a_kind_raised_below_passes_through() {
        let own = || FetchError::new(FetchErrorKind::ForbiddenAddress);
        assert_eq!(transport(own()).kind(), FetchErrorKind::ForbiddenAddress);
        assert!(transport(own()).source().is_none());
        let wrapped = io::Error::other(io::Error::other(own()));
        assert_eq!(transport(wrapped).kind(), FetchErrorKind::ForbiddenAddress);
        let outer = FetchError::with_source(FetchErrorKind::Timeout, own());
        assert_eq!(transport(outer).kind(), FetchErrorKind::Timeout);
    }

    #[test]
    fn debug_needs_nothing_of_the_client() {
        struct Bare;
        assert_eq!(format!("{:?}", TowerFetch::new(Bare)), "TowerFetch { .. }");
    }
}
