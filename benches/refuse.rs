//! Refusals, with their full challenges and bodies, beside the bare service of the same run.

mod support;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use support::{Bare, drive, issuer, layered, request, server};
use tower_resource_server::Algorithm;
use tower_resource_server::testing::Flaw;

fn refuse(criterion: &mut Criterion) {
    let issuer = issuer(Algorithm::ES256);
    let server = server(&issuer, |builder| builder.realm("bench"));
    let expired = issuer.token().flaw(Flaw::Expired).build();
    let cases = [
        ("no-credentials", request(None)),
        ("garbage-token", request(Some("garbage"))),
        ("garbage-of-three-parts", request(Some("eyJhbGciOiJFUzI1NiJ9.e30.c2ln"))),
        ("wrong-issuer", request(Some(&issuer.token().flaw(Flaw::WrongIssuer).build()))),
        ("expired-seen", request(Some(&expired))),
    ];
    let mut group = criterion.benchmark_group("refuse");
    group.bench_function("bare", |bencher| {
        let with = request(None);
        bencher.iter_batched(
            || with.clone(),
            |request| drive(&mut Bare, request),
            BatchSize::SmallInput,
        );
    });
    for (name, with) in cases {
        let mut service = layered(&server);
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || with.clone(),
                |request| drive(&mut service, request),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, refuse);
criterion_main!(benches);
