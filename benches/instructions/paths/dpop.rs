//! Requests with DPoP proofs that are accepted.

use tower_resource_server::{Algorithm, Dpop};

use crate::fixture::{busy, client, digest, issuer, key, proof, proven, token, verification};
use crate::scenario::{Scenario, WARM};
use crate::support::layered;

/// The token was seen before, the proof is new.
pub(crate) fn seen() -> Scenario {
    let issuer = issuer(Algorithm::ES256);
    let client = client(0);
    let token = token(&issuer, 0).bound_to(&client).build();
    let proofs: Vec<_> = (0..=WARM).map(|number| proof(&client, &token, number)).collect();
    let requests = proofs.iter().map(proven).collect();
    Scenario::of(layered(&busy(&issuer, Dpop::new())), requests)
        .beside(digest(&token))
        .beside(verification(&client, &proofs[WARM].build()))
}

/// Token, client and proof are new each time.
pub(crate) fn both_new() -> Scenario {
    let issuer = issuer(Algorithm::ES256);
    let each = |number: u8| {
        let client = client(number);
        let token = token(&issuer, number.into()).bound_to(&client).build();
        let proof = proof(&client, &token, number.into());
        (client, token, proof)
    };
    let all: Vec<_> = (0..=WARM as u8).map(each).collect();
    let requests = all.iter().map(|(_, _, proof)| proven(proof)).collect();
    let (client, token, proof) = &all[WARM];
    Scenario::of(layered(&busy(&issuer, Dpop::new())), requests)
        .beside(digest(token))
        .beside(verification(&key(Algorithm::ES256), token))
        .beside(verification(client, &proof.build()))
}
