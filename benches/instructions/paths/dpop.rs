//! Requests with DPoP proofs that are accepted.

use tower_resource_server::{Algorithm, Dpop};

use crate::fixture::{busy, client, digest, issuer, proof, proven, token};
use crate::scenario::{Scenario, WARM};
use crate::support::layered;

/// The token was seen before, the proof is new.
pub(crate) fn seen() -> Scenario {
    let issuer = issuer(Algorithm::ES256);
    let client = client(0);
    let token = token(&issuer, 0).bound_to(&client).build();
    let requests = (0..=WARM).map(|number| proven(&proof(&client, &token, number))).collect();
    Scenario::of(layered(&busy(&issuer, Dpop::new())), requests).beside(digest(&token))
}

/// Token, client and proof are new each time.
pub(crate) fn both_new() -> Scenario {
    let issuer = issuer(Algorithm::ES256);
    let bound = |number| token(&issuer, number).bound_to(&client(number)).build();
    let request = |number| proven(&proof(&client(number), &bound(number), number));
    let requests = (0..=WARM).map(request).collect();
    Scenario::of(layered(&busy(&issuer, Dpop::new())), requests).beside(digest(&bound(WARM)))
}
