//! Settings that give up a protection.

use super::Builder;
use crate::proof::{UnrecordedProof, UnverifiableConfirmation};
use crate::revocation::UnknownStatus;

/// Settings that give up a protection, reached through [`Builder::danger`].
///
/// Each method makes one choice and gives the builder back, so that the word stands in the source
/// once for each.
///
/// ```
/// use tower_resource_server::ResourceServer;
///
/// let builder = ResourceServer::builder("https://api.example.com")
///     .danger()
///     .ignore_unverifiable_confirmation();
/// ```
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
    /// RFC 8725 §3.9). A token must still have an `aud`. An issuer with
    /// [audiences of its own](crate::Issuer::audience) keeps to them.
    ///
    /// `build` logs a warning. [`single_audience_only`](Builder::single_audience_only) still holds.
    /// Where tokens merely name the server differently, use [`audience`](Builder::audience) or
    /// [`audience_name`](Builder::audience_name) instead.
    pub fn accept_any_audience(self) -> Builder {
        Builder { any_audience: true, ..self.0 }
    }

    /// Accepts a token as a plain Bearer token although its `cnf` binds it in a way that nobody here
    /// can verify.
    ///
    /// A stolen token can then be used by the thief, which is what its issuer meant to prevent
    /// (RFC 7800 §3.1).
    ///
    /// It concerns methods that are not supported, such as a key that is named by its `kid` alone. A
    /// token bound to a DPoP key (`jkt`, RFC 9449 §6.1) still needs its proof, one bound to a client
    /// certificate (`x5t#S256`, RFC 8705 §3.1) still needs the certificate, and a `cnf` that is no
    /// JSON object is refused all the same. Where
    /// [bound tokens are demanded](crate::SenderConstraint), it opens nothing.
    pub fn ignore_unverifiable_confirmation(self) -> Builder {
        Builder { unverifiable: UnverifiableConfirmation::Ignore, ..self.0 }
    }

    /// Accepts a DPoP proof although the replay store has no room, cannot be reached, or cannot tell:
    /// after its records were lost, or after the clock was set back.
    ///
    /// While that lasts, whoever copies a proof on its way can use it again until it is too old
    /// (RFC 9449 §11.1). Without this, such requests are answered 503.
    ///
    /// A proof of which the store says that it was used is refused all the same; a store that cannot
    /// be reached says nothing.
    pub fn accept_unrecorded_proofs(self) -> Builder {
        Builder { unrecorded: UnrecordedProof::Accept, ..self.0 }
    }

    /// Accepts a token although the [source of revoked tokens](Builder::revocation) cannot say
    /// whether it was revoked.
    ///
    /// While that lasts, revoked tokens are as good as others. Without this, such requests are
    /// answered 503. A token of which the source says that it was revoked is refused all the same.
    ///
    /// A source that hangs thereby turns revocation off. So watch for
    /// [`Event::RevocationUnknown`](crate::Event::RevocationUnknown), which comes with each such
    /// request; a line in the log does at most once a second.
    pub fn accept_unknown_status(self) -> Builder {
        Builder { unknown_status: UnknownStatus::Accept, ..self.0 }
    }
}
