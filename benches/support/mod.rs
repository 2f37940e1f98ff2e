//! What the benches share: a bare service, servers around it, and one-poll driving.

// Each bench uses a part of it.
#![allow(dead_code, reason = "shared by several benches")]

pub(crate) mod measure;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::JwtVerifier;
use tower_layer::Layer;
use tower_resource_server::testing::{SigningKey, TestIssuer, proof_use};
use tower_resource_server::{
    Algorithm, Builder, CryptoBackend, Dpop, MemoryReplayStore, ReplayStore, ResourceServer,
};
use tower_service::Service;

pub(crate) type Body = Full<Bytes>;

/// Answers at once and looks at nothing.
#[derive(Clone, Copy)]
pub(crate) struct Bare;

impl<B> Service<Request<B>> for Bare {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        ready(Ok(Response::new(Body::default())))
    }
}

/// Puts one extension into the request, which is what any layer that authenticates must do.
#[derive(Clone, Copy)]
pub(crate) struct OneExtension;

impl Service<Request<Body>> for OneExtension {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        request.extensions_mut().insert(0u64);
        Bare.call(request)
    }
}

/// Calls a ready service and polls its future once, which must be enough.
pub(crate) fn drive<S>(service: &mut S, request: Request<Body>) -> S::Response
where
    S: Service<Request<Body>, Error = Infallible>,
{
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    let future = pin!(service.call(request));
    match future.poll(&mut context) {
        Poll::Ready(response) => response.unwrap_or_else(|never| match never {}),
        Poll::Pending => unreachable!("keys are fixed, so nothing is waited for"),
    }
}

/// An issuer with one key of that algorithm.
pub(crate) fn issuer(algorithm: Algorithm) -> TestIssuer {
    let key = SigningKey::generate(algorithm).with_kid("bench");
    TestIssuer::with_key("https://as.example.com", key)
}

/// A server that trusts the issuer.
pub(crate) fn server(
    issuer: &TestIssuer,
    change: impl FnOnce(Builder) -> Builder,
) -> ResourceServer {
    let builder = issuer.resource_server("https://api.example.com");
    change(builder).build().expect("the bench is configured right")
}

/// A server whose replay store is in use: its tables are there and partly filled.
pub(crate) fn busy(issuer: &TestIssuer, change: impl FnOnce(Builder) -> Builder) -> ResourceServer {
    let store = MemoryReplayStore::default();
    let now = SystemTime::now();
    let minute = Duration::from_secs(60);
    for count in 0..20_000u64 {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&count.to_le_bytes());
        drop(store.claim(&proof_use(key, key, now - minute..=now + minute, now)));
    }
    server(issuer, |builder| change(builder.dpop(Dpop::new().replay_store(store))))
}

/// The server's layer around the bare service.
pub(crate) fn layered(
    server: &ResourceServer,
) -> impl Service<Request<Body>, Error = Infallible, Response: Sized> + Clone + use<> {
    server.authenticate().layer(Bare)
}

/// A request as a client sends it.
pub(crate) fn request(token: Option<&str>) -> Request<Body> {
    let mut builder = Request::builder()
        .uri("/tools?page=2")
        .header("host", "api.example.com")
        .header("user-agent", "bench/1.0")
        .header("accept", "application/json");
    if let Some(token) = token {
        builder = builder.header("authorization", format!("Bearer {token}"));
    }
    builder.body(Body::default()).expect("a well-formed request")
}

/// What is signed, and the signature.
pub(crate) fn taken_apart(token: &str) -> (&str, Vec<u8>) {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let (message, signature) = token.rsplit_once('.').expect("a compact JWS");
    (message, URL_SAFE_NO_PAD.decode(signature).expect("base64url"))
}

/// The backend's own verifier, built beforehand.
pub(crate) fn verifier(
    backend: CryptoBackend,
    algorithm: jsonwebtoken::Algorithm,
    key: &DecodingKey,
) -> Box<dyn JwtVerifier> {
    let provider = match backend {
        #[cfg(feature = "aws-lc-rs")]
        CryptoBackend::AwsLcRs => &jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER,
        #[cfg(feature = "rust-crypto")]
        CryptoBackend::RustCrypto => &jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER,
        _ => unreachable!("one of those compiled in"),
    };
    (provider.verifier_factory)(&algorithm, key).expect("a verifier")
}
