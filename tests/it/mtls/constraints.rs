//! Which ties a server or a route demands (RFC 9700 §2.2.1), and what it says of that.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use tower_resource_server::SenderConstraint::{self, Any, Bearer, Bound, Dpop, MutualTls};
use tower_resource_server::testing::TestCertificate;
use tower_resource_server::{RejectionKind, ResourceMetadata, Scopes};

use super::Mtls;
use crate::dpop::Client;
use crate::metadata::{document, refused as refused_metadata};
use crate::support::{Answer, Bed, bearer, get, send};

/// What comes of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    Ok,
    /// N401, with challenges of the schemes that are accepted.
    N401,
    /// T401 for that reason.
    T401(RejectionKind),
}

const UNBOUND: Verdict = Verdict::T401(RejectionKind::UnboundToken);
const AS_BEARER: Verdict = Verdict::T401(RejectionKind::BoundTokenAsBearer);

/// Constraint, schemes of its challenges, and what becomes of: an unbound token, one bound to a
/// certificate that is there, one bound to a key without a proof, one with a proof, one bound to
/// both with both, and that one without a proof.
type Row = (SenderConstraint, &'static [&'static str], [Verdict; 6]);

const BOTH: &[&str] = &["Bearer", "DPoP"];
const TABLE: [Row; 5] = [
    (Any, BOTH, [Verdict::Ok, Verdict::Ok, AS_BEARER, Verdict::Ok, Verdict::Ok, AS_BEARER]),
    (
        Bearer,
        &["Bearer"],
        [Verdict::Ok, Verdict::Ok, AS_BEARER, Verdict::N401, Verdict::N401, AS_BEARER],
    ),
    (Bound, BOTH, [UNBOUND, Verdict::Ok, AS_BEARER, Verdict::Ok, Verdict::Ok, AS_BEARER]),
    (
        Dpop,
        &["DPoP"],
        [Verdict::N401, Verdict::N401, Verdict::N401, Verdict::Ok, Verdict::Ok, Verdict::N401],
    ),
    (
        MutualTls,
        &["Bearer"],
        [UNBOUND, Verdict::Ok, AS_BEARER, Verdict::N401, Verdict::N401, AS_BEARER],
    ),
];

/// A request of each sort of token, in the order of the table; all on a connection with the
/// certificate.
fn requests(bed: &Bed, certificate: &TestCertificate) -> [Request<Full<Bytes>>; 6] {
    let token = || bed.issuer.token().scope("read");
    let by_certificate = token().bound_to_certificate(certificate.client()).build();
    let dpop = Client::new(bed);
    let both = token().bound_to(&dpop.key).bound_to_certificate(certificate.client()).build();
    let both = Client { token: both, key: dpop.key.clone() };
    let requests = [
        bearer(&bed.token()),
        bearer(&by_certificate),
        bearer(&dpop.token),
        dpop.request(),
        both.request(),
        bearer(&both.token),
    ];
    requests.map(|request| certificate.attach(request))
}

fn check(answer: &Answer, verdict: Verdict, schemes: &[&str]) {
    match verdict {
        Verdict::Ok => answer.assert_ok(),
        Verdict::N401 => {
            answer.assert_n401();
            assert_eq!(answer.kind(), Some(RejectionKind::UnsupportedScheme));
            assert_eq!(answer.schemes(), schemes);
        }
        Verdict::T401(kind) => {
            answer.assert_t401();
            assert_eq!(answer.kind(), Some(kind));
            assert_eq!(answer.challenge().scheme, "Bearer");
            assert_eq!(answer.schemes(), schemes);
        }
    }
}

#[tokio::test]
async fn a_server_or_a_layer_can_demand_each_tie() {
    let certificate = TestCertificate::random();
    for (constraint, schemes, verdicts) in TABLE {
        let server = Bed::with(|builder| builder.sender_constraint(constraint));
        let open = Bed::new();
        let layer = open.server.authenticate().sender_constraint(constraint);
        // R9700-2.2.1-1: the server, or the outermost layer, demands bound tokens of one sort or of
        // either.
        for (request, verdict) in requests(&server, &certificate).into_iter().zip(verdicts) {
            let answer = send(server.server.authenticate(), request).await;
            check(&answer, verdict, schemes);
        }
        for (request, verdict) in requests(&open, &certificate).into_iter().zip(verdicts) {
            check(&send(layer.clone(), request).await, verdict, schemes);
        }
        let anonymous = send(layer, get(&[])).await;
        anonymous.assert_n401();
        assert_eq!(anonymous.schemes(), schemes);
    }
}

