//! What the metadata document says of bound tokens and their proofs (RFC 9728 §2).

use serde_json::json;
use tower_resource_server::testing::SigningKey;
use tower_resource_server::{Algorithm, Dpop, ResourceMetadata, SenderConstraint};

use crate::dpop::Client;
use crate::metadata::{document, refused};
use crate::support::{Bed, bearer, get, send};

fn constrained(constraint: SenderConstraint, metadata: ResourceMetadata) -> Bed {
    Bed::with(|builder| builder.sender_constraint(constraint).metadata(metadata))
}

#[tokio::test]
async fn the_ways_to_send_a_bearer_token_are_those_accepted() {
    let found = document(&Bed::new().server).await;
    // R9728-2-5: in the field alone.
    assert_eq!(found["bearer_methods_supported"], json!(["header"]));
    let strict = constrained(SenderConstraint::Dpop, ResourceMetadata::new());
    // R9728-2-5, D-9: left out where no bearer token is accepted …
    assert_eq!(document(&strict.server).await.get("bearer_methods_supported"), None);
    strict.bearer(&strict.token()).await.assert_n401();
    let none = ResourceMetadata::new().no_bearer_methods();
    let explicit = constrained(SenderConstraint::Dpop, none.clone());
    // R9728-2-5, D-9: … or an empty array, if asked for.
    assert_eq!(document(&explicit.server).await["bearer_methods_supported"], json!([]));
    assert!(refused(none).contains("bearer tokens are accepted"), "and nowhere else");
}

#[tokio::test]
async fn the_algorithms_of_proofs_are_those_of_the_challenges_and_the_policy() {
    use Algorithm::{ES256, ES384, EdDSA, PS256, RS256};
    for algorithms in [vec![ES256], vec![EdDSA, ES256], vec![RS256, PS256, ES384]] {
        let dpop = Dpop::new().algorithms(algorithms.clone());
        let bed = Bed::with(|builder| builder.dpop(dpop));
        let found = document(&bed.server).await;
        let listed: Vec<_> = found["dpop_signing_alg_values_supported"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|name| name.as_str().expect("a name").to_owned())
            .collect();
        let names: Vec<_> = algorithms.iter().map(|algorithm| algorithm.name()).collect();
        // R9728-2-10: what was configured …
        assert_eq!(listed, names);
        let answer = send(bed.server.authenticate(), get(&[])).await;
        // R9728-2-10: … is what the challenge says …
        assert_eq!(answer.challenge_of("DPoP").get("algs"), Some(listed.join(" ").as_str()));
        for algorithm in [ES256, ES384, EdDSA, PS256, RS256] {
            let key = SigningKey::generate(algorithm);
            let token = bed.issuer.token().scope("read").bound_to(&key).build();
            let answer = Client { key, token }.call(&bed).await;
            // R9728-2-10: … and what is accepted, and nothing else.
            assert_eq!(answer.handled, algorithms.contains(&algorithm), "{algorithm:?}");
        }
    }
    let none = constrained(SenderConstraint::Bearer, ResourceMetadata::new());
    // R9728-2-10: no algorithms where no proof is accepted, as no challenge names any.
    assert_eq!(document(&none.server).await.get("dpop_signing_alg_values_supported"), None);
    let answer = send(none.server.authenticate(), get(&[])).await;
    assert_eq!(answer.schemes(), ["Bearer"]);
}

const BOUND: &str = "dpop_bound_access_tokens_required";

#[tokio::test]
async fn bound_tokens_are_required_where_every_route_requires_them() {
    // R9728-2-11: false by default, and so left out.
    assert_eq!(document(&Bed::new().server).await.get(BOUND), None);
    let unbound = constrained(SenderConstraint::Bearer, ResourceMetadata::new());
    assert_eq!(document(&unbound.server).await.get(BOUND), None);
    let bed = constrained(SenderConstraint::Dpop, ResourceMetadata::new());
    // R9728-2-11: true where DPoP is required …
    assert_eq!(document(&bed.server).await[BOUND], true);
    let answer = bed.bearer(&bed.token()).await;
    // R9728-2-11: … and there a bearer token gets the challenge of DPoP alone.
    answer.assert_n401();
    assert_eq!(answer.schemes(), ["DPoP"]);
    Client::new(&bed).call(&bed).await.assert_ok();
}

#[tokio::test]
async fn one_route_for_bearer_tokens_makes_bound_ones_optional() {
    let bed = constrained(SenderConstraint::Dpop, ResourceMetadata::new());
    assert_eq!(document(&bed.server).await[BOUND], true);
    let open = bed.server.authenticate().sender_constraint(SenderConstraint::Any);
    send(open, bearer(&bed.token())).await.assert_ok();
    let found = document(&bed.server).await;
    // R9728-2-11: not every route requires it any more.
    assert_eq!(found.get(BOUND), None);
    // R9728-2-5: and there is a way to send bearer tokens again.
    assert_eq!(found["bearer_methods_supported"], json!(["header"]));
}
