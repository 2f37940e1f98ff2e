//! The client certificate that a request came with (RFC 8705 §3).
//!
//! There are two places it may be found in: the connection, whose server says so in an extension,
//! and the field `Client-Cert` of a proxy that ended the client's connection (RFC 9440). One request
//! has one of them. A trusted proxy speaks for its clients, so for its requests the field counts and
//! the connection, which is the proxy's own, does not; for all others it is the other way round.

mod field;

use http::{HeaderName, Request};
use sha2::{Digest as _, Sha256};

use super::proxy::{PeerAddress, TrustedPeers};
use crate::credentials::RequestHead;
use crate::error::RejectionKind;
use crate::keys::CertificateThumbprint;

const CLIENT_CERT: HeaderName = HeaderName::from_static("client-cert");
const CLIENT_CERT_CHAIN: HeaderName = HeaderName::from_static("client-cert-chain");

/// A request extension by which a server says which certificate the client showed in the TLS
/// handshake.
///
/// Insert it where connections are accepted: make it once for each connection, from the first
/// certificate of the client's chain, and add it to every request of that connection. A token that
/// is bound to a certificate (`cnf.x5t#S256`, RFC 8705 §3.1) is accepted with that very certificate
/// and no other. Without the extension such a token is refused. No header can take its place,
/// unless [`client_cert_field`](crate::Builder::client_cert_field) says whose.
///
/// It holds the SHA-256 thumbprint, and nothing else of the certificate.
///
/// ```
/// use http::{Request, StatusCode};
/// use tower::{Layer, ServiceExt, service_fn};
/// use tower_resource_server::{ClientCertificate, testing::TestIssuer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
/// # let issuer = TestIssuer::new("https://as.example.com");
/// # let server = issuer.resource_server("https://api.example.com").build()?;
/// # let handler = service_fn(async |_: Request<()>| {
/// #     Ok::<_, std::convert::Infallible>(http::Response::new(http_body_util::Full::from("hello")))
/// # });
/// # let der = [0x30, 0x00];
/// // With rustls: `stream.get_ref().1.peer_certificates()` has the chain, and `der` is its first.
/// let certificate = ClientCertificate::from_der(der);
///
/// let service = server.authenticate().layer(handler);
/// let token = issuer.token().bound_to_certificate(&certificate);
/// let mut request = token.authorize(Request::new(()));
/// let stolen = service.clone().oneshot(request.clone()).await?;
/// assert_eq!(stolen.status(), StatusCode::UNAUTHORIZED);
///
/// request.extensions_mut().insert(certificate);
/// assert_eq!(service.oneshot(request).await?.status(), StatusCode::OK);
/// # Ok(())
/// # }
/// ```
///
/// # What is not checked
///
/// Nothing of the certificate but that it is the one the token is bound to: neither its chain nor
/// its dates nor whether it was revoked, and not even that it is one. For the binding that is
/// enough (RFC 8705 §6.2): the handshake shows that the client has the private key, and the
/// authorization server knew whose certificate it was when it bound the token. A self-signed one
/// will do. Whoever wants less than that accepted says so to the TLS server.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ClientCertificate {
    thumbprint: CertificateThumbprint,
}

impl ClientCertificate {
    /// The end-entity certificate, in DER. Costs one SHA-256 of it.
    ///
    /// PEM is another thing: the text between its two lines is the base64 of the DER.
    #[must_use]
    pub fn from_der(certificate: impl AsRef<[u8]>) -> Self {
        let digest = Sha256::digest(certificate.as_ref());
        Self { thumbprint: CertificateThumbprint::new(digest.into()) }
    }

    /// The same, told by the SHA-256 of the DER, for servers and proxies that hand on no more than
    /// that.
    ///
    /// It is the digest itself. Most write it in hex; the
    /// [guide](crate::guide::mutual_tls#other-fields) reads `Hash=` of Envoy's
    /// `X-Forwarded-Client-Cert`. Whether it is the digest of a certificate nobody can tell, so take
    /// it from where the certificate was seen and from nowhere else.
    #[must_use]
    pub const fn from_sha256(digest: [u8; 32]) -> Self {
        Self { thumbprint: CertificateThumbprint::new(digest) }
    }

    /// Its SHA-256 thumbprint.
    #[must_use]
    pub const fn thumbprint(&self) -> &CertificateThumbprint {
        &self.thumbprint
    }
}

/// Where certificates are found. Checked when the server is built.
#[derive(Debug, Default)]
pub(crate) struct CertificatePolicy {
    /// Whose `Client-Cert` counts.
    pub(crate) proxies: Option<TrustedPeers>,
}

impl CertificatePolicy {
    pub(crate) const fn of<'r>(&'r self, head: RequestHead<'r>) -> Shown<'r> {
        Shown { policy: self, head }
    }

    /// Takes a certificate that nobody vouches for out of the request, so that nothing further in
    /// takes it for one that a proxy has seen (RFC 9440 §4).
    pub(crate) fn strip<B>(&self, request: &mut Request<B>) {
        if self.proxies.as_ref().is_some_and(|proxies| !proxies.sent(request.extensions())) {
            request.headers_mut().remove(CLIENT_CERT);
            request.headers_mut().remove(CLIENT_CERT_CHAIN);
        }
    }
}

/// The certificate that a request came with. It is looked for when a token asks for it.
pub(crate) struct Shown<'r> {
    policy: &'r CertificatePolicy,
    head: RequestHead<'r>,
}

impl Shown<'_> {
    pub(super) fn thumbprint(&self) -> Result<Option<CertificateThumbprint>, RejectionKind> {
        let (headers, extensions) = (self.head.headers(), self.head.extensions());
        let certificate = match &self.policy.proxies {
            Some(proxies) if proxies.sent(extensions) => {
                field::read(headers).map_err(|reason| unreadable(reason, extensions.get()))?
            }
            _ => extensions.get::<ClientCertificate>().copied(),
        };
        Ok(certificate.map(|certificate| *certificate.thumbprint()))
    }
}

/// The client can do nothing about it, so whoever runs the proxy is told. The value is not: any
/// client may have written it.
fn unreadable(reason: &'static str, peer: Option<&PeerAddress>) -> RejectionKind {
    let peer = peer.map(|peer| tracing::field::display(peer.ip()));
    tracing::warn!(
        target: "tower_resource_server::certificate",
        peer, reason, "the Client-Cert field of a trusted proxy cannot be read"
    );
    RejectionKind::MalformedCertificate
}
