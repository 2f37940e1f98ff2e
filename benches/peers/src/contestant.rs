//! What is measured, and how it is driven.

use std::convert::Infallible;
use std::future::poll_fn;
use std::hint::black_box;
use std::time::{Duration, Instant};

use http::{Request, Response};
use tokio::runtime::Runtime;
use tower_service::Service;

use crate::Body;

/// Takes requests.
pub trait Contestant {
    /// What the requests take, one after the other; they are made beforehand and dropped within.
    fn run(&mut self, runtime: &Runtime, requests: Vec<Request<Body>>) -> Duration;

    /// Status and header of the answer to one request.
    fn answer(&mut self, runtime: &Runtime, request: Request<Body>) -> Response<()>;
}

/// A service with or without a layer around it.
///
/// All are driven alike: on a current-thread runtime, each request awaited before the next.
#[derive(Debug)]
pub struct Served<S>(pub S);

impl<S, B> Served<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
{
    async fn call(&mut self, request: Request<Body>) -> Response<B> {
        let Ok(()) = poll_fn(|context| self.0.poll_ready(context)).await;
        let Ok(response) = self.0.call(request).await;
        response
    }
}

impl<S, B> Contestant for Served<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
{
    fn run(&mut self, runtime: &Runtime, requests: Vec<Request<Body>>) -> Duration {
        runtime.block_on(async {
            let start = Instant::now();
            for request in requests {
                drop(black_box(self.call(request).await));
            }
            start.elapsed()
        })
    }

    fn answer(&mut self, runtime: &Runtime, request: Request<Body>) -> Response<()> {
        runtime.block_on(self.call(request)).map(|_| ())
    }
}

/// The runtime for one bench.
///
/// # Panics
///
/// If the operating system gives it no event queue.
#[must_use]
pub fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("an event queue for one thread")
}
