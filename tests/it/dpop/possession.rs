//! A client of the test bed that holds a token bound to its key.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tower_resource_server::testing::{ProofBuilder, SigningKey, TokenBuilder};
use tower_resource_server::{Algorithm, Builder};

use crate::support::{Answer, Bed, NOW, RESOURCE, get, send};

/// Its requests are `GET /r`, at [`NOW`].
pub(crate) struct Client {
    pub(crate) key: SigningKey,
    pub(crate) token: String,
}

impl Client {
    /// One with an ES256 key and scope `read`.
    pub(crate) fn new(bed: &Bed) -> Self {
        Self::with(bed, |token| token)
    }

    /// The same, with something changed about its token.
    pub(crate) fn with(bed: &Bed, edit: impl FnOnce(TokenBuilder) -> TokenBuilder) -> Self {
        let key = SigningKey::generate(Algorithm::ES256);
        let token = edit(bed.issuer.token().scope("read").bound_to(&key)).build();
        Self { key, token }
    }

    /// A proof that no other has the `jti` of.
    pub(crate) fn proof(&self) -> ProofBuilder {
        let now = i64::try_from(NOW).expect("not that late");
        self.key.proof("GET", &format!("{RESOURCE}/r")).token(&self.token).at(now)
    }

    /// A request with the token and a new proof.
    pub(crate) fn request(&self) -> Request<Full<Bytes>> {
        self.proof().authorize(get(&[]))
    }

    /// A request with that Authorization line and a new proof.
    pub(crate) fn request_as(&self, authorization: &str) -> Request<Full<Bytes>> {
        get(&[("authorization", authorization), ("dpop", &self.proof().build())])
    }

    /// Its answer to [`request`](Self::request).
    pub(crate) async fn call(&self, bed: &Bed) -> Answer {
        send(bed.server.authenticate(), self.request()).await
    }
}

/// The answer of a server with these settings to a sound request, with that change of its proof.
pub(crate) async fn proven(
    change: impl FnOnce(Builder) -> Builder,
    edit: impl FnOnce(ProofBuilder) -> ProofBuilder,
) -> Answer {
    let bed = Bed::with(change);
    let request = edit(Client::new(&bed).proof()).authorize(get(&[]));
    send(bed.server.authenticate(), request).await
}
