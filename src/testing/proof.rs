//! DPoP proofs to order.

use std::fmt;

use http::Request;
use http::header::{AUTHORIZATION, HeaderName};
use serde_json::Value;
use sha2_signing::{Digest as _, Sha256};

use super::draft::{Draft, unix_seconds};
use super::key::SigningKey;
use super::proof_flaw::ProofFlaw;
use super::target::without_query;
use super::{base64url, sensitive};
use crate::clock::{Clock, SystemClock};

const DPOP: HeaderName = HeaderName::from_static("dpop");

/// Makes one DPoP proof.
///
/// It starts as a valid one (RFC 9449 §4.2): the header has `typ` (`dpop+jwt`), `alg` and `jwk`, the
/// public key without other members; the claims are a random `jti` of 128 bits, `htm`, `htu`
/// without query and fragment, and `iat` by the system's clock. A resource server demands `ath`
/// too, which comes with the [`token`](Self::token).
///
/// Building leaves the builder as it is; proofs built twice share their `jti`, as a replayed proof
/// does.
///
/// ```
/// use tower_resource_server::Algorithm;
/// use tower_resource_server::testing::{FixedClock, ProofFlaw, SigningKey, TestIssuer};
///
/// let clock = FixedClock::at(1_700_000_000);
/// let issuer = TestIssuer::new("https://as.example.com").clock(clock.clone());
/// let key = SigningKey::generate(Algorithm::ES256);
/// let token = issuer.token().bound_to(&key).build();
///
/// let proof = key.proof("GET", "https://api.example.com/r").token(&token).clock(&clock);
/// let request = proof.authorize(http::Request::new(()));
/// assert!(request.headers()["authorization"].to_str().unwrap().starts_with("DPoP ey"));
/// assert_eq!(request.headers()["dpop"], proof.build());
///
/// // One thing wrong with each of these; a resource server refuses them all.
/// for flaw in ProofFlaw::ALL {
///     println!("{flaw:?}: {}", proof.clone().flaw(flaw).build());
/// }
/// ```
#[derive(Clone)]
#[must_use = "a builder makes no proof until it is built"]
pub struct ProofBuilder {
    draft: Draft,
    token: Option<String>,
    flaws: Vec<ProofFlaw>,
}

impl SigningKey {
    /// A proof of this key for one request; change it before building it.
    ///
    /// `uri` is absolute; its query and fragment are left out.
    pub fn proof(&self, method: &str, uri: &str) -> ProofBuilder {
        let draft = Draft::proof(method, without_query(uri), self, unix_seconds(SystemClock.now()));
        ProofBuilder { draft, token: None, flaws: Vec::new() }
    }
}

impl ProofBuilder {
    /// Sets `ath` to the hash of `token`, and has [`authorize`](Self::authorize) send it along.
    pub fn token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self.claim("ath", base64url(Sha256::digest(token)))
    }

    /// Sets `nonce`.
    pub fn nonce(self, nonce: impl Into<String>) -> Self {
        self.claim("nonce", nonce.into())
    }

    /// Sets `iat` to what `clock` shows now, in whole seconds.
    pub fn clock(self, clock: &dyn Clock) -> Self {
        self.at(unix_seconds(clock.now()))
    }

    /// Sets `iat` to that many seconds since the Unix epoch.
    pub fn at(mut self, unix_seconds: i64) -> Self {
        self.draft.made_at(unix_seconds);
        self
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
    /// Flaws come in when the proof is built, after everything else. Several go together as long
    /// as they concern different things; of those that replace the signature, the first does.
    pub fn flaw(mut self, flaw: ProofFlaw) -> Self {
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

    /// Signs with `key`, and leaves `alg` and `jwk` as they are.
    pub fn signed_with(mut self, key: &SigningKey) -> Self {
        self.draft.signer = key.clone();
        self
    }

    /// The proof.
    #[must_use]
    pub fn build(&self) -> String {
        self.draft.build(&self.flaws)
    }

    /// Builds the proof and puts it on `request` as its only `DPoP` field; and the token, if there
    /// is one, as its only `Authorization`, of scheme `DPoP`.
    ///
    /// Method and URI of the request are not looked at: the proof says what the builder was told.
    /// A [`DpopClient`](super::DpopClient) goes by the request.
    ///
    /// # Panics
    ///
    /// When the token has characters that no header can carry.
    #[must_use]
    pub fn authorize<B>(&self, mut request: Request<B>) -> Request<B> {
        let headers = request.headers_mut();
        headers.insert(DPOP, sensitive(self.build()));
        if let Some(token) = &self.token {
            headers.insert(AUTHORIZATION, sensitive(format!("DPoP {token}")));
        }
        request
    }
}

impl fmt::Debug for ProofBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofBuilder").field("flaws", &self.flaws).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "proof_tests.rs"]
mod tests;
