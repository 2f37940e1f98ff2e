//! The service inside.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use crate::Body;

/// Answers 200 at once, with an empty body of the type that the layer around it asks for.
#[derive(Debug)]
pub struct Bare<B = Body>(PhantomData<fn() -> B>);

impl<B> Bare<B> {
    /// The service; it has no state.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<B> Default for Bare<B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B> Clone for Bare<B> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<B: Default> Service<Request<Body>> for Bare<B> {
    type Response = Response<B>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        ready(Ok(Response::new(B::default())))
    }
}
