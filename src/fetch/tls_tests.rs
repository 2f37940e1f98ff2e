//! The embedded client over TLS, by both versions of HTTP.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;

use futures_util::future::join_all;
use http::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;
use tokio_rustls::TlsAcceptor;

use super::*;

/// A server on loopback whose certificate is for `localhost`.
struct Server {
    port: u16,
    root: CertificateDer<'static>,
    state: Arc<State>,
}

struct State {
    connections: AtomicUsize,
    /// So many requests are answered together.
    together: Barrier,
    /// The connections there are hear nothing more, and say nothing.
    silent: AtomicBool,
}

impl Server {
    async fn speaking(protocol: &str) -> Self {
        Self::answering(protocol, 1).await
    }

    /// One that answers so many requests at once, and none before they are there.
    async fn answering(protocol: &str, together: usize) -> Self {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
        let own = own.expect("a certificate");
        let (root, key) = (own.cert.der().clone(), own.signing_key.serialize_der());
        let mut tls = ServerConfig::builder_with_provider(provider().expect("a backend").into())
            .with_safe_default_protocol_versions()
            .expect("the provider serves TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(vec![root.clone()], PrivatePkcs8KeyDer::from(key).into())
            .expect("a key and its certificate");
        tls.alpn_protocols = vec![protocol.into()];
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("a bound listener").port();
        let state = Arc::new(State {
            connections: AtomicUsize::new(0),
            together: Barrier::new(together),
            silent: AtomicBool::new(false),
        });
        tokio::spawn(accept(listener, TlsAcceptor::from(Arc::new(tls)), Arc::clone(&state)));
        Self { port, root, state }
    }

    /// A client that trusts its certificate.
    fn client(&self) -> HttpClient {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).expect("a certificate");
        client(roots)
    }

    async fn get(&self, client: &HttpClient, host: &str) -> Result<String, FetchErrorKind> {
        let request = Request::get(format!("https://{host}:{}/", self.port));
        let request = request.body(Bytes::new()).expect("a request");
        let answer = client.fetch(request, FetchLimits::default()).await;
        let body = answer.map_err(|error| error.kind())?.into_body();
        Ok(String::from_utf8(body.to_vec()).expect("it answers in ASCII"))
    }

    fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }
}

fn client(roots: RootCertStore) -> HttpClient {
    let policy = AddressPolicy { allow_loopback: true, ..AddressPolicy::default() };
    let tls = ClientConfig::builder_with_provider(provider().expect("a backend").into())
        .with_safe_default_protocol_versions()
        .expect("the provider serves TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    HttpClient::with_tls(policy, tls, FetchLimits::default().timeout)
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, state: Arc<State>) {
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        tokio::spawn(serve(stream, tls.clone(), Arc::clone(&state)));
    }
}

/// Answers with the version that is spoken and the name that the client asked for.
async fn serve(stream: TcpStream, tls: TlsAcceptor, state: Arc<State>) {
    // A client that does not trust the certificate goes away.
    let Ok(stream) = tls.accept(stream).await else { return };
    let number = state.connections.fetch_add(1, Ordering::SeqCst);
    let name = stream.get_ref().1.server_name().unwrap_or_default().to_owned();
    let service = service_fn(|request: Request<Incoming>| {
        let (said, state) = (format!("{:?} {name}", request.version()), Arc::clone(&state));
        async move {
            state.together.wait().await;
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(said)))
        }
    });
    let server = auto::Builder::new(TokioExecutor::new());
    let mut connection = pin!(server.serve_connection(TokioIo::new(stream), service));
    let end = poll_fn(|context| match state.silent.load(Ordering::SeqCst) && number == 0 {
        true => Poll::Pending,
        false => connection.as_mut().poll(context),
    });
    drop(end.await);
}

#[tokio::test]
async fn a_server_that_is_trusted_is_spoken_to_by_name_in_the_version_it_speaks() {
    for (protocol, version) in [("http/1.1", "HTTP/1.1"), ("h2", "HTTP/2.0")] {
        let server = Server::speaking(protocol).await;
        let client = server.client();
        for _ in ["connecting", "connected"] {
            let said = server.get(&client, "localhost").await;
            assert_eq!(said, Ok(format!("{version} localhost")));
        }
        assert_eq!(server.connections(), 1, "{protocol}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_trusted_gets_no_request() {
    let server = Server::speaking("h2").await;
    let stranger = client(RootCertStore::empty());
    // Without that root; and with it, but by a name that is not in the certificate.
    for (client, host) in [(stranger, "localhost"), (server.client(), "127.0.0.1")] {
        let said = server.get(&client, host).await;
        assert_eq!(said, Err(FetchErrorKind::Transport), "{host}");
    }
}

#[tokio::test]
async fn one_burst_leaves_its_connections_to_the_next() {
    const CALLS: usize = 16;
    let server = Server::answering("http/1.1", CALLS).await;
    let client = server.client();
    for _ in ["the first", "the next"] {
        let calls = [(); CALLS].map(|()| server.get(&client, "localhost"));
        for said in join_all(calls).await {
            said.expect("an answer");
        }
        // They are put back by tasks of the client.
        for _ in 0..CALLS {
            tokio::task::yield_now().await;
        }
        assert_eq!(server.connections(), CALLS);
    }
}

#[tokio::test]
async fn a_connection_that_fell_silent_is_given_up() {
    let server = Server::speaking("h2").await;
    let client = server.client();
    server.get(&client, "localhost").await.expect("it is up");
    server.state.silent.store(true, Ordering::SeqCst);
    tokio::time::pause();
    let said = server.get(&client, "localhost").await;
    assert_eq!(said, Err(FetchErrorKind::Transport), "before its time is over");
    tokio::time::resume();
    server.get(&client, "localhost").await.expect("it is connected to anew");
    assert_eq!(server.connections(), 2);
}
