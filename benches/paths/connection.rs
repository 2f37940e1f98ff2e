//! Services as connections have them, whatever their types.

use std::convert::Infallible;
use std::time::Duration;

use http::header::WWW_AUTHENTICATE;
use http::{Request, Response, StatusCode};
use tower_service::Service;

use crate::support::measure::batch;
use crate::support::{Body, drive};

/// A service as one connection has it.
pub(crate) trait Connection: Send {
    /// Another connection to the same server.
    fn again(&self) -> Box<dyn Connection>;

    /// Serves one request.
    fn answer(&mut self, request: Request<Body>) -> Answer;

    /// What one request of a batch takes.
    fn time(&mut self, requests: Vec<Request<Body>>) -> Duration;
}

/// What is looked at of an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) challenges: usize,
}

impl<S, R> Connection for S
where
    S: Service<Request<Body>, Response = Response<R>, Error = Infallible> + Clone + Send + 'static,
{
    fn again(&self) -> Box<dyn Connection> {
        Box::new(self.clone())
    }

    fn answer(&mut self, request: Request<Body>) -> Answer {
        let response = drive(self, request);
        let challenges = response.headers().get_all(WWW_AUTHENTICATE).iter().count();
        Answer { status: response.status(), challenges }
    }

    fn time(&mut self, requests: Vec<Request<Body>>) -> Duration {
        batch(requests, |request| drive(self, request))
    }
}
