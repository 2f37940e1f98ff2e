//! An hour and a half in the life of an authorization server, and what clients see of it.
//!
//! It is down when the resource server starts, comes up, rotates its keys, is away for an hour,
//! answers slowly, answers garbage, and comes back with other keys. All the while strangers send
//! tokens with key ids, or opaque tokens, that nobody has heard of: five thousand of them.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use futures_util::FutureExt;
use serde_json::json;
use tower_resource_server::testing::{
    Condition, Endpoint, FixedClock, Garbage, TestAuthorizationServer, TestIssuer,
};
use tower_resource_server::{
    Algorithm, ClientAuthentication, Introspection, KeyState, RejectionKind, ResourceServer,
};

use crate::support::{Answer, ISSUER, NOW, RESOURCE, key, present};

const STRANGERS: usize = 5000;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

struct Life {
    clock: FixedClock,
    authorization_server: TestAuthorizationServer,
    server: ResourceServer,
    /// Valid tokens of keys that were loaded, or opaque ones.
    good: Vec<String>,
    strangers: usize,
}

impl Life {
    fn begin(introspection: Option<Introspection>) -> Self {
        let clock = FixedClock::at(NOW);
        let authorization_server =
            TestAuthorizationServer::of(TestIssuer::new(ISSUER).clock(clock.clone()));
        authorization_server.set(Condition::Down).client("api", "secret");
        let issuer = match introspection {
            Some(introspection) => authorization_server.trusted().introspect(introspection),
            None => authorization_server.trusted(),
        };
        let server = ResourceServer::builder(RESOURCE)
            .issuer(issuer)
            .fetch(authorization_server.clone())
            .clock(clock.clone())
            .build()
            .expect("a valid configuration");
        Self { clock, authorization_server, server, good: Vec::new(), strangers: 0 }
    }

    /// A JWT that is valid for a day.
    fn jwt(&self) -> String {
        self.authorization_server.token().expires_in(Duration::from_secs(24 * HOUR)).build()
    }

    fn opaque(&self) -> String {
        let token = self.authorization_server.token().expires_in(Duration::from_secs(24 * HOUR));
        self.authorization_server.opaque(&token)
    }

    /// A token whose key, or whose very name, nobody has heard of.
    fn stranger(&mut self, valid: &str) -> String {
        self.strangers += 1;
        match valid.split_once('.') {
            Some((_, rest)) => {
                let kid = format!("stranger-{}", self.strangers);
                let header = json!({ "typ": "at+jwt", "alg": "ES256", "kid": kid }).to_string();
                format!("{}.{rest}", BASE64URL.encode(header))
            }
            None => format!("stranger-{}", self.strangers),
        }
    }

    async fn send(&self, token: &str) -> Answer {
        present(&self.server, token).await
    }

    /// The tokens of known keys, one of them never seen before: each is accepted, and at once.
    fn assert_good(&self, fresh: &str) {
        for token in self.good.iter().map(String::as_str).chain([fresh]) {
            let answer = present(&self.server, token).now_or_never();
            answer.expect("a token of a known key waits for nothing").assert_ok();
        }
    }

    fn is_failing(&self) -> bool {
        self.server.health().issuers()[0].consecutive_failures() > 0
    }

    fn asked(&self) -> (usize, usize) {
        let server = &self.authorization_server;
        (server.count(Endpoint::Metadata), server.count(Endpoint::Jwks))
    }

