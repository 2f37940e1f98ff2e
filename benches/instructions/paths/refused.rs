//! Requests that are refused, with their full challenges and bodies.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request};
use tower_resource_server::testing::{Flaw, ProofBuilder, TestIssuer};
use tower_resource_server::{Algorithm, Dpop, SealedNonces};

use crate::fixture::{busy, client, digest, issuer, proof, proven, server, token};
use crate::scenario::{Scenario, WARM};
use crate::support::{Body, layered, request};

fn refused(request: &Request<Body>) -> Scenario {
    let server = server(&issuer(Algorithm::ES256), |builder| builder);
    Scenario::repeating(layered(&server), request)
}

pub(crate) fn no_credentials() -> Scenario {
    refused(&request(None))
}

pub(crate) fn garbage() -> Scenario {
    refused(&request(Some("garbage")))
}

pub(crate) fn garbage_of_three_parts() -> Scenario {
    refused(&request(Some("eyJhbGciOiJFUzI1NiJ9.e30.c2ln")))
}

/// The token was seen before, and has expired.
pub(crate) fn expired_seen() -> Scenario {
    let token = token(&issuer(Algorithm::ES256), 0).flaw(Flaw::Expired).build();
    refused(&request(Some(&token))).beside(digest(&token))
}

/// A gRPC call without credentials.
pub(crate) fn grpc() -> Scenario {
    let mut call = request(None);
    *call.method_mut() = Method::POST;
    call.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    refused(&call)
}

fn bound(issuer: &TestIssuer) -> String {
    token(issuer, 0).bound_to(&client(0)).build()
}

/// The token was seen before, each proof is new and has that wrong with it.
fn flawed(dpop: Dpop, flaw: impl Fn(ProofBuilder) -> ProofBuilder) -> Scenario {
    let issuer = issuer(Algorithm::ES256);
    let token = bound(&issuer);
    let flawed = |number| proven(&flaw(proof(&client(0), &token, number)));
    let requests = (0..=WARM).map(flawed).collect();
    Scenario::of(layered(&busy(&issuer, dpop)), requests).beside(digest(&token))
}

/// A bound token that comes without a proof.
pub(crate) fn dpop_without_proof() -> Scenario {
    let issuer = issuer(Algorithm::ES256);
    let token = bound(&issuer);
    let mut request = proven(&proof(&client(0), &token, 0));
    request.headers_mut().remove("dpop");
    Scenario::repeating(layered(&busy(&issuer, Dpop::new())), &request)
}

pub(crate) fn dpop_for_another_uri() -> Scenario {
    flawed(Dpop::new(), |proof| proof.claim("htu", "https://api.example.com/other"))
}

/// The server demands nonces, and the proof has none.
pub(crate) fn dpop_without_nonce() -> Scenario {
    let nonces = SealedNonces::with_secret(&[7; 32]).expect("32 bytes are enough");
    flawed(Dpop::new().nonces(nonces), |proof| proof)
}

/// The proof was used before.
pub(crate) fn dpop_replayed() -> Scenario {
    flawed(Dpop::new(), |proof| proof.claim("jti", "same"))
}
