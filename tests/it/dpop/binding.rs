//! Tokens, how they are bound and how they are sent: no way around the proof (RFC 9449 §6, §7).

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use tower_resource_server::testing::SigningKey;
use tower_resource_server::{Algorithm, Dpop, RejectionKind, Scopes, SenderConstraint};

use crate::dpop::{DpopBed, URI, dpop, with_proofs};
use crate::support::{Answer, bearer, get, send, vector_token};
use crate::vectors::send_proof_vector;

/// How a token is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Sent {
    Bearer,
    BearerWithProof,
    DpopWithProof,
    DpopWithoutProof,
    DpopWithOthersProof,
}

impl Sent {
    const ALL: [Self; 5] = [
        Self::Bearer,
        Self::BearerWithProof,
        Self::DpopWithProof,
        Self::DpopWithoutProof,
        Self::DpopWithOthersProof,
    ];

    const fn scheme(self) -> &'static str {
        match self {
            Self::Bearer | Self::BearerWithProof => "Bearer",
            Self::DpopWithProof | Self::DpopWithoutProof | Self::DpopWithOthersProof => "DPoP",
        }
    }

    fn request(self, bed: &DpopBed, token: &str) -> Request<Full<Bytes>> {
        let by =
            |key: &SigningKey| key.proof("GET", URI).token(token).clock(&bed.bed.clock).build();
        let stranger = SigningKey::generate(Algorithm::ES256);
        match self {
            Self::Bearer => bearer(token),
            Self::BearerWithProof => with_proofs(bearer(token), &[&by(&bed.key)]),
            Self::DpopWithProof => dpop(token, &[&by(&bed.key)]),
            Self::DpopWithoutProof => dpop(token, &[]),
            Self::DpopWithOthersProof => dpop(token, &[&by(&stranger)]),
        }
    }
}

/// Where a constraint is set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    Server,
    Authenticate,
    Optional,
    Require,
}

/// The `cnf` of a token.
#[derive(Clone, Debug)]
enum Tie {
    None,
    Key,
    /// Says that there is a key, in a way that is not supported.
    Unsupported(Value),
    /// Says nothing that can be read.
    Broken(Value),
}

fn ties(key: &SigningKey) -> Vec<Tie> {
    let mut ties = vec![Tie::None, Tie::Key];
    let jwk = json!({ "jwk": key.bare_jwk() });
    for cnf in [json!({}), json!({ "kid": "k" }), jwk, json!({ "JKT": key.thumbprint() })] {
        ties.push(Tie::Unsupported(cnf));
    }
    for cnf in [json!(null), json!("x"), json!(key.thumbprint()), json!([]), json!(1)] {
        ties.push(Tie::Broken(cnf));
    }
    ties.extend(broken_thumbprints(key).into_iter().map(|jkt| Tie::Broken(json!({ "jkt": jkt }))));
    ties
}

/// What is no unpadded base64url of 32 octets.
fn broken_thumbprints(key: &SigningKey) -> Vec<Value> {
    let right = key.thumbprint();
    let padded = format!("{right}=");
    let hex = "0f".repeat(32);
    let sha512 = "A".repeat(86);
    let standard = format!("+{}", &right[1..]);
    let spare_bits = format!("{}B", &right[..42]);
    let texts = ["", &padded, &hex, &sha512, &right[..42], &standard, &spare_bits];
    let others = [json!(null), json!(7), json!([right]), json!({ "jkt": right })];
    texts.into_iter().map(Value::from).chain(others).collect()
}

fn token(bed: &DpopBed, tie: &Tie) -> String {
    let token = bed.bed.issuer.token().scope("read");
    match tie {
        Tie::None => token.build(),
        Tie::Key => token.bound_to(&bed.key).build(),
        Tie::Unsupported(cnf) | Tie::Broken(cnf) => token.claim("cnf", cnf.clone()).build(),
    }
}

/// What the server says where the scheme is accepted.
const fn verdict(tie: &Tie, sent: Sent) -> Option<RejectionKind> {
    use RejectionKind as Kind;
    match (tie, sent) {
        (_, Sent::DpopWithoutProof) => Some(Kind::MissingProof),
        (Tie::Broken(_), _) => Some(Kind::InvalidClaim),
        (Tie::Unsupported(_), _) => Some(Kind::UnsupportedConfirmation),
        (Tie::None, Sent::Bearer | Sent::BearerWithProof) | (Tie::Key, Sent::DpopWithProof) => None,
        (Tie::None, _) => Some(Kind::UnboundToken),
        (Tie::Key, Sent::DpopWithOthersProof) => Some(Kind::ProofKeyMismatch),
        (Tie::Key, _) => Some(Kind::BoundTokenAsBearer),
    }
}

fn accepted(constraint: SenderConstraint) -> &'static [&'static str] {
    match constraint {
        SenderConstraint::Dpop => &["DPoP"],
        SenderConstraint::Bearer => &["Bearer"],
        _ => &["Bearer", "DPoP"],
    }
}

