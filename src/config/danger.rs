//! Settings that give up a protection.

use super::Builder;
use crate::proof::UnverifiableConfirmation;

/// Settings that give up a protection, reached through [`Builder::danger`].
#[derive(Debug)]
#[must_use]
pub struct Danger(Builder);

impl Danger {
    pub(super) const fn new(builder: Builder) -> Self {
        Self(builder)
    }

    /// Accepts tokens whatever their `aud`.
    ///
    /// Any service that shares the issuer can then use its callers' tokens here (RFC 9068 §4,
    /// RFC 8725 §3.9). A token must still have an `aud`.
    pub fn accept_any_audience(self) -> Builder {
        Builder { any_audience: true, ..self.0 }
    }

    /// Accepts a token with `cnf` as a plain Bearer token when nothing here can verify `cnf`.
    ///
    /// A stolen token can then be used by the thief, which is what its issuer meant to prevent
    /// (RFC 7800 §3.1).
    pub fn ignore_unverifiable_confirmation(self) -> Builder {
        Builder { unverifiable: UnverifiableConfirmation::Ignore, ..self.0 }
    }
}
