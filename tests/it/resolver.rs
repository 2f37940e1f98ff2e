//! Issuers that are found while the server runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tower_resource_server::fetch::FetchErrorKind;
use tower_resource_server::testing::{FixedClock, ScriptedFetch, TestIssuer};
use tower_resource_server::{
    Algorithm, AllowedIssuers, Builder, Introspection, Issuer, IssuerResolver, KeyState, Profile,
    RejectionKind, ResolveError, ResolveFuture, ResourceServer,
};

use crate::support::{Answer, ISSUER, Logs, NOW, RESOURCE, faults, key, let_others_run, present};

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
        let (clock, fetch) = (FixedClock::at(NOW), ScriptedFetch::new());
        let gate = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        let realms = Realms { answers: Arc::default(), asked: Arc::default(), gate };
        let builder = ResourceServer::builder(RESOURCE)
            .resolve_issuers(AllowedIssuers::below(REALMS), realms.clone())
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
async fn nobody_is_asked_about_names_that_are_not_allowed() {
    let bed = Bed::new();
    let foreign = [
        "https://as.example.com",
        "https://as.example.com/realms/",
        "https://as.example.com/realms/a/b",
        "https://as.example.com/realms/a?b",
        "https://as.example.com/realms/..",
        "https://evil.example/realms/blue",
        "https://as.example.com.evil.example/realms/blue",
        "http://as.example.com/realms/blue",
    ];
    for identifier in foreign {
        let issuer = TestIssuer::new(identifier).clock(bed.clock.clone());
        // R9068-4-2: an unknown issuer causes neither a look-up nor a fetch.
        assert_untrusted(&bed.send(&token(&issuer)).await);
    }
    assert_eq!((bed.realms.asked(), bed.fetch.count()), (0, 0));
}

#[tokio::test]
async fn a_hundred_first_requests_share_one_look_up() {
    let bed = Bed::new();
    let blue = bed.remote("blue");
    bed.realms.gate.forget_permits(Semaphore::MAX_PERMITS);
    let mut requests = JoinSet::new();
    for _ in 0..100 {
        let (server, token) = (bed.server.clone(), token(&blue));
        requests.spawn(async move { present(&server, &token).await });
    }
    let_others_run().await;
    assert!(requests.try_join_next().is_none(), "all of them wait");
    bed.realms.gate.add_permits(1);
    for answer in requests.join_all().await {
        answer.assert_ok();
    }
    assert_eq!((bed.realms.asked(), bed.fetch.count()), (1, 1));
}

#[tokio::test]
async fn invented_names_are_asked_about_at_a_pace() {
    let bed = Bed::new();
    let blue = bed.remote("blue");
    bed.send(&token(&blue)).await.assert_ok();
    let strangers: Vec<_> = (0..50).map(|i| bed.issuer(&format!("invented-{i}"))).collect();
    let mut kinds = Vec::new();
    for stranger in &strangers {
        kinds.push(bed.send(&token(stranger)).await.kind().expect("a refusal"));
    }
    // Ten look-ups a second, that of blue among them.
    assert_eq!(bed.realms.asked(), 10);
    assert_eq!(kinds[..9], [RejectionKind::UntrustedIssuer; 9]);
    assert_eq!(kinds[9..], [RejectionKind::IssuerUnavailable; 41]);
    // Who is known notices nothing, and who is not is remembered as such.
    bed.send(&token(&blue)).await.assert_ok();
    assert_untrusted(&bed.send(&token(&strangers[0])).await);
    bed.clock.advance(Duration::from_secs(1));
    assert_untrusted(&bed.send(&token(&strangers[49])).await);
    assert_eq!(bed.realms.asked(), 11);
}

#[tokio::test]
async fn invented_names_do_not_hide_that_an_issuer_is_trusted_no_longer() {
    let bed = Bed::new();
    let blue = bed.issuer("blue");
    bed.realms.trust("blue", blue.trusted());
    let old = token(&blue);
    bed.send(&old).await.assert_ok();
    bed.realms.set("blue", Answers::Nothing);
    bed.clock.advance(FRESH);
    for i in 0..20 {
        assert!(bed.send(&token(&bed.issuer(&format!("invented-{i}")))).await.kind().is_some());
    }
    // The pace of strangers is used up; that of known issuers is not.
    bed.send(&old).await.assert_ok();
    let_others_run().await;
    assert_untrusted(&bed.send(&old).await);
}

#[tokio::test]
async fn an_issuer_that_cannot_be_looked_up_takes_the_pace_of_no_other() {
    let bed = Bed::new();
    let (blue, red) = (bed.issuer("blue"), bed.issuer("red"));
    let (of_blue, of_red) = (token(&blue), token(&red));
    for (realm, issuer, token) in [("blue", &blue, &of_blue), ("red", &red, &of_red)] {
        bed.realms.trust(realm, issuer.trusted());
        bed.send(token).await.assert_ok();
    }
    bed.realms.set("blue", Answers::Failure);
    bed.realms.set("red", Answers::Nothing);
    bed.clock.advance(FRESH);
    for _ in 0..20 {
        bed.send(&of_blue).await.assert_ok();
        let_others_run().await;
    }
    assert_eq!(bed.realms.asked(), 3);
    bed.send(&of_red).await.assert_ok();
    let_others_run().await;
    assert_untrusted(&bed.send(&of_red).await);
    bed.clock.advance(Duration::from_secs(1));
    bed.send(&of_blue).await.assert_ok();
    let_others_run().await;
    assert_eq!(bed.realms.asked(), 5);
}

