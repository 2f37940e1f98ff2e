//! Key sets behind a URL: fetches, outages, rotation.

mod fetches;
mod freshness;
mod outages;
mod ready;
mod rotation;
mod sets;
mod told;
mod unknown;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use futures_util::FutureExt;
use http::Request;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tower_resource_server::fetch::{Fetch, FetchError, FetchErrorKind, FetchFuture, FetchLimits};
use tower_resource_server::testing::{FixedClock, Flaw, ScriptedFetch, SigningKey, TestIssuer};
use tower_resource_server::{
    Algorithm, Builder, Clock, Event, Issuer, KeyState, MetadataError, Observer, RefreshError,
    RejectionKind, ResourceServer,
};

use crate::observability::Capture;
use crate::support::{
    Answer, ISSUER, NOW, RESOURCE, assert_accepted_after, key, let_others_run, present, trusting,
};

const JWKS: &str = "https://as.example.com/jwks";
const FRESH: Duration = Duration::from_secs(600);
pub(crate) const COOL_DOWN: Duration = Duration::from_secs(30);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What is told of keys and metadata: so many usable keys, or why not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Happened {
    Keys(usize),
    NoKeys(RefreshError),
    Metadata,
    NoMetadata(MetadataError),
}

/// Remembers what is told of keys and metadata.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<Happened>>>);

impl Observer for Told {
    fn observe(&self, event: &Event<'_>) {
        self.0.lock().expect("no panic").push(match *event {
            Event::KeysRefreshed { usable, .. } => Happened::Keys(usable),
            Event::KeyRefreshFailed { error, .. } => Happened::NoKeys(error),
            Event::MetadataRefreshed { .. } => Happened::Metadata,
            Event::MetadataRefreshFailed { error, .. } => Happened::NoMetadata(error),
            _ => return,
        });
    }
}

impl Told {
    pub(crate) fn all(&self) -> Vec<Happened> {
        self.0.lock().expect("no panic").clone()
    }
}

/// What became of a fetch: so many usable keys, or why not.
type Refresh = Result<usize, RefreshError>;

/// Remembers how each fetch ended.
#[derive(Clone, Debug, Default)]
struct Refreshes(Arc<Mutex<Vec<Refresh>>>);

impl Observer for Refreshes {
    fn observe(&self, event: &Event<'_>) {
        let refresh = match *event {
            Event::KeysRefreshed { issuer, usable, .. } => Some((issuer, Ok(usable))),
            Event::KeyRefreshFailed { issuer, error, .. } => Some((issuer, Err(error))),
            _ => None,
        };
        if let Some((issuer, outcome)) = refresh {
            assert!(issuer.starts_with("https://"), "{issuer}");
            self.0.lock().expect("no panic").push(outcome);
        }
    }
}

impl Refreshes {
    fn all(&self) -> Vec<Refresh> {
        self.0.lock().expect("no panic").clone()
    }

    /// Lets other tasks run until that many fetches have ended.
    async fn ended(&self, count: usize) {
        let_others_run().await;
        assert_eq!(self.all().len(), count, "{:?}", self.all());
    }
}

/// A server whose issuer publishes its keys behind a scripted URL.
struct Remote {
    issuer: TestIssuer,
    clock: FixedClock,
    fetch: ScriptedFetch,
    refreshes: Refreshes,
    server: ResourceServer,
}

impl Remote {
    /// The key set is there.
    fn up() -> Self {
        let remote = Self::with(|builder| builder);
        remote.publish();
        remote
    }

    /// Every fetch fails until something is published.
    fn down() -> Self {
        Self::with(|builder| builder)
    }

    /// Down, with more settings.
    fn with(change: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = FixedClock::at(NOW);
        let issuer = TestIssuer::new(ISSUER).clock(clock.clone());
        let (fetch, refreshes) = (ScriptedFetch::new(), Refreshes::default());
        let builder = ResourceServer::builder(RESOURCE).issuer(Issuer::jwks_uri(ISSUER, JWKS));
        let builder = builder.clock(clock.clone()).fetch(fetch.clone());
        let server = change(builder.observer(refreshes.clone())).build().expect("valid");
        Self { issuer, clock, fetch, refreshes, server }
    }

    /// Up, and the first fetch is over.
    async fn loaded() -> Self {
        let remote = Self::up();
        remote.server.ready().await.expect("the keys are there");
        assert_eq!(remote.fetch.count(), 1);
        remote
    }

    fn publish(&self) {
        self.fetch.always_json(self.issuer.jwks_json());
    }

    fn rotate(&mut self, kid: &str) {
        self.issuer.rotate(key(Algorithm::ES256, kid));
        self.publish();
    }

    fn go_down(&self) {
        self.fetch.always_fail(FetchErrorKind::Transport);
    }

    fn later(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// A token that is valid for ten days, so that only keys age.
    fn token(&self) -> String {
        self.issuer.token().expires_in(10 * DAY).build()
    }

    async fn send(&self, token: &str) -> Answer {
        present(&self.server, token).await
    }

    /// The answer to a request that has nothing to wait for.
    fn at_once(&self, token: &str) -> Answer {
        self.send(token).now_or_never().expect("the request waits for something")
    }
}

/// The token under another key id. Its signature is not even looked at where the id is unknown.
pub(crate) fn renamed(token: &str, kid: &str) -> String {
    let header = json!({ "typ": "at+jwt", "alg": "ES256", "kid": kid }).to_string();
    let (_, rest) = token.split_once('.').expect("a JWS");
    format!("{}.{rest}", BASE64URL.encode(header))
}

pub(crate) fn assert_unknown(answer: &Answer) {
    answer.assert_t401();
    assert_eq!(answer.kind(), Some(RejectionKind::UnknownKey));
}

fn assert_bad_signature(answer: &Answer) {
    answer.assert_t401();
    assert_eq!(answer.kind(), Some(RejectionKind::BadSignature));
}

pub(crate) fn assert_unavailable(answer: &Answer) {
    answer.assert_x503();
    assert_eq!(answer.kind(), Some(RejectionKind::KeysUnavailable));
}

/// A server that trusts two issuers by that fetch.
fn two_issuers(fetch: &ScriptedFetch) -> ResourceServer {
    let two = Issuer::jwks_uri("https://two.example.com", "https://two.example.com/jwks");
    let builder = trusting(Issuer::jwks_uri(ISSUER, JWKS)).issuer(two);
    builder.fetch(fetch.clone()).build().expect("valid")
}
