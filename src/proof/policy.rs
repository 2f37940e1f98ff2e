//! What a server accepts as a proof.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::nonce::NonceIssuer;
use super::target::PublicUrl;
use crate::algorithm::Algorithm;
use crate::keys::CryptoBackend;
use crate::token;

/// What says that a proof is new (RFC 9449 §4.3 check 11).
///
/// | | `iat` | `nonce` | a proof stays good |
/// |---|---|---|---|
/// | `Iat` | within the window | not looked at | from its `iat` for the window |
/// | `Both` | within the window | required | as long as both say so |
/// | `Nonce` | within a day | required | for the lifetime of its nonce |
///
/// With `Nonce`, clients with wrong clocks are served too: the time that counts is the server's
/// own, sealed in the nonce (RFC 9449 §8).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Freshness {
    /// The client's clock. The default without nonces.
    Iat,
    /// The server's nonce. The client's clock may be off by a day.
    Nonce,
    /// Both. The default with nonces.
    Both,
}

impl Freshness {
    pub(crate) const fn needs_nonce(self) -> bool {
        matches!(self, Self::Nonce | Self::Both)
    }
}

/// How proofs are judged. Checked when the server is built.
#[derive(Debug)]
pub(crate) struct ProofPolicy {
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) backend: CryptoBackend,
    pub(crate) url: PublicUrl,
    pub(crate) freshness: Freshness,
    pub(crate) nonces: Option<Arc<dyn NonceIssuer>>,
    /// The resource that nonces are issued for.
    pub(crate) resource: String,
    /// How far `iat` may lie back.
    pub(crate) max_age: Duration,
    /// How far `iat` may lie ahead.
    pub(crate) max_ahead: Duration,
    /// It was said once that tokens live too long to go without nonces.
    pub(crate) warned: AtomicBool,
}

/// How far `iat` may be off where nonces alone decide. It only keeps nonsense out.
const ANY_CLOCK: Duration = Duration::from_secs(24 * 60 * 60);

impl ProofPolicy {
    /// The window of `iat`: back and ahead.
    pub(super) const fn window(&self) -> (Duration, Duration) {
        match self.freshness {
            Freshness::Nonce => (ANY_CLOCK, ANY_CLOCK),
            Freshness::Iat | Freshness::Both => (self.max_age, self.max_ahead),
        }
    }

    /// RFC 9449 §11.2: who gets at a client for a moment can make proofs for as long as the token
    /// lives, unless each needs a nonce that is not known yet.
    pub(crate) fn warn_of_long_lives(&self, claims: &token::Claims) {
        let life = claims.issued.zip(claims.expires).map(|(issued, expires)| expires.since(issued));
        let lives_long = life.is_some_and(|life| life > LONG);
        if lives_long && self.nonces.is_none() && !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                target: "tower_resource_server::config",
                resource = %self.resource,
                "bound tokens live longer than an hour and proofs need no nonce, so proofs can be made in advance"
            );
        }
    }
}

/// Longer than access tokens should live.
const LONG: Duration = Duration::from_secs(60 * 60);
