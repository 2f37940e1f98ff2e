//! Replay stores that answer later: what is held meanwhile, and what is given back.

use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::StatusCode;
use tokio::sync::oneshot;
use tower::limit::ConcurrencyLimit;
use tower::{Layer, Service, ServiceExt};
use tower_resource_server::testing::{FixedClock, ScriptedFetch, SigningKey, TestIssuer};
use tower_resource_server::{
    Algorithm, Claim, ClaimOutcome, ClaimResult, Dpop, Issuer, ProofUse, ReplayStore,
    ReplayStoreError, ResourceServer,
};

use crate::dpop::stores::Later;
use crate::dpop::{DpopBed, URI, with_proof};
use crate::support::{Handler, ISSUER, NOW, RESOURCE, bearer};
use crate::tower_contract::{Strict, is_ready, status};

/// Answers when the test says so, and counts what is no longer waited for.
#[derive(Clone, Debug, Default)]
struct Slow(Arc<SlowState>);

#[derive(Debug, Default)]
struct SlowState {
    waiting: Mutex<Vec<oneshot::Sender<ClaimResult>>>,
    polled: AtomicUsize,
    given_up: AtomicUsize,
}

struct SlowClaim {
    answer: oneshot::Receiver<ClaimResult>,
    state: Arc<SlowState>,
    done: bool,
}

impl ReplayStore for Slow {
    fn claim(&self, _: &ProofUse) -> Claim {
        let (sender, answer) = oneshot::channel();
        self.0.waiting.lock().expect("no panic").push(sender);
        Claim::Pending(Box::pin(SlowClaim { answer, state: Arc::clone(&self.0), done: false }))
    }
}

impl Future for SlowClaim {
    type Output = ClaimResult;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ClaimResult> {
        self.state.polled.fetch_add(1, Ordering::SeqCst);
        let answer = Pin::new(&mut self.answer).poll(cx);
        self.done |= answer.is_ready();
        answer.map(|answer| answer.unwrap_or(Err(ReplayStoreError::Unavailable)))
    }
}

impl Drop for SlowClaim {
    fn drop(&mut self) {
        self.state.given_up.fetch_add(usize::from(!self.done), Ordering::SeqCst);
    }
}

impl Slow {
    /// How many requests wait for an answer, or have given up waiting.
    fn asked(&self) -> usize {
        self.0.waiting.lock().expect("no panic").len()
    }

    fn given_up(&self) -> usize {
        self.0.given_up.load(Ordering::SeqCst)
    }

    /// Answers the oldest question.
    fn answer(&self, result: ClaimResult) {
        let sender = self.0.waiting.lock().expect("no panic").remove(0);
        sender.send(result).expect("somebody waits");
    }
}

fn slow() -> (DpopBed, Slow) {
    let store = Slow::default();
    (DpopBed::new(Dpop::new().replay_store(store.clone())), store)
}

/// The future's answer at this poll, if it has one.
fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

#[tokio::test]
async fn a_store_may_answer_later() {
    let (bed, store) = slow();
    let handler = Handler::default();
    let mut service = bed.bed.server.authenticate().layer(handler.clone());
    let mut served = 0;
    for _ in ["token seen first", "token seen before"] {
        for (result, status) in [
            (Ok(ClaimOutcome::First), 200),
            (Ok(ClaimOutcome::Replay), 401),
            (Err(ReplayStoreError::Unavailable), 503),
        ] {
            assert!(is_ready(&mut service));
            let mut future = pin!(service.call(with_proof(&bed.proof())));
            assert!(poll_once(future.as_mut()).is_none());
            assert!(poll_once(future.as_mut()).is_none());
            assert_eq!((store.asked(), handler.calls()), (1, served));
            store.answer(result);
            let response = future.await.expect("infallible");
            assert_eq!(response.status(), status);
            served += usize::from(status == 200);
            // The service inside is called once, and only when the proof is recorded.
            assert_eq!(handler.calls(), served);
        }
    }
    assert_eq!(store.given_up(), 0);
}

#[tokio::test]
async fn who_goes_away_takes_the_question_along() {
    let (bed, store) = slow();
    let handler = Handler::default();
    let limited = ConcurrencyLimit::new(handler.clone(), 1);
    let service = bed.bed.server.authenticate().layer(limited);
    for round in 1..=3 {
        let mut kept = service.clone();
        assert!(is_ready(&mut kept));
        let mut future = Box::pin(kept.call(with_proof(&bed.proof())));
        assert!(poll_once(future.as_mut()).is_none());
        assert_eq!((store.asked(), store.given_up()), (round, round - 1));
        drop(future);
        assert_eq!(store.given_up(), round);
        // The permit is back, although the instance that was called is still there.
        assert!(is_ready(&mut service.clone()), "the permit is still held");
    }
    assert_eq!(handler.calls(), 0);
}

#[tokio::test]
async fn a_refused_proof_gives_the_permit_back() {
    for store in [Later(Ok(ClaimOutcome::Replay)), Later(Err(ReplayStoreError::Full))] {
        let bed = DpopBed::new(Dpop::new().replay_store(store));
        let limited = ConcurrencyLimit::new(Handler::default(), 1);
        let service = bed.bed.server.authenticate().layer(limited);
        for _ in ["token seen first", "token seen before"] {
            let mut kept = service.clone();
            assert!(is_ready(&mut kept));
            let response = kept.call(with_proof(&bed.proof())).await.expect("infallible");
            assert_ne!(response.status(), StatusCode::OK);
            assert!(is_ready(&mut service.clone()), "the permit is still held");
        }
    }
}

#[derive(Debug)]
struct Silent;

impl ReplayStore for Silent {
    fn claim(&self, _: &ProofUse) -> Claim {
        Claim::Pending(Box::pin(pending()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_gives_up_is_not_served_later() {
    let bed = DpopBed::new(Dpop::new().replay_store(Silent));
    let handler = Handler::default();
    let service = bed.bed.server.authenticate().layer(handler.clone());
    let patience = Duration::from_secs(3600);
    let request = with_proof(&bed.proof());
    let answer = tokio::time::timeout(patience, service.clone().oneshot(request)).await;
    assert!(answer.is_err(), "there was an answer");
    assert_eq!(handler.calls(), 0);
    // Others, who need no store, are not held up.
    let bearer = service.oneshot(bearer(&bed.bed.token())).await.expect("infallible");
    assert_eq!(bearer.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_instance_made_ready_is_the_one_called_after_the_claim() {
    let fetch = ScriptedFetch::new();
    let clock = FixedClock::at(NOW);
    let issuer = TestIssuer::new(ISSUER).clock(clock.clone());
    fetch.always_json(issuer.jwks_json());
    let server = ResourceServer::builder(RESOURCE)
        .issuer(Issuer::jwks_uri(ISSUER, "https://as.example.com/jwks"))
        .fetch(fetch)
        .clock(clock.clone())
        .dpop(Dpop::new().replay_store(Later(Ok(ClaimOutcome::First))))
        .build()
        .expect("a valid configuration");
    let key = SigningKey::generate(Algorithm::ES256);
    let token = issuer.token().bound_to(&key).build();
    let inner = Strict::default();
    let calls = Arc::clone(&inner.calls);
    let mut service = server.authenticate().layer(ConcurrencyLimit::new(inner, 1));
    // The first waits for keys, and then for the store.
    for number in 1..=3 {
        let proof = key.proof("GET", URI).token(&token).clock(&clock);
        assert_eq!(status(&mut service, with_proof(&proof)).await, StatusCode::OK);
        assert_eq!(calls.load(Ordering::SeqCst), number);
    }
}
