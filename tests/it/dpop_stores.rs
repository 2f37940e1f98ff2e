//! Replay stores that fail, are slow or are shared, and what becomes of the request meanwhile.

use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Full;
use tokio::sync::oneshot;
use tower::limit::ConcurrencyLimit;
use tower::{Layer, Service, ServiceExt};
use tower_resource_server::testing::{FixedClock, ScriptedFetch, SigningKey, TestIssuer};
use tower_resource_server::{
    Algorithm, Claim, ClaimOutcome, ClaimResult, Dpop, Issuer, ProofUse, RejectionKind,
    ReplayStore, ReplayStoreError, ResourceServer, Scopes, SealedNonces,
};

use crate::dpop_bed::{DpopBed, Ledger, TARGET, assert_replayed, nonce_of, with_proof};
use crate::support::{Handler, ISSUER, NOW, RESOURCE, bearer, get, send};

/// Answers the same to everything.
#[derive(Clone, Copy, Debug)]
struct Always(ClaimResult);

impl ReplayStore for Always {
    fn claim(&self, _: &ProofUse) -> Claim {
        Claim::Done(self.0)
    }
}

/// As [`Always`], but later.
#[derive(Clone, Copy, Debug)]
struct Later(ClaimResult);

impl ReplayStore for Later {
    fn claim(&self, _: &ProofUse) -> Claim {
        let result = self.0;
        Claim::Pending(Box::pin(async move {
            tokio::task::yield_now().await;
            result
        }))
    }
}

const OUTAGES: [(ReplayStoreError, RejectionKind); 2] = [
    (ReplayStoreError::Full, RejectionKind::ReplayStoreFull),
    (ReplayStoreError::Unavailable, RejectionKind::ReplayStoreUnavailable),
];

/// A store that fails in that way, at once and later.
fn failing(error: ReplayStoreError) -> [Dpop; 2] {
    [Dpop::new().replay_store(Always(Err(error))), Dpop::new().replay_store(Later(Err(error)))]
}

#[tokio::test]
async fn a_store_that_fails_is_no_fault_of_the_client() {
    for (error, kind) in OUTAGES {
        for dpop in failing(error) {
            let bed =
                DpopBed::with(|builder| builder.dpop(dpop).retry_after(Duration::from_secs(7)));
            for _ in ["token seen first", "token seen before"] {
                let answer = bed.send(&bed.proof()).await;
                // R9449-11.1-7: X503, and no P401.
                answer.assert_x503();
                assert_eq!(answer.kind(), Some(kind));
                assert_eq!(answer.all("retry-after"), ["7"]);
                assert!(answer.all("dpop-nonce").is_empty());
            }
            // Who brings no proof needs no store.
            send(bed.bed.server.authenticate(), bearer(&bed.bed.token())).await.assert_ok();
        }
    }
}

#[tokio::test]
async fn an_outage_brings_a_nonce_where_there_are_nonces() {
    for (error, _) in OUTAGES {
        for dpop in failing(error) {
            let bed = DpopBed::new(dpop.nonces(SealedNonces::random()));
            let nonce = bed.fetch_nonce().await;
            let answer = bed.send(&bed.proof().nonce(nonce)).await;
            answer.assert_x503();
            // R9449-9-3: the client will be back.
            nonce_of(&answer);
        }
    }
}

#[tokio::test]
async fn proofs_that_cannot_be_recorded_are_accepted_where_that_was_chosen() {
    for (error, _) in OUTAGES {
        for dpop in failing(error) {
            let bed =
                DpopBed::with(|builder| builder.dpop(dpop).danger().accept_unrecorded_proofs());
            let proof = bed.proof();
            for _ in ["token seen first", "token seen before", "copied"] {
                // R9449-11.1-7: the option to fail open.
                bed.send(&proof).await.assert_ok();
            }
        }
    }
    // A store that does answer is believed.
    for dpop in [
        Dpop::new().replay_store(Always(Ok(ClaimOutcome::Replay))),
        Dpop::new().replay_store(Later(Ok(ClaimOutcome::Replay))),
    ] {
        let bed = DpopBed::with(|builder| builder.dpop(dpop).danger().accept_unrecorded_proofs());
        for _ in ["token seen first", "token seen before"] {
            assert_replayed(&bed.send(&bed.proof()).await);
        }
    }
}

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

