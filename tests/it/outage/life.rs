//! A resource server that lives through the script, and its clients.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use futures_util::FutureExt;
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::{Instant, sleep};
use tower_resource_server::testing::{Endpoint, TestAuthorizationServer, TestIssuer};
use tower_resource_server::{
    Algorithm, Clock, Introspection, IssuerHealth, KeyState, RejectionKind, ResourceServer,
};

use super::phases::{ENDPOINTS, Phase};
use super::told::{Failures, Told};
use crate::observability::Capture;
use crate::support::{Answer, ISSUER, NOW, RESOURCE, key, let_others_run, present};

/// The longest rest between two fetches.
const COOL_DOWN: Duration = Duration::from_secs(30);
/// Longer than whatever may be under way: look-up, fetch, and the grace of each.
const LANDING: Duration = Duration::from_secs(12);
/// So many come at the moment when the authorization server is up at last.
const RUSH: usize = 200;

/// Tokio's time, which stands still until a test lets it pass.
#[derive(Clone, Debug)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(NOW) + self.0.elapsed()
    }
}

/// What strangers send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Strangers {
    /// A JWT of a key that nobody has heard of.
    UnknownKey,
    /// An opaque token that nobody has heard of.
    UnknownName,
}

pub(super) struct Life {
    pub(super) authorization_server: TestAuthorizationServer,
    pub(super) server: ResourceServer,
    /// JWTs of keys that are loaded: accepted at once, whatever happens.
    good: Vec<String>,
    strangers: Strangers,
    /// What the tokens of strangers look like: older than any set of keys, so that a set which lacks
    /// their key says that there is none.
    pattern: String,
    pub(super) seen: usize,
    /// A valid opaque token.
    pub(super) opaque: Option<Opaque>,
    told: Told,
}

/// A token, and when its issuer was last asked about it with success.
pub(super) struct Opaque {
    pub(super) token: String,
    asked: Option<Instant>,
    /// How many calls it has cost.
    pub(super) calls: usize,
}

/// What a phase was like.
pub(super) struct Lived {
    pub(super) lasted: Duration,
    /// How many fetches, look-ups and calls there were.
    pub(super) keys: usize,
    pub(super) metadata: usize,
    pub(super) calls: usize,
    pub(super) failures: Failures,
}

impl Lived {
    /// What the guide says of the rate: one in 30 s; where nobody asked for it by an unknown key, the
    /// rests after the first four failures are shorter: 1, 2, 4, 8 and 16 s.
    pub(super) fn most(&self, short_rests: bool) -> usize {
        let cool_downs = usize::try_from(self.lasted.as_secs() / 30).expect("few");
        cool_downs + if short_rests { 5 } else { 1 }
    }
}

impl Life {
    pub(super) fn of_jwts() -> Self {
        Self::new(Strangers::UnknownKey, None)
    }

    /// One where opaque tokens are asked about in that way. What the authorization server says of
    /// itself and its keys is fresh for a minute.
    pub(super) fn of_opaque_tokens(introspection: Introspection) -> Self {
        let life = Self::new(Strangers::UnknownName, Some(introspection));
        life.authorization_server.with_header("cache-control", "max-age=60");
        let token = life.authorization_server.token().expires_in(Duration::from_secs(86_400));
        let token = life.authorization_server.opaque(&token);
        Self { opaque: Some(Opaque { token, asked: None, calls: 0 }), ..life }
    }

    fn new(strangers: Strangers, introspection: Option<Introspection>) -> Self {
        let (clock, told) = (TokioClock(Instant::now()), Told::default());
        let authorization_server =
            TestAuthorizationServer::of(TestIssuer::new(ISSUER).clock(clock.clone()));
        authorization_server.client("api", "secret");
        let trusted = authorization_server.trusted();
        let server = ResourceServer::builder(RESOURCE)
            .issuer(match introspection {
                Some(introspection) => trusted.introspect(introspection),
                None => trusted,
            })
            .fetch(authorization_server.clone())
            .clock(clock)
            .observer(told.clone())
            .build()
            .expect("a valid configuration");
        let pattern = jwt(&authorization_server);
        let (good, seen, opaque) = (Vec::new(), 0, None);
        Self { authorization_server, server, good, strangers, pattern, seen, opaque, told }
    }

