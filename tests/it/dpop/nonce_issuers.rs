//! Whose nonces are accepted: secrets, nodes, rotation, issuers of one's own; hooks that meddle.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use http::HeaderValue;
use tower_resource_server::testing::ProofFlaw;
use tower_resource_server::{
    AcceptedNonce, Builder, Dpop, Freshness, NonceIssuer, NonceSecretError, RejectionKind,
    SealedNonces, SenderConstraint,
};

use crate::dpop::{DpopBed, with_proof};
use crate::support::{RESOURCE, get, send};

fn sealed(secret: u8) -> SealedNonces {
    SealedNonces::with_secret(&[secret; 32]).expect("32 bytes")
}

fn of(nonces: impl NonceIssuer) -> Dpop {
    Dpop::new().nonces(nonces)
}

#[tokio::test]
async fn nodes_that_share_a_secret_accept_each_others_nonces() {
    let bed = DpopBed::new(of(sealed(1)));
    let (friend, stranger) = (bed.node(of(sealed(1))), bed.node(of(sealed(2))));
    let nonce = bed.fetch_nonce().await;
    let proof = || with_proof(&bed.proof().nonce(&nonce));
    send(friend.authenticate(), proof()).await.assert_ok();
    // R9449-9-2: another secret, although all else is the same.
    send(stranger.authenticate(), proof()).await.assert_nonce401();
    let random = bed.node(of(SealedNonces::random()));
    send(random.authenticate(), proof()).await.assert_nonce401();
}

#[tokio::test]
async fn an_issuer_may_be_shared() {
    let nonces = Arc::new(sealed(1));
    let bed = DpopBed::new(of(Arc::clone(&nonces)));
    let nonce = nonces.issue(RESOURCE, tower_resource_server::Clock::now(&bed.bed.clock));
    send(bed.bed.server.authenticate(), with_proof(&bed.proof().nonce(nonce))).await.assert_ok();
}

#[tokio::test]
async fn the_secret_before_is_still_good() {
    let nonces = sealed(1);
    let bed = DpopBed::new(of(nonces.clone()));
    let old = bed.fetch_nonce().await;
    nonces.rotate(&[2; 32]).expect("32 bytes");
    // R9449-8.2-3: of the previous epoch, good, and replaced at once.
    let answer = bed.prove(&bed.proof().nonce(&old)).await;
    answer.assert_ok();
    let middle = answer.nonce();
    nonces.rotate(&[3; 32]).expect("32 bytes");
    // R9449-8.2-3: two epochs old.
    bed.prove(&bed.proof().nonce(&old)).await.assert_nonce401();
    bed.prove(&bed.proof().nonce(&middle)).await.assert_ok();
    assert_eq!(nonces.rotate(&[4; 31]), Err(NonceSecretError::TooShort));
    // A rotation that fails changes nothing.
    bed.prove(&bed.proof().nonce(&middle)).await.assert_ok();
}

#[tokio::test]
async fn nodes_rotate_one_after_the_other() {
    let both = |current, previous: u8| {
        of(sealed(current).previous_secret(&[previous; 32]).expect("32 bytes"))
    };
    let old = DpopBed::new(of(sealed(1)));
    let (first, second) = (old.node(both(1, 2)), old.node(both(2, 1)));
    let (by_old, mut by_new) = (old.fetch_nonce().await, String::new());
    for node in [&first, &second] {
        let answer = send(node.authenticate(), with_proof(&old.proof().nonce(&by_old))).await;
        answer.assert_ok();
        by_new = answer.all("dpop-nonce").first().map_or(by_new, |&nonce| nonce.to_owned());
    }
    // The second issues with the new secret, which the first accepts already.
    send(first.authenticate(), with_proof(&old.proof().nonce(&by_new))).await.assert_ok();
    old.prove(&old.proof().nonce(&by_new)).await.assert_nonce401();
}

type Times = (SystemTime, SystemTime);

/// An issuer whose nonces are what the test says, and good for a minute, or as the test says.
#[derive(Clone, Debug)]
struct Told {
    nonce: Arc<Mutex<String>>,
    knows: Arc<AtomicBool>,
    times: Arc<Mutex<Option<Times>>>,
}

