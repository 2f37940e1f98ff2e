//! The embedded HTTP client.
//!
//! Addresses are checked when they are connected to, not when the URL is configured: a name may
//! resolve to another address each time it is asked for. The check therefore stands in the resolver
//! that the connector uses, and there is no second resolution in between.

use std::io;
use std::time::Duration;

use crate::tls;
use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, Uri};
use http_body_util::Full;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, RootCertStore};

use super::address::{AddressPolicy, PublicResolver, forbidden, is_loopback};
use super::reach::{ip_literal, is_localhost};
use super::{Fetch, FetchError, FetchErrorKind, FetchFuture, FetchLimits, TowerFetch};

/// As many as calls for introspection may be under way: after a burst over HTTP/1.1, the next one makes
/// no handshake.
const IDLE_PER_HOST: usize = 64;
const IDLE_TIME: Duration = Duration::from_secs(30);

/// A connection of HTTP/2 on which nothing was heard for so long, while somebody waits, is asked for a
/// sign of life, and closed if none comes.
///
/// One that a firewall or a load balancer has forgotten is never idle, since each fetch takes it anew,
/// and each waits in vain until TCP gives up after a quarter of an hour. Both together are less than the
/// 5 s that a fetch may take by default.
const SILENCE: Duration = Duration::from_secs(2);
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);

type Pooled = Client<HttpsConnector<HttpConnector<PublicResolver>>, Full<Bytes>>;

/// Fetches over HTTP/1.1 and HTTP/2, by https with the roots the system trusts.
///
/// Plain http reaches loopback alone, and loopback only where the policy allows it. No host is
/// connected to at an address the policy refuses, be it resolved or written in the URL. Follows no
/// redirect, uses no proxy. *Not* checked: whether certificates are revoked.
#[derive(Debug)]
pub(crate) struct HttpClient {
    inner: TowerFetch<Pooled>,
    policy: AddressPolicy,
}

impl HttpClient {
    /// A client that connects to what `policy` allows, for fetches that take no longer than `timeout`.
    /// Reads the system's root certificates now; needs a runtime only to fetch.
    ///
    /// # Errors
    ///
    /// `Unsupported` without a cryptographic backend (features `aws-lc-rs`, `rust-crypto`),
    /// `NotFound` when the system has no usable root certificate, unless loopback is allowed.
    pub(crate) fn new(policy: AddressPolicy, timeout: Duration) -> io::Result<Self> {
        let tls = ClientConfig::builder_with_provider(provider()?.into())
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?;
        let tls = match tls.clone().with_native_roots() {
            // In development a machine without certificates may fetch over http all the same.
            Err(error) if policy.allow_loopback => {
                tracing::warn!(target: "tower_resource_server::keys", %error, "no https possible");
                tls.with_root_certificates(RootCertStore::empty())
            }
            roots => roots?,
        };
        Ok(Self::with_tls(policy, tls.with_no_client_auth(), timeout))
    }

    fn with_tls(policy: AddressPolicy, tls: ClientConfig, timeout: Duration) -> Self {
        let resolver = PublicResolver::new(policy.clone(), timeout);
        let mut tcp = HttpConnector::new_with_resolver(resolver);
        // It is shared out among the addresses of a host: one that is silent leaves time for others.
        tcp.set_connect_timeout(Some(timeout / 2));
        // The connector around it tells http from https.
        tcp.enforce_http(false);
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .http2_keep_alive_interval(SILENCE)
            .http2_keep_alive_timeout(SIGN_OF_LIFE)
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .pool_idle_timeout(IDLE_TIME)
            .build(https);
        Self { inner: TowerFetch::new(client), policy }
    }
}

impl Fetch for HttpClient {
    fn fetch(&self, request: Request<Bytes>, limits: FetchLimits) -> FetchFuture<'_> {
        match check(&self.policy, request.uri()) {
            Ok(()) => self.inner.fetch(request, limits),
            Err(refused) => Box::pin(async { Err(refused) }),
        }
    }
}

/// What can be said before the host is resolved. The resolver is never asked about an IP literal.
fn check(policy: &AddressPolicy, url: &Uri) -> Result<(), FetchError> {
    let host = url.host().unwrap_or_default();
    let literal = ip_literal(host);
    let local = literal.map_or_else(|| is_localhost(host), is_loopback);
    let plain = url.scheme() == Some(&Scheme::HTTP);
    if url.scheme() != Some(&Scheme::HTTPS) && !(plain && local) {
        return Err(FetchError::new(FetchErrorKind::ForbiddenScheme));
    }
    match literal {
        Some(address) if !policy.allows(host, address) => Err(forbidden(host, address)),
        None if plain && !policy.allow_loopback => {
            Err(FetchError::new(FetchErrorKind::ForbiddenAddress))
        }
        _ => Ok(()),
    }
}

fn provider() -> io::Result<CryptoProvider> {
    let unsupported = || io::Error::new(io::ErrorKind::Unsupported, tls::NO_PROVIDER);
    tls::provider().ok_or_else(unsupported)
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;

#[cfg(all(test, any(feature = "aws-lc-rs", feature = "rust-crypto")))]
#[path = "tls_tests.rs"]
mod tls_tests;