/// Holds an answer to what the matrix says of it; `outer` is what the `authenticate` layer accepts,
/// and `inner` what a layer further in does.
fn judge(answer: &Answer, tie: &Tie, sent: Sent, outer: SenderConstraint, inner: SenderConstraint) {
    let offered = accepted(outer);
    if !offered.contains(&sent.scheme()) {
        assert_eq!(answer.kind(), Some(RejectionKind::UnsupportedScheme));
        return answer.assert_n401_of(offered);
    }
    let Some(kind) = verdict(tie, sent) else {
        if accepted(inner).contains(&sent.scheme()) {
            return answer.assert_ok();
        }
        return answer.assert_n401_of(accepted(inner));
    };
    match kind {
        RejectionKind::MissingProof => answer.assert_p401_of(kind),
        _ => answer.assert_t401_of(sent.scheme(), kind),
    }
    // The scheme that was tried is the first; others that are accepted follow.
    let others = offered.iter().filter(|other| **other != sent.scheme());
    let expected: Vec<_> = [sent.scheme()].iter().chain(others).copied().collect();
    assert_eq!(answer.schemes(), expected);
}

async fn answer(
    bed: &DpopBed,
    place: Place,
    constraint: SenderConstraint,
    request: Request<Full<Bytes>>,
) -> Answer {
    let server = &bed.bed.server;
    let guard = server.authenticate();
    match place {
        Place::Server => send(guard, request).await,
        Place::Authenticate => send(guard.sender_constraint(constraint), request).await,
        Place::Optional => send(guard.optional().sender_constraint(constraint), request).await,
        Place::Require => {
            let inner = server.require(Scopes::all(["read"])).sender_constraint(constraint);
            send((guard, inner), request).await
        }
    }
}

async fn downgrades(place: Place) {
    for constraint in [SenderConstraint::Any, SenderConstraint::Dpop, SenderConstraint::Bearer] {
        let bed = DpopBed::recording_with(Dpop::new(), |builder| match place {
            Place::Server => builder.sender_constraint(constraint),
            _ => builder,
        });
        let outer = if place == Place::Require { SenderConstraint::Any } else { constraint };
        let inner = if place == Place::Require { constraint } else { outer };
        for tie in ties(&bed.key) {
            let token = token(&bed, &tie);
            // Twice around, so that each way is tried when the token is new and when it is known.
            for sent in Sent::ALL.into_iter().chain(Sent::ALL) {
                let answer = answer(&bed, place, constraint, sent.request(&bed, &token)).await;
                judge(&answer, &tie, sent, outer, inner);
            }
        }
    }
}

#[tokio::test]
async fn no_token_passes_otherwise_than_it_is_bound_by_the_server() {
    downgrades(Place::Server).await;
}

#[tokio::test]
async fn no_token_passes_otherwise_than_it_is_bound_by_an_authenticate_layer() {
    downgrades(Place::Authenticate).await;
}

#[tokio::test]
async fn no_token_passes_otherwise_than_it_is_bound_by_an_optional_layer() {
    downgrades(Place::Optional).await;
}

#[tokio::test]
async fn no_token_passes_otherwise_than_it_is_bound_by_a_require_layer() {
    downgrades(Place::Require).await;
}

#[tokio::test]
async fn a_thumbprint_has_one_form() {
    let bed = DpopBed::recording();
    for jkt in broken_thumbprints(&bed.key) {
        let token = bed.bed.issuer.token().claim("cnf", json!({ "jkt": jkt })).build();
        // R9449-6.1-1: padded, hexadecimal, SHA-512, 42 characters, no string.
        for sent in [Sent::Bearer, Sent::DpopWithProof] {
            let answer = bed.send(sent.request(&bed, &token)).await;
            answer.assert_t401_of(sent.scheme(), RejectionKind::InvalidClaim);
        }
    }
    // One that differs anywhere is another; the comparison does not end at the first difference.
    let right = bed.key.thumbprint();
    for at in 0..42 {
        let mut other = right.clone().into_bytes();
        other[at] = if other[at] == b'A' { b'B' } else { b'A' };
        let jkt = String::from_utf8(other).expect("ASCII");
        let token = bed.bed.issuer.token().claim("cnf", json!({ "jkt": jkt })).build();
        let answer = bed.send(Sent::DpopWithProof.request(&bed, &token)).await;
        answer.assert_t401_of("DPoP", RejectionKind::ProofKeyMismatch);
    }
    let thumbprints = include_str!("../../../src/keys/thumbprint.rs");
    assert!(thumbprints.contains("self.0.ct_eq(&other.0)"));
    assert!(!thumbprints.contains("derive(PartialEq"));
    assert_eq!(bed.ledger().asked(), 0);
}

#[tokio::test]
async fn the_key_of_the_proof_is_that_of_the_token() {
    // R9449-4.3-12-2, D-16
    let answer = send_proof_vector("p-bind-mismatch").await;
    answer.assert_t401_of("DPoP", RejectionKind::ProofKeyMismatch);
    assert!(!answer.text().contains("invalid_dpop_proof"));
}

