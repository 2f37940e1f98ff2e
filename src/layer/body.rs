//! The body of a response: the inner service's, or ours.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::expiry::{Expiry, is_data};
use crate::render::Ending;

pin_project! {
    /// The inner service's body, passed through frame by frame, or the few bytes of a refusal.
    ///
    /// Size hint and end of stream are exact for a refusal, so that servers announce its length;
    /// for an accepted request they are the inner body's. Errors can only come from the inner body.
    ///
    /// Behind [`close_on_expiry`](super::AuthenticateLayer::close_on_expiry) a body whose size is not
    /// known ends when the token expires.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = KindProjection]
    enum Kind<B> {
        Inner { #[pin] body: B },
        /// The inner service's, until the token expires.
        Expiring { #[pin] body: B, expiry: Box<Expiry> },
        Own { bytes: Option<Bytes> },
    }
}

impl<B> ResponseBody<B> {
    pub(crate) const fn inner(body: B) -> Self {
        Self { kind: Kind::Inner { body } }
    }

    pub(super) const fn expiring(body: B, expiry: Box<Expiry>) -> Self {
        Self { kind: Kind::Expiring { body, expiry } }
    }

    pub(crate) fn own(bytes: Bytes) -> Self {
        Self { kind: Kind::Own { bytes: (!bytes.is_empty()).then_some(bytes) } }
    }
}

impl<B> Kind<B> {
    /// Drops the inner body, and is what stands in its place.
    fn end<E>(mut self: Pin<&mut Self>) -> Option<Result<Frame<Bytes>, E>> {
        let ending = match &*self {
            Self::Expiring { expiry, .. } => expiry.ending(),
            Self::Inner { .. } | Self::Own { .. } => Ending::Nothing,
        };
        self.set(Self::Own { bytes: None });
        match ending {
            Ending::Nothing => None,
            Ending::Data(bytes) => Some(Ok(Frame::data(bytes))),
            Ending::Trailers(trailers) => Some(Ok(Frame::trailers(trailers))),
        }
    }
}

/// An empty body, which layers outside want for answers of their own, `CorsLayer` among them.
impl<B> Default for ResponseBody<B> {
    fn default() -> Self {
        Self::own(Bytes::new())
    }
}

impl<B: Body<Data = Bytes>> Body for ResponseBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let mut kind = self.project().kind;
        match kind.as_mut().project() {
            KindProjection::Inner { body } => body.poll_frame(cx),
            KindProjection::Own { bytes } => Poll::Ready(bytes.take().map(Frame::data).map(Ok)),
            KindProjection::Expiring { body, expiry } => {
                let polled = body.poll_frame(cx);
                let frame = match polled {
                    Poll::Ready(frame) if expiry.lets_through(frame.as_ref()) => frame,
                    Poll::Pending if expiry.poll_over(cx).is_pending() => return Poll::Pending,
                    _ => return Poll::Ready(kind.end()),
                };
                if !is_data(frame.as_ref()) {
                    kind.set(Kind::Own { bytes: None });
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Inner { body } | Kind::Expiring { body, .. } => body.is_end_stream(),
            Kind::Own { bytes } => bytes.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Inner { body } => body.size_hint(),
            Kind::Expiring { .. } => SizeHint::default(),
            Kind::Own { bytes } => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
        }
    }
}
