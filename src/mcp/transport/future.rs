//! The future of the checks: the inner service's, or a refusal.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::rules::Outgoing;
use crate::layer::{ResponseBody, own};
use crate::rejection::Rejection;
use crate::render;

pin_project! {
    /// The future of [`OriginCheck`](super::OriginCheck) and of
    /// [`ProtocolCheck`](super::ProtocolCheck).
    pub struct TransportFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Calling { #[pin] future: F, outgoing: Outgoing },
        Refused { response: Option<Response<Bytes>> },
    }
}

impl<F> TransportFuture<F> {
    pub(super) const fn calling(future: F, outgoing: Outgoing) -> Self {
        Self { state: State::Calling { future, outgoing } }
    }

    pub(super) fn refused(rejection: &Rejection) -> Self {
        Self { state: State::Refused { response: Some(render::respond(rejection)) } }
    }
}

impl<F> fmt::Debug for TransportFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportFuture").finish_non_exhaustive()
    }
}

impl<F, R, E> Future for TransportFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body<Data = Bytes>,
{
    type Output = Result<Response<ResponseBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Calling { future, outgoing } => future.poll(cx).map_ok(|response| {
                let mut response = response.map(ResponseBody::inner);
                outgoing.apply(response.headers_mut());
                response
            }),
            StateProjection::Refused { response } => Poll::Ready(Ok(own(response))),
        }
    }
}
