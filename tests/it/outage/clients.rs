//! The clients of the server: those with valid tokens, and strangers.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use futures_util::FutureExt;
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::Instant;
use tower_resource_server::RejectionKind;
use tower_resource_server::testing::{Endpoint, TestAuthorizationServer};

use super::life::Life;
use super::phases::Phase;
use crate::support::{Answer, let_others_run, present};

/// How long a token is valid: longer than the script.
const DAY: Duration = Duration::from_secs(86_400);
/// So many come at the moment when the authorization server is up at last.
const RUSH: usize = 200;

/// What strangers send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Strangers {
    /// A JWT of a key that nobody has heard of.
    UnknownKey,
    /// An opaque token that nobody has heard of.
    UnknownName,
}

/// A token, and when its issuer was last asked about it with success.
pub(super) struct Opaque {
    pub(super) token: String,
    asked: Option<Instant>,
    /// How many calls it has cost.
    pub(super) calls: usize,
}

impl Opaque {
    pub(super) fn issued_by(authorization_server: &TestAuthorizationServer) -> Self {
        let token = authorization_server.opaque(&authorization_server.token().expires_in(DAY));
        Self { token, asked: None, calls: 0 }
    }
}

impl Life {
    pub(super) fn jwt(&self) -> String {
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

    pub(super) async fn send(&self, token: &str) -> Answer {
        present(&self.server, token).await
    }

    /// Valid tokens, all at once: they wait for the same fetch.
    pub(super) async fn rush(&mut self) {
        let [keys, metadata, _] = self.asked();
        let tokens: Vec<_> = (0..RUSH).map(|_| self.jwt()).collect();
        for answer in join_all(tokens.iter().map(|token| self.send(token))).await {
            answer.assert_ok();
        }
        assert_eq!(self.asked()[..2], [keys + 1, metadata + 1]);
        self.good.extend(tokens.into_iter().next());
    }

    /// A valid token of a key that was published a moment ago.
    pub(super) async fn meet_new_key(&mut self) {
        let token = self.jwt();
        self.send(&token).await.assert_ok();
        self.good.push(token);
    }

    /// A crowd of strangers in flight at once and, while they wait for whatever they wait for, tokens
    /// of known keys. Whether there was a wait.
    pub(super) async fn meet(&mut self, phase: Phase, size: usize) -> bool {
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
}

pub(super) fn jwt(authorization_server: &TestAuthorizationServer) -> String {
    authorization_server.token().expires_in(DAY).build()
}

/// A refusal of that kind, as the matrix has it.
pub(super) fn assert_kind(answer: &Answer, kind: RejectionKind) {
    assert_eq!(answer.kind(), Some(kind), "{answer:?}");
    match kind.is_client_fault() {
        true => answer.assert_t401(),
        false => answer.assert_x503(),
    }
}
