//! Requests with DPoP proofs: accepted, and refused for what is wrong with the proof.
//!
//! A proof is accepted once, so requests come in batches, each for a server that has seen none of
//! them. Each batch is timed beside its floor: the same signatures, by the backend's own verifiers,
//! built beforehand.

mod support;

use std::hint::black_box;
use std::time::{Duration, Instant};

use http::{HeaderValue, Request};
use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::JwtVerifier;
use support::{Body, busy, drive, issuer, layered, request, server, taken_apart};
use tower_resource_server::testing::{ProofBuilder, ProofFlaw, SigningKey, TestIssuer};
use tower_resource_server::{Algorithm, CryptoBackend, Dpop, ResourceServer, SealedNonces};

/// Few enough to lie in the processor's cache, as a request does that was just read.
const BATCH: usize = 500;
const ROUNDS: usize = 41;
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

/// One batch through a layer; the first of the samples goes before, untimed.
fn layer_batch(server: &ResourceServer, samples: &[Sample]) -> Duration {
    let mut service = layered(server);
    drop(drive(&mut service, samples[0].request.clone()));
    let requests: Vec<_> = samples[1..].iter().map(|sample| sample.request.clone()).collect();
    let start = Instant::now();
    for request in requests {
        drop(black_box(drive(&mut service, request)));
    }
    start.elapsed()
}

/// The signatures of one batch, as the backend verifies them.
fn floor_batch(floors: &[Signatures<'_>]) -> Duration {
    let start = Instant::now();
    for signatures in floors {
        for (verifier, message, signature) in &signatures[1..] {
            assert!(black_box(verifier.verify(message.as_bytes(), signature).is_ok()));
        }
    }
    start.elapsed()
}

/// Floor and layer in turn, so that both meet the same machine; the medians of all rounds.
fn compare(
    name: &str,
    floors: &[Signatures<'_>],
    samples: &[Sample],
    fresh: impl Fn() -> ResourceServer,
) {
    let (mut floor, mut layer, mut ratio) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let server = fresh();
        floor.push(micros(floor_batch(floors)));
        layer.push(micros(layer_batch(&server, samples)));
        ratio.push(layer[layer.len() - 1] / floor[floor.len() - 1]);
    }
    let (floor, layer) = (median(floor), median(layer));
    match floors.is_empty() {
        true => println!("{name:32} {layer:7.2} µs"),
        false => println!(
            "{name:32} {layer:7.2} µs, floor {floor:6.2} µs, {:5.2} µs over, ratio {:.3}",
            layer - floor,
            median(ratio)
        ),
    }
}

/// For one request of a batch.
fn micros(batch: Duration) -> f64 {
    batch.as_secs_f64() * 1e6 / BATCH as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
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
fn seen(algorithm: Algorithm, backend: CryptoBackend) {
    let issuer = issuer(Algorithm::ES256);
    let samples = of_one_client(&issuer, algorithm);
    let floors = [proof_signatures(&samples, backend)];
    let fresh = || busy(&issuer, |builder| builder.crypto_backend(backend));
    compare(&format!("seen token, {algorithm}, {backend:?}"), &floors, &samples, fresh);
}

/// Token, key and proof are new.
fn first(backend: CryptoBackend) {
    let issuer = issuer(Algorithm::ES256);
    let samples = of_many_clients(&issuer, Algorithm::ES256);
    let floors =
        [proof_signatures(&samples, backend), token_signatures(&samples, &issuer, backend)];
    let fresh = || busy(&issuer, |builder| builder.crypto_backend(backend));
    compare(&format!("both new, ES256, {backend:?}"), &floors, &samples, fresh);
}

/// The token is known, and something is wrong with the proof.
fn refused() {
    let issuer = issuer(Algorithm::ES256);
    let key = SigningKey::generate(Algorithm::ES256);
    let token = bound(&issuer, &key);
    let flawed = |change: &dyn Fn(ProofBuilder) -> ProofBuilder| {
        let good = Sample::new(&key, &token, |proof| proof);
        let others = (0..BATCH).map(|_| Sample::new(&key, &token, change));
        [good].into_iter().chain(others).collect::<Vec<_>>()
    };
    let plain = || busy(&issuer, |builder| builder);
    for (name, flaw) in [
        ("refuse, another URI", ProofFlaw::HtuOtherHost),
        ("refuse, bad signature", ProofFlaw::BadSignature),
        ("refuse, an hour old", ProofFlaw::IatOld),
    ] {
        compare(name, &[], &flawed(&|proof| proof.flaw(flaw)), plain);
    }
    compare("refuse, replayed", &[], &flawed(&|proof| proof.claim("jti", "same")), || {
        let server = plain();
        let used = Sample::new(&key, &token, |proof| proof.claim("jti", "same"));
        drop(drive(&mut layered(&server), used.request));
        server
    });
    let asking = || server(&issuer, |b| b.dpop(Dpop::new().nonces(SealedNonces::random())));
    compare("refuse, no nonce", &[], &flawed(&|proof| proof), asking);
}

fn main() {
    for &backend in CryptoBackend::ALL {
        seen(Algorithm::ES256, backend);
        seen(Algorithm::EdDSA, backend);
        first(backend);
    }
    refused();
}