    /// So many seconds in steps of `step`, with strangers at each.
    ///
    /// What they get is the matrix's: 401 where a fetch has shown that there is no such key, 503
    /// where none could.
    async fn pass(&mut self, seconds: u64, step: u64, crowd: usize) {
        let (metadata, keys) = self.asked();
        for _ in 0..seconds / step {
            self.clock.advance(Duration::from_secs(step));
            let fresh = self.jwt();
            if !self.good.is_empty() {
                self.assert_good(&fresh);
            }
            for _ in 0..crowd {
                let stranger = self.stranger(&fresh);
                let answer = self.send(&stranger).await;
                let loaded = self.server.health().issuers()[0].key_state() != KeyState::Missing;
                if loaded && !self.is_failing() {
                    assert_kind(&answer, RejectionKind::UnknownKey);
                } else {
                    assert_kind(&answer, RejectionKind::KeysUnavailable);
                }
            }
        }
        let (metadata, keys) = (self.asked().0 - metadata, self.asked().1 - keys);
        // One refresh in 30 s, and as many more as the rests of 1, 2, 4, 8 and 16 s allow; each
        // asks for the keys once at most, and looks for metadata in two places at most, since the
        // identifier has no path.
        let refreshes = usize::try_from(seconds / 30).expect("few") + 7;
        assert!(keys <= refreshes, "{keys} fetches of keys in {seconds} s");
        assert!(metadata <= 2 * refreshes, "{metadata} fetches of metadata in {seconds} s");
    }
}

fn assert_kind(answer: &Answer, kind: RejectionKind) {
    assert_eq!(answer.kind(), Some(kind), "{answer:?}");
    match kind.is_client_fault() {
        true => answer.assert_t401(),
        false => answer.assert_x503(),
    }
}

#[tokio::test(start_paused = true)]
async fn valid_tokens_of_known_keys_are_refused_never() {
    let mut life = Life::begin(None);

    // Down at start: nothing can be judged, so nobody's token is called bad.
    let first = life.jwt();
    // R7517-9-3: a first load that fails is 503.
    assert_kind(&life.send(&first).await, RejectionKind::KeysUnavailable);
    life.pass(MINUTE, 5, 16).await;
    assert_kind(&life.send(&first).await, RejectionKind::KeysUnavailable);

    // Up: the first request after the rest brings the keys.
    life.authorization_server.set(Condition::Up);
    life.clock.advance(Duration::from_secs(30));
    life.send(&first).await.assert_ok();
    life.good.push(first);
    life.pass(2 * MINUTE, 5, 16).await;

    // Rotated with overlap: the new key is known after a cool-down at most, the old one stays.
    life.authorization_server.rotate_keeping(key(Algorithm::ES256, "second"));
    life.clock.advance(Duration::from_secs(30));
    let second = life.jwt();
    life.send(&second).await.assert_ok();
    life.good.push(second);
    life.pass(2 * MINUTE, 5, 16).await;

    // Away for an hour: old keys stay in use, and a missing key proves nothing.
    life.authorization_server.set(Condition::Down);
    life.pass(HOUR, 30, 16).await;
    // R7517-9-3: the last good keys are kept.
    assert!(life.is_failing() && life.server.health().is_ready());

    // Too slow: 20 s are more than a fetch may take. Then slow, and in time.
    life.authorization_server.set(Condition::Slow(Duration::from_secs(20)));
    life.pass(2 * MINUTE, 10, 10).await;
    assert!(life.is_failing());
    life.authorization_server.set(Condition::Slow(Duration::from_secs(2)));
    life.pass(2 * MINUTE, 10, 10).await;
    assert!(!life.is_failing());

    // Garbage of every kind is an outage too, wherever it comes from.
    for garbage in Garbage::ALL {
        for endpoint in [Endpoint::Jwks, Endpoint::Metadata] {
            life.authorization_server.set(Condition::Up);
            life.authorization_server.set_at(endpoint, Condition::Garbage(garbage));
            life.pass(MINUTE, 10, 10).await;
        }
        assert!(life.server.health().is_ready());
    }

    // Up with new keys, and the old ones gone: what they signed is now worthless.
    life.authorization_server.rotate(key(Algorithm::ES256, "third"));
    life.authorization_server.set(Condition::Up);
    let old = std::mem::take(&mut life.good);
    life.clock.advance(Duration::from_secs(60));
    let third = life.jwt();
    life.send(&third).await.assert_ok();
    for token in &old {
        assert_kind(&life.send(token).await, RejectionKind::UnknownKey);
    }
    life.good.push(third);
    while life.strangers < STRANGERS {
        life.pass(MINUTE, 5, 16).await;
    }
    assert!(!life.is_failing());
}

