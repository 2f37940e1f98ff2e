//! One issuer against fifty: what a token costs must not depend on how many others are trusted.
//!
//! The single issuer is that of the tokens. Of fifty, tokens come either from the last one alone, or
//! from all in turn, so that each request needs another key than the one before.

mod support;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, criterion_group, criterion_main};
use http::Request;
use support::{Body, drive, layered, request};
use tower_resource_server::testing::{SigningKey, TestIssuer};
use tower_resource_server::{Algorithm, ResourceServer};

const ISSUERS: usize = 50;
/// More than are remembered, so that each is new when it comes again.
const TOKENS: usize = 4_000;

fn issuers(count: usize) -> Vec<TestIssuer> {
    let issuer = |number| {
        let key = SigningKey::generate(Algorithm::ES256).with_kid("bench");
        TestIssuer::with_key(format!("https://as-{number}.example.com"), key)
    };
    (0..count).map(issuer).collect()
}

fn server(issuers: &[TestIssuer], cache: u64) -> ResourceServer {
    let builder = ResourceServer::builder("https://api.example.com").token_cache_bytes(cache);
    let builder = issuers.iter().fold(builder, |builder, issuer| builder.issuer(issuer.trusted()));
    builder.build().expect("the bench is configured right")
}

fn requests<'i>(issuers: impl Iterator<Item = &'i TestIssuer>, count: usize) -> Vec<Request<Body>> {
    issuers.take(count).map(|i| request(Some(&i.token().scope("read").build()))).collect()
}

fn time(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    server: &ResourceServer,
    requests: &[Request<Body>],
) {
    let mut service = layered(server);
    // Once through: what can be remembered is.
    requests.iter().for_each(|request| drop(drive(&mut service, request.clone())));
    let mut turn = requests.iter().cycle();
    group.bench_function(name, |bencher| {
        bencher.iter_batched(
            || turn.next().expect("the cycle has no end").clone(),
            |request| drive(&mut service, request),
            BatchSize::SmallInput,
        );
    });
}

fn compare(criterion: &mut Criterion, name: &str, cache: u64, tokens: usize) {
    let many = issuers(ISSUERS);
    let last = &many[ISSUERS - 1..];
    let of_last = requests(last.iter().cycle(), tokens);
    let of_all = requests(many.iter().cycle(), tokens);
    let mut group = criterion.benchmark_group(format!("issuers/{name}"));
    time(&mut group, "one", &server(last, cache), &of_last);
    time(&mut group, "fifty-last", &server(&many, cache), &of_last);
    time(&mut group, "fifty-in-turn", &server(&many, cache), &of_all);
    group.finish();
}

fn seen(criterion: &mut Criterion) {
    compare(criterion, "seen", 1 << 26, ISSUERS);
}

fn first(criterion: &mut Criterion) {
    compare(criterion, "first", 16 << 10, TOKENS);
}

criterion_group!(benches, seen, first);
criterion_main!(benches);
