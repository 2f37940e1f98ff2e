//! The checks of a DPoP proof (RFC 9449 §4.3), each in a function of its own.
//!
//! The first failure is the answer, so the order decides what a client is told. It is that of what
//! clients can mend: everything about the proof itself comes first; then a nonce that is missing or
//! old; and `iat` last, so that a client with a wrong clock learns of the nonce that makes up for
//! it. Within the first group the cheap checks precede the signature. A bad signature never leads
//! to a nonce.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use sha2::{Digest as _, Sha256};

use super::claims::Claims;
use super::header;
use super::nonce::{AHEAD, AcceptedNonce};
use super::policy::ProofPolicy;
use super::replay::ProofUse;
use super::target::Target;
use crate::base64url;
use crate::clock::Timestamp;
use crate::error::RejectionKind;
use crate::jws::{Compact, Room};
use crate::keys::{KnownProofKey, ProofKey, Thumbprint};
use crate::token::Digest;

/// The request that a proof has to be made for.
pub(crate) struct Occasion<'a> {
    pub(crate) method: &'a Method,
    pub(crate) target: Target<'a>,
    pub(crate) token: &'a Digest,
    /// The key this token's proofs were made with before.
    pub(crate) known: Option<&'a KnownProofKey>,
    pub(crate) now: Timestamp,
}

/// A proof that is right in itself, for one request and one token. Whether the token is bound to
/// its key, and whether it was used before, is yet to be asked.
#[derive(Debug)]
pub(crate) struct Proof {
    pub(super) usage: ProofUse,
    /// The nonce comes to its end: the response should bring the next.
    pub(super) renew: bool,
    /// A key that was not known for this token.
    pub(super) new_key: Option<Arc<KnownProofKey>>,
}

impl Proof {
    pub(super) const fn thumbprint(&self) -> &Thumbprint {
        self.usage.client()
    }
}

/// The moments between which a proof is accepted, both included.
type Window = (Timestamp, Timestamp);

/// Every check of RFC 9449 §4.3 but the last, whether the token is bound to the proof's key.
pub(crate) fn verify(
    proof: &str,
    occasion: &Occasion<'_>,
    policy: &ProofPolicy,
) -> Result<Proof, RejectionKind> {
    let malformed = RejectionKind::MalformedProof;
    let parts = Compact::split(proof).ok_or(malformed)?;
    let known = occasion.known.filter(|known| known.is_of(parts.header));
    let read = match known {
        Some(_) => None,
        None => Some(header::read(parts.header, policy)?),
    };
    let mut room = Room::new();
    let payload = room.decode_text(parts.payload).ok_or(malformed)?;
    let claims = Claims::parse(&payload)?;
    check_method(&claims, occasion)?;
    let uri = occasion.target.matches(&claims.htu).ok_or(RejectionKind::ProofUriMismatch)?;
    check_token(&claims, occasion)?;
    let key = known.map(|known| &known.key).or(read.as_ref()).ok_or(malformed)?;
    check_signature(&parts, key)?;
    let nonce = check_nonce(&claims, occasion, policy)?;
    let window = check_time(&claims, nonce.as_ref(), occasion, policy)?;
    let client = *key.thumbprint();
    let usage = ProofUse::new(identity(&client, &uri, &claims.jti), client, window, occasion.now);
    let new_key = read.and_then(|key| worth_knowing(parts.header, key));
    Ok(Proof { usage, renew: nonce.is_some_and(|nonce| nonce.renew()), new_key })
}

/// Check 8: `htm` is the method, case and all. Fields that override the method change nothing.
fn check_method(claims: &Claims<'_>, occasion: &Occasion<'_>) -> Result<(), RejectionKind> {
    let same = *claims.htm == *occasion.method.as_str();
    if same { Ok(()) } else { Err(RejectionKind::ProofMethodMismatch) }
}

/// Check 12, first half: `ath` is the hash of this very token, in base64url without padding.
fn check_token(claims: &Claims<'_>, occasion: &Occasion<'_>) -> Result<(), RejectionKind> {
    let mut expected = [0; 43];
    let length = URL_SAFE_NO_PAD.encode_slice(occasion.token.as_bytes(), &mut expected);
    let same = length == Ok(43) && *claims.ath.as_bytes() == expected;
    if same { Ok(()) } else { Err(RejectionKind::ProofTokenMismatch) }
}

/// Check 6.
fn check_signature(parts: &Compact<'_>, key: &ProofKey) -> Result<(), RejectionKind> {
    let signature = base64url::decode(parts.signature).ok_or(RejectionKind::MalformedProof)?;
    let good = key.verify(parts.signing_input.as_bytes(), &signature);
    if good { Ok(()) } else { Err(RejectionKind::BadProofSignature) }
}

/// Check 10. Where nonces are required there is no way around them (§11.3).
fn check_nonce(
    claims: &Claims<'_>,
    occasion: &Occasion<'_>,
    policy: &ProofPolicy,
) -> Result<Option<AcceptedNonce>, RejectionKind> {
    let Some(issuer) = policy.nonces.as_ref().filter(|_| policy.freshness.needs_nonce()) else {
        return Ok(None);
    };
    let nonce = claims.nonce.as_deref().ok_or(RejectionKind::MissingProofNonce)?;
    let now = occasion.now.to_system_time().ok_or(RejectionKind::InvalidProofNonce)?;
    let accepted = issuer.check(nonce, &policy.resource, now);
    // An issuer of someone else's may be wrong about its own times.
    let alive = accepted.filter(|nonce| nonce.expires_at() >= now);
    alive.map(Some).ok_or(RejectionKind::InvalidProofNonce)
}

/// Check 11. The window is that of `iat`, that of the nonce, or what the two have in common.
fn check_time(
    claims: &Claims<'_>,
    nonce: Option<&AcceptedNonce>,
    occasion: &Occasion<'_>,
    policy: &ProofPolicy,
) -> Result<Window, RejectionKind> {
    let (back, ahead) = policy.window();
    let (from, until) = (claims.iat.minus(ahead), claims.iat.plus(back));
    let kind = match occasion.now {
        now if now > until => Some(RejectionKind::ExpiredProof),
        now if now < from => Some(RejectionKind::ProofNotYetValid),
        _ => None,
    };
    if let Some(kind) = kind {
        // Whose clock is wrong, and by how much, is what people ask first.
        let millis = occasion.now.millis().saturating_sub(claims.iat.millis());
        tracing::debug!(target: "tower_resource_server::rejection", age_seconds = millis / 1000, "iat is out of its window");
        return Err(kind);
    }
    let Some(nonce) = nonce else { return Ok((from, until)) };
    // The node that issued it may be ahead: then the proof could be used before that.
    let issued = Timestamp::from(nonce.issued_at()).minus(AHEAD);
    Ok((from.max(issued).min(occasion.now), until.min(nonce.expires_at().into())))
}

/// What makes one use of a proof the same as another (§11.1): key, URI and `jti`, each by itself,
/// so that no two of them can be shifted into one another.
fn identity(client: &Thumbprint, uri: &str, jti: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(client.as_bytes());
    hash.update((uri.len() as u64).to_be_bytes());
    hash.update(uri);
    hash.update(jti);
    hash.finalize().into()
}

fn worth_knowing(encoded: &str, key: ProofKey) -> Option<Arc<KnownProofKey>> {
    (encoded.len() <= KnownProofKey::LONGEST).then(|| Arc::new(KnownProofKey::new(encoded, key)))
}
