//! Bearer tokens on several threads: each seen before, each new, or none.

use http::StatusCode;
use tower_layer::Layer;
use tower_resource_server::testing::TestIssuer;
use tower_resource_server::{Algorithm, ResourceServer};

use super::MOST;
use super::paths::{CHEAP, DEAR, Path, Worker};
use crate::sight::FORGETFUL;
use crate::support::{Bare, drive, issuer, request, server};

/// Of a thread, where each is to be new when it comes again.
const TOKENS: usize = 1_000;

pub(super) struct Bearer {
    server: ResourceServer,
    /// Those of each thread.
    tokens: Vec<Vec<Option<String>>>,
    at_once: u64,
    answer: StatusCode,
}

impl Bearer {
    pub(super) fn seen_by_all() -> Self {
        let issuer = issuer(Algorithm::ES256);
        let tokens = vec![made(&issuer, 1); MOST];
        Self::accepted(server(&issuer, |builder| builder), tokens, CHEAP)
    }

    pub(super) fn seen_by_each() -> Self {
        let issuer = issuer(Algorithm::ES256);
        let tokens = (0..MOST).map(|_| made(&issuer, 1)).collect();
        Self::accepted(server(&issuer, |builder| builder), tokens, CHEAP)
    }

    pub(super) fn first() -> Self {
        let issuer = issuer(Algorithm::ES256);
        let tokens = (0..MOST).map(|_| made(&issuer, TOKENS)).collect();
        let server = server(&issuer, |builder| builder.token_cache_bytes(FORGETFUL));
        Self::accepted(server, tokens, DEAR)
    }

    pub(super) fn refused() -> Self {
        let server = server(&issuer(Algorithm::ES256), |builder| builder);
        let tokens = vec![vec![None]; MOST];
        Self { server, tokens, at_once: CHEAP, answer: StatusCode::UNAUTHORIZED }
    }

    const fn accepted(
        server: ResourceServer,
        tokens: Vec<Vec<Option<String>>>,
        at_once: u64,
    ) -> Self {
        Self { server, tokens, at_once, answer: StatusCode::OK }
    }
}

fn made(issuer: &TestIssuer, count: usize) -> Vec<Option<String>> {
    (0..count).map(|_| Some(issuer.token().scope("read").build())).collect()
}

impl Path for Bearer {
    fn worker(&self, thread: usize) -> Worker<'_> {
        let mut service = self.server.authenticate().layer(Bare);
        let tokens = self.tokens[thread].iter().map(|token| request(token.as_deref()));
        let requests: Vec<_> = tokens.collect();
        let mut next = 0;
        Box::new(move || {
            for _ in 0..self.at_once {
                let response = drive(&mut service, requests[next].clone());
                assert_eq!(response.status(), self.answer);
                next = (next + 1) % requests.len();
            }
            self.at_once
        })
    }
}
