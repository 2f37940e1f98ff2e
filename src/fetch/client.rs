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

const IDLE_PER_HOST: usize = 2;
const IDLE_TIME: Duration = Duration::from_secs(30);

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
    /// A client that connects to what `policy` allows. Reads the system's root certificates now;
    /// needs a runtime only to fetch.
    ///
    /// # Errors
    ///
    /// `Unsupported` without a cryptographic backend (features `aws-lc-rs`, `rust-crypto`),
    /// `NotFound` when the system has no usable root certificate, unless loopback is allowed.
    pub(crate) fn new(policy: AddressPolicy) -> io::Result<Self> {
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
        Ok(Self::with_tls(policy, tls.with_no_client_auth()))
    }

    fn with_tls(policy: AddressPolicy, tls: ClientConfig) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(PublicResolver::new(policy.clone()));
        // The connector around it tells http from https.
        tcp.enforce_http(false);
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
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
mod tests {
    use super::FetchErrorKind::{ForbiddenAddress, ForbiddenScheme};
    use super::*;

    fn strict() -> AddressPolicy {
        AddressPolicy::default()
    }

    fn loopback() -> AddressPolicy {
        AddressPolicy { allow_loopback: true, ..strict() }
    }

    fn verdict(policy: &AddressPolicy, url: &str) -> Option<FetchErrorKind> {
        let url: Uri = url.parse().expect("a URL");
        check(policy, &url).err().map(|refused| refused.kind())
    }

    #[test]
    fn plain_http_is_for_loopback_where_allowed() {
        for url in
            ["http://127.0.0.1:1/", "http://[::1]/", "http://localhost/", "http://a.localhost"]
        {
            assert_eq!(verdict(&loopback(), url), None, "{url}");
            assert_eq!(verdict(&strict(), url), Some(ForbiddenAddress), "{url}");
        }
        for url in ["http://as.example/", "http://1.1.1.1/", "http://10.0.0.1", "ftp://[::1]/", "/"]
        {
            assert_eq!(verdict(&loopback(), url), Some(ForbiddenScheme), "{url}");
        }
    }

    #[test]
    fn literals_of_https_obey_the_policy() {
        for url in ["https://as.example/", "https://1.1.1.1/", "https://[2606:4700::1111]:8443/"] {
            assert_eq!(verdict(&strict(), url), None, "{url}");
        }
        for url in ["https://10.0.0.1", "https://[fe80::1]/", "https://[::ffff:169.254.169.254]/"] {
            assert_eq!(verdict(&loopback(), url), Some(ForbiddenAddress), "{url}");
        }
    }

    #[test]
    fn private_literals_are_for_those_who_name_them() {
        let named = ["10.0.0.1", "fd00::1"].map(str::to_owned).into_iter().collect();
        let policy = AddressPolicy { private_hosts: std::sync::Arc::new(named), ..strict() };
        for url in ["https://10.0.0.1:8443/jwks", "https://[fd00:0::1]/"] {
            assert_eq!(verdict(&policy, url), None, "{url}");
            assert_eq!(verdict(&strict(), url), Some(ForbiddenAddress), "{url}");
        }
        for url in ["https://10.0.0.2/", "https://[fd00::2]/"] {
            assert_eq!(verdict(&policy, url), Some(ForbiddenAddress), "{url}");
        }
        // In the clear it is loopback or nothing.
        assert_eq!(verdict(&policy, "http://10.0.0.1/"), Some(ForbiddenScheme));
    }

    #[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
    #[test]
    fn without_a_backend_there_is_no_client() {
        let refused = HttpClient::new(strict()).expect_err("no backend");
        assert_eq!(refused.kind(), io::ErrorKind::Unsupported);
    }

    #[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
    mod with_backend {
        use std::io::{Read, Write};
        use std::net::{SocketAddr, TcpListener};
        use std::thread::{JoinHandle, spawn};

        use super::*;

        /// A client without roots, so that the tests need none on the machine.
        fn client(policy: AddressPolicy) -> HttpClient {
            let tls = ClientConfig::builder_with_provider(provider().expect("a backend").into())
                .with_safe_default_protocol_versions()
                .expect("the provider serves TLS 1.2 and 1.3")
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth();
            HttpClient::with_tls(policy, tls)
        }

        /// Answers one request, then hands its head back.
        fn serve_one(answer: &'static str) -> (SocketAddr, JoinHandle<String>) {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            let address = listener.local_addr().expect("a bound listener");
            let thread = spawn(move || {
                let (mut stream, _) = listener.accept().expect("a connection");
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).expect("a request");
                    head.push(byte[0]);
                }
                stream.write_all(answer.as_bytes()).expect("an open connection");
                String::from_utf8(head).expect("a request in ASCII")
            });
            (address, thread)
        }

        fn get(url: &str) -> Request<Bytes> {
            Request::get(url).body(Bytes::new()).expect("a request")
        }

        async fn kind(policy: AddressPolicy, url: &str) -> FetchErrorKind {
            let refused = client(policy).fetch(get(url), FetchLimits::default()).await;
            refused.expect_err(url).kind()
        }

        #[test]
        fn a_client_is_built_without_runtime_or_with_a_plain_reason() {
            if let Err(error) = HttpClient::new(strict()) {
                assert_eq!(error.kind(), io::ErrorKind::NotFound);
            }
        }

        #[tokio::test]
        async fn loopback_is_reached_where_allowed() {
            let (address, served) =
                serve_one("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}");
            let url = format!("http://{address}/jwks");
            let answer = client(loopback()).fetch(get(&url), FetchLimits::default()).await;
            assert_eq!(answer.expect("an answer").body(), &Bytes::from_static(b"{}"));
            let head = served.join().expect("the server ends");
            assert!(head.starts_with("GET /jwks HTTP/1.1\r\n"), "{head}");
            assert!(head.contains(&format!("host: {address}\r\n")), "{head}");
        }

        #[tokio::test]
        async fn a_redirect_comes_back_unfollowed() {
            let (address, served) = serve_one(
                "HTTP/1.1 302 Found\r\nlocation: http://[fe80::1]/\r\ncontent-length: 0\r\n\r\n",
            );
            let url = format!("http://{address}/jwks");
            let answer = client(loopback()).fetch(get(&url), FetchLimits::default()).await;
            // R8725BIS-3.10-1: so a redirect to an address that is not allowed leads nowhere.
            assert_eq!(answer.expect("an answer").status(), 302);
            served.join().expect("the server ends");
        }

        #[tokio::test]
        async fn loopback_is_refused_by_default() {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            let port = listener.local_addr().expect("a bound listener").port();
            listener.set_nonblocking(true).expect("a listener");
            for host in
                ["http://127.0.0.1", "http://localhost", "https://127.0.0.1", "https://localhost"]
            {
                // R8725BIS-3.10-1: unless the development flag allows it, as in the test above.
                assert_eq!(
                    kind(strict(), &format!("{host}:{port}/")).await,
                    ForbiddenAddress,
                    "{host}"
                );
            }
            let untouched = listener.accept().expect_err("nobody connected");
            assert_eq!(untouched.kind(), io::ErrorKind::WouldBlock);
        }

        #[tokio::test]
        async fn a_closed_port_is_transport() {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            let address = listener.local_addr().expect("a bound listener");
            drop(listener);
            let refused = kind(loopback(), &format!("https://{address}/")).await;
            assert_eq!(refused, FetchErrorKind::Transport);
        }
    }
}
