//! Accepted tokens with proofs of DPoP: the token known, or both new.
//!
//! A proof is accepted once, so each batch goes to a server that has seen none of it.

use http::{HeaderValue, Request};
use tower_resource_server::testing::{ProofBuilder, SigningKey, TestIssuer};
use tower_resource_server::{Algorithm, CryptoBackend};

use super::client::{BATCH, PRELUDE};
use super::signatures::{Signed, floors};
use super::{Allocations, Client, Path, Plan, Server};
use crate::support::{Body, busy, issuer, layered, request};

/// A token bound to a key.
pub(super) struct Bound {
    pub(super) key: SigningKey,
    pub(super) token: String,
}

impl Bound {
    pub(super) fn new(issuer: &TestIssuer, algorithm: Algorithm) -> Self {
        let key = SigningKey::generate(algorithm);
        let token = issuer.token().scope("read").bound_to(&key).build();
        Self { key, token }
    }

    /// A new proof for what is requested, and the request.
    pub(super) fn request(
        &self,
        change: impl FnOnce(ProofBuilder) -> ProofBuilder,
    ) -> (Request<Body>, String) {
        let proof = self.key.proof("GET", "https://api.example.com/tools").token(&self.token);
        let proof = change(proof).build();
        let mut request = request(None);
        let value = |text: String| HeaderValue::try_from(text).expect("visible ASCII");
        request.headers_mut().insert("authorization", value(format!("DPoP {}", self.token)));
        request.headers_mut().insert("dpop", value(proof.clone()));
        (request, proof)
    }
}

/// So many requests, that two threads at once can send different ones.
pub(super) const REQUESTS: usize = 2 * (PRELUDE + BATCH);

fn fresh(issuer: TestIssuer, backend: CryptoBackend) -> Server {
    Server::Fresh(Box::new(move || {
        Box::new(layered(&busy(&issuer, |builder| builder.crypto_backend(backend))))
    }))
}

pub(crate) fn seen() -> Vec<Plan> {
    let mut plans = Vec::new();
    for (algorithm, at_most) in [(Algorithm::ES256, Some(1.06)), (Algorithm::EdDSA, None)] {
        for &backend in CryptoBackend::ALL {
            let name = format!("dpop/seen/{algorithm}/{backend:?}");
            plans.push(Plan::new(name, move |_| known_token(algorithm, backend, at_most)));
        }
    }
    plans
}

/// The token is known, the proof is new, and its use is recorded.
fn known_token(algorithm: Algorithm, backend: CryptoBackend, at_most: Option<f64>) -> Path {
    let issuer = issuer(Algorithm::ES256);
    let mut signed: Vec<Vec<Signed>> = Vec::new();
    let clients = [(); 2].map(|()| {
        let bound = Bound::new(&issuer, algorithm);
        let sent: Vec<_> = (0..REQUESTS).map(|_| bound.request(|proof| proof)).collect();
        signed.push(sent.iter().map(|(_, proof)| Signed::new(proof, &bound.key)).collect());
        Client::new(sent.into_iter().map(|(request, _)| request))
    });
    let besides = floors(backend, &signed[0], 1, at_most);
    let allocations = Allocations::AtMost(8);
    Path { besides, allocations, ..Path::accepted(clients, fresh(issuer, backend)) }
}

pub(crate) fn both_new() -> Vec<Plan> {
    let plan = |&backend| {
        let name = format!("dpop/both-new/ES256/{backend:?}");
        Plan::new(name, move |_| new_clients(backend))
    };
    CryptoBackend::ALL.iter().map(plan).collect()
}

/// Token, key and proof are new: each time another client.
fn new_clients(backend: CryptoBackend) -> Path {
    let issuer = issuer(Algorithm::ES256);
    let mut signed = Vec::new();
    let mut client = |_: usize| {
        let bound = Bound::new(&issuer, Algorithm::ES256);
        let (request, proof) = bound.request(|proof| proof);
        signed.push(Signed::new(&proof, &bound.key));
        signed.push(Signed::new(&bound.token, issuer.key()));
        request
    };
    let clients = [(); 2].map(|()| Client::new((0..REQUESTS).map(&mut client)));
    let besides = floors(backend, &signed[..2 * REQUESTS], 2, Some(1.05));
    Path { besides, shared: false, ..Path::accepted(clients, fresh(issuer, backend)) }
}
