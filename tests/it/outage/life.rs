//! A resource server that lives through the script.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tower_resource_server::testing::{Endpoint, TestAuthorizationServer, TestIssuer};
use tower_resource_server::{
    Algorithm, Introspection, IssuerHealth, KeyState, RejectionKind, ResourceServer,
};

use super::clients::{Opaque, Strangers, assert_kind, jwt};
use super::phases::{ENDPOINTS, Phase};
use super::told::{Failures, Told};
use crate::observability::Capture;
use crate::support::{ISSUER, RESOURCE, TokioClock, key};

/// The longest rest between two fetches.
const COOL_DOWN: Duration = Duration::from_secs(30);
/// Longer than whatever may be under way: look-up, fetch, and the grace of each.
const LANDING: Duration = Duration::from_secs(12);

pub(super) struct Life {
    pub(super) authorization_server: TestAuthorizationServer,
    pub(super) server: ResourceServer,
    /// JWTs of keys that are loaded: accepted at once, whatever happens.
    pub(super) good: Vec<String>,
    pub(super) strangers: Strangers,
    /// What the tokens of strangers look like: older than any set of keys, so that a set which lacks
    /// their key says that there is none.
    pub(super) pattern: String,
    /// How many of them have come.
    pub(super) seen: usize,
    /// A valid opaque token.
    pub(super) opaque: Option<Opaque>,
    told: Told,
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
    /// What the guide says of the rate: one fetch in 30 s. Where it is age that asks for them, and no
    /// unknown key, the first five rests after failures are shorter: 1, 2, 4, 8 and 16 s, so that there
    /// are six fetches in the first 31 s.
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
        Self { opaque: Some(Opaque::issued_by(&life.authorization_server)), ..life }
    }

    fn new(strangers: Strangers, introspection: Option<Introspection>) -> Self {
        let (clock, told) = (TokioClock::start(), Told::default());
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

    fn health(&self) -> IssuerHealth {
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
