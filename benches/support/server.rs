//! Resource servers with fixed keys, and their layer.

use std::convert::Infallible;
use std::time::{Duration, SystemTime};

use http::{Request, Response};
use tower_layer::Layer;
use tower_resource_server::layer::ResponseBody;
use tower_resource_server::testing::{SigningKey, TestIssuer, proof_use};
use tower_resource_server::{
    Algorithm, Builder, Dpop, MemoryReplayStore, ReplayStore, ResourceServer,
};
use tower_service::Service;

use super::{Bare, Body};

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
) -> impl Service<Request<Body>, Error = Infallible, Response = Response<ResponseBody<Body>>>
+ Clone
+ use<> {
    server.authenticate().layer(Bare)
}
