//! Sessions of the revisions that have them, tied to whoever began them.
//!
//! The application makes the ids. On the way out each gets a seal over the id and the principal of
//! the request; on the way in the seal is checked against the principal of that request, and taken
//! off. So nothing is remembered, nothing fills up, and nodes with one secret know each other's
//! sessions. An id of somebody else's session and an id that was never given out look alike: neither
//! has a seal that fits.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

use crate::authorize::Grant;
use crate::base64url;
use crate::random;

pub(crate) const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");

/// Sets the seal apart from whatever else is done with the same secret.
const DOMAIN: &[u8; 64] = b"tower-resource-server: MCP session and its principal, format 001";

/// 128 bits.
const SEAL: usize = 16;

/// The longest id that is read or sealed, the seal included.
const LONGEST: usize = 1024;

/// Ties each MCP session to the principal who began it, by a seal on its `Mcp-Session-Id`:
/// HMAC-SHA-256 under a secret, over the id, the issuer, the subject and the client.
///
/// Clients see `id.seal`, the application sees `id`. A request with another user's token, or with an
/// id that was not given out here, is answered 404 and never reaches the application, so that its
/// client begins a session of its own. Nothing is remembered.
///
/// Another token of the same user and client goes on with the session, as after a refresh. Requests
/// that an [optional](crate::layer::AuthenticateLayer::optional) layer let through without a token
/// are all one principal. A token that names neither a subject nor a client can have no session: its
/// ids are taken out of the response, and that is logged.
///
/// ```
/// use tower_resource_server::mcp::{Mcp, SealedSessions};
///
/// # let secret = [7; 32];
/// // One secret for all nodes, from wherever secrets are kept.
/// let mcp = Mcp::new().sessions(SealedSessions::with_secret(&secret)?);
/// # Ok::<(), tower_resource_server::mcp::SessionSecretError>(())
/// ```
///
/// # What is not checked
///
/// Whether a session still exists is for the application to say, with a 404 of its own: it has begun
/// the session and will end it. That its ids cannot be guessed does not matter here, for a guessed id
/// has no seal; that it does not give one id to two users does.
#[derive(Clone)]
pub struct SealedSessions(Arc<Hmac<Sha256>>);

/// A secret for [`SealedSessions`] cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SessionSecretError {
    /// It has fewer than 32 bytes.
    TooShort,
}

impl fmt::Display for SessionSecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret for sessions needs at least 32 bytes")
    }
}

impl std::error::Error for SessionSecretError {}

impl SealedSessions {
    /// Under a secret of this process: after a restart, and on another node, clients have to begin
    /// new sessions.
    ///
    /// # Panics
    ///
    /// If the operating system gives no random bytes.
    #[must_use]
    pub fn random() -> Self {
        Self::try_random().expect("the operating system gives random bytes")
    }

    pub(crate) fn try_random() -> Option<Self> {
        let secret: [u8; 32] = random::bytes()?;
        Self::with_secret(&secret).ok()
    }

    /// Under a secret that several nodes share, or that outlives a restart.
    ///
    /// The secret is to be random, and for this purpose alone: 32 bytes from a generator, not a
    /// password. With another secret, all clients have to begin new sessions.
    ///
    /// # Errors
    ///
    /// [`SessionSecretError`] if it has fewer than 32 bytes.
    pub fn with_secret(secret: &[u8]) -> Result<Self, SessionSecretError> {
        if secret.len() < 32 {
            return Err(SessionSecretError::TooShort);
        }
        let keyed = Hmac::new_from_slice(secret).map_err(|_| SessionSecretError::TooShort)?;
        Ok(Self(Arc::new(keyed.chain_update(DOMAIN))))
    }

    /// The id with its seal. `None` where it is none: not visible ASCII, empty, or too long.
    pub(super) fn seal(&self, id: &HeaderValue, owner: Owner) -> Option<HeaderValue> {
        let id = id.to_str().ok().filter(|id| is_visible(id))?;
        let tag: [u8; 32] = self.tag(id, owner).finalize().into_bytes().into();
        let sealed = format!("{id}.{}", base64url::encode(tag.get(..SEAL)?));
        HeaderValue::try_from(sealed).ok().filter(|sealed| sealed.len() <= LONGEST)
    }

    /// The id without its seal, if that fits. In constant time.
    pub(super) fn open(&self, sealed: &HeaderValue, owner: Owner) -> Option<HeaderValue> {
        let sealed = sealed.to_str().ok().filter(|sealed| sealed.len() <= LONGEST)?;
        let (id, seal) = sealed.rsplit_once('.')?;
        let seal = base64url::decode(seal).filter(|seal| seal.len() == SEAL)?;
        self.tag(id, owner).verify_truncated_left(&seal).ok()?;
        HeaderValue::from_str(id).ok()
    }

    /// The owner has one length, so nothing of it can pass for a part of the id.
    fn tag(&self, id: &str, owner: Owner) -> Hmac<Sha256> {
        Hmac::clone(&self.0).chain_update(owner.0).chain_update(id)
    }
}

impl fmt::Debug for SealedSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedSessions").finish_non_exhaustive()
    }
}

/// Visible ASCII (MCP 2025-11-25, session management), and something at all.
fn is_visible(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whose a session is.
#[derive(Clone, Copy)]
pub(super) struct Owner([u8; 32]);

impl Owner {
    /// Everybody without a token.
    pub(super) fn nobody() -> Self {
        Self(Sha256::digest(b"nobody").into())
    }

    /// RFC 8725 §3.8: a subject is one only together with its issuer. `None` where the token names
    /// nobody.
    pub(super) fn of(grant: &Grant) -> Option<Self> {
        let (subject, client) = (grant.subject(), grant.client_id());
        subject.or(client)?;
        let mut hash = Sha256::new();
        for part in [Some(grant.issuer()), subject, client] {
            hash.update([u8::from(part.is_some())]);
            hash.update((part.unwrap_or_default().len() as u64).to_be_bytes());
            hash.update(part.unwrap_or_default());
        }
        Some(Self(hash.finalize().into()))
    }
}
