//! DPoP on several threads: each has a client of its own, whose token is known and whose proofs are
//! new.

use std::time::Duration;

use http::{Request, StatusCode};
use tower_layer::Layer;
use tower_resource_server::testing::{SigningKey, TestIssuer};
use tower_resource_server::{Algorithm, ResourceServer};

use super::paths::{DEAR, Path, Worker};
use super::{MOST, SPAN};
use crate::support::{Bare, Body, busy, drive, issuer, request};

/// No machine checks a proof in less.
const SHORTEST: Duration = Duration::from_micros(15);

pub(super) struct Proven {
    issuer: TestIssuer,
    /// It has seen none of the proofs.
    server: ResourceServer,
    /// Those of each thread, each with a proof of its own.
    requests: Vec<Vec<Request<Body>>>,
}

impl Proven {
    pub(super) fn new() -> Self {
        let issuer = issuer(Algorithm::ES256);
        let server = busy(&issuer, |builder| builder);
        let requests = (0..MOST).map(|_| of_one_client(&issuer)).collect();
        Self { issuer, server, requests }
    }
}

fn of_one_client(issuer: &TestIssuer) -> Vec<Request<Body>> {
    let key = SigningKey::generate(Algorithm::ES256);
    let token = issuer.token().scope("read").bound_to(&key).build();
    let proof = || key.proof("GET", "https://api.example.com/tools").token(&token);
    let enough = SPAN.as_micros() / SHORTEST.as_micros();
    (0..enough).map(|_| proof().authorize(request(None))).collect()
}

impl Path for Proven {
    fn begin(&mut self) {
        self.server = busy(&self.issuer, |builder| builder);
    }

    fn worker(&self, thread: usize) -> Worker<'_> {
        let mut service = self.server.authenticate().layer(Bare);
        let mut requests = self.requests[thread].iter();
        Box::new(move || {
            for request in requests.by_ref().take(DEAR as usize) {
                assert_eq!(drive(&mut service, request.clone()).status(), StatusCode::OK);
            }
            assert!(requests.len() > 0, "there are more than a span takes");
            DEAR
        })
    }
}
