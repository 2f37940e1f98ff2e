//! Tokens that were revoked before they expire.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tower_resource_server::testing::{DpopClient, SigningKey};
use tower_resource_server::{
    Algorithm, DenyList, DenyListFull, RejectionKind, Revocation, RevocationCheck,
    RevocationResult, RevocationUnavailable, Scopes, TokenFacts, TokenStatus,
};

use crate::support::{Answer, Bed, ISSUER, NOW, bearer, send};

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

fn bed(source: &Source) -> Bed {
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

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_is_a_failure() {
    let source = Source::new(false);
    let bed = bed(&source);
    source.hang();
    let begun = tokio::time::Instant::now();
    assert_kind(&bed.bearer(&bed.token()).await, RejectionKind::RevocationUnavailable);
    assert_eq!(begun.elapsed().as_secs(), 5);
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

#[tokio::test]
async fn a_list_denies_tokens_subjects_and_clients() {
    let list = Arc::new(DenyList::new());
    let shared = Arc::clone(&list);
    let bed = Bed::with(|builder| builder.revocation(shared));
    let token = |jti: &str, subject: &str, client: &str, issued: u64| {
        let token = bed.issuer.token().claim("jti", jti).claim("iat", issued);
        token.subject(subject).client_id(client).expires_in(Duration::from_secs(9000)).build()
    };
    let until = at(NOW + 9000);
    list.deny_token(ISSUER, "1", until).expect("room");
    list.deny_subject(ISSUER, "mallory", at(NOW - 10), until).expect("room");
    list.deny_client(ISSUER, "leaky", at(NOW - 10), until).expect("room");
    list.deny_token("https://other.example.com", "2", until).expect("room");
    for (jti, subject, client, issued, denied) in [
        ("1", "alice", "app", NOW, true),
        ("2", "alice", "app", NOW, false),
        ("3", "mallory", "app", NOW - 10, true),
        ("3", "mallory", "app", NOW - 9, false),
        ("3", "leaky", "mallory", NOW - 20, false),
        ("3", "alice", "leaky", NOW - 10, true),
        ("3", "alice", "leaky", NOW - 9, false),
    ] {
        let answer = bed.bearer(&token(jti, subject, client, issued)).await;
        match denied {
            true => assert_kind(&answer, RejectionKind::RevokedToken),
            false => answer.assert_ok(),
        }
    }
    // An entry can be widened and not narrowed.
    list.deny_subject(ISSUER, "mallory", at(NOW - 100), at(NOW)).expect("room");
    let answer = bed.bearer(&token("3", "mallory", "app", NOW - 10)).await;
    assert_kind(&answer, RejectionKind::RevokedToken);
}

#[tokio::test]
async fn a_denied_token_does_not_come_back_in_the_leeway_of_its_end() {
    let list = Arc::new(DenyList::new());
    let shared = Arc::clone(&list);
    let bed = Bed::with(|builder| builder.revocation(shared).leeway(Duration::from_secs(300)));
    let token = bed.issuer.token().subject("mallory").expires_in(Duration::from_secs(100)).build();
    list.deny_subject(ISSUER, "mallory", at(NOW), at(NOW + 100)).expect("room");
    for seconds in [99, 1, 299] {
        bed.clock.advance(Duration::from_secs(seconds));
        assert_kind(&bed.bearer(&token).await, RejectionKind::RevokedToken);
    }
    bed.clock.advance(Duration::from_secs(1));
    assert_kind(&bed.bearer(&token).await, RejectionKind::ExpiredToken);
}

#[tokio::test]
async fn a_full_list_drops_what_has_ended_and_nothing_else() {
    let list = Arc::new(DenyList::with_capacity(2));
    let shared = Arc::clone(&list);
    let bed = Bed::with(|builder| builder.revocation(shared));
    let deny = |jti: &str, life: u64| list.deny_token(ISSUER, jti, at(NOW + life));
    assert_eq!((deny("1", 10), deny("2", 100), deny("1", 20)), (Ok(()), Ok(()), Ok(())));
    assert_eq!(deny("3", 100), Err(DenyListFull::default()));
    bed.bearer(&bed.token()).await.assert_ok();
    assert_eq!(deny("3", 100), Err(DenyListFull::default()), "both are live");
    // Five minutes after its end, for the leeway.
    bed.clock.advance(Duration::from_secs(20 + 300));
    bed.bearer(&bed.token()).await.assert_ok();
    assert_eq!((deny("3", 100), list.len()), (Ok(()), 2));
    let token = bed.issuer.token().claim("jti", "2").build();
    assert_kind(&bed.bearer(&token).await, RejectionKind::RevokedToken);
}
