//! Runtimes that cannot do what is asked of them.

use tower_resource_server::ResourceServer;
use tower_resource_server::testing::TestAuthorizationServer;

use crate::support::{ISSUER, RESOURCE, present};

#[test]
fn a_runtime_without_timers_is_an_outage_and_no_panic() {
    let authorization_server = TestAuthorizationServer::new(ISSUER);
    let issuer = authorization_server.trusted().introspect(authorization_server.introspection());
    let server = ResourceServer::builder(RESOURCE).issuer(issuer);
    let server = server.fetch(authorization_server.clone()).build().expect("valid");
    let signed = authorization_server.token().build();
    let opaque = authorization_server.opaque(&authorization_server.token());
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    // Nothing can be timed out there, so nothing is waited for.
    for token in [signed, opaque] {
        runtime.block_on(present(&server, &token)).assert_x503();
    }
}