#[tokio::test]
async fn so_can_a_route() {
    let certificate = TestCertificate::random();
    for (constraint, schemes, verdicts) in TABLE {
        let bed = Bed::new();
        let route = bed.server.require(Scopes::all(["read"])).sender_constraint(constraint);
        let guard = (bed.server.authenticate(), route);
        for (request, verdict) in requests(&bed, &certificate).into_iter().zip(verdicts) {
            let answer = send(guard.clone(), request).await;
            match verdict {
                // Refused by the layer outside, which accepts more.
                AS_BEARER | Verdict::N401 if answer.kind() == as_bearer() => {
                    answer.assert_t401();
                    assert_eq!(answer.schemes(), BOTH);
                }
                // R9700-2.2.1-1: on that route alone.
                verdict => check(&answer, verdict, schemes),
            }
        }
    }
}

const fn as_bearer() -> Option<RejectionKind> {
    Some(RejectionKind::BoundTokenAsBearer)
}

#[tokio::test]
async fn without_the_certificate_such_a_token_passes_nowhere() {
    for (constraint, _, _) in TABLE {
        let mtls = Mtls::with(|builder| builder.sender_constraint(constraint));
        let other = TestCertificate::random();
        for request in [mtls.request(), other.attach(mtls.request())] {
            let answer = mtls.send(request).await;
            match constraint {
                Dpop => answer.assert_n401(),
                _ => answer.assert_t401(),
            }
        }
    }
}

#[tokio::test]
async fn a_route_for_bound_tokens_names_no_scheme_that_the_layer_around_refuses() {
    for (around, schemes) in [
        (Any, BOTH),
        (Bound, BOTH),
        (Dpop, &["DPoP"]),
        (Bearer, &["Bearer"]),
        (MutualTls, &["Bearer"]),
    ] {
        let bed = Bed::with(|builder| builder.sender_constraint(around));
        let guard = bed.server.authenticate().optional();
        let route = bed.server.require(Scopes::all(["read"])).sender_constraint(Bound);
        let answer = send((guard, route.clone()), get(&[])).await;
        answer.assert_n401();
        assert_eq!(answer.schemes(), schemes, "{around:?}");
        // The same layer again, where more is let through: it has remembered nothing.
        let wide = bed.server.authenticate().optional().sender_constraint(Any);
        let answer = send((wide.clone(), route.clone()), get(&[])).await;
        assert_eq!(answer.schemes(), BOTH, "{around:?}");
        let answer = send((wide, route), bearer(&bed.token())).await;
        assert_eq!(answer.kind(), Some(RejectionKind::UnboundToken));
        assert_eq!(answer.schemes(), BOTH);
    }
}

const TLS: &str = "tls_client_certificate_bound_access_tokens";

#[tokio::test]
async fn the_document_says_so_where_certificates_are_asked_for() {
    for (constraint, says) in
        [(Any, None), (Bearer, None), (Dpop, None), (Bound, Some(true)), (MutualTls, Some(true))]
    {
        let says = says.map(Value::from);
        let server = Bed::with(|builder| builder.sender_constraint(constraint)).server;
        // R8705-2-1: true where the server demands such tokens or names them.
        // R9728-2-8: absent, which means false, elsewhere.
        assert_eq!(document(&server).await.get(TLS), says.as_ref(), "{constraint:?}");

        let open = Bed::new().server;
        assert_eq!(document(&open).await.get(TLS), None);
        let _layer = open.authenticate().sender_constraint(constraint);
        // R8705-2-1: and where a layer does.
        assert_eq!(document(&open).await.get(TLS), says.as_ref(), "{constraint:?}");

        let open = Bed::new().server;
        assert_eq!(document(&open).await.get(TLS), None);
        let _route = open.require(Scopes::all(["read"])).sender_constraint(constraint);
        assert_eq!(document(&open).await.get(TLS), says.as_ref(), "{constraint:?}");
    }
    // R9728-2-8: a server that is told of certificates accepts them.
    assert_eq!(document(&Mtls::behind_proxy().bed.server).await[TLS], json!(true));
    let told = ResourceMetadata::new().certificate_bound_tokens();
    let told = Bed::with(|builder| builder.metadata(told));
    // R9728-2-8: or one that says so itself.
    assert_eq!(document(&told.server).await[TLS], json!(true));
    let by_name = ResourceMetadata::new().member(TLS, false);
    assert!(refused_metadata(by_name).contains("follows from other settings"));
}

#[tokio::test]
async fn the_rest_of_the_document_follows_the_schemes() {
    let of = async |constraint| {
        document(&Bed::with(|builder| builder.sender_constraint(constraint)).server).await
    };
    let bound = of(Bound).await;
    assert_eq!(bound["bearer_methods_supported"], json!(["header"]));
    assert!(bound["dpop_signing_alg_values_supported"].is_array());
    // Tokens bound to a certificate need no proof.
    assert_eq!(bound.get("dpop_bound_access_tokens_required"), None);
    let mutual = of(MutualTls).await;
    assert_eq!(mutual["bearer_methods_supported"], json!(["header"]));
    assert_eq!(mutual.get("dpop_signing_alg_values_supported"), None);
    assert_eq!(mutual.get("dpop_bound_access_tokens_required"), None);
}
