//! Issuers that are found while the server runs.

mod pace;
mod settings;
mod trust;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::Semaphore;
use tower_resource_server::fetch::FetchErrorKind;
use tower_resource_server::testing::{FixedClock, ScriptedFetch, TestIssuer};
use tower_resource_server::{
    Algorithm, AllowedIssuers, Builder, Issuer, IssuerResolver, KeyState, Profile, RejectionKind,
    ResolveError, ResolveFuture, ResourceServer,
};

use crate::support::{Answer, ISSUER, NOW, RESOURCE, key, present};

const REALMS: &str = "https://as.example.com/realms/";
const FRESH: Duration = Duration::from_secs(600);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Clone, Debug)]
enum Answers {
    Issuer(Box<Issuer>),
    Nothing,
    Failure,
    Panic,
    Hang,
}

/// Answers by a table, counts what it is asked, and waits while it is held.
#[derive(Clone, Debug)]
struct Realms {
    answers: Arc<Mutex<HashMap<String, Answers>>>,
    asked: Arc<Mutex<Vec<String>>>,
    gate: Arc<Semaphore>,
}

impl Realms {
    fn new() -> Self {
        let gate = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        Self { answers: Arc::default(), asked: Arc::default(), gate }
    }

    fn set(&self, realm: &str, answer: Answers) {
        self.answers.lock().expect("no panic").insert(format!("{REALMS}{realm}"), answer);
    }

    fn trust(&self, realm: &str, issuer: Issuer) {
        self.set(realm, Answers::Issuer(Box::new(issuer)));
    }

    fn asked(&self) -> usize {
        self.asked.lock().expect("no panic").len()
    }
}

impl IssuerResolver for Realms {
    fn resolve<'a>(&'a self, identifier: &'a str) -> ResolveFuture<'a> {
        self.asked.lock().expect("no panic").push(identifier.to_owned());
        let answer = self.answers.lock().expect("no panic").get(identifier).cloned();
        Box::pin(async move {
            drop(self.gate.acquire().await);
            match answer.unwrap_or(Answers::Nothing) {
                Answers::Issuer(issuer) => Ok(Some(*issuer)),
                Answers::Nothing => Ok(None),
                Answers::Failure => Err(ResolveError::new("no database")),
                Answers::Panic => panic!("the resolver is broken"),
                Answers::Hang => std::future::pending().await,
            }
        })
    }
}

struct Bed {
    clock: FixedClock,
    fetch: ScriptedFetch,
    realms: Realms,
    server: ResourceServer,
}

impl Bed {
    fn new() -> Self {
        Self::with(|builder| builder)
    }

    fn with(change: impl FnOnce(Builder) -> Builder) -> Self {
        Self::built(AllowedIssuers::below(REALMS), change)
    }

    fn allowing(allowed: AllowedIssuers) -> Self {
        Self::built(allowed, |builder| builder)
    }

    fn built(allowed: AllowedIssuers, change: impl FnOnce(Builder) -> Builder) -> Self {
        let (clock, fetch, realms) = (FixedClock::at(NOW), ScriptedFetch::new(), Realms::new());
        let builder = ResourceServer::builder(RESOURCE)
            .resolve_issuers(allowed, realms.clone())
            .clock(clock.clone())
            .fetch(fetch.clone());
        Self { clock, fetch, realms, server: change(builder).build().expect("valid") }
    }

    fn issuer(&self, realm: &str) -> TestIssuer {
        let key = key(Algorithm::ES256, "1");
        TestIssuer::with_key(format!("{REALMS}{realm}"), key).clock(self.clock.clone())
    }

    /// An issuer whose keys are behind a URL, known to the resolver.
    fn remote(&self, realm: &str) -> TestIssuer {
        let issuer = self.issuer(realm);
        let uri = format!("{REALMS}{realm}/keys");
        self.fetch.json_at(&uri, issuer.jwks_json());
        self.realms.trust(realm, Issuer::jwks_uri(issuer.issuer(), uri));
        issuer
    }

    /// An issuer whose keys the resolver knows.
    fn fixed(&self, realm: &str) -> TestIssuer {
        let issuer = self.issuer(realm);
        self.realms.trust(realm, issuer.trusted());
        issuer
    }

    async fn send(&self, token: &str) -> Answer {
        present(&self.server, token).await
    }
}

fn token(issuer: &TestIssuer) -> String {
    issuer.token().expires_in(10 * DAY).build()
}

fn assert_untrusted(answer: &Answer) {
    answer.assert_t401();
    assert_eq!(answer.kind(), Some(RejectionKind::UntrustedIssuer));
}

fn assert_unavailable(answer: &Answer) {
    answer.assert_x503();
    assert_eq!(answer.kind(), Some(RejectionKind::IssuerUnavailable));
}

#[tokio::test]
async fn an_issuer_is_looked_up_once_and_then_known() {
    let bed = Bed::new();
    let blue = bed.remote("blue");
    for _ in 0..3 {
        bed.send(&token(&blue)).await.assert_ok();
    }
    assert_eq!((bed.realms.asked(), bed.fetch.count()), (1, 1));
    // What is known needs nobody's answer.
    bed.send(&token(&blue)).now_or_never().expect("it waits for nothing").assert_ok();
    let health = bed.server.health();
    let states: Vec<_> = health.issuers().iter().map(|issuer| issuer.key_state()).collect();
    assert_eq!(states, [KeyState::Fresh], "{health}");
}

#[tokio::test]
async fn one_issuers_outage_touches_no_other() {
    let bed = Bed::new();
    let (blue, red) = (bed.remote("blue"), bed.remote("red"));
    bed.send(&token(&red)).await.assert_ok();
    bed.fetch.fail_at(&format!("{REALMS}blue/keys"), FetchErrorKind::Transport);
    let answer = bed.send(&token(&blue)).await;
    answer.assert_x503();
    assert_eq!(answer.kind(), Some(RejectionKind::KeysUnavailable));
    bed.send(&token(&red)).now_or_never().expect("it waits for nothing").assert_ok();
}

#[tokio::test]
async fn a_key_of_one_issuer_verifies_nothing_of_another() {
    let bed = Bed::new();
    let (blue, red) = (bed.remote("blue"), bed.remote("red"));
    let forged = blue.token().claim("iss", red.issuer()).build();
    let answer = bed.send(&forged).await;
    answer.assert_t401();
    // R8725-3.8-1: both keys have the same id.
    assert_eq!(answer.kind(), Some(RejectionKind::BadSignature));
}

#[tokio::test]
async fn each_issuer_has_its_own_profile_and_audience() {
    let bed = Bed::with(|builder| builder.issuer(TestIssuer::new(ISSUER).trusted()));
    let (blue, red) = (bed.issuer("blue"), bed.issuer("red"));
    bed.realms.trust("blue", blue.trusted().profile(Profile::Keycloak).audience_name("orders"));
    bed.realms.trust("red", red.trusted());
    let keycloak = blue.token().header("typ", "JWT").claim("typ", "Bearer").claim("aud", "orders");
    bed.send(&keycloak.clone().build()).await.assert_ok();
    let strict = red.token().header("typ", "JWT").build();
    let answer = bed.send(&strict).await;
    answer.assert_t401();
    assert_eq!(answer.kind(), Some(RejectionKind::WrongTokenType));
    bed.send(&token(&red)).await.assert_ok();
    let foreign = bed.send(&red.token().claim("aud", "orders").build()).await;
    assert_eq!(foreign.kind(), Some(RejectionKind::WrongAudience));
}
