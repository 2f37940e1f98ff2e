//! Key sets behind a URL: fetches, outages, rotation.

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
use crate::support::{Answer, ISSUER, NOW, RESOURCE, key, let_others_run, present, trusting};

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

#[tokio::test]
async fn a_hundred_first_requests_share_one_fetch() {
    let remote = Remote::up();
    let hold = remote.fetch.hold();
    let mut requests = JoinSet::new();
    for _ in 0..100 {
        let (server, token) = (remote.server.clone(), remote.token());
        requests.spawn(async move { present(&server, &token).await });
    }
    let_others_run().await;
    assert!(requests.try_join_next().is_none(), "all of them wait");
    hold.release();
    for answer in requests.join_all().await {
        answer.assert_ok();
    }
    // R7517-9-1: single flight.
    assert_eq!(remote.fetch.count(), 1);
    assert_eq!(remote.fetch.requests(), [JWKS]);
}

#[tokio::test]
async fn what_breaks_the_limits_of_a_fetch_is_not_used() {
    for (body, outcome) in [
        (10 * 1024 * 1024, Err(RefreshError::Fetch(FetchErrorKind::TooLarge))),
        (512 * 1024 + 1, Err(RefreshError::Fetch(FetchErrorKind::TooLarge))),
        (512 * 1024, Ok(1)),
    ] {
        let remote = Remote::down();
        let mut set = remote.issuer.jwks_json().to_string();
        set.push_str(&" ".repeat(body - set.len()));
        remote.fetch.always(200, "application/json", set);
        let answer = remote.send(&remote.token()).await;
        // R7517-9-1: 512 KiB and no more; 10 MB are discarded, whatever the client did.
        assert_eq!(remote.refreshes.all(), [outcome]);
        match outcome {
            Ok(_) => answer.assert_ok(),
            Err(_) => assert_unavailable(&answer),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_hanging_fetch_is_given_up() {
    let remote = Remote::up();
    remote.fetch.hang();
    let begun = tokio::time::Instant::now();
    assert_unavailable(&remote.send(&remote.token()).await);
    // R7517-9-1: after the timeout of 5 s, whatever the client does about it.
    assert!((5..6).contains(&begun.elapsed().as_secs()));
    assert_eq!(remote.refreshes.all(), [Err(RefreshError::Fetch(FetchErrorKind::Timeout))]);
    remote.later(Duration::from_secs(1));
    remote.send(&remote.token()).await.assert_ok();
}

#[tokio::test(start_paused = true)]
async fn the_timeout_can_be_set() {
    let remote = Remote::with(|builder| builder.fetch_timeout(Duration::from_secs(1)));
    remote.fetch.hang();
    let begun = tokio::time::Instant::now();
    assert_unavailable(&remote.send(&remote.token()).await);
    assert_eq!(begun.elapsed().as_secs(), 1);
}

#[test]
fn keys_are_fetched_over_https_only() {
    for uri in ["http://as.example.com/jwks", "ftp://as.example.com/jwks", "/jwks", ""] {
        let builder = trusting(Issuer::jwks_uri(ISSUER, uri)).fetch(ScriptedFetch::new());
        let error = builder.build().expect_err(uri);
        // R7517-9-1: the URL is refused when the server is configured.
        assert_eq!(error.faults()[0].setting(), "jwks_uri", "{uri:?}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let remote = Remote::up();
    let moved = http::Response::builder().status(302).header("location", "https://evil.example/");
    remote.fetch.respond_with(moved.body(bytes::Bytes::new()).expect("a response"));
    assert_unavailable(&remote.send(&remote.token()).await);
    // R7517-9-1: none by default.
    assert_eq!(remote.refreshes.all(), [Err(RefreshError::Status)]);
    assert_eq!(remote.fetch.requests(), [JWKS]);
}

/// Asserts that keys which came with that Cache-Control are fresh for so long, and asked for again
/// when four fifths of that are over.
async fn assert_fresh_for(cache_control: Option<&str>, seconds: u64) {
    let remote = Remote::up();
    if let Some(value) = cache_control {
        remote.fetch.with_header("cache-control", value);
    }
    remote.server.ready().await.expect("the keys are there");
    let stale_at = remote.server.health().issuers()[0].stale_at().expect("keys");
    assert_eq!(stale_at, remote.clock.now() + Duration::from_secs(seconds), "{cache_control:?}");
    let token = remote.token();
    remote.later(Duration::from_secs(seconds) / 5 * 4 - Duration::from_millis(1));
    remote.send(&token).await.assert_ok();
    let_others_run().await;
    assert_eq!(remote.fetch.count(), 1, "{cache_control:?}");
    remote.later(Duration::from_millis(1));
    remote.at_once(&token).assert_ok();
    remote.refreshes.ended(2).await;
    assert_eq!(remote.fetch.count(), 2, "{cache_control:?}");
}

#[tokio::test]
async fn cache_control_is_respected_within_bounds() {
    // R7517-9-1: max-age, at least a minute and at most a day.
    assert_fresh_for(Some("public, max-age=120"), 120).await;
    assert_fresh_for(Some("max-age=1"), 60).await;
    assert_fresh_for(Some("no-store"), 60).await;
    assert_fresh_for(Some("max-age=999999999"), 24 * 60 * 60).await;
    assert_fresh_for(Some("max-age=soon"), 600).await;
    assert_fresh_for(None, 600).await;
}

/// Four fifths of [`FRESH`].
const DUE: Duration = Duration::from_secs(480);

#[tokio::test]
async fn keys_are_renewed_before_they_age_and_nobody_waits() {
    let remote = Remote::loaded().await;
    let cached = remote.token();
    remote.send(&cached).await.assert_ok();
    remote.later(DUE);
    let hold = remote.fetch.hold();
    for token in [&cached, &remote.token(), &cached] {
        remote.at_once(token).assert_ok();
        let_others_run().await;
    }
    assert_eq!(remote.fetch.count(), 2);
    hold.release();
    remote.refreshes.ended(2).await;
    remote.later(FRESH - DUE);
    let health = remote.server.health();
    assert_eq!(health.issuers()[0].key_state(), KeyState::Fresh);
    remote.at_once(&cached).assert_ok();
    let_others_run().await;
    assert_eq!(remote.fetch.count(), 2);
}

#[tokio::test]
async fn a_rotation_with_overlap_is_known_before_a_token_shows_it() {
    let mut remote = Remote::loaded().await;
    let old = remote.token();
    remote.send(&old).await.assert_ok();
    let first = remote.issuer.key().public_jwk();
    remote.issuer.rotate(key(Algorithm::ES256, "test-2"));
    let second = remote.issuer.key().public_jwk();
    remote.fetch.always_json(json!({ "keys": [first, second] }));
    remote.later(DUE);
    remote.at_once(&old).assert_ok();
    remote.refreshes.ended(2).await;
    // Neither the first token of the new key nor the last of the old one waits for anything.
    remote.at_once(&remote.token()).assert_ok();
    remote.at_once(&old).assert_ok();
    remote.fetch.always_json(json!({ "keys": [second] }));
    remote.later(DUE);
    remote.at_once(&remote.token()).assert_ok();
    remote.refreshes.ended(3).await;
    assert_unknown(&remote.send(&old).await);
}

#[tokio::test]
async fn an_early_refresh_that_fails_is_tried_again_while_the_keys_are_fresh() {
    let remote = Remote::loaded().await;
    let cached = remote.token();
    remote.send(&cached).await.assert_ok();
    remote.go_down();
    remote.later(DUE);
    for failures in 1..=4 {
        remote.at_once(&cached).assert_ok();
        remote.refreshes.ended(1 + failures).await;
        // The rest has begun: nothing more is asked until it is over.
        remote.at_once(&cached).assert_ok();
        let_others_run().await;
        assert_eq!(remote.fetch.count(), 1 + failures);
        remote.later(Duration::from_secs(1 << (failures - 1)));
    }
    assert_eq!(remote.server.health().issuers()[0].key_state(), KeyState::Fresh);
    remote.publish();
    remote.at_once(&cached).assert_ok();
    remote.refreshes.ended(6).await;
    assert_eq!(remote.server.health().issuers()[0].consecutive_failures(), 0);
}

#[tokio::test]
async fn a_failed_refresh_is_one_log_event_with_its_cause() {
    #[derive(Debug)]
    struct Refused;
    impl Fetch for Refused {
        fn fetch(&self, _: Request<bytes::Bytes>, _: FetchLimits) -> FetchFuture<'_> {
            let source = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
            let error = FetchError::with_source(FetchErrorKind::Transport, source);
            Box::pin(async { Err(error) })
        }
    }
    let remote = Remote::with(|builder| builder.fetch(Refused));
    let log = Capture::start();
    assert_unavailable(&remote.send(&remote.token()).await);
    let events = log.of("tower_resource_server::keys");
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0].level, tracing::Level::WARN);
    for (field, value) in [
        ("message", "key refresh failed"),
        ("issuer", ISSUER),
        ("uri", JWKS),
        ("error", "the connection failed"),
        ("cause", "connection refused"),
        ("old_keys_kept", "false"),
    ] {
        assert_eq!(events[0].get(field), Some(value));
    }
}

#[tokio::test]
async fn what_is_told_of_failures_is_enough_for_an_alarm() {
    /// Failures in a row, and seconds that are left.
    type Alarm = (u32, Option<u64>);
    #[derive(Clone, Debug, Default)]
    struct Alarms(Arc<Mutex<Vec<Alarm>>>);
    impl Observer for Alarms {
        fn observe(&self, event: &Event<'_>) {
            if let Event::KeyRefreshFailed { failures, usable_for, .. } = *event {
                let left = usable_for.map(|left| left.as_secs());
                self.0.lock().expect("no panic").push((failures, left));
            }
        }
    }
    let alarms = Alarms::default();
    let remote = Remote::with(|builder| builder.observer(alarms.clone()));
    remote.send(&remote.token()).await.assert_x503();
    remote.publish();
    remote.later(Duration::from_secs(1));
    remote.send(&remote.token()).await.assert_ok();
    remote.go_down();
    for _ in 0..2 {
        remote.later(FRESH);
        remote.send(&remote.token()).await.assert_ok();
        let_others_run().await;
    }
    let day = DAY.as_secs();
    let expected = [(1, None), (1, Some(day)), (2, Some(day - 600))];
    assert_eq!(*alarms.0.lock().expect("no panic"), expected);
}

#[tokio::test]
async fn unknown_key_ids_cause_one_fetch_a_cool_down() {
    let remote = Remote::loaded().await;
    let token = remote.token();
    for n in 0..1000 {
        assert_unknown(&remote.send(&renamed(&token, &format!("random-{n}"))).await);
        remote.later(Duration::from_millis(1));
    }
    // R7517-9-2: a thousand in a second, one fetch.
    assert_eq!(remote.fetch.count(), 2);
    remote.later(COOL_DOWN - Duration::from_millis(1001));
    assert_unknown(&remote.send(&renamed(&token, "random")).await);
    assert_eq!(remote.fetch.count(), 2);
    remote.later(Duration::from_millis(1));
    assert_unknown(&remote.send(&renamed(&token, "random")).await);
    assert_eq!(remote.fetch.count(), 3);
    remote.send(&token).await.assert_ok();
}

#[tokio::test]
async fn unknown_key_ids_cause_no_storm_when_the_fetch_fails() {
    let remote = Remote::loaded().await;
    let token = remote.token();
    remote.go_down();
    for n in 0..1000 {
        // While the keys cannot be fetched, an unknown id proves nothing: D-19.
        assert_unavailable(&remote.send(&renamed(&token, &format!("random-{n}"))).await);
    }
    assert_eq!(remote.fetch.count(), 2);
    remote.send(&token).await.assert_ok();
    for round in 0..5 {
        let before = remote.fetch.count();
        remote.later(COOL_DOWN - Duration::from_millis(1));
        assert_unavailable(&remote.send(&renamed(&token, "random")).await);
        assert_eq!(remote.fetch.count(), before, "{round}");
        remote.later(Duration::from_millis(1));
        assert_unavailable(&remote.send(&renamed(&token, "random")).await);
        assert_eq!(remote.fetch.count(), before + 1, "{round}");
    }
    remote.publish();
    remote.later(COOL_DOWN);
    assert_unknown(&remote.send(&renamed(&token, "random")).await);
}

#[tokio::test]
async fn a_hundred_unknown_key_ids_at_once_share_one_fetch() {
    let remote = Remote::loaded().await;
    let hold = remote.fetch.hold();
    let mut requests = JoinSet::new();
    for n in 0..100 {
        let server = remote.server.clone();
        let token = renamed(&remote.token(), &format!("random-{n}"));
        requests.spawn(async move { present(&server, &token).await });
    }
    let_others_run().await;
    hold.release();
    for answer in requests.join_all().await {
        assert_unknown(&answer);
    }
    assert_eq!(remote.fetch.count(), 2);
}

#[tokio::test]
async fn bad_signatures_cause_one_fetch_a_cool_down() {
    let remote = Remote::loaded().await;
    for _ in 0..2 {
        let before = remote.fetch.count();
        for flaw in [Flaw::BadSignature, Flaw::WrongKey, Flaw::EmptySignature, Flaw::EmbeddedKey] {
            remote.send(&remote.issuer.token().flaw(flaw).build()).await.assert_t401();
        }
        assert_eq!(remote.fetch.count(), before + 1);
        remote.later(COOL_DOWN);
    }
}

/// A newer key may have signed it, under the same id or none, and its issuer cannot be asked (D-19).
async fn assert_open_in_an_outage(kid: Option<&str>) {
    let key = || {
        let key = SigningKey::generate(Algorithm::ES256);
        kid.map_or(key.clone(), |kid| key.with_kid(kid))
    };
    let mut remote = Remote::up();
    remote.issuer = TestIssuer::with_key(ISSUER, key()).clock(remote.clock.clone());
    remote.publish();
    remote.send(&remote.token()).await.assert_ok();
    let old = remote.issuer.token().expires_in(DAY).flaw(Flaw::BadSignature).build();
    remote.go_down();
    remote.later(Duration::from_secs(1));
    let known = remote.token();
    remote.issuer.rotate(key());
    let new = remote.token();
    for _ in 0..3 {
        assert_unavailable(&remote.send(&new).await);
        // Older than the keys that are there: these had to verify it.
        assert_bad_signature(&remote.send(&old).await);
        remote.send(&known).await.assert_ok();
        remote.later(COOL_DOWN);
    }
    remote.publish();
    remote.send(&new).await.assert_ok();
    let forged = remote.issuer.token().flaw(Flaw::BadSignature).build();
    assert_bad_signature(&remote.send(&forged).await);
}

#[tokio::test]
async fn no_new_signature_is_bad_for_sure_in_an_outage() {
    assert_open_in_an_outage(None).await;
    assert_open_in_an_outage(Some("test-1")).await;
}

#[tokio::test]
async fn a_set_of_unsound_keys_is_an_accident() {
    let remote = Remote::loaded().await;
    remote.fetch.always_json(json!({ "keys": [off_the_curve("a"), off_the_curve("b")] }));
    let log = Capture::start();
    assert_unavailable(&remote.send(&renamed(&remote.token(), "a")).await);
    assert_eq!(remote.refreshes.all(), [Ok(1), Err(RefreshError::NoUsableKey)]);
    remote.send(&remote.token()).await.assert_ok();
    let failed = log.of("tower_resource_server::keys");
    assert_eq!(failed[0].get("cause"), Some("passed over: {Unsound: 2}"));
}

/// More of them than are tried for one token.
#[tokio::test]
async fn unsound_keys_take_no_good_ones_place() {
    for kid in [None, Some("test-1")] {
        let good = SigningKey::generate(Algorithm::ES256);
        let good = kid.map_or(good.clone(), |kid| good.with_kid(kid));
        let mut keys: Vec<_> = (0..5).map(|_| off_the_curve(kid.unwrap_or("other"))).collect();
        keys.push(good.public_jwk());
        let mut remote = Remote::down();
        remote.issuer = TestIssuer::with_key(ISSUER, good).clock(remote.clock.clone());
        remote.fetch.always_json(json!({ "keys": keys }));
        remote.send(&remote.token()).await.assert_ok();
    }
}

fn off_the_curve(kid: &str) -> Value {
    let mut jwk = key(Algorithm::ES256, kid).public_jwk();
    jwk["x"] = jwk["y"].clone();
    jwk
}

#[tokio::test]
async fn keys_of_other_algorithms_are_told() {
    let issuer = Issuer::jwks_uri(ISSUER, JWKS).algorithms([Algorithm::PS256]);
    let remote = Remote::up();
    let server = ResourceServer::builder(RESOURCE).issuer(issuer).fetch(remote.fetch.clone());
    let log = Capture::start();
    server.build().expect("valid").ready().await.expect_err("none of its keys is accepted");
    let failed = log.of("tower_resource_server::keys");
    assert_eq!(failed[0].get("cause"), Some("passed over: {NotAccepted: 1}"));
}

/// JSON readers pass over it, where nobody looks at it.
#[tokio::test]
async fn an_odd_text_in_one_entry_spoils_no_other() {
    let remote = Remote::down();
    let good = remote.issuer.jwks_json()["keys"][0].to_string();
    let odd = r#"{ "kty": "EC", "kid": "\ud800" }"#;
    remote.fetch.always(200, "application/json", format!(r#"{{ "keys": [{odd}, {good}] }}"#));
    remote.send(&remote.token()).await.assert_ok();
}

/// A key that was published after a fetch was answered, and before that was over.
#[tokio::test]
async fn a_fetch_that_ran_before_is_not_the_last_word_on_a_key() {
    let mut remote = Remote::loaded().await;
    let hold = remote.fetch.hold();
    remote.fetch.respond(200, "application/json", remote.issuer.jwks_json().to_string());
    remote.later(Duration::from_secs(481));
    remote.send(&remote.token()).await.assert_ok();
    // A refresh is under way, with the old set.
    let_others_run().await;
    remote.later(Duration::from_secs(1));
    remote.rotate("test-2");
    let token = remote.token();
    let server = remote.server.clone();
    let waiting = tokio::spawn(async move { present(&server, &token).await });
    let_others_run().await;
    assert_eq!((remote.fetch.count(), waiting.is_finished()), (2, false));
    hold.release();
    waiting.await.expect("no panic").assert_ok();
    assert_eq!(remote.fetch.count(), 3);
    // It was a fetch for an unknown key, so a rest follows.
    assert_unknown(&remote.send(&renamed(&remote.token(), "random")).await);
    assert_eq!(remote.fetch.count(), 3);
}

#[tokio::test]
async fn a_rotation_shows_for_tokens_without_a_key_id_too() {
    let mut remote = Remote::up();
    remote.issuer = TestIssuer::with_key(ISSUER, SigningKey::generate(Algorithm::ES256))
        .clock(remote.clock.clone());
    remote.publish();
    remote.send(&remote.token()).await.assert_ok();
    remote.issuer.rotate(SigningKey::generate(Algorithm::ES256));
    remote.publish();
    remote.send(&remote.token()).await.assert_ok();
}

#[tokio::test]
async fn a_clock_set_back_is_noticed_for_remembered_tokens_too() {
    let mut remote = Remote::loaded().await;
    let old = remote.token();
    remote.send(&old).await.assert_ok();
    remote.rotate("test-2");
    remote.clock.rewind(Duration::from_secs(200));
    let before = remote.refreshes.clone();
    remote.send(&remote.issuer.token().build()).await.assert_ok();
    before.ended(2).await;
    remote.send(&old).await.assert_t401();
}

#[tokio::test]
async fn a_rotation_is_picked_up_after_the_cool_down() {
    let mut remote = Remote::loaded().await;
    let old = remote.token();
    remote.send(&old).await.assert_ok();
    remote.rotate("test-2");
    // The load at start-up has begun no cool-down, so the first rotation shows at once.
    remote.send(&remote.token()).await.assert_ok();
    assert_eq!(remote.fetch.count(), 2);
    assert_unknown(&remote.send(&old).await);
    remote.rotate("test-3");
    assert_unknown(&remote.send(&remote.token()).await);
    assert_eq!(remote.fetch.count(), 2);
    remote.later(COOL_DOWN);
    // R7517-9-2: and the next when the cool-down is over.
    remote.send(&remote.token()).await.assert_ok();
    assert_eq!(remote.fetch.count(), 3);
}

#[tokio::test]
async fn a_server_that_boots_before_its_authorization_server_recovers() {
    let remote = Remote::down();
    let token = remote.token();
    // R7517-9-3: no keys yet is an outage, not the token's fault.
    assert_unavailable(&remote.send(&token).await);
    assert_unavailable(&remote.send(&token).await);
    assert_eq!(remote.fetch.count(), 1);
    remote.publish();
    assert_unavailable(&remote.send(&token).await);
    remote.later(Duration::from_secs(1));
    remote.send(&token).await.assert_ok();
    assert_eq!(remote.fetch.count(), 2);
}

#[tokio::test]
async fn old_keys_outlive_an_outage() {
    let remote = Remote::loaded().await;
    let (cached, uncached) = (remote.token(), remote.token());
    remote.send(&cached).await.assert_ok();
    remote.go_down();
    remote.later(FRESH);
    // R7517-9-3: both a token seen before and a new one.
    remote.send(&cached).await.assert_ok();
    remote.refreshes.ended(2).await;
    remote.send(&uncached).await.assert_ok();
    remote.later(DAY - Duration::from_secs(1));
    remote.send(&cached).await.assert_ok();
    remote.send(&remote.token()).await.assert_ok();
    let failed = Err(RefreshError::Fetch(FetchErrorKind::Transport));
    assert_eq!(remote.refreshes.all()[..2], [Ok(1), failed]);
}

#[tokio::test]
async fn keys_that_are_too_stale_are_an_outage() {
    let remote = Remote::loaded().await;
    let cached = remote.token();
    remote.send(&cached).await.assert_ok();
    remote.go_down();
    remote.later(FRESH + DAY);
    // R7517-9-3: max-stale is a day past their freshness.
    assert_unavailable(&remote.send(&cached).await);
    assert_unavailable(&remote.send(&remote.token()).await);
    assert!(remote.server.ready().await.is_err());
    remote.publish();
    remote.later(Duration::from_secs(1));
    remote.send(&cached).await.assert_ok();
}

#[tokio::test]
async fn known_keys_never_wait_for_a_fetch() {
    let remote = Remote::loaded().await;
    let cached = remote.token();
    remote.send(&cached).await.assert_ok();
    remote.later(FRESH);
    remote.fetch.hang();
    for token in [cached, remote.token(), remote.token()] {
        remote.at_once(&token).assert_ok();
    }
    let_others_run().await;
    remote.at_once(&remote.token()).assert_ok();
    assert_eq!(remote.fetch.count(), 2);
}

/// Answers that are no key set, with what is reported of each.
fn bad_answers() -> Vec<(u16, &'static str, String, RefreshError)> {
    let json = "application/json";
    let page = "<!doctype html><title>Sign in</title>".to_owned();
    let oct = json!({ "keys": [{ "kty": "oct", "k": "AAAA" }, { "kty": "AKP" }] }).to_string();
    let mut all = vec![
        (200, "text/html", page.clone(), RefreshError::ContentType),
        (200, "text/plain", "{\"keys\":[]}".into(), RefreshError::ContentType),
        (200, "application/jwk+json", "{\"keys\":[]}".into(), RefreshError::ContentType),
        (200, json, page, RefreshError::NotAKeySet),
        (200, json, oct, RefreshError::NoUsableKey),
        (200, json, "{\"keys\":[null]}".into(), RefreshError::NoUsableKey),
    ];
    for text in
        ["", "{}", "[]", "null", "{\"keys\":{}}", "{\"keys\":[]", "{\"keys\":[],\"keys\":[]}"]
    {
        all.push((200, json, text.into(), RefreshError::NotAKeySet));
    }
    for status in [201, 204, 304, 401, 404, 429, 500, 503] {
        all.push((status, json, "{\"keys\":[]}".into(), RefreshError::Status));
    }
    all
}

#[tokio::test]
async fn a_bad_answer_at_boot_is_an_outage() {
    for (status, content_type, body, error) in bad_answers() {
        let remote = Remote::up();
        remote.fetch.respond(status, content_type, body.clone());
        assert_unavailable(&remote.send(&remote.token()).await);
        assert_eq!(remote.refreshes.all(), [Err(error)], "{status} {content_type} {body}");
        remote.later(Duration::from_secs(1));
        remote.send(&remote.token()).await.assert_ok();
    }
}

#[tokio::test]
async fn a_bad_answer_later_leaves_the_old_keys_in_use() {
    for (status, content_type, body, error) in bad_answers() {
        let remote = Remote::loaded().await;
        let cached = remote.token();
        remote.send(&cached).await.assert_ok();
        remote.later(FRESH);
        remote.fetch.respond(status, content_type, body.clone());
        remote.send(&cached).await.assert_ok();
        remote.refreshes.ended(2).await;
        // R7517-5-1: a document without keys is such an answer; the old set is kept.
        assert_eq!(remote.refreshes.all()[1], Err(error), "{status} {content_type} {body}");
        remote.send(&cached).await.assert_ok();
        remote.send(&remote.token()).await.assert_ok();
    }
}

#[tokio::test]
async fn members_around_the_keys_are_ignored() {
    let remote = Remote::down();
    let mut set = remote.issuer.jwks_json();
    set["issuer"] = json!("https://evil.example");
    set["more"] = json!([1, { "keys": [] }]);
    remote.fetch.always_json(set);
    // R7517-5-1: unknown members of the set.
    remote.send(&remote.token()).await.assert_ok();
}

#[tokio::test]
async fn a_key_set_is_json_by_its_media_type() {
    for content_type in [
        "application/jwk-set+json",
        "application/json",
        "application/json; charset=utf-8",
        "Application/JWK-Set+JSON ;x=y",
    ] {
        let remote = Remote::down();
        remote.fetch.always(200, content_type, remote.issuer.jwks_bytes());
        // R7517-8.5-1: its own type, and the general one.
        remote.send(&remote.token()).await.assert_ok();
    }
    let remote = Remote::down();
    remote.fetch.always(200, "text/html", remote.issuer.jwks_bytes());
    assert_unavailable(&remote.send(&remote.token()).await);
    // R7517-8.5-1: a page is no key set, whatever it holds.
    assert_eq!(remote.refreshes.all(), [Err(RefreshError::ContentType)]);
}

/// Panics the first time and has the keys from then on.
#[derive(Debug)]
struct Panicky(ScriptedFetch);

impl Fetch for Panicky {
    fn fetch(&self, request: Request<bytes::Bytes>, limits: FetchLimits) -> FetchFuture<'_> {
        let answer = self.0.fetch(request, limits);
        Box::pin(async move {
            let answer = answer.await;
            assert!(self.0.count() > 1, "a bug in the client");
            answer
        })
    }
}

#[tokio::test]
async fn a_panic_in_the_client_is_an_outage_and_passes() {
    let script = ScriptedFetch::new();
    let remote = Remote::with(|builder| builder.fetch(Panicky(script.clone())));
    script.always_json(remote.issuer.jwks_json());
    assert_unavailable(&remote.send(&remote.token()).await);
    assert_eq!(remote.refreshes.all(), [Err(RefreshError::Runtime)]);
    remote.later(Duration::from_secs(1));
    remote.send(&remote.token()).await.assert_ok();
}

#[tokio::test]
async fn a_set_emptied_on_purpose_is_obeyed() {
    let remote = Remote::loaded().await;
    let cached = remote.token();
    remote.send(&cached).await.assert_ok();
    remote.fetch.always_json(json!({ "keys": [] }));
    remote.later(FRESH);
    remote.send(&cached).await.assert_ok();
    remote.refreshes.ended(2).await;
    assert_eq!(remote.refreshes.all(), [Ok(1), Ok(0)]);
    assert_unknown(&remote.send(&cached).await);
    assert_unknown(&remote.send(&remote.token()).await);
}

#[tokio::test]
async fn a_remembered_token_falls_with_its_key() {
    let mut remote = Remote::loaded().await;
    let cached = remote.token();
    remote.send(&cached).await.assert_ok();
    remote.rotate("test-2");
    let new = remote.token();
    remote.send(&new).await.assert_ok();
    for _ in 0..2 {
        assert_unknown(&remote.send(&cached).await);
    }
    remote.send(&new).await.assert_ok();
}

#[tokio::test]
async fn a_remembered_token_outlives_a_rotation_that_keeps_its_key() {
    let mut remote = Remote::loaded().await;
    let cached = remote.token();
    remote.send(&cached).await.assert_ok();
    let old = remote.issuer.key().public_jwk();
    remote.issuer.rotate(key(Algorithm::ES256, "test-2"));
    remote.fetch.always_json(json!({ "keys": [remote.issuer.key().public_jwk(), old] }));
    remote.send(&remote.token()).await.assert_ok();
    remote.at_once(&cached).assert_ok();
    assert_eq!(remote.fetch.count(), 2);
}

#[tokio::test]
async fn new_material_under_an_old_id_is_a_new_key() {
    let mut remote = Remote::loaded().await;
    let cached = remote.token();
    remote.send(&cached).await.assert_ok();
    remote.rotate("test-1");
    // The old key did not sign it, so the set is looked at once more.
    remote.send(&remote.token()).await.assert_ok();
    let answer = remote.send(&cached).await;
    answer.assert_t401();
    assert_eq!(answer.kind(), Some(RejectionKind::BadSignature));
}

#[tokio::test]
async fn ready_loads_every_issuer_once() {
    let remote = Remote::up();
    remote.server.ready().await.expect("the keys are there");
    remote.server.ready().await.expect("they still are");
    assert_eq!(remote.fetch.count(), 1);
    remote.at_once(&remote.token()).assert_ok();
}

/// A server that trusts two issuers by that fetch.
fn two_issuers(fetch: &ScriptedFetch) -> ResourceServer {
    let two = Issuer::jwks_uri("https://two.example.com", "https://two.example.com/jwks");
    let builder = trusting(Issuer::jwks_uri(ISSUER, JWKS)).issuer(two);
    builder.fetch(fetch.clone()).build().expect("valid")
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
async fn one_issuers_outage_is_not_the_others() {
    let fetch = ScriptedFetch::new();
    let server = two_issuers(&fetch);
    let clock = FixedClock::at(NOW);
    let one = TestIssuer::new(ISSUER).clock(clock.clone());
    let two = TestIssuer::new("https://two.example.com").clock(clock);
    assert_unavailable(&present(&server, &two.token().build()).await);
    fetch.always_json(one.jwks_json());
    present(&server, &one.token().build()).await.assert_ok();
    assert_unavailable(&present(&server, &two.token().build()).await);
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

#[tokio::test]
async fn every_refresh_is_told_to_the_observer() {
    let mut remote = Remote::down();
    remote.fetch.fail(FetchErrorKind::ForbiddenAddress).respond(500, "text/plain", "");
    for _ in 0..2 {
        assert_unavailable(&remote.send(&remote.token()).await);
        remote.later(Duration::from_secs(2));
    }
    remote.publish();
    remote.send(&remote.token()).await.assert_ok();
    remote.issuer.rotate(key(Algorithm::EdDSA, "test-2"));
    let keys: Vec<Value> = [key(Algorithm::ES256, "a"), remote.issuer.key().clone()]
        .iter()
        .map(SigningKey::public_jwk)
        .collect();
    remote.fetch.always_json(json!({ "keys": keys }));
    remote.send(&remote.token()).await.assert_ok();
    let forbidden = Err(RefreshError::Fetch(FetchErrorKind::ForbiddenAddress));
    assert_eq!(remote.refreshes.all(), [forbidden, Err(RefreshError::Status), Ok(1), Ok(2)]);
}

#[tokio::test]
async fn an_unknown_key_is_not_refused_while_the_keys_cannot_be_fetched() {
    let mut remote = Remote::loaded().await;
    let old = remote.token();
    remote.issuer.rotate(key(Algorithm::ES256, "test-2"));
    let new = remote.token();
    remote.go_down();
    // D-19: the token may well be good.
    assert_unavailable(&remote.send(&new).await);
    assert_unavailable(&remote.send(&new).await);
    remote.send(&old).await.assert_ok();
    remote.publish();
    remote.later(COOL_DOWN);
    remote.send(&new).await.assert_ok();
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_take_the_fetch_with_it() {
    let remote = Remote::up();
    let hold = remote.fetch.hold();
    let (server, token) = (remote.server.clone(), remote.token());
    let first = tokio::spawn(async move { present(&server, &token).await });
    let_others_run().await;
    assert_eq!(remote.fetch.count(), 1);
    first.abort();
    assert!(first.await.expect_err("aborted").is_cancelled());
    hold.release();
    remote.send(&remote.token()).await.assert_ok();
    assert_eq!(remote.fetch.count(), 1);
}

#[test]
fn a_runtime_that_ends_takes_only_its_own_fetch_along() {
    let remote = Remote::up();
    remote.fetch.hang();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
    let first = runtime().expect("a runtime");
    let (server, token) = (remote.server.clone(), remote.token());
    first.spawn(async move { present(&server, &token).await });
    first.block_on(remote.fetch.arrived(1));
    drop(first);
    assert_eq!(remote.refreshes.all(), [Err(RefreshError::Runtime)]);
    remote.later(Duration::from_secs(1));
    runtime().expect("a runtime").block_on(remote.send(&remote.token())).assert_ok();
}

#[test]
fn without_a_runtime_there_is_no_fetch_and_no_panic() {
    let remote = Remote::up();
    assert_unavailable(&remote.at_once(&remote.token()));
    assert_eq!(remote.refreshes.all(), [Err(RefreshError::Runtime)]);
    assert_eq!(remote.fetch.count(), 0);
}

#[tokio::test]
async fn a_clock_that_goes_back_stops_no_fetch() {
    let remote = Remote::loaded().await;
    let token = remote.token();
    assert_unknown(&remote.send(&renamed(&token, "random")).await);
    assert_eq!(remote.fetch.count(), 2);
    remote.clock.rewind(Duration::from_secs(3600));
    assert_unknown(&remote.send(&renamed(&remote.token(), "random")).await);
    assert_eq!(remote.fetch.count(), 3);
    remote.send(&remote.token()).await.assert_ok();
}

#[tokio::test]
async fn a_request_asks_for_json() {
    #[derive(Debug)]
    struct Strict(ScriptedFetch);
    impl Fetch for Strict {
        fn fetch(&self, request: Request<bytes::Bytes>, limits: FetchLimits) -> FetchFuture<'_> {
            assert_eq!(request.method(), http::Method::GET);
            let accept = request.headers()["accept"].to_str().expect("ASCII");
            assert_eq!(accept, "application/jwk-set+json, application/json");
            assert!(request.body().is_empty() && !request.headers().contains_key("authorization"));
            self.0.fetch(request, limits)
        }
    }
    let script = ScriptedFetch::new();
    let remote = Remote::with(|builder| builder.fetch(Strict(script.clone())));
    script.always_json(remote.issuer.jwks_json());
    remote.send(&remote.token()).await.assert_ok();
}