    fn jwt(&self) -> String {
        jwt(&self.authorization_server)
    }

    /// Tokens that nobody has seen before.
    fn crowd(&mut self, size: usize) -> Vec<String> {
        let numbers = self.seen..self.seen + size;
        self.seen = numbers.end;
        let (_, rest) = self.pattern.split_once('.').expect("a JWS");
        let stranger = |number| match self.strangers {
            Strangers::UnknownKey => {
                let kid = format!("stranger-{number}");
                let header = json!({ "typ": "at+jwt", "alg": "ES256", "kid": kid }).to_string();
                format!("{}.{rest}", BASE64URL.encode(header))
            }
            Strangers::UnknownName => format!("stranger-{number}"),
        };
        numbers.map(stranger).collect()
    }

    /// What strangers get: a verdict on their tokens if somebody could be asked, and nothing that
    /// could be taken for one if nobody could.
    fn verdict(&self, phase: Phase) -> RejectionKind {
        match self.strangers {
            Strangers::UnknownKey if phase.loses(Endpoint::Jwks) => RejectionKind::KeysUnavailable,
            Strangers::UnknownKey => RejectionKind::UnknownKey,
            Strangers::UnknownName if phase.loses(Endpoint::Introspection) => {
                RejectionKind::IntrospectionUnavailable
            }
            Strangers::UnknownName => RejectionKind::InactiveToken,
        }
    }

    async fn send(&self, token: &str) -> Answer {
        present(&self.server, token).await
    }

    pub(super) fn health(&self) -> IssuerHealth {
        self.server.health().issuers()[0].clone()
    }

    pub(super) fn asked(&self) -> [usize; 3] {
        ENDPOINTS.map(|endpoint| self.authorization_server.count(endpoint))
    }

    /// A phase from its begin to its end, with strangers at each step.
    pub(super) async fn live_through(&mut self, phase: Phase) -> Lived {
        let (log, begun, before) = (Capture::start(), Instant::now(), self.asked());
        self.enter(phase).await;
        let (span, from) = (phase.span(), Instant::now());
        let mut waits = 0;
        while from.elapsed() < span.length {
            sleep(span.step).await;
            waits += usize::from(self.meet(phase, span.crowd).await);
        }
        self.assert_health(phase);
        sleep(LANDING).await;
        let failures = self.told.take();
        failures.assert_of(phase, &log);
        let after = self.asked();
        let [keys, metadata, calls] = [0, 1, 2].map(|endpoint| after[endpoint] - before[endpoint]);
        assert!(waits > 0 || !phase.delays(), "{phase:?}: nobody was waiting");
        Lived { lasted: begun.elapsed(), keys, metadata, calls, failures }
    }

    async fn enter(&mut self, phase: Phase) {
        let server = &self.authorization_server;
        match phase {
            Phase::Rotated => server.rotate_keeping(key(Algorithm::ES256, "second")),
            Phase::Renewed => server.rotate(key(Algorithm::ES256, "third")),
            _ => server.clone(),
        };
        for endpoint in ENDPOINTS {
            server.set_at(endpoint, phase.condition(endpoint));
        }
        // What rests has rested then, and the next request finds out how things are.
        sleep(COOL_DOWN).await;
        match phase {
            // R7517-9-3: a first load that fails is 503.
            Phase::DownAtStart => {
                assert_kind(&self.send(&self.jwt()).await, RejectionKind::KeysUnavailable)
            }
            Phase::Up => self.rush().await,
            Phase::Rotated => self.meet_new_key().await,
            Phase::Renewed => {
                let old = std::mem::take(&mut self.good);
                self.meet_new_key().await;
                for token in &old {
                    assert_kind(&self.send(token).await, RejectionKind::UnknownKey);
                }
            }
            _ => {}
        }
    }

    /// Valid tokens, all at once: they wait for the same fetch.
    async fn rush(&mut self) {
        let [keys, metadata, _] = self.asked();
        let tokens: Vec<_> = (0..RUSH).map(|_| self.jwt()).collect();
        for answer in join_all(tokens.iter().map(|token| self.send(token))).await {
            answer.assert_ok();
        }
        assert_eq!(self.asked()[..2], [keys + 1, metadata + 1]);
        self.good.extend(tokens.into_iter().next());
    }

