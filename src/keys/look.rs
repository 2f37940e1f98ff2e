//! A look at the keys of an issuer, for something that one of them is to have signed.
//!
//! The keys may be the ones of a moment ago. So a signature that none of them verifies is a reason
//! to wait for a fetch, and is judged by what that brought. While keys cannot be fetched, what is
//! there proves little: a newer key may have made the signature. Then the answer is that nobody
//! knows, and not that the signature is bad, or clients would throw good tokens away.

use super::{KeySource, Supply};
use crate::clock::Timestamp;
use crate::flight::Waiting;
use crate::keys::lookup::{KeyId, KeySet};

/// What is to have been signed, and what was done to find out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// When it says that it was issued: nobody has verified that.
    pub(crate) issued: Option<Timestamp>,
    pub(crate) waited: Waited,
}

/// For what fetch it has waited.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Waited {
    NotYet,
    /// For one that ran already, and may have been answered before there was the key.
    ForAnother,
    /// For one that was begun since.
    ForOwn,
}

/// Why a set of keys does not verify a signature.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unverified {
    /// No key of the set could have made it.
    UnknownKey,
    /// Keys of the set could have made it, and did not.
    BadSignature,
}

/// What a look shows.
pub(crate) enum Look {
    /// The key that made the signature, and the generation of its set.
    Verified(KeyId, u64),
    /// Look again after this.
    Wait(Waiting<()>, Waited),
    Refuted(Unverified),
    /// There are no keys to tell by.
    Unavailable,
}

impl KeySource {
    pub(crate) fn look(
        &self,
        asked: Asked,
        now: Timestamp,
        signer: impl Fn(&KeySet) -> Result<KeyId, Unverified>,
    ) -> Look {
        loop {
            let (unverified, generation) = match self.supply(now) {
                Supply::Missing => (None, self.generation()),
                Supply::Keys(set, generation) => match signer(&set) {
                    Ok(key) => return Look::Verified(key, generation),
                    Err(unverified) => (Some(unverified), generation),
                },
            };
            if asked.waited != Waited::ForOwn
                && let Some((waiting, waited)) = self.fetch_for_unverified(now)
            {
                return Look::Wait(waiting, asked.waited.then(waited));
            }
            let refutes = |unverified: &Unverified| self.refutes(*unverified, asked.issued, now);
            let refuted = unverified.filter(refutes);
            // What a fetch brought that landed during this look was not looked at.
            if self.generation() == generation {
                return refuted.map_or(Look::Unavailable, Look::Refuted);
            }
        }
    }

    /// Whether the keys that are there are enough to say so.
    fn refutes(&self, unverified: Unverified, issued: Option<Timestamp>, now: Timestamp) -> bool {
        let Some(complete) = self.complete_until(now) else { return true };
        // A key that is not there proves nothing, and one that is there nothing about what was
        // signed since: a server may put a new key under an old id, or have no ids at all.
        unverified == Unverified::BadSignature && issued.is_some_and(|issued| issued <= complete)
    }
}

impl Waited {
    /// Twice at most, whoever began the fetches.
    fn then(self, next: Self) -> Self {
        if self == Self::NotYet { next } else { Self::ForOwn }
    }
}
