//! Every access token and every proof of the vectors, through the real layer, with each backend.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::Value;
use tower_resource_server::testing::FixedClock;
use tower_resource_server::{
    AcceptedNonce, Algorithm, Builder, CryptoBackend, Dpop, Issuer, JwkSet, NonceIssuer,
    RejectionKind, ResourceServer,
};

use crate::support::{Answer, bearer, send, vector_token};

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors.json")).expect("the vectors are JSON")
}

fn server(vectors: &Value, backend: CryptoBackend) -> ResourceServer {
    builder(vectors, backend).build().expect("a valid configuration")
}

fn builder(vectors: &Value, backend: CryptoBackend) -> Builder {
    let config = &vectors["config"];
    let text = |name: &str| config[name].as_str().expect("a string").to_owned();
    let keys = JwkSet::from_json(config["as_jwks"].to_string().as_bytes()).expect("a key set");
    ResourceServer::builder(text("audience"))
        .issuer(Issuer::jwks(text("issuer"), keys))
        .clock(FixedClock::at(config["now"].as_u64().expect("a time")))
        .leeway(Duration::ZERO)
        .crypto_backend(backend)
}

/// Knows one nonce.
#[derive(Debug)]
struct OneNonce(String);

impl NonceIssuer for OneNonce {
    fn issue(&self, _: &str, _: SystemTime) -> String {
        self.0.clone()
    }

    fn check(&self, nonce: &str, _: &str, now: SystemTime) -> Option<AcceptedNonce> {
        let (from, until) = (now - Duration::from_secs(60), now + Duration::from_secs(60));
        (nonce == self.0).then(|| AcceptedNonce::new(from, until, false))
    }
}

/// The request that a proof of the vectors is for, with the proof and the token bound to its key.
pub(crate) fn request_of(vector: &Value) -> Request<Full<Bytes>> {
    let text = |name: &str| vector[name].as_str().expect("a string");
    Request::builder()
        .method(text("method"))
        .uri(text("url"))
        .header("authorization", format!("DPoP {}", vector_token("at-valid-dpop")))
        .header("dpop", text("proof"))
        .body(Full::default())
        .expect("a request")
}

/// The answer of a server as the vectors suppose it to that proof and the token bound to its key.
async fn prove(vectors: &Value, vector: &Value, backend: CryptoBackend) -> Answer {
    let mut dpop = Dpop::new().algorithms([Algorithm::ES256, Algorithm::EdDSA]);
    if let Some(nonce) = vector["required_nonce"].as_str() {
        dpop = dpop.nonces(OneNonce(nonce.to_owned()));
    }
    let server = builder(vectors, backend).dpop(dpop).build().expect("valid");
    send(server.authenticate(), request_of(vector)).await
}

/// `algs` of a server as the vectors suppose it.
pub(crate) const VECTOR_ALGS: &str = "ES256 EdDSA";

/// The answer to a proof of the vectors by its name.
pub(crate) async fn send_proof_vector(name: &str) -> Answer {
    let vectors = vectors();
    let proofs = vectors["generated"]["dpop_proofs"].as_array().expect("proofs");
    let vector = proofs.iter().find(|vector| vector["name"] == name).expect(name);
    prove(&vectors, vector, CryptoBackend::preferred().expect("a backend")).await
}

/// The server accepts these proofs of the vectors.
pub(crate) async fn assert_vectors_ok(names: &[&str]) {
    for name in names {
        send_proof_vector(name).await.assert_ok();
    }
}

#[tokio::test]
async fn every_proof_gets_its_verdict() {
    let vectors = vectors();
    let proofs = vectors["generated"]["dpop_proofs"].as_array().expect("proofs");
    assert_eq!(proofs.len(), 52);
    for &backend in CryptoBackend::ALL {
        for vector in proofs {
            let answer = prove(&vectors, vector, backend).await;
            let text = |name: &str| vector[name].as_str().expect("a string");
            let name = text("name");
            let challenge = (text("expect") != "valid").then(|| answer.challenge_of("DPoP"));
            let error = challenge.as_ref().and_then(|challenge| challenge.get("error"));
            match text("expect") {
                "valid" => answer.assert_ok(),
                expected => {
                    assert_eq!(error, Some(expected), "{name}: {answer:?}");
                    assert_eq!(answer.status, 401, "{name}");
                    assert!(!answer.handled, "{name}");
                }
            }
        }
    }
}

#[tokio::test]
async fn every_access_token_gets_its_verdict() {
    let vectors = vectors();
    let tokens = vectors["generated"]["access_tokens"].as_array().expect("tokens");
    assert_eq!(tokens.len(), 60);
    for &backend in CryptoBackend::ALL {
        let server = server(&vectors, backend);
        for vector in tokens {
            let name = vector["name"].as_str().expect("a name");
            let token = vector["token"].as_str().expect("a token");
            let answer = send(server.authenticate(), bearer(token)).await;
            match (name, vector["expect"].as_str()) {
                // Everything about the token is right, but it came without the proof it is owed.
                ("at-valid-dpop", _) => {
                    assert_eq!(answer.kind(), Some(RejectionKind::BoundTokenAsBearer));
                    answer.assert_t401();
                }
                (_, Some("valid")) => answer.assert_ok(),
                // Not token68, so it does not even reach the verifier.
                ("at-json-serialization", _) => answer.assert_r400(),
                (_, Some("invalid_token")) => answer.assert_t401(),
                other => panic!("{other:?}"),
            }
        }
    }
}
