//! The algorithms of proofs, and the policy about them.

use serde_json::{Value, json};
use tower_resource_server::testing::SigningKey;
use tower_resource_server::{Algorithm, CryptoBackend, Dpop, RejectionKind};

use crate::dpop::DpopBed;

#[tokio::test]
async fn only_algorithms_of_the_policy_count() {
    let policy = || Dpop::new().algorithms([Algorithm::ES256, Algorithm::EdDSA]);
    let bed =
        DpopBed::recording_by(SigningKey::generate(Algorithm::ES384), policy(), |builder| builder);
    // R9449-4.3-5-1
    let answer = bed.prove(&bed.proof()).await;
    answer.assert_p401_listing("ES256 EdDSA", RejectionKind::UnacceptableProofAlgorithm);
    let bed = DpopBed::recording();
    let names =
        ["none", "None", "", "HS256", "HS512", "es256", "ES512", "ES256K", "Ed448", "RS1", "dir"];
    let others = [json!(null), json!(256), json!(["ES256"]), json!({ "alg": "ES256" })];
    for alg in names.map(Value::from).into_iter().chain(others) {
        let answer = bed.prove(&bed.proof().header("alg", alg)).await;
        answer.assert_p401_of(RejectionKind::UnacceptableProofAlgorithm);
    }
}

#[tokio::test]
async fn the_two_names_of_ed25519_are_two_entries() {
    use Algorithm::{Ed25519, EdDSA};
    // R9449-4.3-5-2: each where it is listed, and no other curve under either.
    for (listed, other) in [(Ed25519, EdDSA), (EdDSA, Ed25519)] {
        let policy = || Dpop::new().algorithms([listed]);
        let bed = DpopBed::recording_by(SigningKey::generate(listed), policy(), |builder| builder);
        bed.prove(&bed.proof()).await.assert_ok();
        let answer = bed.prove(&bed.proof().header("alg", other.name())).await;
        answer.assert_p401_listing(listed.name(), RejectionKind::UnacceptableProofAlgorithm);
        for curve in ["Ed448", "X25519", "P-256", "ed25519", ""] {
            let mut jwk = bed.key.bare_jwk();
            jwk["crv"] = json!(curve);
            let answer = bed.prove(&bed.proof().header("jwk", jwk)).await;
            answer.assert_p401_listing(listed.name(), RejectionKind::UnusableProofKey);
        }
        let bed = DpopBed::recording_with(policy(), |builder| builder);
        let answer = bed.prove(&bed.proof().header("alg", listed.name())).await;
        answer.assert_p401_listing(listed.name(), RejectionKind::UnusableProofKey);
    }
}

#[tokio::test]
async fn every_algorithm_works_where_it_is_listed() {
    let all = ["ES256", "EdDSA", "Ed25519", "ES384", "PS256", "RS256"];
    let all = all.map(|name| name.parse::<Algorithm>().expect("an algorithm"));
    for algorithm in all {
        let key = SigningKey::generate(algorithm);
        for &backend in CryptoBackend::ALL {
            let bed = |policy: Vec<Algorithm>| {
                let dpop = Dpop::new().algorithms(policy);
                DpopBed::recording_by(key.clone(), dpop, |builder| builder.crypto_backend(backend))
            };
            for policy in [vec![algorithm], all.to_vec()] {
                let bed = bed(policy);
                for _ in ["new", "seen before"] {
                    bed.prove(&bed.proof()).await.assert_ok();
                }
            }
            let others: Vec<_> = all.into_iter().filter(|other| *other != algorithm).collect();
            let names: Vec<_> = others.iter().map(|other| other.name()).collect();
            let bed = bed(others);
            let answer = bed.prove(&bed.proof()).await;
            let algs = names.join(" ");
            answer.assert_p401_listing(&algs, RejectionKind::UnacceptableProofAlgorithm);
        }
    }
}
