//! Keys, tokens, servers and time that are the same in every run.

use std::hint::black_box;
use std::time::{Duration, UNIX_EPOCH};

use http::Request;
use sha2::{Digest, Sha256};
use tower_resource_server::testing::{
    FixedClock, ProofBuilder, SigningKey, TestIssuer, TokenBuilder, proof_use,
};
use tower_resource_server::{
    Algorithm, Builder, Dpop, MemoryReplayStore, ReplayStore, ResourceServer,
};

use crate::support::{self, Body};

pub(crate) const NOW: u64 = 1_700_000_000;
pub(crate) const RESOURCE: &str = "https://api.example.com";
pub(crate) const URI: &str = "https://api.example.com/tools";

/// The server's key, of those algorithms that are counted.
pub(crate) fn key(algorithm: Algorithm) -> SigningKey {
    let key = match algorithm {
        Algorithm::ES256 => SigningKey::from_p256(&[7; 32]),
        Algorithm::EdDSA => SigningKey::from_ed25519(&[7; 32]),
        // Always one and the same.
        _ => SigningKey::generate(algorithm),
    };
    key.with_kid("count")
}

/// The key of one of many clients.
pub(crate) fn client(number: usize) -> SigningKey {
    SigningKey::from_p256(&[10 + number as u8; 32])
}

pub(crate) fn issuer(algorithm: Algorithm) -> TestIssuer {
    TestIssuer::with_key("https://as.example.com", key(algorithm)).clock(FixedClock::at(NOW))
}

pub(crate) fn server(
    issuer: &TestIssuer,
    change: impl FnOnce(Builder) -> Builder,
) -> ResourceServer {
    support::server(issuer, |builder| change(builder.clock(FixedClock::at(NOW))))
}

/// A server that looks for replays in the [store](replay_store) in use.
pub(crate) fn busy(issuer: &TestIssuer, dpop: Dpop) -> ResourceServer {
    server(issuer, |builder| builder.dpop(dpop.replay_store(replay_store())))
}

/// A token of that number, which tells it from others.
pub(crate) fn token(issuer: &TestIssuer, number: usize) -> TokenBuilder {
    issuer.token().scope("read").claim("jti", format!("token-{number:04}"))
}

pub(crate) fn proof(client: &SigningKey, token: &str, number: usize) -> ProofBuilder {
    let proof = client.proof("GET", URI).clock(&FixedClock::at(NOW)).token(token);
    proof.claim("jti", format!("proof-{number:04}"))
}

/// The request with that proof, and its token.
pub(crate) fn proven(proof: &ProofBuilder) -> Request<Body> {
    proof.authorize(support::request(None))
}

/// A digest of the token as it is sent.
pub(crate) fn digest(token: &str) -> impl FnMut() + use<> {
    let token = token.to_owned();
    move || {
        black_box(Sha256::digest(black_box(token.as_bytes())));
    }
}

/// Records that are in the store beforehand.
const RECORDS: usize = 2_048;

/// A store in use, with so many records that where each lies, which a random secret decides, matters
/// little.
pub(crate) fn replay_store() -> MemoryReplayStore {
    let store = MemoryReplayStore::with_capacity_bytes(1 << 20);
    (0..RECORDS).for_each(|number| drop(store.claim(&used(number))));
    store
}

/// The use of the proof of that number, each by another client.
pub(crate) fn used(number: usize) -> tower_resource_server::ProofUse {
    let digest: [u8; 32] = Sha256::digest(number.to_le_bytes()).into();
    let now = UNIX_EPOCH + Duration::from_secs(NOW);
    let minute = Duration::from_secs(60);
    proof_use(digest, digest, now - minute..=now + minute, now)
}
