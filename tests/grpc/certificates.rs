//! Tokens bound to certificates, over TLS as tonic tells of it.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::stream::unfold;
use http::Uri;
use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tonic::Code;
use tonic::service::Routes;
use tonic::transport::server::{Connected, TcpConnectInfo};
use tonic::transport::{Endpoint, Server};
use tower::service_fn;
use tower::util::MapRequestLayer;
use tower_resource_server::{ClientCertificate, PeerAddress, SecureTransport};

use crate::service::{Client, Tools};
use crate::support::Bed;

type TlsConnectInfo = <tokio_rustls::server::TlsStream<TcpStream> as Connected>::ConnectInfo;

/// As the guide on tonic has it.
fn tell_connection<B>(mut request: http::Request<B>) -> http::Request<B> {
    let Some(tls) = request.extensions().get::<TlsConnectInfo>() else { return request };
    let peer = TcpConnectInfo::remote_addr(tls.get_ref()).expect("an address");
    let chain = tls.peer_certs();
    let own = chain.as_deref().and_then(|chain| chain.first());
    let certificate = own.map(ClientCertificate::from_der);
    let extensions = request.extensions_mut();
    extensions.insert(SecureTransport::new());
    extensions.insert(PeerAddress::new(peer.ip()));
    if let Some(certificate) = certificate {
        extensions.insert(certificate);
    }
    request
}

#[cfg(feature = "aws-lc-rs")]
fn provider() -> CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}

#[cfg(not(feature = "aws-lc-rs"))]
fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

type Identity = (CertificateDer<'static>, PrivateKeyDer<'static>);

struct Authority(Issuer<'static, KeyPair>, CertificateDer<'static>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate").der().clone();
        Self(Issuer::new(params, key), certificate)
    }

    fn issue(&self) -> Identity {
        let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("PKCS #8");
        (certificate.der().clone(), key)
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.1.clone()).expect("a certificate");
        Arc::new(roots)
    }

    fn acceptor(&self) -> TlsAcceptor {
        let (certificate, key) = self.issue();
        let provider = Arc::new(provider());
        let clients = WebPkiClientVerifier::builder_with_provider(self.roots(), provider.clone());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_client_cert_verifier(clients.allow_unauthenticated().build().expect("roots"))
            .with_single_cert(vec![certificate], key)
            .expect("a key that fits");
        config.alpn_protocols = vec![b"h2".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }

    fn connector(&self, own: Option<Identity>) -> TlsConnector {
        let config = ClientConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(self.roots());
        let mut config = match own {
            Some((certificate, key)) => {
                config.with_client_auth_cert(vec![certificate], key).expect("a key that fits")
            }
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        TlsConnector::from(Arc::new(config))
    }

    /// A client of the server there, over a connection that shows that certificate.
    async fn client(&self, address: SocketAddr, own: Option<Identity>) -> Client {
        let connector = self.connector(own);
        let connect = service_fn(move |_: Uri| {
            let connector = connector.clone();
            async move {
                let tcp = TcpStream::connect(address).await?;
                let name = ServerName::try_from("localhost").expect("a name");
                connector.connect(name, tcp).await.map(TokioIo::new)
            }
        });
        let endpoint = Endpoint::from_static("http://localhost");
        Client::over(endpoint.connect_with_connector(connect).await.expect("the server listens"))
    }
}

#[tokio::test]
async fn a_bound_token_needs_the_certificate_of_its_connection() {
    let bed = Bed::with(tower_resource_server::Builder::require_https);
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let incoming = unfold((listener, authority.acceptor()), async |(listener, acceptor)| {
        let (tcp, _) = listener.accept().await.ok()?;
        Some((acceptor.accept(tcp).await, (listener, acceptor)))
    });
    let tools = Tools::default();
    let server = Server::builder()
        .layer(MapRequestLayer::new(tell_connection::<tonic::body::Body>))
        .layer(bed.server.authenticate());
    tokio::spawn(server.serve_with_incoming(Routes::new(tools.clone()), Box::pin(incoming)));

    let (certificate, key) = authority.issue();
    let shown = ClientCertificate::from_der(&certificate);
    let token = bed.issuer.token().bound_to_certificate(&shown).build();
    let own = authority.client(address, Some((certificate, key))).await.bearer(&token);
    // R8705-3-1: the certificate that tonic's TLS tells of.
    assert_eq!(own.add(1).await.expect("its own certificate").value, 2);
    let other = authority.client(address, Some(authority.issue())).await.bearer(&token);
    let none = authority.client(address, None).await.bearer(&token);
    for (client, text) in [
        // R8705-3-2, R8705-3-3: another, and none.
        (other, "The access token is bound to another client certificate"),
        (
            none,
            "The access token is bound to a client certificate and the request came without one",
        ),
    ] {
        let status = client.add(1).await.expect_err("not its own certificate");
        assert_eq!((status.code(), status.message()), (Code::Unauthenticated, text));
    }
    // What asks for no certificate passes without one, over TLS as the layer tells.
    let unbound = authority.client(address, None).await.bearer(&bed.token());
    assert_eq!(unbound.add(2).await.expect("not bound").value, 3);
    assert_eq!(tools.calls(), 2);
}
