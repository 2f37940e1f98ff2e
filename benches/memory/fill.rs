//! What fills a server: tokens through its layer, proofs into its store.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use http::{HeaderValue, Request, StatusCode};
use tower_layer::Layer;
use tower_resource_server::testing::{SigningKey, TestIssuer, TokenBuilder, proof_use};
use tower_resource_server::{Algorithm, Claim, ClaimOutcome, Clock, ReplayStore};

use crate::process::counting;
use crate::server::Served;
use crate::support::spread::digest;
use crate::support::{Bare, Body, drive, request};

/// How long a proof counts after its use by default, at most.
pub(crate) const PROOF_LIFE: Duration = Duration::from_secs(150);

/// The claims of a user's token, of common size.
pub(crate) fn token(issuer: &TestIssuer, number: u64) -> TokenBuilder {
    let user = format!("user-{number:09}");
    let roles = ["reader", "writer", "operator"].map(|role| format!("{role}-{number}"));
    let token = issuer.token().subject(user).client_id("https://app.example.com/client");
    token.scope("openid profile tools:read tools:call").claim("roles", roles.to_vec())
}

/// Sends so many tokens that were not sent before, each once.
pub(crate) fn tokens(served: &Served, numbers: Range<u64>) {
    send(served, numbers, |number| request(Some(&token(&served.issuer, number).build())));
}

/// Sends so many tokens, each bound to a key of its own, with a proof.
pub(crate) fn bound_tokens(served: &Served, numbers: Range<u64>) {
    send(served, numbers, |number| {
        let key = SigningKey::generate(Algorithm::ES256);
        let token = token(&served.issuer, number).bound_to(&key).build();
        let proof = key.proof("GET", "https://api.example.com/tools").clock(&served.clock);
        proof.token(&token).authorize(request(None))
    });
}

fn send(served: &Served, numbers: Range<u64>, request: impl Fn(u64) -> Request<Body>) {
    let mut service = served.server.authenticate().layer(Bare);
    counting(|| {
        for number in numbers {
            let response = drive(&mut service, request(number));
            assert_eq!(response.status(), StatusCode::OK, "{:?}", challenge(&response));
        }
    });
}

fn challenge<B>(response: &http::Response<B>) -> Option<&HeaderValue> {
    response.headers().get("www-authenticate")
}

/// Records so many proofs of many clients, spread over that time from now on.
pub(crate) fn proofs(served: &Served, numbers: Range<u64>, over: Duration) {
    let count = u32::try_from(numbers.end - numbers.start).expect("not that many");
    let start = served.clock.now();
    counting(|| {
        for (step, number) in (0..count).zip(numbers) {
            let now = start + over.mul_f64(f64::from(step) / f64::from(count));
            claim(served, number, now);
        }
    });
    served.clock.advance(over);
}

fn claim(served: &Served, number: u64, now: SystemTime) {
    let proof =
        proof_use(digest(number << 20), digest(number % 10_000), now..=now + PROOF_LIFE, now);
    let claim = served.replay.claim(&proof);
    assert!(matches!(claim, Claim::Done(Ok(ClaimOutcome::First))), "{claim:?}");
}
