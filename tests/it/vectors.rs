//! Every access token of the vectors, through the real layer, with each backend.

use serde_json::Value;
use tower_resource_server::testing::FixedClock;
use tower_resource_server::{CryptoBackend, Issuer, JwkSet, RejectionKind, ResourceServer};

use crate::support::{bearer, send};

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors.json")).expect("the vectors are JSON")
}

fn server(vectors: &Value, backend: CryptoBackend) -> ResourceServer {
    let config = &vectors["config"];
    let text = |name: &str| config[name].as_str().expect("a string").to_owned();
    let keys = JwkSet::from_json(config["as_jwks"].to_string().as_bytes()).expect("a key set");
    ResourceServer::builder(text("audience"))
        .issuer(Issuer::jwks(text("issuer"), keys))
        .clock(FixedClock::at(config["now"].as_u64().expect("a time")))
        .leeway(std::time::Duration::ZERO)
        .crypto_backend(backend)
        .build()
        .expect("a valid configuration")
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
                // Everything about the token is right, up to the proof that it is owed.
                ("at-valid-dpop", _) => {
                    assert_eq!(answer.kind(), Some(RejectionKind::UnsupportedConfirmation));
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
