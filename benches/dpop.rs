//! Requests with DPoP proofs: accepted, and refused for what is wrong with the proof.
//!
//! A proof is accepted once, so requests come in batches, each for a server that has seen none of
//! them. The floor is timed in the same run over the same signatures: the backend's own verifiers,
//! built beforehand.

mod support;

use std::convert::Infallible;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use http::{HeaderValue, Request};
use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::JwtVerifier;
use support::{Body, busy, drive, issuer, layered, request, server, taken_apart};
use tower_resource_server::testing::{ProofBuilder, ProofFlaw, SigningKey, TestIssuer};
use tower_resource_server::{
    Algorithm, Builder, CryptoBackend, Dpop, ResourceServer, SealedNonces,
};
use tower_service::Service;

/// Few enough to lie in the processor's cache, as a request does that was just read.
const BATCH: usize = 500;
const URI: &str = "https://api.example.com/tools";

/// A request, the key its proof is made with, and what is signed.
struct Sample {
    request: Request<Body>,
    key: SigningKey,
    token: String,
    proof: String,
}

impl Sample {
    fn new(key: &SigningKey, token: &str, change: impl Fn(ProofBuilder) -> ProofBuilder) -> Self {
        let proof = change(key.proof("GET", URI).token(token)).build();
        let mut request = request(None);
        let value = |text: String| HeaderValue::try_from(text).expect("visible ASCII");
        request.headers_mut().insert("authorization", value(format!("DPoP {token}")));
        request.headers_mut().insert("dpop", value(proof.clone()));
        Self { request, key: key.clone(), token: token.to_owned(), proof }
    }
}

fn bound(issuer: &TestIssuer, key: &SigningKey) -> String {
    issuer.token().scope("read").bound_to(key).build()
}

/// One token and its client's key, each time another proof.
fn of_one_client(issuer: &TestIssuer, algorithm: Algorithm) -> Vec<Sample> {
    let key = SigningKey::generate(algorithm);
    let token = bound(issuer, &key);
    (0..=BATCH).map(|_| Sample::new(&key, &token, |proof| proof)).collect()
}

/// Each time another client.
fn of_many_clients(issuer: &TestIssuer, algorithm: Algorithm) -> Vec<Sample> {
    let client = |_| {
        let key = SigningKey::generate(algorithm);
        Sample::new(&key, &bound(issuer, &key), |proof| proof)
    };
    (0..=BATCH).map(client).collect()
}

/// Times requests in batches; the first of the samples goes before each batch, untimed.
fn time(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    samples: &[Sample],
    fresh: impl Fn() -> ResourceServer,
) {
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| {
            in_batches(iterations, || {
                let server = fresh();
                let mut service = layered(&server);
                drop(drive(&mut service, samples[0].request.clone()));
                let requests: Vec<_> =
                    samples[1..].iter().map(|sample| sample.request.clone()).collect();
                timed(&mut service, requests)
            })
        });
    });
}

fn timed<S>(service: &mut S, requests: Vec<Request<Body>>) -> Duration
where
    S: Service<Request<Body>, Error = Infallible>,
{
    let start = Instant::now();
    for request in requests {
        drop(black_box(drive(service, request)));
    }
    start.elapsed()
}

/// Times whole batches, however few iterations are asked for: the first requests of a batch find
/// nothing of it in the processor's cache.
fn in_batches(iterations: u64, batch: impl Fn() -> Duration) -> Duration {
    let batches = iterations.div_ceil(BATCH as u64);
    let total: Duration = (0..batches).map(|_| batch()).sum();
    total.mul_f64(iterations as f64 / (batches * BATCH as u64) as f64)
}

/// The signatures of the samples, with verifiers of that backend.
fn floor(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    signatures: &[(Box<dyn JwtVerifier>, &str, Vec<u8>)],
) {
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| {
            in_batches(iterations, || {
                let start = Instant::now();
                for (verifier, message, signature) in &signatures[1..] {
                    assert!(black_box(verifier.verify(message.as_bytes(), signature).is_ok()));
                }
                start.elapsed()
            })
        });
    });
}

