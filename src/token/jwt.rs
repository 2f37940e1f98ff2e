//! JWT access tokens (RFC 9068 over RFC 7519 and 7515), cheapest checks first.
//!
//! The checks stand in the order of their cost, and everything that can be decided without a key is
//! decided before keys are asked for. So a token of an unknown issuer, or of an algorithm that is
//! not accepted, causes neither a signature check nor a fetch.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::claims::{self, Claims};
use super::header::Header;
use super::resolver::Resolution;
use super::vouched::{Origin, Vouched};
use super::{TokenPolicy, TrustedIssuer};
use crate::base64url;
use crate::clock::Timestamp;
use crate::error::RejectionKind;
use crate::json::Object;
use crate::jws::{self, Compact};
use crate::keys::{Asked, KeyId, KeySet, Unverified, Waited};
use crate::observe::cut;

/// A token taken apart; its issuer is one we trust, nothing of it is believed yet.
pub(crate) struct Parsed {
    header: Arc<Header>,
    /// The encoded header and payload, with the dot between them.
    signing_input: Box<str>,
    header_length: usize,
    signature: Vec<u8>,
    payload: String,
    claims: Claims,
    issuer: Arc<TrustedIssuer>,
}

/// Why a token is not taken apart.
#[derive(Debug)]
pub(crate) enum NotParsed {
    Refused(RejectionKind),
    /// It names an issuer that may be looked up, and was not.
    UnknownIssuer(String),
}

impl From<RejectionKind> for NotParsed {
    fn from(kind: RejectionKind) -> Self {
        Self::Refused(kind)
    }
}

/// RFC 9068 §4 steps 1 to 3, and everything about form.
pub(crate) fn parse(
    token: &str,
    policy: &TokenPolicy,
    now: Timestamp,
) -> Result<Parsed, NotParsed> {
    let malformed = RejectionKind::MalformedToken;
    let Compact { signing_input, header, payload, signature } =
        Compact::split(token).ok_or(malformed)?;
    let header_length = header.len();
    let header = policy.headers.read(header, &policy.types)?;
    let payload = jws::decode_text(payload).ok_or(malformed)?;
    let signature = base64url::decode(signature).ok_or(malformed)?;
    let members = Object::parse(&payload).map_err(|_| malformed)?;
    let identifier = claims::issuer(&members)?;
    let issuer = match policy.issuers.find(&identifier, now) {
        Resolution::Trusted(issuer) => issuer,
        Resolution::Untrusted => return Err(untrusted(&identifier).into()),
        Resolution::Unknown => return Err(NotParsed::UnknownIssuer(identifier.into_owned())),
    };
    if !issuer.mapper.types.contains(&header.typ) {
        return Err(RejectionKind::WrongTokenType.into());
    }
    if !issuer.algorithms.contains(&header.algorithm) {
        return Err(RejectionKind::UnacceptableAlgorithm.into());
    }
    let claims = claims::parse(&payload, &members, &issuer.mapper)?;
    let signing_input = signing_input.into();
    Ok(Parsed { header, signing_input, header_length, signature, payload, claims, issuer })
}

/// Which slash or port it was is what people ask first. Nobody has vouched for it, so that it stands
/// nowhere else.
fn untrusted(identifier: &str) -> RejectionKind {
    tracing::debug!(
        target: "tower_resource_server::rejection",
        iss = ?cut(identifier), "iss is that of no trusted issuer"
    );
    RejectionKind::UntrustedIssuer
}

impl Parsed {
    pub(crate) const fn issuer(&self) -> &Arc<TrustedIssuer> {
        &self.issuer
    }

    /// RFC 9068 §4 step 4, now that the claims may be believed: `key` is their
    /// [`signer`](Self::signer).
    pub(crate) fn signed_by(
        self,
        key: KeyId,
        generation: u64,
        policy: &TokenPolicy,
    ) -> Result<Vouched, RejectionKind> {
        if let Some(encoded) = self.signing_input.get(..self.header_length) {
            policy.headers.remember(encoded, &self.header);
        }
        claims::check_audience(&self.payload, &self.claims, &self.issuer.audiences)?;
        let origin = Origin::Signature { key, generation: AtomicU64::new(generation) };
        Ok(Vouched::new(self.claims, self.payload, self.issuer, origin))
    }

    pub(crate) const fn asked(&self, waited: Waited) -> Asked {
        Asked { issued: self.claims.issued, waited }
    }

    /// RFC 9068 §4 step 5: the key of the set that made the signature.
    pub(crate) fn signer(&self, keys: &KeySet) -> Result<KeyId, Unverified> {
        let (kid, algorithm) = (self.header.kid.as_deref(), self.header.algorithm);
        keys.signer(kid, algorithm, self.signing_input.as_bytes(), &self.signature)
    }
}
