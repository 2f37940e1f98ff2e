//! One path, made ready: the layer, and the floor under it.

use std::convert::Infallible;
use std::hint::black_box;

use http::Request;
use tower_service::Service;

use crate::support::{Bare, Body, drive};

/// What is counted. It is handed back afterwards, so that dropping it is not counted.
pub(crate) type Work = Box<dyn FnMut()>;

/// How many requests go before the one that is counted: caches and free lists are warm then.
pub(crate) const WARM: usize = 4;

pub(crate) struct Scenario {
    layer: Work,
    floor: Work,
    /// What the floor has besides.
    beside: Vec<Work>,
}

impl Scenario {
    pub(crate) const fn new(layer: Work, floor: Work) -> Self {
        Self { layer, floor, beside: Vec::new() }
    }

    /// Requests through that service, the last of which is counted. The floor is the bare service.
    pub(crate) fn of<S>(service: S, requests: Vec<Request<Body>>) -> Self
    where
        S: Service<Request<Body>, Error = Infallible> + 'static,
    {
        Self::new(last(service, requests.clone()), last(Bare, requests))
    }

    /// The same request again and again, the last time counted.
    pub(crate) fn repeating<S>(service: S, request: &Request<Body>) -> Self
    where
        S: Service<Request<Body>, Error = Infallible> + 'static,
    {
        Self::of(service, (0..=WARM).map(|_| request.clone()).collect())
    }

    /// The floor does that besides.
    pub(crate) fn beside(mut self, work: impl FnMut() + 'static) -> Self {
        self.beside.push(Box::new(work));
        self
    }

    pub(crate) fn into_layer(self) -> Work {
        self.layer
    }

    pub(crate) fn into_floor(self) -> Work {
        let Self { mut floor, mut beside, .. } = self;
        beside.iter_mut().for_each(warm);
        Box::new(move || {
            floor();
            beside.iter_mut().for_each(|work| work());
        })
    }
}

/// Does it as often as it goes before the time that is counted.
pub(crate) fn warm(work: &mut Work) {
    (0..WARM).for_each(|_| work());
}

/// All requests but the last go through at once.
fn last<S>(mut service: S, mut requests: Vec<Request<Body>>) -> Work
where
    S: Service<Request<Body>, Error = Infallible> + 'static,
{
    let mut last = requests.pop();
    for request in requests {
        drop(drive(&mut service, request));
    }
    Box::new(move || {
        if let Some(request) = last.take() {
            drop(black_box(drive(&mut service, black_box(request))));
        }
    })
}