fn verifier(key: &SigningKey, backend: CryptoBackend) -> Box<dyn JwtVerifier> {
    let jwk = key.public_jwk();
    let algorithm = key.algorithm();
    let part = |name: &str| jwk[name].as_str().expect("a key member");
    let (algorithm, key) = match algorithm {
        Algorithm::ES256 => {
            (jsonwebtoken::Algorithm::ES256, DecodingKey::from_ec_components(part("x"), part("y")))
        }
        _ => (jsonwebtoken::Algorithm::EdDSA, DecodingKey::from_ed_components(part("x"))),
    };
    support::verifier(backend, algorithm, &key.expect("a good key"))
}

type Signatures<'a> = Vec<(Box<dyn JwtVerifier>, &'a str, Vec<u8>)>;

fn proof_signatures(samples: &[Sample], backend: CryptoBackend) -> Signatures<'_> {
    let signature = |sample: &'_ Sample| verifier(&sample.key, backend);
    let parts = samples.iter().map(|sample| (signature(sample), taken_apart(&sample.proof)));
    parts.map(|(verifier, (message, signature))| (verifier, message, signature)).collect()
}

fn token_signatures<'a>(
    samples: &'a [Sample],
    issuer: &TestIssuer,
    backend: CryptoBackend,
) -> Signatures<'a> {
    let parts = samples.iter().map(|sample| taken_apart(&sample.token));
    parts
        .map(|(message, signature)| (verifier(issuer.key(), backend), message, signature))
        .collect()
}

/// The token is known, the proof is new, and its use is recorded.
fn seen(criterion: &mut Criterion) {
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA] {
        let mut group = criterion.benchmark_group(format!("dpop/seen/{algorithm}"));
        let issuer = issuer(Algorithm::ES256);
        let samples = of_one_client(&issuer, algorithm);
        for &backend in CryptoBackend::ALL {
            floor(&mut group, &format!("floor-{backend:?}"), &proof_signatures(&samples, backend));
            let fresh = || busy(&issuer, |builder| builder.crypto_backend(backend));
            time(&mut group, &format!("layer-{backend:?}"), &samples, fresh);
        }
        group.finish();
    }
}

/// Token, key and proof are new.
fn first(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("dpop/first/ES256");
    let issuer = issuer(Algorithm::ES256);
    let samples = of_many_clients(&issuer, Algorithm::ES256);
    for &backend in CryptoBackend::ALL {
        let proofs = proof_signatures(&samples, backend);
        floor(&mut group, &format!("floor-of-proof-{backend:?}"), &proofs);
        let tokens = token_signatures(&samples, &issuer, backend);
        floor(&mut group, &format!("floor-of-token-{backend:?}"), &tokens);
        let fresh = || busy(&issuer, |builder| builder.crypto_backend(backend));
        time(&mut group, &format!("layer-{backend:?}"), &samples, fresh);
    }
    group.finish();
}

/// The token is known, and something is wrong with the proof.
fn refused(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("dpop/refuse");
    let issuer = issuer(Algorithm::ES256);
    let key = SigningKey::generate(Algorithm::ES256);
    let token = bound(&issuer, &key);
    let fresh = |change: fn(Builder) -> Builder| server(&issuer, change);
    for (name, flaw) in [
        ("other-uri", ProofFlaw::HtuOtherHost),
        ("bad-signature", ProofFlaw::BadSignature),
        ("an-hour-old", ProofFlaw::IatOld),
    ] {
        let good = Sample::new(&key, &token, |proof| proof);
        let flawed = (0..BATCH).map(|_| Sample::new(&key, &token, |proof| proof.flaw(flaw)));
        let samples: Vec<_> = [good].into_iter().chain(flawed).collect();
        time(&mut group, name, &samples, || fresh(|builder| builder));
    }
    let again = || Sample::new(&key, &token, |proof| proof.claim("jti", "used"));
    let samples: Vec<_> = (0..=BATCH).map(|_| again()).collect();
    time(&mut group, "replayed", &samples, || fresh(|builder| builder));
    let samples = of_one_client(&issuer, Algorithm::ES256);
    time(&mut group, "no-nonce", &samples, || {
        fresh(|builder| builder.dpop(Dpop::new().nonces(SealedNonces::random())))
    });
    group.finish();
}

criterion_group!(benches, seen, first, refused);
criterion_main!(benches);
