//! Proofs whose time passes while keys are fetched for their token.

use std::time::{Duration, SystemTime};

use tower_resource_server::testing::{FixedClock, ScriptedFetch, SigningKey, TestIssuer};
use tower_resource_server::{
    Algorithm, Claim, ClaimOutcome, Dpop, Issuer, ProofUse, RejectionKind, ReplayStore,
    ResourceServer,
};

use crate::dpop::{URI, with_proof};
use crate::support::{Answer, ISSUER, NOW, RESOURCE, send};

/// Demands that it is asked at the time the clock shows.
#[derive(Debug)]
struct Punctual(FixedClock);

impl ReplayStore for Punctual {
    fn claim(&self, proof: &ProofUse) -> Claim {
        assert_eq!(proof.now(), tower_resource_server::Clock::now(&self.0));
        assert!((proof.acceptable_from()..=proof.acceptable_until()).contains(&proof.now()));
        let left = proof.acceptable_until().duration_since(SystemTime::UNIX_EPOCH);
        assert_eq!(left.expect("after 1970"), Duration::from_secs(NOW + 120));
        Claim::Done(Ok(ClaimOutcome::First))
    }
}

/// The answer to a proof made at `NOW`, when the keys take that long to come.
async fn after_a_wait(wait: Duration) -> Answer {
    let clock = FixedClock::at(NOW);
    let issuer = TestIssuer::new(ISSUER).clock(clock.clone());
    let fetch = ScriptedFetch::new();
    fetch.always_json(issuer.jwks_json());
    let hold = fetch.hold();
    let server = ResourceServer::builder(RESOURCE)
        .issuer(Issuer::jwks_uri(ISSUER, "https://as.example.com/jwks"))
        .fetch(fetch.clone())
        .clock(clock.clone())
        .dpop(Dpop::new().replay_store(Punctual(clock.clone())))
        .build()
        .expect("a valid configuration");
    let key = SigningKey::generate(Algorithm::ES256);
    let token = issuer.token().bound_to(&key).build();
    let proof = key.proof("GET", URI).token(&token).clock(&clock);
    let sent = tokio::spawn(send(server.authenticate(), with_proof(&proof)));
    fetch.arrived(1).await;
    clock.advance(wait);
    hold.release();
    sent.await.expect("no panic")
}

#[tokio::test]
async fn a_proof_is_recorded_at_the_time_of_its_claim() {
    for seconds in [0, 1, 120] {
        after_a_wait(Duration::from_secs(seconds)).await.assert_ok();
    }
}

#[tokio::test]
async fn a_proof_that_ended_meanwhile_is_refused_and_not_recorded() {
    after_a_wait(Duration::from_secs(121)).await.assert_p401_of(RejectionKind::ExpiredProof);
}
