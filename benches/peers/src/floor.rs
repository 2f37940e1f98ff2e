//! The signature alone, which a verdict on a token never seen cannot be cheaper than.

use std::hint::black_box;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use jsonwebtoken::crypto::{CryptoProvider, aws_lc, rust_crypto};
use tokio::runtime::Runtime;
use tower_resource_server::Algorithm;

use crate::Body;
use crate::authority::Authority;
use crate::contestant::Contestant;
use crate::contestants::Demand;

/// Verifies, of a token, the signed part and the signature as they stand there.
type Verify = Box<dyn Fn(&str, &str) -> bool>;

/// The signatures of the tokens that requests carry.
struct Floor(Verify);

impl Contestant for Floor {
    fn run(&mut self, _: &Runtime, requests: Vec<Request<Body>>) -> Duration {
        let tokens: Vec<_> = requests.iter().map(taken_apart).collect();
        let start = Instant::now();
        for (message, signature) in tokens {
            assert!(black_box((self.0)(message, signature)), "only good tokens are sent");
        }
        start.elapsed()
    }

    fn answer(&mut self, _: &Runtime, request: Request<Body>) -> Response<()> {
        let (message, signature) = taken_apart(&request);
        let mut response = Response::new(());
        if !(self.0)(message, signature) {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
        }
        response
    }
}

fn taken_apart(request: &Request<Body>) -> (&str, &str) {
    let value = request.headers()[AUTHORIZATION].to_str().expect("it was made of text");
    let token = value.strip_prefix("Bearer ").expect("only Bearer tokens are sent");
    token.rsplit_once('.').expect("a compact JWS")
}

/// aws-lc-rs, as jsonwebtoken 11 uses it.
#[must_use]
pub fn aws_lc_rs(authority: &Authority, _: &Runtime, _: Demand) -> Option<Box<dyn Contestant>> {
    Some(eleven(authority, &aws_lc::DEFAULT_PROVIDER))
}

/// RustCrypto, as jsonwebtoken 11 uses it.
#[must_use]
pub fn rust_crypto(authority: &Authority, _: &Runtime, _: Demand) -> Option<Box<dyn Contestant>> {
    Some(eleven(authority, &rust_crypto::DEFAULT_PROVIDER))
}

/// ring, as jsonwebtoken 9 uses it.
#[must_use]
pub fn ring(authority: &Authority, _: &Runtime, _: Demand) -> Option<Box<dyn Contestant>> {
    let jwk = serde_json::from_value(authority.jwk()).expect("a key");
    let key = jsonwebtoken9::DecodingKey::from_jwk(&jwk).expect("a good key");
    let algorithm = match authority.algorithm() {
        Algorithm::RS256 => jsonwebtoken9::Algorithm::RS256,
        _ => jsonwebtoken9::Algorithm::ES256,
    };
    Some(Box::new(Floor(Box::new(move |message, signature| {
        let verdict = jsonwebtoken9::crypto::verify(signature, message.as_bytes(), &key, algorithm);
        verdict.unwrap_or(false)
    }))))
}

fn eleven(authority: &Authority, provider: &CryptoProvider) -> Box<dyn Contestant> {
    let jwk = serde_json::from_value(authority.jwk()).expect("a key");
    let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).expect("a good key");
    let algorithm = match authority.algorithm() {
        Algorithm::RS256 => jsonwebtoken::Algorithm::RS256,
        _ => jsonwebtoken::Algorithm::ES256,
    };
    let verifier = (provider.verifier_factory)(&algorithm, &key).expect("a verifier");
    Box::new(Floor(Box::new(move |message, signature| {
        let signature = URL_SAFE_NO_PAD.decode(signature);
        signature.is_ok_and(|bytes| verifier.verify(message.as_bytes(), &bytes).is_ok())
    })))
}
