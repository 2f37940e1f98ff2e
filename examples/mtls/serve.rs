//! TLS, and what the application is told of it.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;
use tower_resource_server::{ClientCertificate, PeerAddress, SecureTransport};

use crate::authority::{Authority, Identity};
use crate::common;

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Longer than an honest client needs.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Asks for a certificate of the authority. A client may come without one, and then has no use for a
/// token that is bound to one.
pub(crate) fn acceptor(authority: &Authority, own: &Identity) -> Result<TlsAcceptor, Failure> {
    let provider = Arc::new(provider().ok_or("TLS needs the feature aws-lc-rs or rust-crypto")?);
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate.der().clone())?;
    let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()?;
    let key = PrivateKeyDer::try_from(own.key.serialize_der())?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(clients)
        .with_single_cert(vec![own.certificate.der().clone()], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(feature = "aws-lc-rs")]
fn provider() -> Option<CryptoProvider> {
    Some(rustls::crypto::aws_lc_rs::default_provider())
}

#[cfg(all(feature = "rust-crypto", not(feature = "aws-lc-rs")))]
fn provider() -> Option<CryptoProvider> {
    Some(rustls::crypto::ring::default_provider())
}

#[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
fn provider() -> Option<CryptoProvider> {
    None
}

/// Serves until `stop` resolves.
pub(crate) async fn serve(
    listener: &TcpListener,
    acceptor: &TlsAcceptor,
    app: &Router,
    stop: impl Future<Output = ()>,
) {
    tokio::pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = common::accept(listener) => accepted,
            () = &mut stop => return,
        };
        let connection = connection(acceptor.clone(), stream, peer, app.clone());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::info!(%peer, %error, "connection ended");
            }
        });
    }
}

/// All requests of a connection come from the peer that showed the certificate in its handshake.
async fn connection(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    peer: SocketAddr,
    app: Router,
) -> Result<(), Failure> {
    let stream = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await??;
    // The first of the chain is the client's own.
    let chain = stream.get_ref().1.peer_certificates();
    let certificate = chain.and_then(<[_]>::first).map(ClientCertificate::from_der);
    let service = app.map_request(move |mut request: Request<Incoming>| {
        let extensions = request.extensions_mut();
        extensions.insert(PeerAddress::new(peer.ip()));
        extensions.insert(SecureTransport::new());
        if let Some(certificate) = certificate {
            extensions.insert(certificate);
        }
        request
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()); // without a timer hyper waits for heads for ever
    builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).await
}