#[tokio::test]
async fn that_an_issuer_is_not_trusted_counts_for_a_minute() {
    let bed = Bed::new();
    let blue = bed.issuer("blue");
    assert_untrusted(&bed.send(&token(&blue)).await);
    bed.realms.trust("blue", blue.trusted());
    bed.clock.advance(Duration::from_secs(59));
    assert_untrusted(&bed.send(&token(&blue)).await);
    assert_eq!(bed.realms.asked(), 1);
    bed.clock.advance(Duration::from_secs(1));
    bed.send(&token(&blue)).await.assert_ok();
}

#[tokio::test]
async fn failures_are_ours_and_are_not_remembered() {
    let bed = Bed::new();
    let blue = bed.issuer("blue");
    for answer in [
        Answers::Failure,
        Answers::Panic,
        // Faulty, or another than was asked about.
        Answers::Issuer(Box::new(blue.trusted().algorithms([]))),
        Answers::Issuer(Box::new(bed.issuer("red").trusted())),
        Answers::Issuer(Box::new(Issuer::jwks_uri(blue.issuer(), "http://as.example.com/keys"))),
        Answers::Issuer(Box::new(blue.trusted().introspect(Introspection::at(
            "https://as.example.com/introspect",
            tower_resource_server::ClientAuthentication::client_secret_basic("id", "s"),
        )))),
    ] {
        bed.realms.set("blue", answer);
        assert_unavailable(&bed.send(&token(&blue)).await);
    }
    bed.realms.trust("blue", blue.trusted());
    bed.clock.advance(Duration::from_secs(1));
    bed.send(&token(&blue)).await.assert_ok();
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_does_not_answer_is_given_up() {
    let bed = Bed::new();
    let blue = bed.issuer("blue");
    bed.realms.set("blue", Answers::Hang);
    let begun = tokio::time::Instant::now();
    assert_unavailable(&bed.send(&token(&blue)).await);
    assert_eq!(begun.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn a_known_issuer_is_looked_up_again_in_the_background() {
    let bed = Bed::new();
    let blue = bed.remote("blue");
    let old = token(&blue);
    bed.send(&old).await.assert_ok();
    bed.clock.advance(FRESH - Duration::from_millis(1));
    bed.send(&token(&blue)).await.assert_ok();
    let_others_run().await;
    assert_eq!(bed.realms.asked(), 1);
    // It is due, and nobody waits for it; unchanged, it keeps the keys it has.
    bed.clock.advance(Duration::from_millis(1));
    let fetches = bed.fetch.count();
    bed.send(&token(&blue)).now_or_never().expect("it waits for nothing").assert_ok();
    let_others_run().await;
    assert_eq!(bed.realms.asked(), 2);
    bed.send(&token(&blue)).await.assert_ok();
    assert!(bed.fetch.count() <= fetches + 1, "at most the refresh of keys that have aged");
    bed.send(&old).now_or_never().expect("it is remembered").assert_ok();
}

#[tokio::test]
async fn a_changed_issuer_is_judged_anew_with_all_its_tokens() {
    let bed = Bed::new();
    let blue = bed.issuer("blue");
    bed.realms.trust("blue", blue.trusted());
    let old = token(&blue);
    bed.send(&old).await.assert_ok();
    // The realm gets other keys, which its resolver knows.
    let other = bed.issuer("blue");
    bed.realms.trust("blue", other.trusted());
    bed.clock.advance(FRESH);
    bed.send(&token(&blue)).await.assert_ok();
    let_others_run().await;
    let answer = bed.send(&old).await;
    answer.assert_t401();
    assert_eq!(answer.kind(), Some(RejectionKind::BadSignature), "it is remembered no longer");
    bed.send(&token(&other)).await.assert_ok();
}

#[tokio::test]
async fn an_issuer_that_is_trusted_no_longer_takes_its_tokens_with_it() {
    let bed = Bed::new();
    let (blue, red) = (bed.remote("blue"), bed.remote("red"));
    let (old, others) = (token(&blue), token(&red));
    bed.send(&old).await.assert_ok();
    bed.send(&others).await.assert_ok();
    bed.realms.set("blue", Answers::Nothing);
    bed.clock.advance(FRESH);
    bed.send(&token(&blue)).await.assert_ok();
    let_others_run().await;
    assert_untrusted(&bed.send(&old).await);
    bed.send(&others).await.assert_ok();
    assert_eq!(bed.server.health().issuers().len(), 1);
}

#[tokio::test]
async fn a_token_that_is_remembered_does_not_keep_its_issuer_trusted() {
    let bed = Bed::new();
    let blue = bed.issuer("blue");
    bed.realms.trust("blue", blue.trusted());
    let only = token(&blue);
    bed.send(&only).await.assert_ok();
    bed.realms.set("blue", Answers::Nothing);
    // Nothing but this one token ever comes.
    bed.clock.advance(FRESH);
    bed.send(&only).now_or_never().expect("it waits for nothing").assert_ok();
    let_others_run().await;
    assert_eq!(bed.realms.asked(), 2);
    assert_untrusted(&bed.send(&only).await);
}

#[tokio::test]
async fn a_token_that_is_remembered_does_not_outlast_the_trust_in_its_issuer() {
    let bed = Bed::new();
    let blue = bed.issuer("blue");
    bed.realms.trust("blue", blue.trusted());
    let only = token(&blue);
    bed.send(&only).await.assert_ok();
    bed.realms.set("blue", Answers::Failure);
    bed.clock.advance(FRESH + DAY - Duration::from_millis(1));
    bed.send(&only).await.assert_ok();
    let_others_run().await;
    bed.clock.advance(Duration::from_millis(1));
    assert_unavailable(&bed.send(&only).await);
    bed.realms.trust("blue", blue.trusted());
    bed.clock.advance(Duration::from_secs(1));
    bed.send(&only).await.assert_ok();
}

#[tokio::test]
async fn a_token_that_waited_for_keys_is_refused_if_trust_has_ended_meanwhile() {
    let bed = Bed::new();
    let blue = bed.remote("blue");
    bed.send(&token(&blue)).await.assert_ok();
    let rotated = TestIssuer::with_key(blue.issuer(), key(Algorithm::ES256, "2"));
    let rotated = rotated.clock(bed.clock.clone());
    bed.fetch.json_at(&format!("{REALMS}blue/keys"), rotated.jwks_json());
    bed.realms.set("blue", Answers::Nothing);
    bed.clock.advance(FRESH);
    let hold = bed.fetch.hold();
    let (server, waiting) = (bed.server.clone(), token(&rotated));
    let waiting = tokio::spawn(async move { present(&server, &waiting).await });
    let_others_run().await;
    assert_eq!(bed.realms.asked(), 2);
    hold.release();
    assert_unavailable(&waiting.await.expect("no panic"));
    assert_untrusted(&bed.send(&token(&rotated)).await);
}

#[tokio::test]
async fn while_the_resolver_fails_known_issuers_stay_trusted_for_a_day() {
    let bed = Bed::new();
    let blue = bed.issuer("blue");
    bed.realms.trust("blue", blue.trusted());
    bed.send(&token(&blue)).await.assert_ok();
    bed.realms.set("blue", Answers::Failure);
    bed.clock.advance(FRESH + DAY - Duration::from_millis(1));
    bed.send(&token(&blue)).await.assert_ok();
    let_others_run().await;
    bed.clock.advance(Duration::from_millis(1));
    assert_unavailable(&bed.send(&token(&blue)).await);
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

#[tokio::test]
async fn names_that_are_allowed_whole_are_in_the_metadata() {
    let clock = FixedClock::at(NOW);
    let gate = Arc::new(Semaphore::new(1));
    let realms = Realms { answers: Arc::default(), asked: Arc::default(), gate };
    let blue = format!("{REALMS}blue");
    let allowed = AllowedIssuers::exact([blue.clone(), ISSUER.to_owned()]).and_below(REALMS);
    let server = TestIssuer::new(ISSUER).resource_server(RESOURCE).clock(clock);
    let server = server.resolve_issuers(allowed, realms).build().expect("valid");
    let request = http::Request::get(server.metadata().path().to_owned());
    let request = request.body(http_body_util::Full::<bytes::Bytes>::default()).expect("a request");
    let response =
        tower::ServiceExt::oneshot(server.metadata(), request).await.expect("infallible");
    let answer = crate::support::read(response, false).await;
    assert_eq!(answer.json()["authorization_servers"], serde_json::json!([ISSUER, blue]));
}

#[tokio::test]
async fn the_log_says_why_an_issuer_cannot_be_used_and_nothing_unescaped() {
    let bed = Bed::new();
    let blue = bed.issuer("blue");
    bed.realms.trust("blue", blue.trusted().algorithms([]));
    let (logs, guard) = Logs::capture();
    assert_unavailable(&bed.send(&token(&blue)).await);
    drop(guard);
    let text = logs.text();
    assert!(text.contains("accepts no algorithm") && text.contains("realms/blue"), "{text}");
}

#[test]
fn what_may_be_asked_about_is_checked() {
    let gate = || Arc::new(Semaphore::new(1));
    let realms = || Realms { answers: Arc::default(), asked: Arc::default(), gate: gate() };
    for allowed in [
        AllowedIssuers::default(),
        AllowedIssuers::below("https://as.example.com"),
        AllowedIssuers::below("http://as.example.com/"),
        AllowedIssuers::default().and_between("https://as.example.com/", "v2.0"),
    ] {
        let found = faults(|builder| builder.resolve_issuers(allowed, realms()));
        assert_eq!(found, ["resolve_issuers"]);
    }
}
