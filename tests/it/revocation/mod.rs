//! Tokens that were revoked before they expire.

mod deny_list;
mod unknown;

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::FutureExt;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tower_resource_server::testing::{
    DpopClient, FixedClock, ScriptedFetch, SigningKey, TestAuthorizationServer, TestIssuer,
};
use tower_resource_server::{
    Algorithm, Issuer, RejectionKind, ResourceServer, Revocation, RevocationCheck,
    RevocationResult, RevocationUnavailable, Scopes, TokenFacts, TokenStatus, VouchedBy,
};

use crate::support::{
    Answer, Bed, ISSUER, NOW, RESOURCE, bearer, grant, let_others_run, present, send,
};

/// Answers what it is told to, at once or after a turn, and counts the questions.
#[derive(Clone, Debug)]
struct Source {
    asked: Arc<AtomicUsize>,
    answer: Arc<Mutex<Option<RevocationResult>>>,
    at_once: bool,
}

impl Source {
    fn new(at_once: bool) -> Self {
        let source = Self { asked: Arc::default(), answer: Arc::default(), at_once };
        source.say(Ok(TokenStatus::Valid(Duration::ZERO)));
        source
    }

    fn say(&self, answer: RevocationResult) {
        *self.answer.lock().expect("no panic") = Some(answer);
    }