    /// A valid token of a key that was published a moment ago.
    async fn meet_new_key(&mut self) {
        let token = self.jwt();
        self.send(&token).await.assert_ok();
        self.good.push(token);
    }

    /// A crowd of strangers in flight at once and, while they wait for whatever they wait for, tokens
    /// of known keys. Whether there was a wait.
    async fn meet(&mut self, phase: Phase, size: usize) -> bool {
        let (crowd, server) = (self.crowd(size), self.server.clone());
        let mut requests = Box::pin(join_all(crowd.iter().map(|token| present(&server, token))));
        let mut answers = requests.as_mut().now_or_never();
        if answers.is_none() {
            let_others_run().await;
            answers = requests.as_mut().now_or_never();
        }
        self.assert_good(phase).await;
        let waited = answers.is_none();
        let answers = match answers {
            Some(answers) => answers,
            None => requests.await,
        };
        assert_eq!(answers.len(), size);
        for answer in &answers {
            assert_kind(answer, self.verdict(phase));
        }
        self.meet_opaque(phase).await;
        waited
    }

    /// The tokens of known keys, one of them never seen before: each is accepted, and at once. While no
    /// key is known, nothing is said against any token.
    async fn assert_good(&self, phase: Phase) {
        let fresh = self.jwt();
        if phase == Phase::DownAtStart {
            return assert_kind(&self.send(&fresh).await, RejectionKind::KeysUnavailable);
        }
        assert!(!self.good.is_empty());
        for token in self.good.iter().chain([&fresh]) {
            let answer = self.send(token).now_or_never();
            answer.expect("a token of a known key waits for nothing").assert_ok();
        }
    }

    /// The opaque token that is valid. What was said of it counts for a minute.
    async fn meet_opaque(&mut self, phase: Phase) {
        let Some(mut opaque) = self.opaque.take() else { return };
        let known = opaque.asked.is_some_and(|asked| asked.elapsed() < Duration::from_secs(60));
        let answer = self.send(&opaque.token).await;
        opaque.calls += usize::from(!known);
        match (known, phase.loses(Endpoint::Introspection)) {
            (true, _) => answer.assert_ok(),
            // R7662-4-4: failures are not remembered, so the next request brings the answer.
            (false, false) => {
                answer.assert_ok();
                opaque.asked = Some(Instant::now());
            }
            // R7662-2.3-2: an outage is ours, and fails closed.
            (false, true) => assert_kind(&answer, RejectionKind::IntrospectionUnavailable),
        }
        self.opaque = Some(opaque);
    }

    /// How the keys are when the phase ends. Those that say nothing of their age are fresh for longer
    /// than garbage lasts.
    fn key_state(&self, phase: Phase) -> KeyState {
        match (phase, self.strangers) {
            (Phase::DownAtStart, _) => KeyState::Missing,
            (Phase::Garbage(..), Strangers::UnknownKey) => KeyState::Fresh,
            _ if phase.loses(Endpoint::Jwks) => KeyState::Stale,
            _ => KeyState::Fresh,
        }
    }

    fn assert_health(&self, phase: Phase) {
        let health = self.health();
        assert_eq!(health.consecutive_failures() > 0, phase.loses(Endpoint::Jwks), "{phase:?}");
        assert_eq!(health.key_state(), self.key_state(phase), "{phase:?}");
        // R7517-9-3: the last good keys are kept.
        assert_eq!(self.server.health().is_ready(), health.key_state() != KeyState::Missing);
    }
}

/// A JWT that is valid for a day.
fn jwt(authorization_server: &TestAuthorizationServer) -> String {
    authorization_server.token().expires_in(Duration::from_secs(86_400)).build()
}

/// A refusal of that kind, as the matrix has it.
pub(super) fn assert_kind(answer: &Answer, kind: RejectionKind) {
    assert_eq!(answer.kind(), Some(kind), "{answer:?}");
    match kind.is_client_fault() {
        true => answer.assert_t401(),
        false => answer.assert_x503(),
    }
}