#[tokio::test]
async fn a_proof_goes_with_its_own_token() {
    let bed = DpopBed::recording();
    let other = bed.bed.issuer.token().scope("read").bound_to(&bed.key).build();
    let proof = bed.proof().build();
    // R9449-4.3-12-1
    let answer = bed.send(dpop(&other, &[&proof])).await;
    answer.assert_p401_of(RejectionKind::ProofTokenMismatch);
    bed.present(&proof).await.assert_ok();
    let answer = bed.send(dpop(&other, &[&proof])).await;
    answer.assert_p401_of(RejectionKind::ProofTokenMismatch);
}

#[tokio::test]
async fn a_bound_token_is_no_bearer_token() {
    let token = vector_token("at-valid-dpop");
    let proof = DpopBed::recording().proof().build();
    let server = crate::support::vector_server();
    for proofs in [&[][..], &[&*proof]] {
        let answer = send(server.authenticate(), with_proofs(bearer(&token), proofs)).await;
        // R9449-7.2-1: and the DPoP challenge beside it has no error.
        answer.assert_t401_of("Bearer", RejectionKind::BoundTokenAsBearer);
        assert_eq!(answer.schemes(), ["Bearer", "DPoP"]);
    }
    let bed = DpopBed::recording();
    for sent in [Sent::Bearer, Sent::BearerWithProof] {
        let answer = bed.send(sent.request(&bed, &bed.token)).await;
        answer.assert_t401_of("Bearer", RejectionKind::BoundTokenAsBearer);
    }
}

#[tokio::test]
async fn a_token_that_is_not_bound_needs_no_proof_and_takes_none() {
    let bed = DpopBed::recording();
    let token = token(&bed, &Tie::None);
    // R9449-7.2-2
    let answer = bed.send(Sent::DpopWithProof.request(&bed, &token)).await;
    answer.assert_t401_of("DPoP", RejectionKind::UnboundToken);
    // R9449-7.2-3: a stray field means nothing, whatever is in it.
    let good = bed.proof().build();
    let huge = "x".repeat(100_000);
    let strays = [&[&*good][..], &["garbage"], &[""], &[&good, &good], &[&huge]];
    for proofs in strays {
        bed.send(with_proofs(bearer(&token), proofs)).await.assert_ok();
        let guard = bed.bed.server.authenticate().sender_constraint(SenderConstraint::Dpop);
        let answer = send(guard, with_proofs(bearer(&token), proofs)).await;
        answer.assert_n401_of(&["DPoP"]);
    }
    assert_eq!(bed.ledger().asked(), 0);
}

#[tokio::test]
async fn the_scheme_is_followed_by_spaces_and_one_token() {
    let bed = DpopBed::recording();
    let authorized = |scheme: &str, credentials: &str| {
        let proof = bed.proof().build();
        with_proofs(get(&[("authorization", &format!("{scheme} {credentials}"))]), &[&proof])
    };
    // R9449-7.1-1
    bed.send(authorized("DPoP", &format!("  {}", bed.token))).await.assert_ok();
    for credentials in ["a b", &format!("{} ", "a,b"), "\"a\"", "a=b", &format!("{} x", bed.token)]
    {
        let answer = bed.send(authorized("DPoP", credentials)).await;
        answer.assert_error_of("DPoP", StatusCode::BAD_REQUEST, "invalid_request");
    }
    // R9110-11.1-1 for this scheme.
    for scheme in ["dpop", "DPOP", "dPoP", "DPoP"] {
        bed.send(authorized(scheme, &bed.token)).await.assert_ok();
    }
}

#[tokio::test]
async fn the_thumbprint_is_of_the_required_members_alone() {
    for algorithm in [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA, Algorithm::RS256] {
        let bed =
            DpopBed::recording_by(SigningKey::generate(algorithm), Dpop::new(), |builder| builder);
        let members = bed.key.bare_jwk();
        let members = members.as_object().expect("an object");
        let member = |(name, value): (&String, &Value)| format!("\"{name}\":{value}");
        let forward: Vec<_> = members.iter().map(member).collect();
        let backward: Vec<_> = members.iter().rev().map(member).collect();
        let more =
            r#""kid":"k","alg":""#.to_owned() + algorithm.name() + r#"","use":"sig","z":[1]"#;
        let jwks = [
            forward.join(","),
            backward.join(","),
            format!("{more},{}", forward.join(",")),
            format!("{},{more}", backward.join(" ,\n\t")),
            // The same text, written another way.
            backward
                .join(",")
                .replace("\"kty\":\"", "\"k\\u0074y\":\"\\u00")
                .replace("\\u00RSA", "\\u0052SA")
                .replace("\\u00EC", "\\u0045C")
                .replace("\\u00OKP", "\\u004fKP"),
        ];
        for jwk in jwks {
            let alg = algorithm.name();
            let header = format!(r#"{{"jwk":{{{jwk}}},"alg":"{alg}","typ":"dpop+jwt"}}"#);
            // R9449-11.8-1: extra members, another order and a `kid` make the same thumbprint.
            bed.prove(&bed.proof().raw_header(header)).await.assert_ok();
        }
    }
}