    /// It gives no answer any more.
    fn hang(&self) {
        *self.answer.lock().expect("no panic") = None;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Revocation for Source {
    fn check(&self, token: &TokenFacts<'_>) -> RevocationCheck {
        assert_eq!(token.issuer(), ISSUER);
        self.asked.fetch_add(1, Ordering::SeqCst);
        match *self.answer.lock().expect("no panic") {
            Some(answer) if self.at_once => RevocationCheck::Done(answer),
            Some(answer) => RevocationCheck::Pending(Box::pin(async move {
                tokio::task::yield_now().await;
                answer
            })),
            None => RevocationCheck::Pending(Box::pin(std::future::pending())),
        }
    }
}

/// Leaves each question open until the test answers it.
#[derive(Clone, Debug, Default)]
struct Desk(Arc<Mutex<Vec<Option<oneshot::Sender<RevocationResult>>>>>);

impl Desk {
    fn asked(&self) -> usize {
        self.0.lock().expect("no panic").len()
    }

    fn answer(&self, question: usize, status: TokenStatus) {
        let sender = self.0.lock().expect("no panic")[question].take();
        sender.expect("an open question").send(Ok(status)).expect("somebody waits");
    }
}

impl Revocation for Desk {
    fn check(&self, _: &TokenFacts<'_>) -> RevocationCheck {
        let (sender, answer) = oneshot::channel();
        self.0.lock().expect("no panic").push(Some(sender));
        RevocationCheck::Pending(Box::pin(async { answer.await.expect("it is answered") }))
    }
}

fn bed(source: &(impl Revocation + Clone)) -> Bed {
    let source = source.clone();
    Bed::with(|builder| builder.revocation(source))
}

fn assert_kind(answer: &Answer, kind: RejectionKind) {
    match kind {
        RejectionKind::RevocationUnavailable => answer.assert_x503(),
        _ => answer.assert_t401(),
    }
    assert_eq!(answer.kind(), Some(kind));
}

#[tokio::test]
async fn a_revoked_token_is_refused_and_a_failure_is_ours() {
    for at_once in [true, false] {
        let source = Source::new(at_once);
        let bed = bed(&source);
        let token = bed.token();
        bed.bearer(&token).await.assert_ok();
        source.say(Ok(TokenStatus::Revoked));
        // R6750-3.1-2: revoked, though the token was good a moment ago and is remembered.
        assert_kind(&bed.bearer(&token).await, RejectionKind::RevokedToken);
        source.say(Err(RevocationUnavailable::default()));
        assert_kind(&bed.bearer(&token).await, RejectionKind::RevocationUnavailable);
        source.say(Ok(TokenStatus::Valid(Duration::ZERO)));
        bed.bearer(&token).await.assert_ok();
        assert_eq!(source.asked(), 4, "once a request");
    }
}

#[tokio::test]
async fn an_answer_holds_as_long_as_it_says_and_no_refusal_does() {
    for at_once in [true, false] {
        let source = Source::new(at_once);
        let bed = bed(&source);
        let token = bed.issuer.token().expires_in(Duration::from_secs(90_000)).build();
        source.say(Ok(TokenStatus::Revoked));
        assert_kind(&bed.bearer(&token).await, RejectionKind::RevokedToken);
        source.say(Ok(TokenStatus::Valid(Duration::from_secs(30))));
        bed.bearer(&token).await.assert_ok();
        source.say(Ok(TokenStatus::Revoked));
        bed.clock.advance(Duration::from_millis(29_999));
        bed.bearer(&token).await.assert_ok();
        assert_eq!(source.asked(), 2);
        bed.clock.advance(Duration::from_millis(1));
        assert_kind(&bed.bearer(&token).await, RejectionKind::RevokedToken);
        assert_eq!(source.asked(), 3);
    }
}

#[tokio::test]
async fn no_answer_holds_for_more_than_an_hour() {
    let source = Source::new(true);
    let bed = bed(&source);
    let token = bed.issuer.token().expires_in(Duration::from_secs(90_000)).build();
    source.say(Ok(TokenStatus::Valid(Duration::MAX)));
    bed.bearer(&token).await.assert_ok();
    bed.clock.advance(Duration::from_secs(3599));
    bed.bearer(&token).await.assert_ok();
    assert_eq!(source.asked(), 1);
    bed.clock.advance(Duration::from_secs(1));
    bed.bearer(&token).await.assert_ok();
    assert_eq!(source.asked(), 2);
}

#[tokio::test]
async fn an_answer_from_the_future_does_not_hold() {
    let source = Source::new(true);
    let bed = bed(&source);
    let token = bed.token();
    source.say(Ok(TokenStatus::Valid(Duration::from_secs(60))));
    bed.clock.advance(Duration::from_secs(10));
    bed.bearer(&token).await.assert_ok();
    bed.clock.set(NOW);
    bed.bearer(&token).await.assert_ok();
    assert_eq!(source.asked(), 2, "the clock went back");
}

#[tokio::test]
async fn an_answer_holds_from_the_question_on() {
    let desk = Desk::default();
    let bed = bed(&desk);
    let token = bed.token();
    let mut slow = pin!(bed.bearer(&token));
    assert!(slow.as_mut().now_or_never().is_none());
    bed.clock.advance(Duration::from_secs(4));
    desk.answer(0, TokenStatus::Valid(Duration::from_secs(60)));
    slow.await.assert_ok();
    bed.clock.advance(Duration::from_millis(55_999));
    bed.bearer(&token).await.assert_ok();
    assert_eq!(desk.asked(), 1);
    bed.clock.advance(Duration::from_millis(1));
    assert!(bed.bearer(&token).now_or_never().is_none());
    assert_eq!(desk.asked(), 2);
}

#[tokio::test]
async fn a_revocation_overrules_what_was_asked_before_it() {
    let valid = TokenStatus::Valid(Duration::from_secs(60));
    // The others land after the revocation, before it, or one on either side.
    for order in [[2, 0, 1], [0, 1, 2], [0, 2, 1]] {
        let desk = Desk::default();
        let bed = bed(&desk);
        let token = bed.token();
        let asking = [(); 3].map(|()| Box::pin(bed.bearer(&token)));
        let mut asking = asking.map(|mut asking| {
            assert!(asking.as_mut().now_or_never().is_none());
            Some(asking)
        });
        assert_eq!(desk.asked(), 3);
        for question in order {
            let asking = asking[question].take().expect("not answered before");
            match question {
                2 => {
                    desk.answer(question, TokenStatus::Revoked);
                    assert_kind(&asking.await, RejectionKind::RevokedToken);
                }
                _ => {
                    desk.answer(question, valid);
                    asking.await.assert_ok();
                }
            }
        }
        let mut next = pin!(bed.bearer(&token));
        assert!(next.as_mut().now_or_never().is_none(), "{order:?}: it is asked anew");
        desk.answer(3, valid);
        next.await.assert_ok();
        bed.bearer(&token).await.assert_ok();
        assert_eq!(desk.asked(), 4, "what is said after the revocation holds");
    }
}

/// Two first requests that waited for the keys verify the token twice.
#[tokio::test]
async fn a_revocation_counts_however_often_the_token_was_verified() {
    let (desk, clock) = (Desk::default(), FixedClock::at(NOW));
    let issuer = TestIssuer::new(ISSUER).clock(clock.clone());
    let fetch = ScriptedFetch::new().always_json(issuer.jwks_json());
    let remote = Issuer::jwks_uri(ISSUER, "https://as.example.com/jwks");
    let builder = ResourceServer::builder(RESOURCE).issuer(remote).clock(clock).fetch(fetch);
    let server = builder.revocation(desk.clone()).build().expect("valid");
    let token = issuer.token().build();
    let [mut first, mut second] = [(); 2].map(|()| Box::pin(present(&server, &token)));
    for asking in [&mut first, &mut second] {
        assert!(asking.as_mut().now_or_never().is_none(), "it waits for keys");
    }
    let_others_run().await;
    for asking in [&mut first, &mut second] {
        assert!(asking.as_mut().now_or_never().is_none());
    }
    assert_eq!(desk.asked(), 2);
    desk.answer(0, TokenStatus::Revoked);
    assert_kind(&first.await, RejectionKind::RevokedToken);
    desk.answer(1, TokenStatus::Valid(Duration::from_secs(60)));
    second.await.assert_ok();
    assert!(present(&server, &token).now_or_never().is_none(), "it is asked anew");
    assert_eq!(desk.asked(), 3);
}

#[tokio::test]
async fn a_source_and_a_handler_know_how_the_issuer_vouches() {
    #[derive(Clone, Debug, Default)]
    struct Notes(Arc<Mutex<Vec<VouchedBy>>>);
    impl Revocation for Notes {
        fn check(&self, token: &TokenFacts<'_>) -> RevocationCheck {
            self.0.lock().expect("no panic").push(token.vouched_by());
            RevocationCheck::Done(Ok(TokenStatus::Valid(Duration::ZERO)))
        }
    }
    let authorization_server = TestAuthorizationServer::new(ISSUER);
    let signed = authorization_server.token().build();
    let members =
        json!({ "iss": ISSUER, "aud": RESOURCE, "sub": "user-1", "client_id": "client-1" });
    authorization_server.register(signed.clone(), members);
    let opaque = authorization_server.opaque(&authorization_server.token());
    let by_answer = [VouchedBy::Introspection; 2];
    for (every_token, expected) in
        [(false, [VouchedBy::Signature, by_answer[0]]), (true, by_answer)]
    {
        let introspection = authorization_server.introspection();
        let introspection = if every_token { introspection.every_token() } else { introspection };
        let notes = Notes::default();
        let server = ResourceServer::builder(RESOURCE)
            .issuer(authorization_server.trusted().introspect(introspection))
            .fetch(authorization_server.clone())
            .revocation(notes.clone())
            .build()
            .expect("a valid configuration");
        let mut seen = Vec::new();
        for token in [&signed, &opaque] {
            seen.push(grant(&server, token).await.vouched_by());
        }
        assert_eq!((&seen[..], &notes.0.lock().expect("no panic")[..]), (&expected[..], &seen[..]));
    }
}

#[tokio::test]
async fn nobody_is_asked_about_what_is_refused_anyway() {
    let source = Source::new(true);
    let bed = bed(&source);
    let key = SigningKey::generate(Algorithm::ES256);
    let old = bed.issuer.token().claim("exp", NOW - 100).build();
    let bound = bed.issuer.token().bound_to(&key).build();
    for token in ["abc", &old, &bound] {
        bed.bearer(token).await.assert_t401();
    }
    assert_eq!(source.asked(), 0);
    // The other way round: what is revoked is not told what it lacks.
    source.say(Ok(TokenStatus::Revoked));
    let layer = bed.server.authenticate().require(Scopes::all(["write"]));
    let answer = send(layer, bearer(&bed.token())).await;
    assert_kind(&answer, RejectionKind::RevokedToken);
}

#[tokio::test]
async fn a_failure_uses_up_no_proof() {
    for at_once in [true, false] {
        let source = Source::new(at_once);
        let bed = bed(&source);
        let key = SigningKey::generate(Algorithm::ES256);
        let token = bed.issuer.token().bound_to(&key).build();
        let client = DpopClient::new(key, token).clock(bed.clock.clone());
        let request = client.authorize(crate::support::get(&[]));
        let copy = || request.clone();
        source.say(Err(RevocationUnavailable::default()));
        let layer = || bed.server.authenticate();
        assert_kind(&send(layer(), copy()).await, RejectionKind::RevocationUnavailable);
        source.say(Ok(TokenStatus::Valid(Duration::ZERO)));
        send(layer(), copy()).await.assert_ok();
        let answer = send(layer(), copy()).await;
        answer.assert_p401();
        assert_eq!(answer.kind(), Some(RejectionKind::ReplayedProof));
        // The challenge of a revoked token is that of the scheme it came with.
        source.say(Ok(TokenStatus::Revoked));
        let revoked = send(layer(), client.authorize(crate::support::get(&[]))).await;
        assert_kind(&revoked, RejectionKind::RevokedToken);
        assert_eq!(revoked.challenge().scheme, "DPoP");
    }
}

#[tokio::test]
async fn failing_open_is_a_choice_and_revoked_stays_revoked() {
    let source = Source::new(true);
    let shared = source.clone();
    let bed = Bed::with(|builder| builder.revocation(shared).danger().accept_unknown_status());
    source.say(Err(RevocationUnavailable::default()));
    bed.bearer(&bed.token()).await.assert_ok();
    source.say(Ok(TokenStatus::Revoked));
    assert_kind(&bed.bearer(&bed.token()).await, RejectionKind::RevokedToken);
}

#[tokio::test]
async fn a_source_sees_what_identifies_the_token() {
    #[derive(Debug)]
    struct Reader;
    impl Revocation for Reader {
        fn check(&self, token: &TokenFacts<'_>) -> RevocationCheck {
            assert_eq!(token.subject(), Some("user-1"));
            assert_eq!(token.client_id(), Some("client-1"));
            assert_eq!(token.token_id(), Some("token-7"));
            assert_eq!(token.claim::<String>("sid").as_deref(), Some("session-1"));
            assert_eq!(token.claim::<Value>("status"), None);
            assert_eq!(token.now(), at(NOW));
            assert_eq!(
                (token.issued_at(), token.expires_at()),
                (Some(at(NOW)), Some(at(NOW + 300)))
            );
            assert!(!format!("{token:?}").contains("user-1"));
            RevocationCheck::Done(Ok(TokenStatus::Revoked))
        }
    }
    let bed = Bed::with(|builder| builder.revocation(Reader));
    let token = bed.issuer.token().claim("jti", "token-7").claim("sid", "session-1");
    let token = token.subject("user-1").client_id("client-1").build();
    assert_kind(&bed.bearer(&token).await, RejectionKind::RevokedToken);
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}
