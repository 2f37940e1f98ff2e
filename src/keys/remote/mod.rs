//! A key set behind a URL: one fetch at a time, paced, old keys kept through outages.
//!
//! # What is shared, and how
//!
//! The loaded set is swapped as a whole, so that readers never see half of one and never wait for a
//! writer. Next to it stand three atomics, the generation of the set and the times between which
//! nothing has to be done about it. Together with the generation noted in a remembered token they
//! answer the question of the warm path: is the key that verified this token still there?
//!
//! One mutex guards the [flight](flight): whether a fetch runs, when the next may, and how the last
//! one failed. It is held for a few instructions, never across a suspension point, and on the warm
//! path only when a refresh is due.

mod flight;
mod load;

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http::Uri;

use self::flight::Fetching;
use super::Supply;
use super::crypto::CryptoBackend;
use super::discovery::MetadataSource;
use super::health::{IssuerHealth, LoadedKeys};
use super::lookup::{KeyId, KeySet};
use super::schedule::{Lifetime, Reason};
use super::supplies::Supplies;
use crate::algorithm::Algorithm;
use crate::clock::Timestamp;
use crate::flight::Waiting;
use crate::keys::Waited;

/// What a remote key set is made of.
pub(crate) struct RemoteSettings {
    pub(crate) supplies: Supplies,
    pub(crate) location: Location,
    pub(crate) allowed: Vec<Algorithm>,
    pub(crate) backend: CryptoBackend,
}

/// Where the key set is.
pub(crate) enum Location {
    Uri(Uri),
    /// At the `jwks_uri` of the issuer's metadata, which may move.
    Metadata(Arc<MetadataSource>),
}

struct Loaded {
    keys: Arc<KeySet>,
    lifetime: Lifetime,
    generation: u64,
}

pub(crate) struct RemoteKeys {
    settings: RemoteSettings,
    loaded: ArcSwapOption<Loaded>,
    /// Counts the sets loaded; with the two times, all that the warm path reads.
    generation: AtomicU64,
    /// From when and until when the loaded set is usable and no refresh may be begun.
    quiet_from: AtomicI64,
    quiet_until: AtomicI64,
    fetching: Mutex<Fetching>,
}

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let location: &dyn fmt::Debug = match &self.settings.location {
            Location::Uri(uri) => uri,
            Location::Metadata(source) => source,
        };
        f.debug_struct("RemoteKeys").field("location", location).finish_non_exhaustive()
    }
}

/// How far the clock of an issuer may be behind.
const CLOCKS_APART: Duration = Duration::from_secs(60);

impl RemoteKeys {
    pub(super) const fn metadata(&self) -> Option<&Arc<MetadataSource>> {
        match &self.settings.location {
            Location::Uri(_) => None,
            Location::Metadata(source) => Some(source),
        }
    }

    pub(crate) fn new(settings: RemoteSettings) -> Self {
        Self {
            settings,
            loaded: ArcSwapOption::empty(),
            generation: AtomicU64::new(0),
            quiet_from: AtomicI64::new(i64::MAX),
            quiet_until: AtomicI64::new(i64::MIN),
            fetching: Mutex::default(),
        }
    }

    pub(crate) fn supply(self: &Arc<Self>, now: Timestamp) -> Supply {
        let loaded = self.loaded.load();
        let Some(loaded) = loaded.as_deref() else { return Supply::Missing };
        if loaded.lifetime.is_due(now) {
            self.join(Reason::Aged, now);
        }
        if loaded.lifetime.is_usable(now) {
            Supply::Keys(Arc::clone(&loaded.keys), loaded.generation)
        } else {
            Supply::Missing
        }
    }

    pub(crate) fn vouches(self: &Arc<Self>, key: KeyId, seen: &AtomicU64, now: Timestamp) -> bool {
        let quiet = now.millis() < self.quiet_until.load(Ordering::Relaxed)
            && now.millis() >= self.quiet_from.load(Ordering::Relaxed);
        if quiet && seen.load(Ordering::Relaxed) == self.generation() {
            return true;
        }
        let Supply::Keys(keys, generation) = self.supply(now) else { return false };
        let known = keys.contains(key);
        if known {
            seen.store(generation, Ordering::Relaxed);
        }
        known
    }

    /// Leaves the warm path alone until a refresh is due, or until `rested` if it is; but no longer
    /// than the keys are usable.
    fn keep_quiet(&self, now: Timestamp, rested: Timestamp) {
        let loaded = self.loaded.load();
        let Some(Loaded { lifetime, .. }) = loaded.as_deref() else { return };
        let next = if lifetime.is_due(now) { rested } else { lifetime.due };
        let until = next.min(lifetime.stale_until);
        self.quiet_from.store(now.millis(), Ordering::Relaxed);
        self.quiet_until.store(until.millis(), Ordering::Relaxed);
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// An answer may be as old as its fetch took, and the clock of an issuer may be behind.
    pub(super) fn complete_until(&self, now: Timestamp) -> Option<Timestamp> {
        if !self.fetching().is_in_trouble() {
            return None;
        }
        let loaded = self.loaded.load();
        let loaded = loaded.as_ref().filter(|loaded| !loaded.lifetime.is_ahead_of(now));
        let slow = self.settings.supplies.limits.timeout.saturating_add(CLOCKS_APART);
        Some(loaded.map_or(Timestamp::MIN, |loaded| loaded.lifetime.as_of.minus(slow)))
    }

    /// Without keys the wait is for the first set, which starts no cool-down.
    pub(crate) fn fetch_for_unverified(
        self: &Arc<Self>,
        now: Timestamp,
    ) -> Option<(Waiting<()>, Waited)> {
        let loaded = self.loaded.load();
        let usable = loaded.as_ref().is_some_and(|loaded| loaded.lifetime.is_usable(now));
        self.join(if usable { Reason::Unverified } else { Reason::Aged }, now)
    }

    pub(crate) fn health(&self, now: Timestamp) -> IssuerHealth {
        let loaded = self.loaded.load();
        let loaded = loaded.as_deref().map(|Loaded { keys, lifetime, .. }| LoadedKeys {
            usable: keys.len(),
            lifetime: *lifetime,
        });
        let fetching = self.fetching();
        let (failures, last) = (fetching.pace.failures(), fetching.last_failure);
        IssuerHealth::remote(&self.settings.supplies.issuer, now, loaded, failures, last)
    }

    fn fetching(&self) -> MutexGuard<'_, Fetching> {
        self.fetching.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        self.settings.supplies.now()
    }
}
