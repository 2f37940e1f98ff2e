//! What clients of both schemes are told, and in which order (RFC 9449 §7.1, §7.2).

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::json;
use tower::ServiceExt;
use tower_resource_server::testing::{ProofFlaw, SigningKey};
use tower_resource_server::{
    Algorithm, Dpop, RejectionKind, Scopes, SealedNonces, SenderConstraint,
};

use crate::dpop::{ALGS, DpopBed, dpop};
use crate::support::{Answer, Handler, bearer, get, send, send_around};

/// Refusals of every kind that this topic knows.
async fn refusals(bed: &DpopBed, constraint: SenderConstraint) -> Vec<Answer> {
    let guard = bed.bed.server.authenticate().sender_constraint(constraint);
    let write = guard.clone().require(Scopes::all(["write"]));
    let stranger = SigningKey::generate(Algorithm::ES256);
    let bound = |proof: &str| dpop(&bed.token, &[proof]);
    let sound = bound(&bed.proof().build());
    let mut answers = Vec::new();
    for request in [
        get(&[]),
        get(&[("authorization", "Basic dTpw")]),
        get(&[("authorization", "Bearer")]),
        bearer("garbage"),
        bearer("a b"),
        bearer(&bed.token),
        dpop(&bed.token, &[]),
        dpop("a b", &[]),
        bound("garbage"),
        bound(&bed.proof().flaw(ProofFlaw::BadSignature).build()),
        bound(&bed.proof_by(&stranger).build()),
        get(&[("authorization", "Bearer a"), ("authorization", "DPoP b")]),
    ] {
        answers.push(send(guard.clone(), request).await);
    }
    for request in [sound, bearer(&bed.bed.token())] {
        answers.push(send(write.clone(), request).await);
    }
    answers
}

#[tokio::test]
async fn algs_is_the_policy_everywhere() {
    let some = || Dpop::new().algorithms([Algorithm::PS256, Algorithm::ES256]);
    for (policy, algs) in [(Dpop::new(), ALGS), (some(), "PS256 ES256")] {
        let plain = DpopBed::recording_with(policy.clone(), |builder| builder);
        let nonces = policy.nonces(SealedNonces::random());
        for bed in [plain, DpopBed::recording_with(nonces, |builder| builder)] {
            let path = bed.bed.server.metadata().path().to_owned();
            let request = Request::get(path).body(Full::<Bytes>::default()).expect("a request");
            let response = bed.bed.server.metadata().oneshot(request).await.expect("infallible");
            let document = crate::support::read(response, false).await.json();
            let listed: Vec<_> = algs.split(' ').collect();
            // R9449-7.1-4: N401, T401, P401, NONCE401 and S403, and the metadata document.
            assert_eq!(document["dpop_signing_alg_values_supported"], json!(listed));
            let answers = refusals(&bed, SenderConstraint::Any).await;
            let errors: std::collections::BTreeSet<_> =
                answers.iter().filter_map(|answer| answer.kind()?.error_code()).collect();
            assert!(errors.len() >= 4, "{errors:?}");
            let challenges: Vec<_> = answers.iter().flat_map(Answer::challenges).collect();
            let dpop = challenges.iter().filter(|challenge| challenge.scheme == "DPoP");
            assert!(dpop.clone().count() > 10);
            dpop.for_each(|challenge| assert_eq!(challenge.get("algs"), Some(algs)));
        }
    }
}

#[tokio::test]
async fn challenges_name_the_schemes_that_are_accepted() {
    let bed = DpopBed::recording();
    for (constraint, other) in
        [(SenderConstraint::Dpop, "Bearer"), (SenderConstraint::Bearer, "DPoP")]
    {
        // R9449-7.2-7: of one that is not accepted there is no challenge anywhere.
        for answer in refusals(&bed, constraint).await {
            assert!(!answer.handled);
            assert!(!answer.schemes().contains(&other.to_owned()), "{answer:?}");
        }
    }
    // The whole server, and its metadata.
    let bed = DpopBed::recording_with(Dpop::new(), |b| b.sender_constraint(SenderConstraint::Dpop));
    for request in [get(&[]), bearer(&bed.bed.token()), bearer(&bed.token), bearer("a b")] {
        assert_eq!(bed.send(request).await.schemes(), ["DPoP"]);
    }
}

#[tokio::test]
async fn without_credentials_no_challenge_has_an_error() {
    let bed = DpopBed::recording();
    for request in [get(&[]), get(&[("authorization", "Basic dTpw")])] {
        let answer = bed.send(request).await;
        // R9449-7.2-4: both, Bearer first since several clients read only that; and nothing bare.
        answer.assert_n401_of(&["Bearer", "DPoP"]);
        assert_eq!(answer.challenge_of("DPoP").names(), ["algs", "resource_metadata"]);
        assert_eq!(answer.challenge_of("Bearer").names(), ["resource_metadata"]);
    }
    // A proof by itself is no credential.
    let mut request = get(&[]);
    request.headers_mut().insert("dpop", bed.proof().build().parse().expect("a field value"));
    bed.send(request).await.assert_n401_of(&["Bearer", "DPoP"]);
}

