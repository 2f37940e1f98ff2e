//! Stage 3: whether the sender of a verified token may use it.
//!
//! The check for downgrades stands here, where no token gets past it: a token bound to a key is
//! never accepted without proof of that key (RFC 9449 §7.2, RFC 8705 §3), and a proof never for a
//! token that is not bound to it.
//!
//! A token and what came with it become a [`Candidate`] when they fit, [`InForce`] when the token was
//! not revoked, and a [`BoundToken`] when it is also settled that the proof was not used before. None
//! of them is made in any other way.

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

pub(crate) use self::dpop::{Occasion, Proof, verify};
pub use self::policy::Freshness;
pub(crate) use self::policy::ProofPolicy;
use self::replay::{ClaimOutcome, ClaimResult, ProofUse, ReplayStoreError};
pub(crate) use self::target::PublicUrl;
use crate::clock::Timestamp;
use crate::error::RejectionKind;
use crate::keys::Thumbprint;
use crate::revocation::{RevocationResult, TokenStatus, UnknownStatus};
use crate::scheme::Scheme;
use crate::token::{Claims, Refused, VerifiedToken, Vouched};

/// How the presented token is tied to its sender.
///
/// More ways may be added, which is why the type is not exhaustive. An application that treats
/// bound tokens as more trustworthy asks [`Grant::binding`](crate::Grant::binding).
///
/// It says what was *verified*, not what the token asks for: with
/// [`ignore_unverifiable_confirmation`](crate::Danger::ignore_unverifiable_confirmation), a token
/// with `cnf` is a bearer token too.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Binding {
    /// Not at all: whoever holds the token may use it (RFC 6750).
    Bearer,
    /// To the key of that thumbprint, of which the request brought a proof (RFC 9449).
    Dpop(Thumbprint),
}

impl Binding {
    /// `bearer` or `dpop`, in lower case.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::Dpop(_) => "dpop",
        }
    }
}

/// What to do with a token whose `cnf` the server cannot verify.
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
}

impl Candidate {
    /// Fits a token and the proof that came with it together, by the token's `cnf` (RFC 7800 §3.1:
    /// every method of it that is known has to hold).
    pub(crate) fn bind(
        token: VerifiedToken,
        mut proof: Option<Proof>,
        unverifiable: UnverifiableConfirmation,
        now: Timestamp,
    ) -> Result<Self, Refused> {
        let refuse = |kind| Err((kind, Arc::clone(token.vouched())));
        if let Err(kind) = fits(&token, proof.as_ref(), unverifiable) {
            return refuse(kind);
        }
        if let Some(proof) = &mut proof {
            match proof.usage.at(now) {
                Some(usage) => proof.usage = usage,
                None => return refuse(RejectionKind::ExpiredProof),
            }
        }
        // Only a key that a token is bound to is worth remembering, so strangers fill nothing.
        if let Some(key) = proof.as_mut().and_then(|proof| proof.new_key.take()) {
            token.vouched().proof_key.store(Some(Arc::new(key)));
        }
        Ok(Self { token, proof })
    }

    /// The scheme it came with.
    pub(crate) const fn scheme(&self) -> Scheme {
        match self.proof {
            Some(_) => Scheme::Dpop,
            None => Scheme::Bearer,
        }
    }

    pub(crate) const fn vouched(&self) -> &Arc<Vouched> {
        self.token.vouched()
    }

    /// Nobody is there to say whether the token was revoked.
    pub(crate) const fn unchecked(self) -> InForce {
        InForce(self)
    }

    /// Whoever knows of revoked tokens has spoken.
    pub(crate) fn checked(
        self,
        result: RevocationResult,
        unknown: UnknownStatus,
    ) -> Result<InForce, Refused> {
        let kind = match result {
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
    /// The use that a replay store has to record; none for a bearer token.
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
    pub(crate) fn unclaimed(self) -> BoundToken {
        self.settled(false)
    }

    /// A layer of this server further out has recorded the proof for this very request.
    pub(crate) fn claimed_outside(self) -> BoundToken {
        self.settled(true)
    }

    fn settled(self, recorded: bool) -> BoundToken {
        let Candidate { token, proof } = self.0;
        let renew = proof.as_ref().is_some_and(|proof| proof.renew);
        let usage = proof.map(|proof| proof.usage);
        let binding = match &usage {
            Some(usage) => Binding::Dpop(*usage.client()),
            None => Binding::Bearer,
        };
        BoundToken { token, binding, recorded: usage.filter(|_| recorded), renew }
    }
}

fn fits(
    token: &VerifiedToken,
    proof: Option<&Proof>,
    unverifiable: UnverifiableConfirmation,
) -> Result<(), RejectionKind> {
    let confirmation = token.vouched().claims.confirmation.as_ref();
    let bound_to = confirmation.and_then(|confirmation| confirmation.thumbprint.as_ref());
    let ignore = unverifiable == UnverifiableConfirmation::Ignore;
    match (bound_to, proof) {
        (Some(_), None) => return Err(RejectionKind::BoundTokenAsBearer),
        (Some(key), Some(proof)) if key != proof.thumbprint() => {
            return Err(RejectionKind::ProofKeyMismatch);
        }
        (None, Some(_)) if confirmation.is_none() || ignore => {
            return Err(RejectionKind::UnboundToken);
        }
        (Some(_), Some(_)) | (None, _) => {}
    }
    let unverified = confirmation.is_some_and(|confirmation| confirmation.certificate)
        || confirmation.is_some() && bound_to.is_none();
    if unverified && !ignore { Err(RejectionKind::UnsupportedConfirmation) } else { Ok(()) }
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
        match self.binding {
            Binding::Bearer => Scheme::Bearer,
            Binding::Dpop(_) => Scheme::Dpop,
        }
    }

    /// Whether the response should bring the next nonce (RFC 9449 §8.2).
    pub(crate) const fn renews_nonce(&self) -> bool {
        self.renew
    }

    pub(crate) fn has_recorded(&self, usage: &ProofUse) -> bool {
        self.recorded.as_ref().is_some_and(|own| own.key() == usage.key())
    }
}
