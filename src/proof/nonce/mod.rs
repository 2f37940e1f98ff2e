//! Nonces that the server supplies (RFC 9449 §8, §9).
//!
//! A client cannot make proofs ahead when each must contain what the server has said a moment ago.
//! So whoever had the client's key for a while cannot go on with a stock of proofs later, and the
//! client's clock no longer matters.

mod format;
mod sealed;
mod secret;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use self::sealed::SealedNonces;
pub use self::secret::NonceSecretError;

/// How far ahead the clock of another node, or this one's before it was set back, may have been.
pub(super) const AHEAD: Duration = Duration::from_secs(2);

/// Supplies nonces and knows them again.
///
/// The default is [`SealedNonces`], which remembers nothing. An issuer of another kind may keep
/// the nonces it has supplied, and accept each once.
///
/// # What a wrong answer costs
///
/// | `check` answers | although | then |
/// |---|---|---|
/// | a nonce | it was not issued here, or long ago | proofs that were made ahead, or copied from elsewhere, are as good as without nonces |
/// | `None` | it is good | the client is sent a new nonce and tries again; if that is refused too, it gives up |
///
/// # What is asked of it
///
/// - Nonces cannot be guessed (RFC 9449 §8), nor are they those of another server (§9).
/// - A nonce goes into a header field: one or more characters of `%x21 / %x23-5B / %x5D-7E`
///   (§8.1). It is no secret.
/// - A nonce just issued is accepted for the same resource, on each machine that serves it.
/// - It is called on the request path: it does not block, and does not panic whatever `nonce` is.
pub trait NonceIssuer: Debug + Send + Sync + 'static {
    /// A nonce for the `DPoP-Nonce` field. `resource` is the server's resource identifier, `now`
    /// the time by its [`Clock`](crate::Clock).
    fn issue(&self, resource: &str, now: SystemTime) -> String;

    /// What a nonce that came back is worth; `None` when it was not issued here, or for another
    /// resource, or is past its time.
    fn check(&self, nonce: &str, resource: &str, now: SystemTime) -> Option<AcceptedNonce>;
}

/// Shared with whoever else keeps the issuer.
impl<N: NonceIssuer + ?Sized> NonceIssuer for Arc<N> {
    fn issue(&self, resource: &str, now: SystemTime) -> String {
        (**self).issue(resource, now)
    }

    fn check(&self, nonce: &str, resource: &str, now: SystemTime) -> Option<AcceptedNonce> {
        (**self).check(nonce, resource, now)
    }
}

/// A nonce that was issued here and is not past its time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AcceptedNonce {
    issued_at: SystemTime,
    expires_at: SystemTime,
    renew: bool,
}

impl AcceptedNonce {
    /// `renew` says that the response should supply the next nonce already.
    #[must_use]
    pub const fn new(issued_at: SystemTime, expires_at: SystemTime, renew: bool) -> Self {
        Self { issued_at, expires_at, renew }
    }

    /// When it was issued: the proof is not older, whatever its `iat` says (RFC 9449 §4.3, check
    /// 11).
    #[must_use]
    pub const fn issued_at(&self) -> SystemTime {
        self.issued_at
    }

    /// The last moment at which it is accepted.
    #[must_use]
    pub const fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// Whether the response should supply the next nonce, so that the client is not refused for
    /// want of it (RFC 9449 §8.2).
    #[must_use]
    pub const fn renew(&self) -> bool {
        self.renew
    }
}
