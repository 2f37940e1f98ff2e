//! Stage 3: whether the sender of a verified token may use it.
//!
//! The check for downgrades stands here, where no token gets past it: a token bound to a key is
//! never accepted without proof of that key (RFC 9449 §7.2), one bound to a certificate never
//! without that certificate (RFC 8705 §3), and a proof never for a token that is not bound to it.
//!
//! A certificate needs no proof of its own: the handshake of the connection was one.
//!
//! A token and what came with it become a [`Candidate`] when they fit, [`InForce`] when the token was
//! not revoked, and a [`BoundToken`] when it is also settled that the proof was not used before. None
//! of them is made in any other way.

mod binding;
pub(crate) mod certificate;
mod claims;
mod dpop;
mod header;
mod htu;
pub(crate) mod nonce;
mod policy;
pub(crate) mod proxy;
pub(crate) mod replay;
mod target;

use std::sync::Arc;

pub use self::binding::Binding;
use self::certificate::Shown;
pub(crate) use self::dpop::{Occasion, Proof, verify};
pub use self::policy::Freshness;
pub(crate) use self::policy::ProofPolicy;
use self::replay::{ClaimOutcome, ClaimResult, ProofUse, ReplayStoreError};
pub(crate) use self::target::PublicUrl;
use crate::clock::Timestamp;
use crate::error::RejectionKind;
use crate::keys::{CertificateThumbprint, Thumbprint};
use crate::revocation::{RevocationError, TokenStatus, UnknownStatus};
use crate::scheme::{Scheme, SenderConstraint};
use crate::token::{Claims, Confirmation, Refused, VerifiedToken, Vouched};

/// Which ties between a token and its sender are good enough.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BindingPolicy {
    pub(crate) unverifiable: UnverifiableConfirmation,
    pub(crate) constraint: SenderConstraint,
}

/// What to do with a token whose `cnf` names no method that is verified here.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum UnverifiableConfirmation {
    #[default]
    Refuse,
    Ignore,
}

/// What to do when the replay store cannot say whether a proof was used.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum UnrecordedProof {
    #[default]
    Refuse,
    Accept,
}

/// A verified token whose sender has shown what its binding asks for. Whether it was revoked, and
/// whether the proof was used before, is still open.
#[derive(Debug)]
pub(crate) struct Candidate {
    token: VerifiedToken,
    proof: Option<Proof>,
    binding: Binding,
}

impl Candidate {
    /// Fits a token together with the proof and the certificate that came with it, by the token's
    /// `cnf` (RFC 7800 §3.1: every method of it that is known has to hold).
    pub(crate) fn bind(
        token: VerifiedToken,
        mut proof: Option<Proof>,
        certificate: &Shown<'_>,
        policy: BindingPolicy,
        now: Timestamp,
    ) -> Result<Self, Refused> {
        let refuse = |kind| Err((kind, Arc::clone(token.vouched())));
        let confirmation = token.vouched().claims.confirmation.as_ref();
        let binding = match fits(confirmation, proof.as_ref(), certificate, policy) {
            Ok(binding) => binding,
            Err(kind) => return refuse(kind),
        };
        if proof.as_mut().is_some_and(|proof| !proof.usage.move_to(now)) {
            return refuse(RejectionKind::ExpiredProof);
        }
        // Only a key that a token is bound to is worth remembering, so strangers fill nothing.
        if let Some(key) = proof.as_mut().and_then(|proof| proof.new_key.take()) {
            token.vouched().proof_key.store(Some(key));
        }
        Ok(Self { token, proof, binding })
    }

    /// The scheme it came with.
    pub(crate) const fn scheme(&self) -> Scheme {
        self.binding.scheme()
    }

    pub(crate) const fn vouched(&self) -> &Arc<Vouched> {
        self.token.vouched()
    }

    /// Nobody is there to say whether the token was revoked.
    #[inline]
    pub(crate) const fn unchecked(self) -> InForce {
        InForce(self)
    }

    /// Whoever knows of revoked tokens has spoken.
    pub(crate) fn checked(
        self,
        status: Result<TokenStatus, RevocationError>,
        unknown: UnknownStatus,
    ) -> Result<InForce, Refused> {
        let kind = match status {
            Ok(TokenStatus::Valid(_)) => return Ok(InForce(self)),
            Ok(TokenStatus::Revoked) => RejectionKind::RevokedToken,
            Err(_) if unknown == UnknownStatus::Accept => return Ok(InForce(self)),
            Err(_) => RejectionKind::RevocationUnavailable,
        };
        Err((kind, Arc::clone(self.vouched())))
    }
}

/// A candidate whose token is in force: it was not revoked. Whether the proof was used before is
/// still open.
#[derive(Debug)]
pub(crate) struct InForce(Candidate);

