//! What nonces are sealed with.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A secret for [`SealedNonces`](crate::SealedNonces) cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum NonceSecretError {
    /// It has fewer than 32 bytes.
    TooShort,
    /// The operating system gives no random bytes.
    NoRandomness,
}

impl fmt::Display for NonceSecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooShort => "a secret for nonces needs at least 32 bytes",
            Self::NoRandomness => "the operating system gives no random bytes",
        })
    }
}

impl std::error::Error for NonceSecretError {}

/// Sets the seal apart from whatever else is done with the same secret. It is as long as a block
/// of SHA-256, so that it is hashed once for each secret and not for each nonce.
const DOMAIN: &[u8; 64] = b"tower-resource-server: DPoP nonce of a resource server, format 1";

pub(super) const SEAL: usize = 16;

/// HMAC-SHA-256, with secret and domain worked in already.
#[derive(Clone)]
pub(super) struct Secret(Hmac<Sha256>);

impl Secret {
    pub(super) fn new(secret: &[u8]) -> Result<Self, NonceSecretError> {
        if secret.len() < 32 {
            return Err(NonceSecretError::TooShort);
        }
        let keyed = Hmac::new_from_slice(secret).map_err(|_| NonceSecretError::TooShort)?;
        Ok(Self(keyed.chain_update(DOMAIN)))
    }

    pub(super) fn seal(&self, body: &[u8], resource: &str) -> [u8; SEAL] {
        let tag: [u8; 32] = self.tag(body, resource).finalize().into_bytes().into();
        let mut seal = [0; SEAL];
        seal.iter_mut().zip(tag).for_each(|(byte, of_tag)| *byte = of_tag);
        seal
    }

    /// In constant time.
    pub(super) fn has_sealed(&self, body: &[u8], resource: &str, seal: &[u8; SEAL]) -> bool {
        self.tag(body, resource).verify_truncated_left(seal).is_ok()
    }

    /// The length goes before the resource, so that nothing of one can pass for a part of the
    /// other.
    fn tag(&self, body: &[u8], resource: &str) -> Hmac<Sha256> {
        let length = (resource.len() as u64).to_be_bytes();
        self.0.clone().chain_update(length).chain_update(resource).chain_update(body)
    }
}