/// What an opaque token that nobody has heard of gets.
async fn assert_strangers(life: &mut Life, crowd: usize, kind: RejectionKind) {
    for sent in 1..=crowd {
        let stranger = life.stranger("opaque");
        assert_kind(&life.send(&stranger).await, kind);
        // So many calls are allowed in a second.
        if sent % 400 == 0 {
            life.clock.advance(Duration::from_secs(1));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn opaque_tokens_go_through_the_same() {
    use RejectionKind::{InactiveToken, IntrospectionUnavailable};
    let authentication = ClientAuthentication::client_secret_basic("api", "secret");
    let mut life = Life::begin(Some(Introspection::discovered(authentication)));
    let opaque = life.opaque();

    // Down at start.
    assert_kind(&life.send(&opaque).await, IntrospectionUnavailable);
    assert_strangers(&mut life, 500, IntrospectionUnavailable).await;
    let (metadata, _) = life.asked();
    assert!(metadata <= 2, "{metadata} fetches of metadata at one moment");

    // Up: good is good, unknown is inactive, and JWTs beside them are verified as ever.
    life.authorization_server.set(Condition::Up);
    life.clock.advance(Duration::from_secs(30));
    life.send(&opaque).await.assert_ok();
    life.send(&life.jwt()).await.assert_ok();
    assert_strangers(&mut life, 1000, InactiveToken).await;
    let asked = life.authorization_server.count(Endpoint::Introspection);
    assert_eq!(asked, 1001, "each token once");
    life.authorization_server.rotate_keeping(key(Algorithm::ES256, "second"));
    life.send(&opaque).await.assert_ok();

    // Away for an hour: an answer counts for a minute, and after that nothing is known.
    life.authorization_server.set(Condition::Down);
    life.clock.advance(Duration::from_secs(59));
    life.send(&opaque).await.assert_ok();
    assert_strangers(&mut life, 500, IntrospectionUnavailable).await;
    life.clock.advance(Duration::from_secs(1));
    for _ in 0..60 {
        // R7662-2.3-2: an outage is ours, and fails closed.
        assert_kind(&life.send(&opaque).await, IntrospectionUnavailable);
        life.clock.advance(Duration::from_secs(60));
        assert_strangers(&mut life, 30, IntrospectionUnavailable).await;
    }

    // Slow, then garbage of every kind.
    life.authorization_server.set(Condition::Slow(Duration::from_secs(20)));
    assert_kind(&life.send(&opaque).await, IntrospectionUnavailable);
    assert_strangers(&mut life, 100, IntrospectionUnavailable).await;
    for garbage in Garbage::ALL {
        life.authorization_server.set(Condition::Up);
        life.authorization_server.set_at(Endpoint::Introspection, Condition::Garbage(garbage));
        life.clock.advance(Duration::from_secs(61));
        let answer = life.send(&opaque).await;
        assert_kind(&answer, IntrospectionUnavailable);
        assert_strangers(&mut life, 100, IntrospectionUnavailable).await;
    }

    // Up again, with other keys, which opaque tokens do not mind.
    life.authorization_server.rotate(key(Algorithm::ES256, "third")).set(Condition::Up);
    // R7662-4-4: failures are not remembered, so the next request brings the answer.
    life.send(&opaque).await.assert_ok();
    life.authorization_server.revoke(&opaque);
    life.clock.advance(Duration::from_secs(60));
    // R7662-4-3: a revoked token is refused when the answer has had its time.
    assert_kind(&life.send(&opaque).await, InactiveToken);
    let rest = STRANGERS - life.strangers;
    assert_strangers(&mut life, rest, InactiveToken).await;
}

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
