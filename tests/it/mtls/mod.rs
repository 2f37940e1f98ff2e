//! Tokens bound to client certificates (RFC 8705), and the certificates that proxies forward (RFC
//! 9440).

mod binding;
mod constraints;
mod field;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tower_resource_server::testing::TestCertificate;
use tower_resource_server::{Builder, PeerAddress, RejectionKind};

use crate::support::{Answer, Bed, bearer, send};

/// The proxy that is trusted where one is.
const PROXY: [u8; 4] = [192, 0, 2, 10];
const STRANGER: [u8; 4] = [198, 51, 100, 7];

/// A bed, a client's certificate, and a token of scope `read` that is bound to it.
struct Mtls {
    bed: Bed,
    certificate: TestCertificate,
    token: String,
}

impl Mtls {
    fn new() -> Self {
        Self::with(|builder| builder)
    }

    fn with(change: impl FnOnce(Builder) -> Builder) -> Self {
        let bed = Bed::with(change);
        let certificate = TestCertificate::random();
        let token = bed.issuer.token().scope("read").bound_to_certificate(certificate.client());
        Self { token: token.build(), bed, certificate }
    }

    /// A bed whose server believes the proxy.
    fn behind_proxy() -> Self {
        Self::with(|builder| builder.client_cert_field(["192.0.2.10"]))
    }

    fn request(&self) -> Request<Full<Bytes>> {
        bearer(&self.token)
    }

    /// The token, on a connection of its own client.
    fn sound(&self) -> Request<Full<Bytes>> {
        self.certificate.attach(self.request())
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        send(self.bed.server.authenticate(), request).await
    }
}

fn from_peer<B>(mut request: Request<B>, peer: [u8; 4]) -> Request<B> {
    request.extensions_mut().insert(PeerAddress::new(peer.into()));
    request
}

/// T401 of the scheme Bearer, for that reason.
fn refused(answer: &Answer, kind: RejectionKind) {
    answer.assert_t401();
    assert_eq!(answer.kind(), Some(kind), "{answer:?}");
    assert_eq!(answer.challenge().scheme, "Bearer");
}
