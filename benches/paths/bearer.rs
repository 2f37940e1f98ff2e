//! Accepted Bearer tokens: seen before, among ever more others, and seen for the first time.

use std::thread;

use tower_resource_server::testing::TestIssuer;
use tower_resource_server::{Algorithm, CryptoBackend, ResourceServer};

use super::signatures::{Signed, floors};
use super::{Allocations, Beside, Client, Options, Path, Plan, Server};
use crate::support::{Bare, OneExtension, drive, issuer, layered, request, server};

/// What a server costs that checks nothing.
pub(crate) fn bare() -> Vec<Plan> {
    let path = |connection| {
        let token = issuer(Algorithm::ES256).token().scope("read").build();
        let client = Client::new([request(Some(&token))]);
        Path::accepted([client.clone(), client], Server::Kept(connection))
    };
    vec![
        Plan::new("bare", move |_| path(Box::new(Bare))),
        Plan::new("one-extension", move |_| path(Box::new(OneExtension))),
    ]
}

/// So many of the cached tokens are sent, in turn: half of them by each client.
const SENT: usize = 1_000;

pub(crate) fn seen(options: &Options) -> Vec<Plan> {
    let plan = |cached| Plan::new(format!("bearer/seen/{cached}"), move |_| seen_among(cached));
    [1, 1_000, options.most_cached()].map(plan).into()
}

fn seen_among(cached: usize) -> Path {
    let issuer = issuer(Algorithm::Ed25519);
    let server = server(&issuer, |builder| builder.token_cache_bytes(1 << 32));
    let each = cached.min(SENT).div_ceil(2);
    let client =
        || Client::new((0..each).map(|_| request(Some(&issuer.token().scope("read").build()))));
    let clients = [client(), client()];
    fill(&server, &issuer, cached.saturating_sub(2 * each));
    // Each once, and the last of them is known as well.
    for client in &clients {
        let mut service = layered(&server);
        client.send(each).requests().into_iter().for_each(|r| drop(drive(&mut service, r)));
    }
    let besides =
        vec![Beside::bare(&clients[0], Some(0.6)), Beside::one_extension(&clients[0], Some(0.6))];
    let allocations = Allocations::AsOneExtension;
    let server = Server::Kept(Box::new(layered(&server)));
    Path { besides, allocations, ..Path::accepted(clients, server) }
}

/// Puts so many other tokens into the cache.
fn fill(server: &ResourceServer, issuer: &TestIssuer, count: usize) {
    let half = || {
        let mut service = layered(server);
        for _ in 0..count / 2 {
            drop(drive(&mut service, request(Some(&issuer.token().build()))));
        }
    };
    thread::scope(|scope| [(); 2].map(|()| drop(scope.spawn(half))));
}

pub(crate) fn first() -> Vec<Plan> {
    let mut plans = Vec::new();
    for (algorithm, at_most) in
        [(Algorithm::ES256, Some(1.04)), (Algorithm::RS256, Some(1.12)), (Algorithm::Ed25519, None)]
    {
        for &backend in CryptoBackend::ALL {
            let name = format!("bearer/first/{algorithm}/{backend:?}");
            plans.push(Plan::new(name, move |_| first_sight(algorithm, backend, at_most)));
        }
    }
    plans
}

/// More tokens in turn than are remembered, so that each is new: verified, stored, and forgotten
/// before it comes again.
fn first_sight(algorithm: Algorithm, backend: CryptoBackend, at_most: Option<f64>) -> Path {
    const TOKENS: usize = 500;
    let issuer = issuer(algorithm);
    let tokens = [(); 2].map(|()| {
        let token = |_| issuer.token().scope("read").build();
        (0..TOKENS).map(token).collect::<Vec<_>>()
    });
    let clients =
        [0, 1].map(|client| Client::new(tokens[client].iter().map(|token| request(Some(token)))));
    let signed: Vec<_> = tokens[0].iter().map(|token| Signed::new(token, issuer.key())).collect();
    let server = server(&issuer, |b| b.token_cache_bytes(16 << 10).crypto_backend(backend));
    let server = Server::Kept(Box::new(layered(&server)));
    let besides = floors(backend, &signed, 1, at_most);
    Path { besides, shared: false, ..Path::accepted(clients, server) }
}