impl InForce {
    /// The use that a replay store has to record; none without a proof.
    pub(crate) fn usage(&self) -> Option<&ProofUse> {
        self.0.proof.as_ref().map(|proof| &proof.usage)
    }

    pub(crate) fn claims(&self) -> &Claims {
        &self.0.vouched().claims
    }

    /// The replay store has spoken.
    pub(crate) fn claimed(
        self,
        result: ClaimResult,
        unrecorded: UnrecordedProof,
    ) -> Result<BoundToken, Refused> {
        let kind = match result {
            Ok(ClaimOutcome::First) => return Ok(self.settled(true)),
            Ok(ClaimOutcome::Replay) => RejectionKind::ReplayedProof,
            Err(_) if unrecorded == UnrecordedProof::Accept => return Ok(self.unclaimed()),
            Err(ReplayStoreError::Full) => RejectionKind::ReplayStoreFull,
            Err(_) => RejectionKind::ReplayStoreUnavailable,
        };
        Err((kind, Arc::clone(self.0.vouched())))
    }

    /// There is no proof, or another server is to record it.
    #[inline]
    pub(crate) fn unclaimed(self) -> BoundToken {
        self.settled(false)
    }

    /// A layer of this server further out has recorded the proof for this very request.
    #[inline]
    pub(crate) fn claimed_outside(self) -> BoundToken {
        self.settled(true)
    }

    #[inline]
    fn settled(self, recorded: bool) -> BoundToken {
        let Candidate { token, proof, binding } = self.0;
        let renew = proof.as_ref().is_some_and(|proof| proof.renew);
        let recorded = proof.map(|proof| proof.usage).filter(|_| recorded);
        BoundToken { token, binding, recorded, renew }
    }
}

/// What ties the token to its sender, once everything that `cnf` asks for is there and no less than
/// is demanded.
fn fits(
    confirmation: Option<&Confirmation>,
    proof: Option<&Proof>,
    certificate: &Shown<'_>,
    policy: BindingPolicy,
) -> Result<Binding, RejectionKind> {
    let unverifiable = confirmation.is_some_and(Confirmation::is_unknown);
    if unverifiable && policy.unverifiable == UnverifiableConfirmation::Refuse {
        return Err(RejectionKind::UnsupportedConfirmation);
    }
    let (bound_key, bound_certificate) = confirmation.map_or((None, None), Confirmation::methods);
    let key = proven(bound_key, proof)?;
    let certificate = shown(bound_certificate, certificate)?;
    let binding = Binding::of(key, certificate);
    if binding.meets(policy.constraint) { Ok(binding) } else { Err(RejectionKind::UnboundToken) }
}

/// RFC 9449 §7.1, §7.2: a key and its proof, or neither.
fn proven(
    bound: Option<&Thumbprint>,
    proof: Option<&Proof>,
) -> Result<Option<Thumbprint>, RejectionKind> {
    match (bound, proof) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(RejectionKind::UnboundToken),
        (Some(_), None) => Err(RejectionKind::BoundTokenAsBearer),
        (Some(key), Some(proof)) if key == proof.thumbprint() => Ok(Some(*key)),
        (Some(_), Some(_)) => Err(RejectionKind::ProofKeyMismatch),
    }
}

/// RFC 8705 §3: the certificate that the token is bound to is the one the client showed. Any may be
/// shown beside a token that is bound to none.
fn shown(
    bound: Option<&CertificateThumbprint>,
    certificate: &Shown<'_>,
) -> Result<Option<CertificateThumbprint>, RejectionKind> {
    let Some(bound) = bound else { return Ok(None) };
    match certificate.thumbprint()? {
        None => Err(RejectionKind::MissingCertificate),
        Some(shown) if shown == *bound => Ok(Some(shown)),
        Some(_) => Err(RejectionKind::CertificateMismatch),
    }
}

/// A verified token that its sender may use, once.
#[derive(Clone, Debug)]
pub(crate) struct BoundToken {
    token: VerifiedToken,
    binding: Binding,
    /// The use of a proof that this server has recorded for it.
    recorded: Option<ProofUse>,
    renew: bool,
}

impl BoundToken {
    pub(crate) const fn token(&self) -> &VerifiedToken {
        &self.token
    }

    pub(crate) const fn binding(&self) -> &Binding {
        &self.binding
    }

    /// The scheme it came with.
    pub(crate) const fn scheme(&self) -> Scheme {
        self.binding.scheme()
    }

    /// Whether the response should bring the next nonce (RFC 9449 §8.2).
    pub(crate) const fn renews_nonce(&self) -> bool {
        self.renew
    }

    pub(crate) fn has_recorded(&self, usage: &ProofUse) -> bool {
        self.recorded.as_ref().is_some_and(|own| own.key() == usage.key())
    }
}
