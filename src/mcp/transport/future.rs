//! The future of the check of the protocol, which also has the response to look at.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::rules::Outgoing;
use crate::layer::{RequireFuture, ResponseBody};

pin_project! {
    /// The future of [`ProtocolCheck`](super::ProtocolCheck).
    pub struct ProtocolFuture<F> {
        #[pin]
        response: RequireFuture<F>,
        outgoing: Outgoing,
    }
}

impl<F> ProtocolFuture<F> {
    pub(super) const fn new(response: RequireFuture<F>, outgoing: Outgoing) -> Self {
        Self { response, outgoing }
    }
}

impl<F> fmt::Debug for ProtocolFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtocolFuture").finish_non_exhaustive()
    }
}

impl<F, R, E> Future for ProtocolFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body<Data = Bytes>,
{
    type Output = Result<Response<ResponseBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.response.poll(cx).map_ok(|mut response| {
            this.outgoing.apply(response.headers_mut());
            response
        })
    }
}
