//! A client that proves possession of its key and follows nonces.

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use http::header::WWW_AUTHENTICATE;
use http::{Request, Response, StatusCode, Uri};
use tower_service::Service;

use super::challenge::error_of;
use super::key::SigningKey;
use super::proof::ProofBuilder;
use crate::charset;
use crate::clock::{Clock, SystemClock};

/// A client of resource servers, with a key, a token, and the newest nonce of each server (RFC 9449
/// §9).
///
/// It makes a new proof for every request, from the method and the URI of the request. A URI
/// without scheme and host is joined to the [`base`](Self::base).
///
/// It follows nonces as a client has to: each server's own, always the newest (RFC 9449 §8.2). It
/// follows nothing else: no redirects, no challenges but `use_dpop_nonce`.
///
/// ```
/// use http::{Request, StatusCode};
/// use tower::service_fn;
/// use tower_resource_server::Algorithm;
/// use tower_resource_server::testing::{DpopClient, SigningKey};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // A server that wants one nonce and does not look at the proof.
/// let mut first = true;
/// let mut server = service_fn(|_: Request<()>| {
///     let mut response = http::Response::builder();
///     if std::mem::take(&mut first) {
///         response = response
///             .status(StatusCode::UNAUTHORIZED)
///             .header("www-authenticate", r#"DPoP error="use_dpop_nonce", algs="ES256""#)
///             .header("dpop-nonce", "n-1");
///     }
///     std::future::ready(response.body(()))
/// });
///
/// let mut client = DpopClient::new(SigningKey::generate(Algorithm::ES256), "opaque-token");
/// let request = || Request::get("/r?q=1").body(()).expect("a request");
/// assert_eq!(client.call(&mut server, request).await?.status(), StatusCode::OK);
/// assert_eq!(client.nonce(), Some("n-1"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct DpopClient {
    key: SigningKey,
    token: String,
    base: String,
    clock: Arc<dyn Clock>,
    /// By origin: scheme and authority.
    nonces: HashMap<String, String>,
}

impl DpopClient {
    /// A client that sends `token` and proves possession of `key`, by the system's clock, with the
    /// base `https://api.example.com`.
    #[must_use]
    pub fn new(key: SigningKey, token: impl Into<String>) -> Self {
        Self {
            key,
            token: token.into(),
            base: "https://api.example.com".to_owned(),
            clock: Arc::new(SystemClock),
            nonces: HashMap::new(),
        }
    }

    /// Sets the absolute URI that the paths of requests are appended to: the server's public base
    /// URL.
    #[must_use]
    pub fn base(mut self, base: impl Into<String>) -> Self {
        self.base = base.into();
        self
    }

    /// Takes the times in proofs from `clock`.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The key it proves possession of.
    #[must_use]
    pub const fn key(&self) -> &SigningKey {
        &self.key
    }

    /// Replaces the token.
    pub fn set_token(&mut self, token: impl Into<String>) {
        self.token = token.into();
    }

    /// The newest nonce of the server at the base.
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        self.nonces.get(origin(&self.base)).map(String::as_str)
    }

    /// The proof for that request, with the newest nonce of its server; change it before building
    /// it.
    pub fn proof<B>(&self, request: &Request<B>) -> ProofBuilder {
        let uri = self.target(request.uri());
        let proof = self.key.proof(request.method().as_str(), &uri);
        let proof = proof.token(&self.token).clock(self.clock.as_ref());
        match self.nonces.get(origin(&uri)) {
            Some(nonce) => proof.nonce(nonce),
            None => proof,
        }
    }

    /// Puts the token and a new proof on the request.
    ///
    /// # Panics
    ///
    /// When the token has characters that no header can carry.
    #[must_use]
    pub fn authorize<B>(&self, request: Request<B>) -> Request<B> {
        self.proof(&request).authorize(request)
    }

    /// Remembers the nonce of a response of the server at the base, if it brings one.
    ///
    /// Any response may, whatever its status. A nonce of characters that no nonce has, or one of
    /// several in the same response, is left (RFC 9449 §8, §8.1).
    pub fn learn<B>(&mut self, response: &Response<B>) {
        self.remember(origin(&self.base).to_owned(), response);
    }

    /// Remembers the nonce of the response to a request to `uri`, as [`learn`](Self::learn) does.
    pub fn learn_from<B>(&mut self, uri: &Uri, response: &Response<B>) {
        self.remember(origin(&self.target(uri)).to_owned(), response);
    }

    /// Whether the response asks for a nonce and brings it: a 401 with a challenge of the scheme
    /// `DPoP` and `use_dpop_nonce` as its error (RFC 9449 §9).
    #[must_use]
    pub fn is_nonce_challenge<B>(response: &Response<B>) -> bool {
        let mut challenges = response.headers().get_all(WWW_AUTHENTICATE).iter();
        let asks = |value: &str| error_of("DPoP", value).is_some_and(|e| e == "use_dpop_nonce");
        response.status() == StatusCode::UNAUTHORIZED
            && challenges.any(|value| value.to_str().is_ok_and(asks))
            && nonce_in(response).is_some()
    }

    /// Sends a request, and once more if the answer is `use_dpop_nonce`; learns from each answer.
    ///
    /// # Errors
    ///
    /// Those of the service.
    ///
    /// # Panics
    ///
    /// When the token has characters that no header can carry.
    pub async fn call<S, A, B>(
        &mut self,
        service: &mut S,
        request: impl Fn() -> Request<A>,
    ) -> Result<Response<B>, S::Error>
    where
        S: Service<Request<A>, Response = Response<B>>,
    {
        let response = self.send(service, request()).await?;
        if Self::is_nonce_challenge(&response) {
            return self.send(service, request()).await;
        }
        Ok(response)
    }

    async fn send<S, A, B>(
        &mut self,
        service: &mut S,
        request: Request<A>,
    ) -> Result<Response<B>, S::Error>
    where
        S: Service<Request<A>, Response = Response<B>>,
    {
        let uri = request.uri().clone();
        poll_fn(|context| service.poll_ready(context)).await?;
        let response = service.call(self.authorize(request)).await?;
        self.learn_from(&uri, &response);
        Ok(response)
    }

    fn remember<B>(&mut self, origin: String, response: &Response<B>) {
        if let Some(nonce) = nonce_in(response) {
            self.nonces.insert(origin, nonce.to_owned());
        }
    }

    /// The URI as the server's clients know it.
    fn target(&self, uri: &Uri) -> String {
        match (uri.scheme_str(), uri.authority()) {
            (Some(scheme), Some(authority)) => format!("{scheme}://{authority}{}", uri.path()),
            _ => format!("{}{}", self.base.trim_end_matches('/'), uri.path()),
        }
    }
}

impl fmt::Debug for DpopClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DpopClient").field("base", &self.base).finish_non_exhaustive()
    }
}

/// Scheme and authority of an absolute URI.
fn origin(uri: &str) -> &str {
    let authority = uri.find("://").map_or(0, |at| at + 3);
    let end = uri[authority..].find(['/', '?', '#']).map_or(uri.len(), |at| authority + at);
    &uri[..end]
}

/// The nonce, if there is exactly one and it is `1*NQCHAR` (RFC 9449 §8.1).
fn nonce_in<B>(response: &Response<B>) -> Option<&str> {
    let mut values = response.headers().get_all("dpop-nonce").iter();
    let (first, more) = (values.next()?, values.next());
    // The same characters as those of scopes.
    first.to_str().ok().filter(|nonce| more.is_none() && charset::is_scope_token(nonce))
}

#[cfg(test)]
#[path = "dpop_client_tests.rs"]
mod tests;