#[tokio::test]
async fn the_error_stands_with_the_scheme_that_was_tried() {
    let bed = DpopBed::recording();
    // R9449-7.2-5, R9449-7.1-3: in the one, and the other has what it always has.
    let answer = bed.send(bearer("garbage")).await;
    answer.assert_t401_of("Bearer", RejectionKind::MalformedToken);
    assert_eq!(answer.schemes(), ["Bearer", "DPoP"]);
    assert_eq!(answer.challenge_of("DPoP").names(), ["algs", "resource_metadata"]);
    let answer = bed.send(dpop(&bed.token, &["garbage"])).await;
    answer.assert_p401_of(RejectionKind::MalformedProof);
    assert_eq!(answer.schemes(), ["DPoP", "Bearer"]);
    assert_eq!(answer.challenge_of("Bearer").names(), ["resource_metadata"]);
    let proof = bed.key.proof("GET", crate::dpop::URI).token("garbage").clock(&bed.bed.clock);
    let answer = bed.send(dpop("garbage", &[&proof.build()])).await;
    answer.assert_t401_of("DPoP", RejectionKind::MalformedToken);
    assert_eq!(answer.schemes(), ["DPoP", "Bearer"]);
}

#[tokio::test]
async fn where_the_scheme_is_not_clear_the_error_stands_in_both() {
    let bed = DpopBed::recording();
    let (one, other) = (format!("Bearer {}", bed.token), format!("DPoP {}", bed.token));
    for lines in [[&one, &other], [&other, &one], [&one, &one], [&other, &other]] {
        let request = get(&[("authorization", lines[0]), ("authorization", lines[1])]);
        let answer = bed.send(request).await;
        // R9449-7.2-6
        answer.assert_r400();
        assert_eq!(answer.schemes(), ["Bearer", "DPoP"]);
        for challenge in answer.challenges() {
            assert_eq!(challenge.get("error"), Some("invalid_request"));
        }
    }
}

#[tokio::test]
async fn a_token_without_a_proof_is_told_so() {
    let bed = DpopBed::recording();
    // R9449-7-1, D-13, and with a nonce where one will be needed.
    let answer = bed.send(dpop(&bed.token, &[])).await;
    answer.assert_p401_of(RejectionKind::MissingProof);
    assert!(answer.all("dpop-nonce").is_empty());
    let bed =
        DpopBed::recording_with(Dpop::new().nonces(SealedNonces::random()), |builder| builder);
    let answer = bed.send(dpop(&bed.token, &[])).await;
    answer.assert_p401_of(RejectionKind::MissingProof);
    assert_eq!(answer.all("dpop-nonce").len(), 1);
}

#[tokio::test]
async fn a_dpop_challenge_has_what_a_bearer_challenge_has() {
    let bed = DpopBed::recording_with(Dpop::new(), |builder| builder.realm("api"));
    let guard = bed.bed.server.authenticate().require(Scopes::all(["read"]));
    let answer = send(guard, dpop(&bed.token, &["garbage"])).await;
    let challenge = answer.challenge_of("DPoP");
    // R9449-7.1-5, in the order that clients cope with.
    let names = ["realm", "error", "scope", "algs", "resource_metadata", "error_description"];
    assert_eq!(challenge.names(), names);
    assert_eq!((challenge.get("realm"), challenge.get("scope")), (Some("api"), Some("read")));
    let metadata = "https://api.example.com/.well-known/oauth-protected-resource";
    assert_eq!(challenge.get("resource_metadata"), Some(metadata));
}

#[tokio::test]
async fn a_missing_scope_is_said_in_the_scheme_of_the_token() {
    let bed = DpopBed::recording();
    let guard = bed.bed.server.authenticate().require(Scopes::all(["write"]));
    let answer = send(guard, dpop(&bed.token, &[&bed.proof().build()])).await;
    // R9449-7.1-6
    answer.assert_s403("write");
    answer.assert_error_of("DPoP", StatusCode::FORBIDDEN, "insufficient_scope");
    assert_eq!(answer.schemes(), ["DPoP"]);
    assert_eq!(answer.challenge().get("algs"), Some(ALGS));
    // A layer further in says the same.
    let layers = (bed.bed.server.authenticate(), bed.bed.server.require(Scopes::all(["write"])));
    let answer = send(layers, dpop(&bed.token, &[&bed.proof().build()])).await;
    answer.assert_error_of("DPoP", StatusCode::FORBIDDEN, "insufficient_scope");
    assert_eq!(answer.schemes(), ["DPoP"]);
}

fn exposed(answer: &Answer) -> Vec<String> {
    let lines = answer.all("access-control-expose-headers");
    let names = lines.into_iter().flat_map(|line| line.split(','));
    names.map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty()).collect()
}

#[tokio::test]
async fn browsers_can_read_the_challenge() {
    let bed = DpopBed::recording_with(Dpop::new(), tower_resource_server::Builder::expose_headers);
    let origin = ("origin", "https://app.example.com");
    // R9449-7.1-7: of ours, and added to what a handler exposes with a 401 of its own.
    for lines in [vec![origin], vec![origin, ("authorization", "DPoP x")]] {
        let answer = bed.send(get(&lines)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(exposed(&answer).contains(&"www-authenticate".to_owned()));
    }
    let handler = Handler::answering(401, &[("access-control-expose-headers", ", X-A,")]);
    let mut request = bed.proof().authorize(get(&[origin]));
    request.headers_mut().insert("accept", "*/*".parse().expect("a field value"));
    let answer = send_around(bed.bed.server.authenticate(), handler, request).await;
    assert!(answer.handled && answer.rejection.is_none());
    let names = exposed(&answer);
    assert!(names.contains(&"x-a".to_owned()), "{names:?}");
    assert!(names.contains(&"www-authenticate".to_owned()), "{names:?}");
}
