//! The keys that proofs carry: their kinds, their thumbprints, and those that are none.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tower_resource_server::testing::{ProofFlaw, SigningKey};
use tower_resource_server::{Algorithm, CryptoBackend, RejectionKind};

use crate::dpop::{Client, proven};
use crate::support::{
    Answer, Bed, get, proof_vector, published, published_jwk, send, vector_builder,
};
use crate::vectors::request_of;

/// A client whose token is bound to that key by that thumbprint.
fn bound(bed: &Bed, key: SigningKey, jkt: &str) -> Client {
    let token = bed.issuer.token().scope("read").claim("cnf", json!({ "jkt": jkt })).build();
    Client { key, token }
}

#[tokio::test]
async fn every_kind_of_key_binds_a_token_by_its_thumbprint() {
    use Algorithm::{ES256, ES384, Ed25519, EdDSA, PS256, RS256};
    for &backend in CryptoBackend::ALL {
        let bed = Bed::with(|builder| builder.crypto_backend(backend));
        for algorithm in [ES256, ES384, EdDSA, Ed25519, RS256, PS256] {
            let key = SigningKey::generate(algorithm);
            let jkt = key.thumbprint();
            let client = bound(&bed, key, &jkt);
            // R7638-3.3-1: EC, OKP and RSA keys, each by the members of its own kind.
            client.call(&bed).await.assert_ok();
            let mut jwk = client.key.public_jwk();
            jwk["kid"] = json!("1");
            let proof = client.proof().header("jwk", jwk);
            let answer = send(bed.server.authenticate(), proof.authorize(get(&[]))).await;
            // R7638-3.3-1, R7638-3.2-1: `use`, `alg` and `kid` are no part of it.
            answer.assert_ok();
        }
    }
}

#[tokio::test]
async fn the_order_and_the_spaces_of_a_jwk_do_not_count() {
    let bed = Bed::new();
    let client = Client::new(&bed);
    let jwk = client.key.bare_jwk();
    let member = |name: &str| format!("\"{name}\" :\t{}", jwk[name]);
    let members = ["y", "x", "kty", "crv"].map(member).join(" ,\n ");
    let header = format!("{{\"jwk\": {{ {members} }}, \"typ\":\"dpop+jwt\",\"alg\":\"ES256\"}}");
    let proof = client.proof().raw_header(header);
    // R7638-3.2-1: the thumbprint is that of the canonical form.
    send(bed.server.authenticate(), proof.authorize(get(&[]))).await.assert_ok();
}

#[tokio::test]
async fn published_keys_have_their_published_thumbprints() {
    let bed = Bed::new();
    for id in ["RFC7515-A.3", "RFC7517-A.2 EC"] {
        let private = published_jwk(id)["d"].as_str().map(|d| URL_SAFE_NO_PAD.decode(d));
        let private = private.and_then(Result::ok).expect("a private key in base64url");
        let key = SigningKey::from_p256(&private.try_into().expect("32 bytes"));
        let client = bound(&bed, key, &published(id, "thumbprint_derived"));
        // R7638-3.3-1: of the kind EC, by proofs of the very keys.
        client.call(&bed).await.assert_ok();
    }
}

/// The answer to a proof with these members in its header.
async fn with_header(members: Value) -> Answer {
    let edit = |(name, value): (&String, &Value)| (name.clone(), value.clone());
    let members: Vec<_> = members.as_object().expect("members").iter().map(edit).collect();
    proven(
        |builder| builder,
        |proof| members.into_iter().fold(proof, |proof, (name, value)| proof.header(name, value)),
    )
    .await
}

#[tokio::test]
async fn keys_of_other_kinds_are_refused() {
    let akp = json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "A".repeat(1750) });
    let answer = with_header(json!({ "alg": "ML-DSA-44", "jwk": akp })).await;
    // R7638-3.3-1: ML-DSA is not supported, neither as the algorithm …
    answer.assert_p401();
    assert_eq!(answer.kind(), Some(RejectionKind::UnacceptableProofAlgorithm));
    let unnamed = json!({ "kty": "AKP", "pub": "A".repeat(1750) });
    for (jwk, alg) in [(&akp, "ES256"), (&unnamed, "ES256"), (&unnamed, "EdDSA")] {
        let answer = with_header(json!({ "alg": alg, "jwk": jwk })).await;
        // R7638-3.3-1: … nor as the kind of the key.
        answer.assert_p401();
        assert_eq!(answer.kind(), Some(RejectionKind::UnusableProofKey), "{alg}");
    }
}

#[tokio::test]
async fn a_point_off_its_curve_is_no_key() {
    let vector = proof_vector("p-jwk-offcurve");
    for &backend in CryptoBackend::ALL {
        let server = vector_builder().crypto_backend(backend).build().expect("valid");
        // R8725-3.4-1: in a proof, with either backend.
        assert_off_curve(&send(server.authenticate(), request_of(&vector)).await);
        for algorithm in [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA] {
            let bed = Bed::with(|builder| builder.crypto_backend(backend));
            let key = SigningKey::generate(algorithm);
            let jkt = key.thumbprint();
            let proof = bound(&bed, key, &jkt).proof().flaw(ProofFlaw::KeyOffCurve);
            // R8725-3.4-1: on any curve.
            let answer = send(bed.server.authenticate(), proof.authorize(get(&[]))).await;
            assert_off_curve(&answer);
        }
    }
}

fn assert_off_curve(answer: &Answer) {
    answer.assert_p401();
    // Some backends look at the point at once, others with the signature.
    let kinds = [RejectionKind::UnusableProofKey, RejectionKind::BadProofSignature];
    assert!(answer.kind().is_some_and(|kind| kinds.contains(&kind)), "{answer:?}");
}
