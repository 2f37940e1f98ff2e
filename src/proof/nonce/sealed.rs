//! Nonces that carry their time under a seal: nothing is remembered.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;

use super::format::{self, Body};
use super::secret::{NonceSecretError, SEAL, Secret};
use super::{AHEAD, AcceptedNonce, NonceIssuer};
use crate::clock::Timestamp;
use crate::random;

const DEFAULT_LIFETIME: Duration = Duration::from_secs(300);

/// Nonces that carry the time of their issue and a seal, HMAC-SHA-256 under a secret.
///
/// Nothing is remembered, so nothing fills up, and nodes that share a secret accept each other's
/// nonces. The seal covers the resource identifier too. It makes nonces authentic and impossible
/// to guess (128 bits); it does not hide the time.
///
/// A nonce is accepted until its age is the lifetime, that moment included; the default is 300
/// seconds. From half of it on, or when it is sealed with the secret before, the response supplies
/// the next one. Nonces from more than two
/// seconds ahead are refused: those of a node whose clock is fast, and all of the last hour when
/// the clock is set back by an hour. Clients then take a new nonce and go on.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_resource_server::{NonceIssuer, SealedNonces};
///
/// let nonces = SealedNonces::random().lifetime(Duration::from_secs(60));
/// let now = SystemTime::now();
/// let nonce = nonces.issue("https://api.example.com", now);
///
/// let fresh = nonces.check(&nonce, "https://api.example.com", now).expect("just issued");
/// assert!(!fresh.renew());
/// assert!(nonces.check(&nonce, "https://other.example.com", now).is_none());
/// assert!(nonces.check(&nonce, "https://api.example.com", now + Duration::from_secs(61)).is_none());
/// ```
///
/// # Rotation
///
/// [`rotate`](Self::rotate) takes a new secret; the one before is still accepted, and the one
/// before that no more. Rotate no more often than once in a lifetime: then clients of a single node
/// notice nothing.
///
/// Several nodes cannot rotate at the same moment. Start them anew instead, twice, one after the
/// other: first with the old secret and the new one as
/// [`previous_secret`](Self::previous_secret), which so is accepted but not issued with; then the
/// other way round.
///
/// # What is not checked
///
/// A nonce is accepted any number of times, from any client: what refuses copies of a proof is the
/// replay check. Secrets are not wiped from memory when they are dropped.
#[derive(Clone)]
pub struct SealedNonces {
    shared: Arc<Shared>,
    lifetime: Duration,
}

struct Shared {
    secrets: ArcSwap<Secrets>,
    /// Starts anywhere, and never counts the same twice.
    count: AtomicU64,
}

#[derive(Clone)]
struct Secrets {
    current: Secret,
    previous: Option<Secret>,
}

impl SealedNonces {
    /// Nonces under a secret of this process: after a restart, and on another node, they are not
    /// accepted.
    ///
    /// # Panics
    ///
    /// If the operating system gives no random bytes.
    #[must_use]
    pub fn random() -> Self {
        let secret: [u8; 32] = random::bytes().expect("the operating system gives random bytes");
        Self::with_secret(&secret).expect("32 bytes are enough, and random bytes were there before")
    }

    /// Nonces under a secret that several nodes share, or that outlives a restart.
    ///
    /// The secret is to be random, and for this purpose alone: 32 bytes from a generator, not a
    /// password.
    ///
    /// # Errors
    ///
    /// [`NonceSecretError`] if it has fewer than 32 bytes, or if there is no randomness to set the
    /// nonces of this node apart.
    pub fn with_secret(secret: &[u8]) -> Result<Self, NonceSecretError> {
        let secrets = Secrets { current: Secret::new(secret)?, previous: None };
        let start = random::bytes().ok_or(NonceSecretError::NoRandomness)?;
        Ok(Self {
            shared: Arc::new(Shared {
                secrets: ArcSwap::from_pointee(secrets),
                count: AtomicU64::new(u64::from_ne_bytes(start)),
            }),
            lifetime: DEFAULT_LIFETIME,
        })
    }

    /// Another secret whose nonces are accepted; none are issued with it. There is one such
    /// secret at a time.
    ///
    /// # Errors
    ///
    /// [`NonceSecretError::TooShort`] if it has fewer than 32 bytes.
    pub fn previous_secret(self, secret: &[u8]) -> Result<Self, NonceSecretError> {
        let previous = Secret::new(secret)?;
        self.shared.secrets.rcu(|secrets| Secrets {
            current: secrets.current.clone(),
            previous: Some(previous.clone()),
        });
        Ok(self)
    }

    /// How long a nonce is accepted. The default is 300 seconds.
    ///
    /// Clones made before keep theirs.
    #[must_use]
    pub const fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Issues with a new secret from now on, here and in all clones. The current secret becomes
    /// the previous one, which is still accepted.
    ///
    /// # Errors
    ///
    /// [`NonceSecretError::TooShort`] if it has fewer than 32 bytes. Then nothing changes.
    pub fn rotate(&self, new: &[u8]) -> Result<(), NonceSecretError> {
        let current = Secret::new(new)?;
        self.shared.secrets.rcu(|secrets| Secrets {
            current: current.clone(),
            previous: Some(secrets.current.clone()),
        });
        Ok(())
    }
}

impl Secrets {
    /// Whether it is the current secret that sealed this; `None` when it is neither.
    fn sealed_by_current(&self, body: Body, resource: &str, seal: [u8; SEAL]) -> Option<bool> {
        if self.current.has_sealed(&body.0, resource, &seal) {
            return Some(true);
        }
        self.previous.as_ref()?.has_sealed(&body.0, resource, &seal).then_some(false)
    }
}

impl NonceIssuer for SealedNonces {
    fn issue(&self, resource: &str, now: SystemTime) -> String {
        let body = Body::new(now, self.shared.count.fetch_add(1, Ordering::Relaxed));
        let seal = self.shared.secrets.load().current.seal(&body.0, resource);
        format::write(body, seal)
    }

    fn check(&self, nonce: &str, resource: &str, now: SystemTime) -> Option<AcceptedNonce> {
        let (body, seal) = format::read(nonce)?;
        let is_current = self.shared.secrets.load().sealed_by_current(body, resource, seal)?;
        let issued_at = body.issued_at()?;
        let expires_at = issued_at.checked_add(self.lifetime)?;
        let (issued, now) = (Timestamp::from(issued_at), Timestamp::from(now));
        let age = now.since(issued);
        let in_time = issued.since(now) <= AHEAD && age <= self.lifetime;
        let renew = !is_current || age >= self.lifetime / 2;
        in_time.then_some(AcceptedNonce::new(issued_at, expires_at, renew))
    }
}

impl fmt::Debug for SealedNonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedNonces").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

/// `None` when the operating system gives none.
#[cfg(test)]
#[path = "sealed_tests.rs"]
mod tests;
