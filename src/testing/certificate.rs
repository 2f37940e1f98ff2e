//! Client certificates, as the connection or a proxy shows them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Request};

use super::private::random;
use crate::proof::certificate::ClientCertificate;

/// A client certificate, to be put on requests in either way in which a server finds one.
///
/// ```
/// use http::Request;
/// use tower_resource_server::testing::{TestCertificate, TestIssuer};
///
/// let certificate = TestCertificate::random();
/// let token = TestIssuer::new("https://as.example.com")
///     .token()
///     .bound_to_certificate(certificate.client());
///
/// // As the server of the connection does.
/// let direct = certificate.attach(token.authorize(Request::new(())));
/// assert!(direct.extensions().get() == Some(certificate.client()));
/// // As a proxy does, which also needs to be a trusted peer.
/// let forwarded = certificate.forward(token.authorize(Request::new(())));
/// assert!(forwarded.headers()["client-cert"].to_str().unwrap().starts_with(":"));
/// ```
#[derive(Clone, Debug)]
pub struct TestCertificate {
    der: Vec<u8>,
    client: ClientCertificate,
}

impl TestCertificate {
    /// A certificate unlike any other.
    ///
    /// It is a stand-in: random bytes, which no TLS library would take. A resource server does not
    /// look into certificates, so it cannot tell.
    #[must_use]
    pub fn random() -> Self {
        Self::from_der(random::<64>())
    }

    /// A certificate of your own, in DER.
    #[must_use]
    pub fn from_der(der: impl Into<Vec<u8>>) -> Self {
        let der = der.into();
        let client = ClientCertificate::from_der(&der);
        Self { der, client }
    }

    /// What the server of the connection would make of it.
    #[must_use]
    pub const fn client(&self) -> &ClientCertificate {
        &self.client
    }

    /// The value of a `Client-Cert` field (RFC 9440 §2.2).
    ///
    /// # Panics
    ///
    /// Never: base64 is visible ASCII.
    #[must_use]
    pub fn field(&self) -> HeaderValue {
        let text = format!(":{}:", STANDARD.encode(&self.der));
        HeaderValue::try_from(text).expect("base64 is visible ASCII")
    }

    /// Puts it on `request` as the connection's.
    #[must_use]
    pub fn attach<B>(&self, mut request: Request<B>) -> Request<B> {
        request.extensions_mut().insert(self.client);
        request
    }

    /// Puts it on `request` as its only `Client-Cert` field.
    ///
    /// The field counts only together with the [`PeerAddress`](crate::PeerAddress) of a proxy that
    /// the server trusts.
    #[must_use]
    pub fn forward<B>(&self, mut request: Request<B>) -> Request<B> {
        request.headers_mut().insert("client-cert", self.field());
        request
    }
}
