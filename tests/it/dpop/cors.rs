//! What scripts of other origins may read: the challenge and the nonce (RFC 9449 §7.1, §8.2).

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, StatusCode, header};
use http_body_util::Full;
use tower::{Layer, ServiceExt};
use tower_http::cors::CorsLayer;
use tower_resource_server::testing::{ProofBuilder, ProofFlaw};
use tower_resource_server::{
    Dpop, ReplayStore, ReplayStoreError, Scopes, SealedNonces, SenderConstraint,
};

use crate::dpop::{DpopBed, with_proof};
use crate::support::{Answer, Handler, bearer, get, read, send, send_around};

const APP: &str = "https://app.example.com";
const EXPOSED: &str = "access-control-expose-headers";
const BOTH: [&str; 2] = ["www-authenticate", "dpop-nonce"];

fn exposing() -> DpopBed {
    DpopBed::with(|builder| {
        builder.expose_headers().dpop(Dpop::new().nonces(SealedNonces::random()))
    })
}

/// The request as a script of [`APP`] sends it.
fn from_app(mut request: Request<Full<Bytes>>) -> Request<Full<Bytes>> {
    request.headers_mut().insert(header::ORIGIN, HeaderValue::from_static(APP));
    request
}

fn script(proof: &ProofBuilder) -> Request<Full<Bytes>> {
    from_app(with_proof(proof))
}

/// The names that are exposed, in lower case; they stand in one line, each once.
fn exposed(answer: &Answer) -> Vec<String> {
    let lines = answer.all(EXPOSED);
    assert!(lines.len() <= 1, "{lines:?}");
    let listed = lines.iter().flat_map(|line| line.split(','));
    let names: Vec<_> = listed.map(|name| name.trim().to_ascii_lowercase()).collect();
    let mut unique = names.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), names.len(), "{names:?}");
    names
}

#[tokio::test]
async fn a_script_can_read_the_nonce() {
    let bed = exposing();
    let layer = bed.bed.server.authenticate();
    let refused = send(layer.clone(), script(&bed.proof())).await;
    let nonce = refused.assert_nonce401();
    // R9449-7.1-7, R9449-9-4: on a 401, by name (FETCH-3.2-3).
    assert_eq!(exposed(&refused), BOTH);
    bed.bed.clock.advance(Duration::from_secs(200));
    let served = send(layer, script(&bed.proof().nonce(nonce))).await;
    served.assert_ok();
    served.nonce();
    // R9449-9-4: and on a 200.
    assert_eq!(exposed(&served), BOTH);
}

#[tokio::test]
async fn every_answer_to_a_script_is_readable() {
    #[derive(Debug)]
    struct Down;
    impl ReplayStore for Down {
        fn claim(&self, _: &tower_resource_server::ProofUse) -> tower_resource_server::Claim {
            tower_resource_server::Claim::Done(Err(ReplayStoreError::Unavailable))
        }
    }
    let bed = exposing();
    let any = bed.bed.server.authenticate();
    let nonce = bed.fetch_nonce().await;
    let proof = || bed.proof().nonce(&nonce);
    let bearer_token = bed.bed.token();
    let write = || Scopes::all(["write"]);
    let within = (any.clone(), bed.bed.server.require(write()));
    let bound_only = any.clone().sender_constraint(SenderConstraint::Dpop);
    let answers = [
        send(any.clone(), from_app(get(&[]))).await,
        send(any.clone(), from_app(bearer(&bearer_token))).await,
        send(any.clone(), from_app(bearer("garbage"))).await,
        send(any.clone(), from_app(bearer("a b"))).await,
        send(any.clone(), script(&proof().flaw(ProofFlaw::BadSignature))).await,
        send(any.clone().require(write()), script(&proof())).await,
        send(within, script(&proof())).await,
        send(bound_only, from_app(get(&[]))).await,
        send(any.clone().optional(), from_app(get(&[]))).await,
    ];
    let statuses = answers.each_ref().map(|answer| answer.status.as_u16());
    assert_eq!(statuses, [401, 200, 401, 400, 401, 403, 403, 401, 200]);
    // R9449-7.1-7: wherever there is a challenge.
    assert!(answers.iter().all(|answer| exposed(answer) == BOTH));
    let outage =
        DpopBed::with(|builder| builder.expose_headers().dpop(Dpop::new().replay_store(Down)));
    let answer = send(outage.bed.server.authenticate(), script(&outage.proof())).await;
    answer.assert_x503();
    assert_eq!(exposed(&answer), BOTH);
}

