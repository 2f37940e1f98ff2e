//! JWT access tokens (RFC 9068 over RFC 7519 and 7515), cheapest checks first.
//!
//! The checks stand in the order of their cost, and everything that can be decided without a key is
//! decided before keys are asked for. So a token of an unknown issuer, or of an algorithm that is
//! not accepted, causes neither a signature check nor a fetch.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arc_swap::ArcSwapOption;

use super::TokenPolicy;
use super::claims::{self, Claims};
use super::header::Header;
use super::text::Text;
use crate::base64url;
use crate::error::RejectionKind;
use crate::json::Object;
use crate::jws::{self, Compact};
use crate::keys::{Key, KeyId, KeySet, KnownProofKey};

/// A token taken apart; its issuer is one we trust, nothing of it is believed yet.
pub(crate) struct Parsed {
    header: Arc<Header>,
    /// The encoded header and payload, with the dot between them.
    signing_input: Box<str>,
    header_length: usize,
    signature: Vec<u8>,
    payload: String,
    claims: Claims,
    issuer: usize,
}

/// Signature, audience and claim types of a token are right. Time is not judged here: this value
/// may be remembered.
#[derive(Debug)]
pub(crate) struct Signed {
    pub(crate) claims: Claims,
    /// The claims as sent, for an application's own types.
    pub(crate) payload: String,
    /// Position in [`TokenPolicy::issuers`].
    pub(crate) issuer: usize,
    pub(crate) key: KeyId,
    /// Generation of the key set in which the key was last seen.
    pub(crate) generation: AtomicU64,
    /// The key of the proofs this token came with, once one was found to be the key it is bound to.
    pub(crate) proof_key: ArcSwapOption<KnownProofKey>,
}

impl Signed {
    fn text<'a>(&'a self, text: Option<&'a Text>) -> Option<&'a str> {
        text.map(|text| text.read(&self.payload))
    }

    pub(crate) fn subject(&self) -> Option<&str> {
        self.text(self.claims.subject.as_ref())
    }

    pub(crate) fn client_id(&self) -> Option<&str> {
        self.text(self.claims.client_id.as_ref())
    }

    pub(crate) fn token_id(&self) -> Option<&str> {
        self.text(self.claims.token_id.as_ref())
    }

    pub(crate) fn scope(&self) -> Option<&str> {
        self.text(self.claims.scope.as_ref())
    }

    pub(crate) fn acr(&self) -> Option<&str> {
        self.text(self.claims.acr.as_ref())
    }

    pub(crate) fn audience(&self) -> impl Iterator<Item = &str> {
        self.claims.audience.read(&self.payload)
    }
}

/// RFC 9068 §4 steps 1 to 3, and everything about form.
pub(crate) fn parse(token: &str, policy: &TokenPolicy) -> Result<Parsed, RejectionKind> {
    let malformed = RejectionKind::MalformedToken;
    let Compact { signing_input, header, payload, signature } =
        Compact::split(token).ok_or(malformed)?;
    let header_length = header.len();
    let header = policy.headers.read(header)?;
    let payload = jws::decode_text(payload).ok_or(malformed)?;
    let signature = base64url::decode(signature).ok_or(malformed)?;
    let members = Object::parse(&payload).map_err(|_| malformed)?;
    let (issuer, trusted) = policy.issuer(&claims::issuer(&members)?)?;
    if !trusted.algorithms.contains(&header.algorithm) {
        return Err(RejectionKind::UnacceptableAlgorithm);
    }
    let claims = claims::parse(&payload, &members, trusted.profile)?;
    let signing_input = signing_input.into();
    Ok(Parsed { header, signing_input, header_length, signature, payload, claims, issuer })
}

impl Parsed {
    pub(crate) const fn issuer(&self) -> usize {
        self.issuer
    }

    /// RFC 9068 §4 step 4, now that the claims may be believed: `key` is their
    /// [`signer`](Self::signer).
    pub(crate) fn signed_by(
        self,
        key: KeyId,
        generation: u64,
        policy: &TokenPolicy,
    ) -> Result<Signed, RejectionKind> {
        if let Some(encoded) = self.signing_input.get(..self.header_length) {
            policy.headers.remember(encoded, &self.header);
        }
        claims::check_audience(&self.payload, &self.claims, policy)?;
        Ok(Signed {
            claims: self.claims,
            payload: self.payload,
            issuer: self.issuer,
            key,
            generation: AtomicU64::new(generation),
            proof_key: ArcSwapOption::empty(),
        })
    }

    /// RFC 9068 §4 step 5: the key of the set that made the signature.
    pub(crate) fn signer(&self, keys: &KeySet) -> Result<KeyId, RejectionKind> {
        let mut candidates = self.candidates(keys).peekable();
        if candidates.peek().is_none() {
            return Err(RejectionKind::UnknownKey);
        }
        let message = self.signing_input.as_bytes();
        let verified = candidates.find(|key| key.verify(message, &self.signature));
        verified.map(Key::id).ok_or(RejectionKind::BadSignature)
    }

    fn candidates<'k>(&self, keys: &'k KeySet) -> impl Iterator<Item = &'k Key> {
        keys.candidates(self.header.kid.as_deref(), self.header.algorithm)
    }
}
