//! What says that a proof is new, that there is no way around it, and how clients find theirs (RFC
//! 9449 §8, §9, §11.3).

use http::StatusCode;
use tower_resource_server::testing::{DpopClient, ProofFlaw};
use tower_resource_server::{Dpop, Freshness, RejectionKind, SenderConstraint};

use crate::dpop::nonces::{HALF, SECOND, SECRET, nonce_mode, sealed};
use crate::dpop::{DpopBed, with_proof};
use crate::support::{Answer, Handler, NOW, get, send};

#[tokio::test]
async fn without_nonces_none_is_sent_and_none_is_looked_at() {
    let bed = DpopBed::new(Dpop::new());
    let stray = bed.proof().nonce("of-another-server");
    let answers = [
        bed.prove(&stray).await,
        bed.prove(&stray).await,
        bed.prove(&bed.proof().flaw(ProofFlaw::BadSignature)).await,
        send(bed.bed.server.authenticate().sender_constraint(SenderConstraint::Dpop), get(&[]))
            .await,
    ];
    assert!(answers.iter().all(|answer| answer.all("dpop-nonce").is_empty()));
    assert_eq!(answers.map(|answer| answer.status.as_u16()), [200, 401, 401, 401]);
}

#[tokio::test]
async fn there_is_no_way_around_nonces() {
    for mode in [Freshness::Both, Freshness::Nonce] {
        let bed = DpopBed::new(Dpop::new().nonces(sealed(&SECRET)).freshness(mode));
        let optional = bed.bed.server.authenticate().optional();
        let served = bed.proof().nonce(bed.fetch_nonce().await);
        bed.prove(&served).await.assert_ok();
        // R9449-11.3-1: not for a client that was served before, nor for one that keeps asking.
        for _ in 0..3 {
            bed.prove(&bed.proof()).await.assert_nonce401();
            send(optional.clone(), with_proof(&bed.proof())).await.assert_nonce401();
        }
        for flaw in [ProofFlaw::NonceNull, ProofFlaw::NonceNumber, ProofFlaw::NonceEmpty] {
            let answer = bed.prove(&bed.proof().flaw(flaw)).await;
            answer.assert_p401_of(RejectionKind::InvalidProofClaim);
        }
        // Nor by saying in other places what the claim does not say.
        let nonce = bed.fetch_nonce().await;
        let in_header = bed.proof().header("nonce", nonce.clone());
        bed.prove(&in_header).await.assert_nonce401();
        let mut in_field = with_proof(&bed.proof());
        in_field.headers_mut().insert("dpop-nonce", nonce.parse().expect("a field value"));
        send(bed.bed.server.authenticate(), in_field).await.assert_nonce401();
        let other_name = bed.proof().claim("Nonce", nonce);
        bed.prove(&other_name).await.assert_nonce401();
    }
}

/// `iat` an hour off in either direction, with a fresh nonce.
async fn skewed(mode: Freshness) -> [Answer; 2] {
    let bed = DpopBed::new(Dpop::new().nonces(sealed(&SECRET)).freshness(mode));
    let nonce = bed.fetch_nonce().await;
    let now = i64::try_from(NOW).expect("a time");
    let skewed = |by: i64| bed.proof().at(now + by).nonce(&nonce);
    [bed.prove(&skewed(-3600)).await, bed.prove(&skewed(3600)).await]
}

#[tokio::test]
async fn the_nonce_can_make_up_for_a_wrong_clock() {
    for answer in skewed(Freshness::Nonce).await {
        // R9449-4.3-11-2: where the nonce decides.
        answer.assert_ok();
    }
    let [old, ahead] = skewed(Freshness::Both).await;
    // R9449-4.3-11-2: else not.
    old.assert_p401_of(RejectionKind::ExpiredProof);
    ahead.assert_p401_of(RejectionKind::ProofNotYetValid);
    let bed = DpopBed::new(Dpop::new().nonces(sealed(&SECRET)).freshness(Freshness::Nonce));
    let nonce = bed.fetch_nonce().await;
    let now = i64::try_from(NOW).expect("a time");
    for (iat, good) in [(-86_400, true), (86_400, true), (-86_401, false), (86_401, false)] {
        let answer = bed.prove(&bed.proof().at(now + iat).nonce(&nonce)).await;
        assert_eq!(answer.status == StatusCode::OK, good, "{iat}: {answer:?}");
    }
}

#[tokio::test]
async fn a_wrong_clock_is_told_of_the_nonce_first() {
    let bed = nonce_mode();
    let now = i64::try_from(NOW).expect("a time");
    // D-1: the nonce precedes `iat`; and a bad signature never leads to a nonce.
    bed.prove(&bed.proof().at(now - 3600)).await.assert_nonce401();
    let forged = bed.proof().flaw(ProofFlaw::BadSignature);
    bed.prove(&forged).await.assert_p401_of(RejectionKind::BadProofSignature);
}

#[tokio::test]
async fn the_client_of_the_kit_finds_its_way() {
    let nonces = sealed(&SECRET);
    let bed = DpopBed::new(Dpop::new().nonces(nonces.clone()));
    let node = bed.node(Dpop::new().nonces(nonces.clone()));
    let handler = Handler::default();
    let mut service = tower::Layer::layer(&bed.bed.server.authenticate(), handler.clone());
    let mut other = tower::Layer::layer(&node.authenticate(), handler.clone());
    let mut client =
        DpopClient::new(bed.key.clone(), bed.token.clone()).clock(bed.bed.clock.clone());
    // Sent anew and anew, it learns each time.
    let steps: [&dyn Fn(); 5] = [
        &|| {},
        &|| bed.bed.clock.advance(HALF),
        &|| bed.bed.clock.advance(HALF + SECOND),
        &|| nonces.rotate(&[3; 32]).expect("32 bytes"),
        &|| [[4; 32], [5; 32]].iter().for_each(|new| nonces.rotate(new).expect("32 bytes")),
    ];
    for (number, step) in steps.into_iter().enumerate() {
        step();
        let response = client.call(&mut service, || get(&[])).await.expect("infallible");
        assert_eq!(response.status(), StatusCode::OK, "step {number}");
        // A node of the same secrets takes what the first has issued, without another round.
        let request = client.authorize(get(&[]));
        let response = tower::Service::call(&mut other, request).await.expect("infallible");
        assert_eq!(response.status(), StatusCode::OK, "step {number}");
    }
    assert_eq!(handler.calls(), 10);
}
