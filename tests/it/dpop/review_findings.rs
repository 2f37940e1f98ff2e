//! What a review found and did not mend.

use std::time::Duration;

use futures_util::FutureExt;
use http::Request;
use tower_resource_server::testing::TestIssuer;
use tower_resource_server::{Algorithm, Dpop};

use super::bed::DpopBed;
use crate::support::{ISSUER, RESOURCE, get, send};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
#[ignore = "finding 8"]
async fn a_request_whose_own_path_has_dot_segments_is_for_no_other_route() {
    for path in ["/admin/../r", "/admin/%2e%2E/r"] {
        let bed = DpopBed::new(Dpop::new());
        let request = Request::get(path).body(Default::default()).expect("a request");
        // A proof for `/r`, while the router sees something below `/admin`.
        let answer = send(bed.bed.server.authenticate(), bed.proof().authorize(request)).await;
        assert!(!answer.handled, "{path}");
    }
}

#[test]
#[ignore = "finding 11"]
fn an_algorithm_that_is_listed_twice_is_a_fault_or_named_once() {
    let dpop = Dpop::new().algorithms([Algorithm::ES256, Algorithm::ES256]);
    let Ok(server) = TestIssuer::new(ISSUER).resource_server(RESOURCE).dpop(dpop).build() else {
        return;
    };
    let answer = send(server.authenticate(), get(&[])).now_or_never().expect("at once");
    assert_eq!(answer.challenge_of("DPoP").get("algs"), Some("ES256"));
}

#[tokio::test]
#[ignore = "finding 9"]
async fn a_server_whose_clock_was_set_back_fails_closed_even_where_stores_may_fail() {
    let mut bed = DpopBed::with(|builder| builder.danger().accept_unrecorded_proofs());
    bed.token = bed.bed.issuer.token().bound_to(&bed.key).expires_in(48 * HOUR).build();
    let used = bed.proof();
    bed.prove(&used).await.assert_ok();
    bed.bed.clock.advance(HOUR);
    // What is over is dropped from the store as others go on.
    for _ in 0..2_000 {
        bed.prove(&bed.proof()).await.assert_ok();
    }
    bed.bed.clock.rewind(HOUR);
    assert!(!bed.prove(&used).await.handled);
}
