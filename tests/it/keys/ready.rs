//! Loading keys before serving.

use super::*;

#[tokio::test]
async fn ready_loads_every_issuer_once() {
    let remote = Remote::up();
    remote.server.ready().await.expect("the keys are there");
    remote.server.ready().await.expect("they still are");
    assert_eq!(remote.fetch.count(), 1);
    remote.at_once(&remote.token()).assert_ok();
}

#[tokio::test]
async fn ready_names_the_issuers_without_keys() {
    let fetch = ScriptedFetch::new();
    let server = two_issuers(&fetch);
    fetch.respond(200, "application/json", TestIssuer::new(ISSUER).jwks_bytes());
    let error = server.ready().await.expect_err("the second is down");
    assert_eq!(error.issuers(), ["https://two.example.com"]);
    assert!(error.to_string().contains("https://two.example.com"));
    assert_eq!(fetch.requests(), [JWKS, "https://two.example.com/jwks"]);
}

#[tokio::test]
async fn a_fixed_set_is_ready_at_once_and_asks_nobody() {
    let fetch = ScriptedFetch::new();
    let issuer = TestIssuer::new(ISSUER).clock(FixedClock::at(NOW));
    let builder = issuer.resource_server(RESOURCE).clock(FixedClock::at(NOW));
    let server = builder.fetch(fetch.clone()).build().expect("valid");
    server.ready().now_or_never().expect("nothing to wait for").expect("ready");
    assert_unknown(&present(&server, &issuer.token().flaw(Flaw::UnknownKeyId).build()).await);
    assert_eq!(fetch.count(), 0);
}
