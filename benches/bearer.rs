//! Accepted Bearer tokens: seen before, and seen for the first time.
//!
//! Each figure stands beside its floor from the same run: the bare service, or the backend's bare
//! verification of the same signature.

mod support;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, criterion_group, criterion_main};
use http::Request;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::JwtVerifier;
use support::{Bare, Body, OneExtension, drive, issuer, layered, request, server, taken_apart};
use tower_resource_server::testing::TestIssuer;
use tower_resource_server::{Algorithm, CryptoBackend};
use tower_service::Service;

fn time<S>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    mut service: S,
    with: &Request<Body>,
) where
    S: Service<Request<Body>, Error = std::convert::Infallible>,
{
    group.bench_function(name, |bencher| {
        bencher.iter_batched(
            || with.clone(),
            |request| drive(&mut service, request),
            BatchSize::SmallInput,
        );
    });
}

/// The token is in the cache, among ever more others.
fn seen(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bearer/seen");
    let issuer = issuer(Algorithm::Ed25519);
    let with = request(Some(&issuer.token().scope("read").build()));
    let server = server(&issuer, |builder| builder.token_cache_bytes(1 << 32));
    time(&mut group, "bare", Bare, &with);
    time(&mut group, "bare-with-one-extension", OneExtension, &with);
    let mut cached = 1;
    for target in [1, 1_000, 100_000] {
        let mut filler = layered(&server);
        for _ in cached..target {
            drop(drive(&mut filler, request(Some(&issuer.token().build()))));
        }
        cached = target;
        time(&mut group, &format!("layer-{target}"), layered(&server), &with);
    }
    group.finish();
}

/// More tokens in turn than are remembered, so that each is new: verified, stored, and forgotten
/// before it comes again.
fn first(criterion: &mut Criterion) {
    const TOKENS: usize = 4_000;
    for algorithm in [Algorithm::ES256, Algorithm::RS256, Algorithm::Ed25519] {
        let mut group = criterion.benchmark_group(format!("bearer/first/{algorithm}"));
        let issuer = issuer(algorithm);
        let tokens: Vec<_> = (0..TOKENS).map(|_| issuer.token().scope("read").build()).collect();
        let signed: Vec<_> = tokens.iter().map(|token| taken_apart(token)).collect();
        let requests: Vec<_> = tokens.iter().map(|token| request(Some(token))).collect();
        for &backend in CryptoBackend::ALL {
            let server = server(&issuer, |b| b.token_cache_bytes(16 << 10).crypto_backend(backend));
            let floor = floor(&issuer, algorithm, backend);
            let mut turn = signed.iter().cycle();
            group.bench_function(format!("floor-{backend:?}"), |bencher| {
                bencher.iter(|| {
                    let (message, signature) = turn.next().expect("the cycle has no end");
                    floor.verify(message.as_bytes(), signature)
                });
            });
            let mut service = layered(&server);
            let mut turn = requests.iter().cycle();
            group.bench_function(format!("layer-{backend:?}"), |bencher| {
                bencher.iter_batched(
                    || turn.next().expect("the cycle has no end").clone(),
                    |request| drive(&mut service, request),
                    BatchSize::SmallInput,
                );
            });
        }
        group.finish();
    }
}

/// The backend's own verifier, built beforehand.
fn floor(
    issuer: &TestIssuer,
    algorithm: Algorithm,
    backend: CryptoBackend,
) -> Box<dyn JwtVerifier> {
    let key = &issuer.jwks_json()["keys"][0];
    let part = |name: &str| key[name].as_str().expect("a key member");
    let (algorithm, key) = match algorithm {
        Algorithm::ES256 => {
            (jsonwebtoken::Algorithm::ES256, DecodingKey::from_ec_components(part("x"), part("y")))
        }
        Algorithm::RS256 => {
            (jsonwebtoken::Algorithm::RS256, DecodingKey::from_rsa_components(part("n"), part("e")))
        }
        _ => (jsonwebtoken::Algorithm::EdDSA, DecodingKey::from_ed_components(part("x"))),
    };
    support::verifier(backend, algorithm, &key.expect("a good key"))
}

criterion_group!(benches, seen, first);
criterion_main!(benches);
