//! What a review found and did not mend.

use http::Request;
use tower_resource_server::Dpop;

use crate::dpop_bed::DpopBed;
use crate::support::send;

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