fn is_ready<S: Service<Request<Full<Bytes>>>>(service: &mut S) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    matches!(service.poll_ready(&mut context), Poll::Ready(Ok(())))
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

/// Panics when called without having been made ready; a clone has yet to be made ready.
#[derive(Debug, Default)]
struct Strict {
    ready: bool,
    calls: Arc<AtomicUsize>,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self { ready: false, calls: Arc::clone(&self.calls) }
    }
}

impl Service<Request<Full<Bytes>>> for Strict {
    type Response = http::Response<Full<Bytes>>;
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without being ready");
        self.calls.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Ok(http::Response::default()))
    }
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
        let proof = key.proof("GET", TARGET).token(&token).clock(&clock);
        let ready = service.ready().await.expect("infallible");
        let response = ready.call(with_proof(&proof)).await.expect("infallible");
        assert_eq!(response.status(), StatusCode::OK);
        drop(response);
        assert_eq!(calls.load(Ordering::SeqCst), number);
    }
}

#[tokio::test]
async fn layers_of_one_server_record_a_proof_once() {
    let ledger = Ledger::default();
    let bed = DpopBed::new(Dpop::new().replay_store(ledger.clone()));
    let server = &bed.bed.server;
    let nested = || {
        let inner = (server.authenticate().require(Scopes::all(["read"])), server.authenticate());
        (server.authenticate(), server.require(Scopes::all(["read"])), inner)
    };
    for number in 1..=2 {
        let proof = bed.proof();
        send(nested(), with_proof(&proof)).await.assert_ok();
        assert_eq!(ledger.asked().len(), number * 2 - 1);
        assert_replayed(&send(nested(), with_proof(&proof)).await);
    }
    // Nor twice where the outer layer leaves it to the inner.
    let gate = (server.authenticate().without_claiming(), server.authenticate());
    let proof = bed.proof();
    send(gate.clone(), with_proof(&proof)).await.assert_ok();
    assert_replayed(&send(gate, with_proof(&proof)).await);
    assert_eq!(ledger.len(), 3);
}

#[tokio::test]
async fn the_inner_layer_records_a_proof_that_the_outer_has_not_seen() {
    let ledger = Ledger::default();
    let bed = DpopBed::new(Dpop::new().replay_store(ledger.clone()));
    let used = bed.proof();
    bed.send(&used).await.assert_ok();
    let used: HeaderValue = used.build().parse().expect("visible ASCII");
    let swap = tower::util::MapRequestLayer::new(move |mut request: Request<Full<Bytes>>| {
        request.headers_mut().insert("dpop", used.clone());
        request
    });
    let server = &bed.bed.server;
    let swapped = (server.authenticate(), swap, server.authenticate());
    assert_replayed(&send(swapped, with_proof(&bed.proof())).await);
}

#[tokio::test]
async fn two_servers_with_one_store_are_two_uses_unless_the_outer_leaves_it() {
    let ledger = Ledger::default();
    let dpop = || Dpop::new().replay_store(ledger.clone());
    let bed = DpopBed::new(dpop());
    let behind = bed.node(dpop());
    let gate = bed.bed.server.authenticate();
    // Each server records for itself, so the second finds the record of the first.
    let both = (gate.clone(), behind.authenticate());
    assert_replayed(&send(both, with_proof(&bed.proof())).await);
    let leaving = (gate.without_claiming(), behind.authenticate());
    let proof = bed.proof();
    send(leaving.clone(), with_proof(&proof)).await.assert_ok();
    assert_replayed(&send(leaving, with_proof(&proof)).await);
    assert_eq!(ledger.len(), 2);
}

#[tokio::test]
async fn a_gate_checks_all_but_the_use() {
    let ledger = Ledger::default();
    let bed = DpopBed::new(Dpop::new().replay_store(ledger.clone()));
    let gate = bed.bed.server.authenticate().without_claiming();
    let proof = bed.proof();
    for _ in 0..2 {
        send(gate.clone(), with_proof(&proof)).await.assert_ok();
    }
    let stranger = SigningKey::generate(Algorithm::ES256);
    let theirs = stranger.proof("GET", TARGET).token(&bed.token).clock(&bed.bed.clock);
    send(gate.clone(), with_proof(&theirs)).await.assert_t401();
    send(gate, get(&[])).await.assert_n401();
    assert_eq!(ledger.asked().len(), 0);
}
