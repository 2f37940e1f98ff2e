//! Reading a request body ahead of the service that it is for, and handing it on whole.
//!
//! What a layer has to look at is read into a [`Buffer`], up to a limit. The service inside gets a
//! [`BufferedBody`]: what was read, then what is left of the body itself.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

/// How reading ended.
pub(crate) enum Read<E> {
    Whole,
    /// There is more than the limit allows. What was read so far includes what went beyond it.
    TooLong,
    Failed(E),
}

/// Frames read in a row before other tasks, and time-outs, get their turn: a body could go on
/// forever with frames that are empty.
const TURN: usize = 64;

/// What was read of a body.
pub(crate) struct Buffer {
    /// The first frame as it came; most bodies have no other.
    first: Bytes,
    /// All frames, where there are several.
    all: BytesMut,
    trailers: Option<Box<HeaderMap>>,
    limit: usize,
}

impl Buffer {
    pub(crate) fn new(limit: usize) -> Self {
        Self { first: Bytes::new(), all: BytesMut::new(), trailers: None, limit }
    }

    /// Reads on. A body that announces more than the limit is not read any further.
    pub(crate) fn poll<B: Body<Data = Bytes>>(
        &mut self,
        mut body: Pin<&mut B>,
        cx: &mut Context<'_>,
    ) -> Poll<Read<B::Error>> {
        for _ in 0..TURN {
            if self.exceeds(body.size_hint().lower()) {
                return Poll::Ready(Read::TooLong);
            }
            match ready!(body.as_mut().poll_frame(cx)) {
                None => return Poll::Ready(Read::Whole),
                Some(Err(error)) => return Poll::Ready(Read::Failed(error)),
                Some(Ok(frame)) => self.push(frame),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn exceeds(&self, more: u64) -> bool {
        let read = self.first.len().max(self.all.len()) as u64;
        read.saturating_add(more) > self.limit as u64
    }

    fn push(&mut self, frame: Frame<Bytes>) {
        match frame.into_data() {
            Ok(data) if self.first.is_empty() => self.first = data,
            Ok(data) => {
                if self.all.is_empty() {
                    self.all.extend_from_slice(&self.first);
                }
                self.all.extend_from_slice(&data);
            }
            Err(frame) => {
                if let Ok(trailers) = frame.into_trailers() {
                    self.trailers = Some(Box::new(trailers));
                }
            }
        }
    }

    /// The bytes that were read, in one piece.
    fn into_bytes(self) -> (Bytes, Option<Box<HeaderMap>>) {
        let bytes = if self.all.is_empty() { self.first } else { self.all.freeze() };
        (bytes, self.trailers)
    }
}

pin_project! {
    /// A request body that a layer may have read: what it read, then what is left.
    ///
    /// The bytes are those of the client, and so are the trailers. Only the division into frames may
    /// differ: what was read is one frame. The `Debug` output shows how many bytes were read and none
    /// of them.
    pub struct BufferedBody<B>
    where
        B: Body,
    {
        read: Bytes,
        trailers: Option<Box<HeaderMap>>,
        error: Option<B::Error>,
        #[pin]
        rest: Rest<B>,
    }
}

pin_project! {
    #[project = RestProjection]
    enum Rest<B> {
        /// The body, of which nothing was read.
        Untouched { #[pin] body: B },
        Begun { body: Pin<Box<B>> },
        Nothing,
    }
}

impl<B: Body> BufferedBody<B> {
    pub(crate) fn untouched(body: B) -> Self {
        Self { read: Bytes::new(), trailers: None, error: None, rest: Rest::Untouched { body } }
    }

    /// A body that was read to its end, and its bytes.
    pub(crate) fn whole(buffer: Buffer) -> (Self, Bytes) {
        let (read, trailers) = buffer.into_bytes();
        let bytes = read.clone();
        (Self { read, trailers, error: None, rest: Rest::Nothing }, bytes)
    }

    /// A body of which only the beginning was read.
    pub(crate) fn begun(buffer: Buffer, body: Pin<Box<B>>) -> Self {
        let (read, trailers) = buffer.into_bytes();
        Self { read, trailers, error: None, rest: Rest::Begun { body } }
    }

    /// A body that failed while it was read.
    pub(crate) fn failed(buffer: Buffer, error: B::Error) -> Self {
        let (read, trailers) = buffer.into_bytes();
        Self { read, trailers, error: Some(error), rest: Rest::Nothing }
    }
}

impl<B: Body> fmt::Debug for BufferedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The body may hold a token.
        f.debug_struct("BufferedBody").field("read", &self.read.len()).finish_non_exhaustive()
    }
}

impl<B: Body<Data = Bytes>> Body for BufferedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        if !this.read.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(this.read)))));
        }
        if let Some(error) = this.error.take() {
            return Poll::Ready(Some(Err(error)));
        }
        if let Some(trailers) = this.trailers.take() {
            return Poll::Ready(Some(Ok(Frame::trailers(*trailers))));
        }
        match this.rest.project() {
            RestProjection::Untouched { body } => body.poll_frame(cx),
            RestProjection::Begun { body } => body.as_mut().poll_frame(cx),
            RestProjection::Nothing => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        let rest = match &self.rest {
            Rest::Untouched { body } => body.is_end_stream(),
            Rest::Begun { body } => body.is_end_stream(),
            Rest::Nothing => true,
        };
        self.read.is_empty() && self.error.is_none() && self.trailers.is_none() && rest
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.read.len() as u64;
        let rest = match &self.rest {
            Rest::Untouched { body } => body.size_hint(),
            Rest::Begun { body } => body.size_hint(),
            Rest::Nothing => return SizeHint::with_exact(read),
        };
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(read));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(read));
        }
        hint
    }
}
