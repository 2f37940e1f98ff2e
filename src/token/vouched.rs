//! A token that its issuer vouches for, by its signature or by its answer.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arc_swap::ArcSwapOption;
use serde::de::DeserializeOwned;

use super::claims::Claims;
use super::text::Text;
use super::{TrustedIssuer, details};
use crate::clock::Timestamp;
use crate::json::Object;
use crate::keys::{KeyId, KnownProofKey};
use crate::revocation::KnownStatus;

/// A token of a trusted issuer, meant for this server, with claims of the right types. Time is not
/// judged here: this value may be remembered.
#[derive(Debug)]
pub(crate) struct Vouched {
    pub(crate) claims: Claims,
    /// The claims as the issuer wrote them, for an application's own types.
    pub(crate) payload: String,
    pub(crate) issuer: Arc<TrustedIssuer>,
    pub(super) origin: Origin,
    /// The key of the proofs this token came with, once one was found to be the key it is bound to.
    pub(crate) proof_key: ArcSwapOption<KnownProofKey>,
    /// What is known of its revocation.
    pub(crate) status: KnownStatus,
}

/// How the issuer vouches for it.
#[derive(Debug)]
pub(super) enum Origin {
    /// It signed the token (RFC 9068).
    Signature {
        key: KeyId,
        /// Generation of the key set in which the key was last seen.
        generation: AtomicU64,
    },
    /// It said that the token is active (RFC 7662), which counts until then.
    Introspection { until: Timestamp },
}

/// How the issuer vouches for a token. For audit logs, and for sources of
/// [revoked tokens](crate::Revocation).
///
/// ```
/// use tower_resource_server::{Grant, VouchedBy};
///
/// /// For the audit log: whether the issuer was asked, or the token speaks for itself.
/// fn evidence(grant: &Grant) -> &'static str {
///     match grant.vouched_by() {
///         VouchedBy::Signature => "signed",
///         VouchedBy::Introspection => "introspected",
///         _ => "other",
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum VouchedBy {
    /// By its signature, verified here (RFC 9068). Nothing is known of what became of the token since
    /// it was issued.
    Signature,
    /// By its answer that the token is active (RFC 7662), given to this server within the
    /// [time that answers are remembered](crate::Introspection::cache_for).
    Introspection,
}

impl Vouched {
    pub(super) fn new(
        claims: Claims,
        payload: String,
        issuer: Arc<TrustedIssuer>,
        origin: Origin,
    ) -> Self {
        let (proof_key, status) = (ArcSwapOption::empty(), KnownStatus::unknown());
        Self { claims, payload, issuer, origin, proof_key, status }
    }

    /// A token that the issuer said is active; all of its answer was checked. It counts until then.
    pub(super) fn by_answer(
        claims: Claims,
        answer: String,
        issuer: Arc<TrustedIssuer>,
        until: Timestamp,
    ) -> Self {
        Self::new(claims, answer, issuer, Origin::Introspection { until })
    }

    pub(crate) const fn vouched_by(&self) -> VouchedBy {
        match &self.origin {
            Origin::Signature { .. } => VouchedBy::Signature,
            Origin::Introspection { .. } => VouchedBy::Introspection,
        }
    }

    /// How long an answer counts.
    pub(super) const fn counts_until(&self) -> Option<Timestamp> {
        match &self.origin {
            Origin::Signature { .. } => None,
            Origin::Introspection { until } => Some(*until),
        }
    }

    /// Whether what was remembered still counts: the issuer is trusted, its key in the set, its
    /// answer not too old.
    pub(crate) fn stands(&self, now: Timestamp) -> bool {
        self.issuer.is_trusted()
            && match &self.origin {
                Origin::Signature { key, generation } => {
                    self.issuer.keys.vouches(*key, generation, now)
                }
                Origin::Introspection { until } => now < *until,
            }
    }

    /// One claim; `None` when it is absent or does not fit the type.
    pub(crate) fn claim<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let members = Object::parse(&self.payload).ok()?;
        serde_json::from_str(members.raw(name)?).ok()
    }

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

    /// `authorization_details`, as JSON text.
    pub(crate) fn details(&self) -> Option<&str> {
        self.text(self.claims.details.as_ref())
    }

    /// Each object of it.
    pub(crate) fn each_detail(&self) -> impl Iterator<Item = &str> {
        self.details().and_then(details::objects).into_iter().flatten()
    }

    pub(crate) fn audience(&self) -> impl Iterator<Item = &str> {
        self.claims.audience.read(&self.payload)
    }
}
