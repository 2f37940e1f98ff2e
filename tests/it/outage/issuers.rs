//! The outage of one issuer, and the tokens of another.

use std::time::Duration;

use futures_util::FutureExt;
use tower_resource_server::testing::{Condition, FixedClock, TestAuthorizationServer, TestIssuer};
use tower_resource_server::{KeyState, RejectionKind, ResourceServer};

use super::clients::assert_kind;
use crate::support::{NOW, RESOURCE, present};

#[tokio::test(start_paused = true)]
async fn one_issuers_outage_touches_no_other() {
    let clock = FixedClock::at(NOW);
    let issuer = |name: &str| TestIssuer::new(format!("https://{name}.example.com"));
    let up = TestAuthorizationServer::of(issuer("up").clock(clock.clone()));
    let down = TestAuthorizationServer::of(issuer("down").clock(clock.clone()));
    down.set(Condition::Silent);
    let both = Both(up.clone(), down.clone());
    let server = ResourceServer::builder(RESOURCE)
        .issuer(up.trusted())
        .issuer(down.trusted())
        .fetch(both)
        .clock(clock.clone())
        .build()
        .expect("a valid configuration");
    assert_kind(&present(&server, &down.token().build()).await, RejectionKind::KeysUnavailable);
    let begun = tokio::time::Instant::now();
    present(&server, &up.token().build()).await.assert_ok();
    for _ in 0..100 {
        let good = present(&server, &up.token().build()).now_or_never();
        good.expect("it waits for nobody").assert_ok();
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
    let states: Vec<_> = server
        .health()
        .issuers()
        .iter()
        .map(tower_resource_server::IssuerHealth::key_state)
        .collect();
    assert_eq!(states, [KeyState::Fresh, KeyState::Missing]);
    assert!(!server.health().is_ready());
}

/// Two authorization servers, told apart by host.
#[derive(Debug)]
struct Both(TestAuthorizationServer, TestAuthorizationServer);

impl tower_resource_server::fetch::Fetch for Both {
    fn fetch(
        &self,
        request: http::Request<bytes::Bytes>,
        limits: tower_resource_server::fetch::FetchLimits,
    ) -> tower_resource_server::fetch::FetchFuture<'_> {
        match request.uri().host() {
            Some("up.example.com") => self.0.fetch(request, limits),
            _ => self.1.fetch(request, limits),
        }
    }
}
