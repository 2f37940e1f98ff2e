//! Keys that verify tokens: where they come from, and how one is chosen.
//!
//! A set as published is a [`JwkSet`]: every key that could verify something. What a server uses of
//! it for one issuer is a [`KeySet`]: each key under the one algorithm it may verify, with a
//! verifier of the chosen backend. A [`KeySource`] hands out such sets, and is the only part that
//! knows whether they come from a file or from the network.

pub(crate) mod crypto;
mod discovery;
mod error;
mod health;
mod introspection;
mod jwk;
mod look;
mod lookup;
mod private;
mod proof_key;
mod remote;
mod schedule;
mod set;
mod supplies;
mod thumbprint;

use std::sync::Arc;
use std::time::Duration;

pub use self::crypto::CryptoBackend;
pub(crate) use self::discovery::{MetadataSource, ServerMetadata, candidates, shown};
pub(crate) use self::error::Failure;
pub use self::error::{MetadataError, RefreshError};
pub use self::health::{Health, IssuerHealth, KeyState};
pub use self::introspection::IntrospectionError;
pub(crate) use self::introspection::Trouble;
pub(crate) use self::jwk::Family;
pub(crate) use self::look::{Asked, Look, Unverified, Waited};
pub(crate) use self::lookup::{KeyId, KeySet};
pub use self::private::{PrivateKey, PrivateKeyError};
pub(crate) use self::proof_key::{KnownProofKey, ProofKey};
pub(crate) use self::remote::{Location, RemoteKeys, RemoteSettings};
pub use self::set::{JwkSet, JwkSetError};
pub(crate) use self::supplies::Supplies;
pub use self::thumbprint::{CertificateThumbprint, Thumbprint};
use crate::clock::Timestamp;
use crate::fetch::GRACE;
use crate::flight::Waiting;

/// Where an issuer's keys come from.
#[derive(Clone, Debug)]
pub(crate) enum KeySource {
    Fixed(Arc<KeySet>),
    Remote(Arc<RemoteKeys>),
}

/// What a source has to say at one moment.
pub(crate) enum Supply {
    /// These keys, and the generation of their set. A refresh that is due has been started and is not
    /// waited for.
    Keys(Arc<KeySet>, u64),
    /// No keys that may still be used.
    Missing,
}

impl KeySource {
    /// The keys to use now; starts a refresh in the background when one is due.
    pub(crate) fn supply(&self, now: Timestamp) -> Supply {
        match self {
            Self::Fixed(keys) => Supply::Keys(Arc::clone(keys), 0),
            Self::Remote(remote) => remote.supply(now),
        }
    }

    /// The metadata that says where the keys are, where it is looked up.
    pub(crate) fn metadata(&self) -> Option<&Arc<MetadataSource>> {
        match self {
            Self::Fixed(_) => None,
            Self::Remote(remote) => remote.metadata(),
        }
    }

    /// Whether a key that once verified a token may still vouch for it: a cheap test for the
    /// warm path. `seen` is the generation it was last found in, and is brought up to date.
    pub(crate) fn vouches(
        &self,
        key: KeyId,
        seen: &std::sync::atomic::AtomicU64,
        now: Timestamp,
    ) -> bool {
        match self {
            Self::Fixed(_) => true,
            Self::Remote(remote) => remote.vouches(key, seen, now),
        }
    }

    fn generation(&self) -> u64 {
        match self {
            Self::Fixed(_) => 0,
            Self::Remote(remote) => remote.generation(),
        }
    }

    /// A fetch to wait for that could bring a key which verifies what no key of the set does; `None`
    /// while cooling down.
    pub(crate) fn fetch_for_unverified(&self, now: Timestamp) -> Option<(Waiting<()>, Waited)> {
        match self {
            Self::Fixed(_) => None,
            Self::Remote(remote) => remote.fetch_for_unverified(now),
        }
    }

    /// The longest that a [`look`](Self::look) waits: twice, at most, for a fetch.
    pub(crate) fn longest_wait(&self) -> Duration {
        match self {
            Self::Fixed(_) => Duration::ZERO,
            Self::Remote(remote) => remote.longest_flight().saturating_add(GRACE).saturating_mul(2),
        }
    }

    /// How its keys are now: a snapshot that asks nobody.
    pub(crate) fn health(&self, issuer: &Arc<str>, now: Timestamp) -> IssuerHealth {
        match self {
            Self::Fixed(keys) => IssuerHealth::fixed(issuer, keys.len(), now),
            Self::Remote(remote) => remote.health(now),
        }
    }

    /// Where the last attempt to load keys anew failed, the time up to which those that are there
    /// are all that can have signed anything.
    fn complete_until(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Fixed(_) => None,
            Self::Remote(remote) => remote.complete_until(now),
        }
    }
}
