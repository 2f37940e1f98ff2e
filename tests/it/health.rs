//! What a server tells of its keys, for probes and dashboards.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::routing::get;
use futures_util::FutureExt;
use http::{Request, StatusCode};
use tower::ServiceExt;
use tower_resource_server::fetch::FetchErrorKind;
use tower_resource_server::testing::{FixedClock, ScriptedFetch, TestIssuer};
use tower_resource_server::{
    AllowedIssuers, Health, Issuer, IssuerHealth, IssuerResolver, KeyState, MetadataError,
    RefreshError, ResolveFuture, ResourceServer,
};

use crate::keys::DAY;
use crate::support::let_others_run;
use crate::support::{ISSUER, NOW, RESOURCE, present};

const JWKS: &str = "https://as.example.com/jwks";

struct Probed {
    issuer: TestIssuer,
    clock: FixedClock,
    fetch: ScriptedFetch,
    server: ResourceServer,
}

impl Probed {
    fn new() -> Self {
        let clock = FixedClock::at(NOW);
        let issuer = TestIssuer::new(ISSUER).clock(clock.clone());
        let fetch = ScriptedFetch::new();
        let builder = ResourceServer::builder(RESOURCE).issuer(Issuer::jwks_uri(ISSUER, JWKS));
        let server = builder.clock(clock.clone()).fetch(fetch.clone()).build().expect("valid");
        Self { issuer, clock, fetch, server }
    }

    async fn loaded() -> Self {
        let probed = Self::new();
        probed.fetch.always_json(probed.issuer.jwks_json());
        probed.server.ready().await.expect("the keys are there");
        probed
    }

    fn keys(&self) -> IssuerHealth {
        let health = self.server.health();
        assert_eq!(health.issuers().len(), 1);
        health.issuers()[0].clone()
    }

    fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    async fn request(&self) {
        let token = self.issuer.token().expires_in(10 * DAY).build();
        present(&self.server, &token).await;
        let_others_run().await;
    }
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

#[tokio::test]
async fn keys_go_from_missing_to_fresh_to_stale_to_missing() {
    let probed = Probed::new();
    let keys = probed.keys();
    assert_eq!((keys.key_state(), keys.usable_keys()), (KeyState::Missing, 0));
    assert_eq!((keys.age(), keys.stale_at(), keys.unusable_at()), (None, None, None));
    assert!(!probed.server.health().is_ready());

    let probed = Probed::loaded().await;
    probed.later(599);
    let keys = probed.keys();
    assert_eq!((keys.key_state(), keys.usable_keys()), (KeyState::Fresh, 1));
    assert_eq!(keys.age(), Some(Duration::from_secs(599)));
    assert_eq!(keys.stale_at(), Some(at(NOW + 600)));
    assert_eq!(keys.unusable_at(), Some(at(NOW + 600) + DAY));

    probed.later(1);
    let keys = probed.keys();
    assert_eq!((keys.key_state(), keys.usable_keys()), (KeyState::Stale, 1));
    assert!(probed.server.health().is_ready());

    probed.later(DAY.as_secs());
    let keys = probed.keys();
    assert_eq!((keys.key_state(), keys.usable_keys()), (KeyState::Missing, 0));
    assert_eq!(keys.unusable_at(), Some(at(NOW + 600) + DAY));
    assert!(!probed.server.health().is_ready());
}

#[tokio::test]
async fn asking_fetches_nothing_and_needs_no_runtime() {
    let probed = Probed::loaded().await;
    for seconds in [0, 480, 600, 2 * DAY.as_secs()] {
        probed.later(seconds);
        for _ in 0..100 {
            let _ = probed.server.health();
        }
        let_others_run().await;
    }
    assert_eq!(probed.fetch.count(), 1);
    std::thread::spawn(move || probed.server.health().is_ready()).join().expect("no panic");
}

#[tokio::test]
async fn failures_are_counted_and_the_last_is_remembered() {
    let probed = Probed::loaded().await;
    assert_eq!(probed.keys().last_error(), None);
    probed.fetch.always_fail(FetchErrorKind::Timeout);
    probed.later(480);
    probed.request().await;
    probed.fetch.always(503, "text/plain", "");
    probed.later(1);
    probed.request().await;
    let keys = probed.keys();
    assert_eq!(keys.key_state(), KeyState::Fresh);
    assert_eq!(keys.consecutive_failures(), 2);
    assert_eq!(keys.last_error(), Some(RefreshError::Status));
    assert_eq!(keys.last_error_at(), Some(at(NOW + 481)));
    assert_eq!(
        keys.to_string(),
        "https://as.example.com: fresh, 1 key, 481 s old, 2 failures: the answer's status is not 200"
    );

    probed.fetch.always_json(probed.issuer.jwks_json());
    probed.later(2);
    probed.request().await;
    let keys = probed.keys();
    assert_eq!((keys.consecutive_failures(), keys.age()), (0, Some(Duration::ZERO)));
    assert_eq!(keys.last_error(), Some(RefreshError::Status));
    assert_eq!(keys.to_string(), "https://as.example.com: fresh, 1 key, 0 s old");
}

#[tokio::test]
async fn a_clock_that_goes_back_makes_no_key_fresh() {
    let probed = Probed::loaded().await;
    probed.clock.rewind(Duration::from_secs(3600));
    let keys = probed.keys();
    assert_eq!((keys.key_state(), keys.age()), (KeyState::Stale, Some(Duration::ZERO)));
}

#[tokio::test]
async fn a_set_emptied_on_purpose_is_fresh_and_has_no_keys() {
    let probed = Probed::new();
    probed.fetch.always_json(serde_json::json!({ "keys": [] }));
    probed.server.ready().await.expect("a set is there");
    let keys = probed.keys();
    assert_eq!((keys.key_state(), keys.usable_keys()), (KeyState::Fresh, 0));
}

/// A static set, keys behind a URL, and metadata to look up: each issuer in its place.
fn three_kinds(fetch: &ScriptedFetch) -> ResourceServer {
    let fixed = TestIssuer::new("https://fixed.example.com");
    ResourceServer::builder(RESOURCE)
        .issuer(fixed.trusted())
        .issuer(Issuer::jwks_uri(ISSUER, JWKS))
        .issuer(Issuer::discover("https://found.example.com"))
        .clock(FixedClock::at(NOW))
        .fetch(fetch.clone())
        .build()
        .expect("valid")
}

#[tokio::test]
async fn every_issuer_is_told_in_the_order_of_the_configuration() {
    let fetch = ScriptedFetch::new();
    fetch.always(404, "text/plain", "");
    fetch.json_at(JWKS, TestIssuer::new(ISSUER).jwks_json());
    let server = three_kinds(&fetch);
    server.ready().await.expect_err("the third has no metadata");
    let health: Health = server.clone().health();
    let [fixed, remote, found] = health.issuers() else { panic!("three issuers") };
    assert_eq!(fixed.identifier(), "https://fixed.example.com");
    assert_eq!((fixed.key_state(), fixed.usable_keys()), (KeyState::Fresh, 1));
    assert_eq!((fixed.age(), fixed.stale_at(), fixed.unusable_at()), (None, None, None));
    assert_eq!((fixed.last_error(), fixed.last_error_at()), (None, None));
    assert_eq!(remote.key_state(), KeyState::Fresh);
    let error = RefreshError::Metadata(MetadataError::NotFound);
    assert_eq!((found.key_state(), found.last_error()), (KeyState::Missing, Some(error)));
    assert!(!health.is_ready());
    assert_eq!(
        health.to_string(),
        "https://fixed.example.com: fresh, 1 key\n\
         https://as.example.com: fresh, 1 key, 0 s old\n\
         https://found.example.com: missing, 0 keys, 1 failure: \
         metadata: no well-known place has a document"
    );
}

/// Discovers every issuer it is asked about.
#[derive(Debug)]
struct Tenants;

impl IssuerResolver for Tenants {
    fn resolve<'a>(&'a self, identifier: &'a str) -> ResolveFuture<'a> {
        Box::pin(async move { Ok(Some(Issuer::discover(identifier))) })
    }
}

#[tokio::test]
async fn an_issuer_that_was_found_is_told_and_makes_nothing_unready() {
    let fetch = ScriptedFetch::new().always(404, "text/plain", "");
    let tenant = TestIssuer::new("https://tenants.example.com/blue").clock(FixedClock::at(NOW));
    let server = ResourceServer::builder(RESOURCE)
        .issuer(TestIssuer::new(ISSUER).trusted())
        .resolve_issuers(AllowedIssuers::below("https://tenants.example.com/"), Tenants)
        .clock(FixedClock::at(NOW))
        .fetch(fetch)
        .build()
        .expect("valid");
    assert_eq!(server.health().issuers().len(), 1);
    present(&server, &tenant.token().build()).await.assert_x503();
    let health = server.health();
    let [configured, found] = health.issuers() else { panic!("two issuers") };
    assert_eq!((configured.identifier(), configured.key_state()), (ISSUER, KeyState::Fresh));
    assert_eq!((found.identifier(), found.key_state()), (tenant.issuer(), KeyState::Missing));
    // One tenant's outage does not stop the server for the rest.
    assert!(health.is_ready());
}

/// As in the documentation of [`Health`].
async fn readiness(State(server): State<ResourceServer>) -> (StatusCode, String) {
    let _ = server.ready().await;
    let health = server.health();
    let status = match health.is_ready() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, health.to_string())
}

#[tokio::test]
async fn a_probe_brings_the_keys_of_a_server_that_gets_no_requests() {
    let probed = Probed::new();
    let router = axum::Router::new().route("/ready", get(readiness));
    let router = router.with_state(probed.server.clone());
    let probe = async || {
        let request = Request::get("/ready").body(axum::body::Body::empty()).expect("a request");
        router.clone().oneshot(request).await.expect("infallible").status()
    };
    assert_eq!(probe().await, StatusCode::SERVICE_UNAVAILABLE);
    probed.fetch.always_json(probed.issuer.jwks_json());
    assert_eq!(probe().await, StatusCode::SERVICE_UNAVAILABLE, "it rests");
    probed.later(1);
    assert_eq!(probe().await, StatusCode::OK);
    // It also keeps them: the refresh that is due is begun, and not waited for.
    probed.later(480);
    assert_eq!(probe().now_or_never(), Some(StatusCode::OK));
    let_others_run().await;
    assert_eq!(probed.keys().age(), Some(Duration::ZERO));
}

#[test]
fn states_have_stable_names() {
    for (state, name) in
        [(KeyState::Fresh, "fresh"), (KeyState::Stale, "stale"), (KeyState::Missing, "missing")]
    {
        assert_eq!((state.name(), state.to_string().as_str()), (name, name));
    }
}