impl Told {
    fn new(nonce: &str) -> Self {
        let (nonce, times) = (Arc::new(Mutex::new(nonce.to_owned())), Arc::default());
        Self { nonce, knows: Arc::new(AtomicBool::new(true)), times }
    }

    fn set(&self, nonce: &str) {
        *self.nonce.lock().expect("no panic") = nonce.to_owned();
    }
}

impl NonceIssuer for Told {
    fn issue(&self, _: &str, _: SystemTime) -> String {
        self.nonce.lock().expect("no panic").clone()
    }

    fn check(&self, _: &str, _: &str, now: SystemTime) -> Option<AcceptedNonce> {
        let minute = Duration::from_secs(60);
        let told = *self.times.lock().expect("no panic");
        let (from, until) = told.unwrap_or((now - minute, now + minute));
        let accepted = AcceptedNonce::new(from, until, true);
        self.knows.load(Ordering::SeqCst).then_some(accepted)
    }
}

/// The faults of a server with nonces of that issuer.
fn faults(nonces: impl NonceIssuer) -> Vec<String> {
    let issuer = tower_resource_server::testing::TestIssuer::new(crate::support::ISSUER);
    let builder = issuer.resource_server(RESOURCE).dpop(of(nonces));
    match builder.build() {
        Ok(_) => Vec::new(),
        Err(error) => error.faults().iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn an_issuer_that_is_faulty_is_found_out_when_the_server_is_built() {
    let unsendable = "dpop: the issuer of nonces makes some that cannot be sent; use visible ASCII \
                      without quotes and backslashes (RFC 9449 section 8.1)";
    for nonce in ["", "a b", "a\"b", "a\\b", "\u{fc}", "a\r\nb", "a\u{7f}", "\t"] {
        assert_eq!(faults(Told::new(nonce)), [unsendable], "{nonce:?}");
    }
    assert!(faults(Told::new("!#[]~")).is_empty());
    let forgetful = Told::new("n-1");
    forgetful.knows.store(false, Ordering::SeqCst);
    let refused = "dpop: the issuer of nonces refuses its own; check its secrets, and give it a \
                   lifetime such as 300 s";
    assert_eq!(faults(forgetful), [refused]);
    let lifetime = "dpop: nonces do not live from 5 s to a day; use a lifetime such as 300 s";
    for seconds in [0, 4, 86_401, u64::MAX] {
        let sealed = sealed(1).lifetime(Duration::from_secs(seconds));
        let faults = faults(sealed);
        assert!(faults == [lifetime] || seconds == u64::MAX && faults == [refused], "{faults:?}");
    }
    for seconds in [5, 300, 86_400] {
        assert!(faults(sealed(1).lifetime(Duration::from_secs(seconds))).is_empty());
    }
}

#[tokio::test]
async fn an_issuer_of_ones_own_decides() {
    let told = Told::new("n-1");
    let bed = DpopBed::new(of(told.clone()));
    assert_eq!(bed.prove(&bed.proof()).await.assert_nonce401(), "n-1");
    told.set("n-2");
    let answer = bed.prove(&bed.proof().nonce("whatever")).await;
    answer.assert_ok();
    // R9449-8.2-1: it is the issuer that says when to renew.
    assert_eq!(answer.nonce(), "n-2");
    told.knows.store(false, Ordering::SeqCst);
    bed.prove(&bed.proof().nonce("n-2")).await.assert_nonce401();
}

#[tokio::test]
async fn an_issuer_that_turns_faulty_sends_nothing_that_cannot_be_sent() {
    let told = Told::new("n-1");
    let bed = DpopBed::new(of(told.clone()));
    let bound_only = bed.bed.server.authenticate().sender_constraint(SenderConstraint::Dpop);
    for nonce in ["", "a b", "a\"b", "a\\b", "\u{fc}", "a\r\nx-injected: 1", "\0"] {
        told.set(nonce);
        let challenged = bed.prove(&bed.proof()).await;
        assert_eq!(challenged.kind(), Some(RejectionKind::MissingProofNonce));
        let flawed = bed.prove(&bed.proof().flaw(ProofFlaw::BadSignature)).await;
        flawed.assert_p401_of(RejectionKind::BadProofSignature);
        let first = send(bound_only.clone(), get(&[])).await;
        first.assert_n401();
        // Due for renewal, and the handler has run: the client is served all the same.
        let served = bed.prove(&bed.proof().nonce("n-1")).await;
        served.assert_ok();
        for answer in [challenged, flawed, first, served] {
            // R9449-8.1-1: rather none.
            assert!(answer.all("dpop-nonce").is_empty(), "{nonce:?}");
            assert!(answer.all("x-injected").is_empty(), "{nonce:?}");
        }
    }
}

#[tokio::test]
async fn odd_times_of_an_issuer_cost_nothing_but_the_request() {
    let epoch = SystemTime::UNIX_EPOCH;
    let far = Duration::from_secs(1 << 40);
    for mode in [Freshness::Nonce, Freshness::Both] {
        let told = Told::new("n-1");
        let bed = DpopBed::new(of(told.clone()).freshness(mode));
        for times in [(epoch + far, epoch), (epoch, epoch), (epoch - far, epoch + far)] {
            *told.times.lock().expect("no panic") = Some(times);
            let proof = bed.proof().nonce("n-1");
            bed.prove(&proof).await;
            // Whatever became of the first: never twice.
            assert_ne!(bed.prove(&proof).await.status, 200);
        }
    }
}

/// NONCE401, P401 and the challenge of a route for bound tokens, by a server with such hooks.
async fn assert_nonces_hold(change: impl FnOnce(Builder) -> Builder) {
    let bed = DpopBed::with(|builder| change(builder.dpop(of(sealed(1)))));
    let bound_only = bed.bed.server.authenticate().sender_constraint(SenderConstraint::Dpop);
    let nonce = bed.prove(&bed.proof()).await.assert_nonce401();
    bed.prove(&bed.proof().nonce(nonce)).await.assert_ok();
    let flawed = bed.prove(&bed.proof().flaw(ProofFlaw::HtmOther)).await;
    flawed.assert_p401_of(RejectionKind::ProofMethodMismatch);
    let first = send(bound_only, get(&[])).await;
    first.assert_n401();
    for answer in [flawed, first] {
        // R9449-8-2: exactly one, whatever the hook did; and it is the server's.
        let nonce = answer.nonce();
        bed.prove(&bed.proof().nonce(nonce)).await.assert_ok();
    }
    // R9449-8-2: nor does a hook bring one where there is none to be.
    let plain = send(bed.bed.server.authenticate(), get(&[])).await;
    assert!(plain.all("dpop-nonce").is_empty());
}

const FORGED: HeaderValue = HeaderValue::from_static("forged");

#[tokio::test]
async fn what_hooks_do_to_nonces_is_put_right() {
    assert_nonces_hold(|builder| builder).await;
    assert_nonces_hold(|builder| builder.no_store(|headers| headers.clear())).await;
    assert_nonces_hold(|builder| {
        builder.www_authenticate(|_, headers| {
            headers.remove("dpop-nonce");
        })
    })
    .await;
    assert_nonces_hold(|builder| {
        builder.send_error(|_, _, response| {
            response.headers_mut().append("dpop-nonce", FORGED);
        })
    })
    .await;
    assert_nonces_hold(|builder| {
        builder.no_store(|headers| {
            headers.insert("dpop-nonce", FORGED);
        })
    })
    .await;
    assert_nonces_hold(|builder| {
        builder.send_error(|_, _, response| {
            let headers = response.headers_mut();
            if let Some(nonce) = headers.get("dpop-nonce").cloned() {
                headers.append("dpop-nonce", nonce);
            }
        })
    })
    .await;
}

#[tokio::test]
async fn a_hook_that_panics_costs_no_nonce() {
    assert_nonces_hold(|builder| builder.no_store(|_| panic!("no_store"))).await;
    assert_nonces_hold(|builder| builder.www_authenticate(|_, _| panic!("challenge"))).await;
    assert_nonces_hold(|builder| {
        builder.send_error(|_, _, response| {
            response.headers_mut().clear();
            panic!("send_error")
        })
    })
    .await;
}
