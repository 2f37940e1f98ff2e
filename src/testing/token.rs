//! Access tokens to order.

use std::time::{Duration, SystemTime};

use http::Request;
use http::header::AUTHORIZATION;
use serde_json::{Map, Value};

use super::draft::{Draft, unix_seconds};
use super::flaw::Flaw;
use super::key::SigningKey;
use super::sensitive;
use crate::proof::certificate::ClientCertificate;

/// Makes one access token.
///
/// It starts as a valid RFC 9068 token: the header has `typ` (`at+jwt`), `alg` and `kid`; the
/// claims are `iss`, `sub` (`user-1`), `client_id` (`client-1`), `aud`
/// (`https://api.example.com`), `iat`, `exp` five minutes later, and a random `jti`.
///
/// Building leaves the builder as it is; tokens built twice share their `jti`.
#[derive(Clone, Debug)]
#[must_use = "a builder makes no token until it is built"]
pub struct TokenBuilder {
    draft: Draft,
    flaws: Vec<Flaw>,
}

impl TokenBuilder {
    pub(super) fn new(issuer: &str, key: &SigningKey, now: SystemTime) -> Self {
        Self { draft: Draft::token(issuer, key, unix_seconds(now)), flaws: Vec::new() }
    }

    /// Sets `sub`.
    pub fn subject(self, subject: impl Into<String>) -> Self {
        self.claim("sub", subject.into())
    }

    /// Sets `client_id`.
    pub fn client_id(self, client_id: impl Into<String>) -> Self {
        self.claim("client_id", client_id.into())
    }

    /// Sets `scope`, a list separated by spaces.
    pub fn scope(self, scope: impl Into<String>) -> Self {
        self.claim("scope", scope.into())
    }

    /// Sets `aud` to one string.
    pub fn audience(self, audience: impl Into<String>) -> Self {
        self.claim("aud", audience.into())
    }

    /// Sets `aud` to an array.
    pub fn audiences<I>(self, audiences: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.claim("aud", audiences.into_iter().map(Into::into).collect::<Vec<String>>())
    }

    /// Binds the token to `key` with `cnf.jkt` (RFC 9449 §6.1); to a certificate as well, if it was.
    pub fn bound_to(self, key: &SigningKey) -> Self {
        self.confirmed_by("jkt", key.thumbprint())
    }

    /// Binds the token to `certificate` with `cnf.x5t#S256` (RFC 8705 §3.1); to a key as well, if it
    /// was.
    ///
    /// [`TestCertificate`](super::TestCertificate) has some, and puts them on requests.
    pub fn bound_to_certificate(self, certificate: &ClientCertificate) -> Self {
        self.confirmed_by("x5t#S256", certificate.thumbprint().to_string())
    }

    fn confirmed_by(self, method: &str, thumbprint: String) -> Self {
        let cnf = self.draft.claims.get("cnf").and_then(Value::as_object);
        let mut cnf = cnf.cloned().unwrap_or_default();
        cnf.insert(method.to_owned(), thumbprint.into());
        self.claim("cnf", cnf)
    }

    /// Sets `exp` to that long after now, in whole seconds.
    pub fn expires_in(self, lifetime: Duration) -> Self {
        let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        let exp = self.draft.shifted(seconds);
        self.claim("exp", exp)
    }

    /// Sets a claim, whatever it was.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.draft.set_claim(name, value);
        self
    }

    /// Leaves a claim out.
    pub fn without_claim(mut self, name: &str) -> Self {
        self.draft.claims.remove(name);
        self
    }

    /// Sets a header parameter, whatever it was.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.draft.set_header(name, value);
        self
    }

    /// Leaves a header parameter out.
    pub fn without_header(mut self, name: &str) -> Self {
        self.draft.header.remove(name);
        self
    }

    /// Adds a flaw.
    ///
    /// Flaws come in when the token is built, after everything else. Several go together as long
    /// as they concern different things; of those that replace the signature, the first does.
    pub fn flaw(mut self, flaw: Flaw) -> Self {
        self.flaws.push(flaw);
        self
    }

    /// Signs these bytes in place of the claims; nothing else changes them, no flaw either.
    pub fn raw_payload(mut self, payload: impl Into<Vec<u8>>) -> Self {
        self.draft.raw_payload = Some(payload.into());
        self
    }

    /// Signs these bytes in place of the header; nothing else changes them, no flaw either.
    pub fn raw_header(mut self, header: impl Into<Vec<u8>>) -> Self {
        self.draft.raw_header = Some(header.into());
        self
    }

    /// Signs with `key`, and leaves the header as if the issuer's key had signed.
    pub fn signed_with(mut self, key: &SigningKey) -> Self {
        self.draft.signer = key.clone();
        self
    }

    /// The claims of the token, without its flaws.
    pub(super) const fn claims(&self) -> &Map<String, Value> {
        &self.draft.claims
    }

    /// The token.
    #[must_use]
    pub fn build(&self) -> String {
        self.draft.build(&self.flaws)
    }

    /// Builds the token and puts it on `request` as its only `Authorization`, of scheme `Bearer`.
    #[must_use]
    pub fn authorize<B>(&self, mut request: Request<B>) -> Request<B> {
        request.headers_mut().insert(AUTHORIZATION, sensitive(format!("Bearer {}", self.build())));
        request
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