#[tokio::test]
async fn nothing_is_added_unless_it_was_chosen_and_there_is_an_origin() {
    let chosen = exposing();
    for request in [get(&[]), bearer(&chosen.bed.token()), with_proof(&chosen.proof())] {
        let answer = send(chosen.bed.server.authenticate(), request).await;
        assert!(answer.all(EXPOSED).is_empty(), "no Origin: {answer:?}");
    }
    let plain = DpopBed::new(Dpop::new().nonces(SealedNonces::random()));
    for request in
        [from_app(get(&[])), from_app(bearer(&plain.bed.token())), script(&plain.proof())]
    {
        let answer = send(plain.bed.server.authenticate(), request).await;
        assert!(answer.all(EXPOSED).is_empty(), "not chosen: {answer:?}");
    }
}

#[tokio::test]
async fn what_the_handler_lists_stays() {
    let bed = exposing();
    let ask = async |lines: &[(&'static str, &'static str)]| {
        let request = from_app(bearer(&bed.bed.token()));
        let handler = Handler::answering(200, lines);
        send_around(bed.bed.server.authenticate(), handler, request).await
    };
    for (lines, list) in [
        (&[][..], "www-authenticate, dpop-nonce"),
        (&[""], "www-authenticate, dpop-nonce"),
        // R9449-7.1-7: appended, without the empty elements, and in one line.
        (&[",X-A,"], "X-A, www-authenticate, dpop-nonce"),
        (&["X-A", "x-b ,X-C"], "X-A, x-b, X-C, www-authenticate, dpop-nonce"),
        (&["DPoP-NONCE, X-A"], "DPoP-NONCE, X-A, www-authenticate"),
        (&["WWW-Authenticate,dpop-nonce"], "WWW-Authenticate, dpop-nonce"),
        // FETCH-3.2-3: a star is a name like another where credentials are included.
        (&["*"], "*, www-authenticate, dpop-nonce"),
    ] {
        let lines: Vec<_> = lines.iter().map(|line| (EXPOSED, *line)).collect();
        let answer = ask(&lines).await;
        answer.assert_ok();
        assert_eq!(answer.all(EXPOSED), [list], "{lines:?}");
    }
}

#[tokio::test]
async fn layers_within_each_other_add_it_once() {
    let bed = exposing();
    let server = &bed.bed.server;
    let nested =
        (server.authenticate(), server.authenticate(), server.require(Scopes::all(["write"])));
    let answer = send(nested, from_app(bearer(&bed.bed.token()))).await;
    answer.assert_s403("write");
    assert_eq!(exposed(&answer), BOTH);
}

async fn behind_cors(bed: &DpopBed, cors: CorsLayer, request: Request<Full<Bytes>>) -> Answer {
    let handler = Handler::default();
    let service = (cors, bed.bed.server.authenticate()).layer(handler.clone());
    let response = service.oneshot(request).await.expect("infallible");
    read(response, handler.calls() > 0).await
}

#[tokio::test]
async fn it_goes_with_a_cors_layer_outside() {
    let bed = exposing();
    let cors = || CorsLayer::new().allow_origin(HeaderValue::from_static(APP));
    let refused = behind_cors(&bed, cors(), script(&bed.proof())).await;
    let nonce = refused.assert_nonce401();
    // FETCH-3.2-4: the one layer says who may read, the other what.
    assert_eq!(refused.all("access-control-allow-origin"), [APP]);
    assert_eq!(exposed(&refused), BOTH);
    let served = behind_cors(&bed, cors(), script(&bed.proof().nonce(&nonce))).await;
    served.assert_ok();
    assert_eq!(served.all("access-control-allow-origin"), [APP]);
    assert_eq!(exposed(&served), BOTH);
    // A list of the outer layer takes the place of ours, as is documented.
    let listing = cors().expose_headers([HeaderName::from_static("x-a")]);
    let answer = behind_cors(&bed, listing, script(&bed.proof().nonce(&nonce))).await;
    answer.assert_ok();
    assert_eq!(exposed(&answer), ["x-a"]);
}

#[tokio::test]
async fn a_preflight_needs_no_proof() {
    let bed = exposing();
    let bound_only = bed.bed.server.authenticate().sender_constraint(SenderConstraint::Dpop);
    let mut preflight = from_app(get(&[
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "authorization,dpop"),
    ]));
    *preflight.method_mut() = http::Method::OPTIONS;
    let answer = send(bound_only, preflight).await;
    // FETCH-3.2-1
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.handled && answer.all("www-authenticate").is_empty());
    assert!(answer.all("dpop-nonce").is_empty());
}
