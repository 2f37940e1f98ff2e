//! Services that do next to nothing, and how a bench calls one.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower_service::Service;

pub(crate) type Body = Full<Bytes>;

/// Answers at once and looks at nothing.
#[derive(Clone, Copy)]
pub(crate) struct Bare;

impl<B> Service<Request<B>> for Bare {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        ready(Ok(Response::new(Body::default())))
    }
}

/// Puts one extension into the request, which is what any layer that authenticates must do.
#[derive(Clone, Copy)]
pub(crate) struct OneExtension;

impl Service<Request<Body>> for OneExtension {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        request.extensions_mut().insert(0u64);
        Bare.call(request)
    }
}

/// Calls a ready service and polls its future once, which must be enough.
pub(crate) fn drive<S>(service: &mut S, request: Request<Body>) -> S::Response
where
    S: Service<Request<Body>, Error = Infallible>,
{
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    let future = pin!(service.call(request));
    match future.poll(&mut context) {
        Poll::Ready(response) => response.unwrap_or_else(|never| match never {}),
        Poll::Pending => unreachable!("keys are fixed, so nothing is waited for"),
    }
}
