//! A key set behind a URL: one fetch at a time, paced, old keys kept through outages.
//!
//! # What is shared, and how
//!
//! The loaded set is swapped as a whole, so that readers never see half of one and never wait for a
//! writer. Next to it stand three atomics, the generation of the set and the times between which it
//! is fresh. Together with the generation noted in a remembered token they answer the question of
//! the warm path: is the key that verified this token still there?
//!
//! One mutex guards the flight: whether a fetch runs, and when the next may. It is held for a few
//! instructions, never across a suspension point, and not at all on the warm path.
//!
//! # A flight
//!
//! Whoever needs a fetch joins the one that runs or, if the pace allows, starts one as a task of
//! its own. The task belongs to no request: a client that disconnects stops nothing. It ends in the
//! `Drop` of [`Landing`], which settles pace and log and then wakes those who wait; so even a fetch
//! that panics leaves nobody waiting. Against a runtime that no longer drives the task, each wait
//! has a limit of its own.
//!
//! Those who wait are told that the fetch is over, not how it ended. They look at the set again.
//!
//! # What is believed
//!
//! An answer counts if its status is 200, its content type is that of JSON or absent, its size
//! within the limit, and its body a JWK Set. If none of its keys is usable although it has some,
//! the old set stays: that is an accident. An empty list is obeyed: that is a decision.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, Request, Response, StatusCode, Uri};
use tokio::sync::watch;

use super::Supply;
use super::crypto::CryptoBackend;
use super::lookup::{KeyId, KeySet};
use super::schedule::{Lifetime, Pace, Reason};
use super::set::JwkSet;
use crate::algorithm::Algorithm;
use crate::clock::{Clock, Timestamp};
use crate::fetch::{Fetch, FetchError, FetchErrorKind, FetchLimits, GRACE, bounded};
use crate::media_type;
use crate::observe::{Event, Observer};

/// Why keys could not be refreshed.
///
/// It is found in the log (target `tower_resource_server::keys`) and in
/// [`Event::KeyRefreshFailed`]. No request sees it: those that need the keys are answered 503,
/// those whose keys are loaded go on. What is tried again when is told in the
/// [guide](crate::guide::keys_and_outages#key-set-urls).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RefreshError {
    /// The content type is neither `application/jwk-set+json` nor `application/json`.
    ContentType,
    /// The fetch brought no answer.
    Fetch(FetchErrorKind),
    /// The body is not a JWK Set.
    NotAKeySet,
    /// The set has keys, and none that this server can use.
    NoUsableKey,
    /// There is no tokio runtime to fetch in, or the fetch panicked.
    Runtime,
    /// The status is not 200.
    Status,
}

impl fmt::Display for RefreshError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ContentType => "the answer is not JSON by its content type",
            Self::Fetch(kind) => return FetchError::new(*kind).fmt(f),
            Self::NotAKeySet => "the answer is not a JWK Set",
            Self::NoUsableKey => "no key of the set is usable with the configured algorithms",
            Self::Runtime => "the fetch could not run to its end inside a tokio runtime",
            Self::Status => "the answer's status is not 200",
        })
    }
}

impl Error for RefreshError {}

/// A running fetch; resolves when it has ended, well or badly, or is overdue.
pub(crate) struct Waiting {
    running: watch::Receiver<()>,
    longest: Duration,
}

impl Waiting {
    /// The fetch has its own limit, but runs in a task that a runtime may have stopped to drive.
    pub(crate) async fn ended(mut self) {
        // An error says that the fetch is over as well.
        let _ = tokio::time::timeout(self.longest, self.running.changed()).await;
    }
}

/// What a remote key set is made of.
pub(crate) struct RemoteSettings {
    pub(crate) issuer: Arc<str>,
    pub(crate) uri: Uri,
    pub(crate) allowed: Vec<Algorithm>,
    pub(crate) backend: CryptoBackend,
    pub(crate) fetch: Arc<dyn Fetch>,
    pub(crate) limits: FetchLimits,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

struct Loaded {
    keys: Arc<KeySet>,
    lifetime: Lifetime,
}

#[derive(Default)]
struct Flight {
    pace: Pace,
    running: Option<watch::Receiver<()>>,
}

pub(crate) struct RemoteKeys {
    settings: RemoteSettings,
    loaded: ArcSwapOption<Loaded>,
    /// Counts the sets loaded; with the two times, all that the warm path reads.
    generation: AtomicU64,
    fresh_from: AtomicI64,
    fresh_until: AtomicI64,
    flight: Mutex<Flight>,
}

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeys").field("uri", &self.settings.uri).finish_non_exhaustive()
    }
}

impl RemoteKeys {
    pub(crate) fn new(settings: RemoteSettings) -> Self {
        Self {
            settings,
            loaded: ArcSwapOption::empty(),
            generation: AtomicU64::new(0),
            fresh_from: AtomicI64::new(i64::MAX),
            fresh_until: AtomicI64::new(i64::MIN),
            flight: Mutex::default(),
        }
    }

    pub(crate) fn supply(self: &Arc<Self>, now: Timestamp) -> Supply {
        let loaded = self.loaded.load();
        let Some(loaded) = loaded.as_deref() else { return Supply::Missing };
        if !loaded.lifetime.is_fresh(now) {
            self.join(Reason::Aged, now);
        }
        if loaded.lifetime.is_usable(now) {
            Supply::Keys(Arc::clone(&loaded.keys))
        } else {
            Supply::Missing
        }
    }

    pub(crate) fn vouches(self: &Arc<Self>, key: KeyId, seen: &AtomicU64, now: Timestamp) -> bool {
        let generation = self.generation();
        let fresh = now.millis() < self.fresh_until.load(Ordering::Relaxed)
            && now.millis() >= self.fresh_from.load(Ordering::Relaxed);
        if fresh && seen.load(Ordering::Relaxed) == generation {
            return true;
        }
        let Supply::Keys(keys) = self.supply(now) else { return false };
        let known = keys.contains(key);
        if known {
            seen.store(generation, Ordering::Relaxed);
        }
        known
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(crate) fn is_failing(&self) -> bool {
        self.flight.lock().unwrap_or_else(PoisonError::into_inner).pace.is_failing()
    }

    /// Without keys the wait is for the first set, which starts no cool-down.
    pub(crate) fn fetch_for_unknown(self: &Arc<Self>, now: Timestamp) -> Option<Waiting> {
        let loaded = self.loaded.load();
        let usable = loaded.as_ref().is_some_and(|loaded| loaded.lifetime.is_usable(now));
        self.join(if usable { Reason::UnknownKey } else { Reason::Aged }, now)
    }

    /// Joins the running fetch, or starts one if the pace allows.
    fn join(self: &Arc<Self>, reason: Reason, now: Timestamp) -> Option<Waiting> {
        let mut flight = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = &flight.running {
            return Some(self.waiting(running.clone()));
        }
        if !flight.pace.allows(now) {
            return None;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            flight.pace.failed(reason, now);
            drop(flight);
            self.report_failure(RefreshError::Runtime);
            return None;
        };
        let (ended, running) = watch::channel(());
        flight.running = Some(running.clone());
        drop(flight);
        let landing = Landing { keys: Arc::clone(self), reason, outcome: None, _ended: ended };
        runtime.spawn(landing.fly());
        Some(self.waiting(running))
    }

    fn waiting(&self, running: watch::Receiver<()>) -> Waiting {
        let longest = self.settings.limits.timeout.saturating_add(GRACE).saturating_add(GRACE);
        Waiting { running, longest }
    }

    /// Fetches and installs.
    async fn refresh(&self) -> Result<(), RefreshError> {
        let limits = self.settings.limits;
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = self.settings.uri.clone();
        request.headers_mut().insert(ACCEPT, ACCEPTED);
        let answer = bounded(&*self.settings.fetch, request, limits).await;
        let answer = answer.map_err(|error| {
            self.log_cause(&error);
            RefreshError::Fetch(error.kind())
        })?;
        self.install(&answer)
    }

    fn install(&self, answer: &Response<Bytes>) -> Result<(), RefreshError> {
        check_head(answer)?;
        let set = JwkSet::from_json(answer.body()).map_err(|_| RefreshError::NotAKeySet)?;
        let keys = KeySet::new(&set, &self.settings.allowed, self.settings.backend);
        let offered = set.len() + set.skipped();
        // A set emptied on purpose is obeyed; one with nothing but unusable keys is an accident.
        if keys.len() == 0 && offered > 0 {
            return Err(RefreshError::NoUsableKey);
        }
        let lifetime = Lifetime::new(self.now(), answer.headers());
        let usable = keys.len();
        self.loaded.store(Some(Arc::new(Loaded { keys: Arc::new(keys), lifetime })));
        self.fresh_from.store(lifetime.loaded.millis(), Ordering::Relaxed);
        self.fresh_until.store(lifetime.fresh_until.millis(), Ordering::Relaxed);
        self.generation.fetch_add(1, Ordering::Release);
        self.report_success(&set, usable);
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.settings.clock.now().into()
    }

    fn report_success(&self, set: &JwkSet, usable: usize) {
        let issuer = &*self.settings.issuer;
        tracing::info!(
            target: "tower_resource_server::keys",
            issuer,
            usable,
            skipped = ?set.skipped_by_reason(),
            "keys refreshed"
        );
        if let Some(observer) = &self.settings.observer {
            observer.observe(&Event::KeysRefreshed { issuer, usable });
        }
    }

    /// What the client of the fetch knows beyond the kind of its failure.
    fn log_cause(&self, error: &FetchError) {
        let cause = error.causes();
        let issuer = &*self.settings.issuer;
        tracing::warn!(target: "tower_resource_server::keys", issuer, %error, cause, "fetch failed");
    }

    fn report_failure(&self, error: RefreshError) {
        let issuer = &*self.settings.issuer;
        let kept = self.loaded.load().is_some();
        tracing::warn!(
            target: "tower_resource_server::keys",
            issuer,
            uri = %self.settings.uri,
            %error,
            old_keys_kept = kept,
            "key refresh failed"
        );
        if let Some(observer) = &self.settings.observer {
            observer.observe(&Event::KeyRefreshFailed { issuer, error });
        }
    }
}

const ACCEPTED: http::HeaderValue =
    http::HeaderValue::from_static("application/jwk-set+json, application/json");

fn check_head(answer: &Response<Bytes>) -> Result<(), RefreshError> {
    if answer.status() != StatusCode::OK {
        return Err(RefreshError::Status);
    }
    if is_json(answer.headers()) { Ok(()) } else { Err(RefreshError::ContentType) }
}

/// RFC 7517 §8.5 names the first type; servers use the second as often. Absent is tolerated.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else { return true };
    ["application/jwk-set+json", "application/json"]
        .iter()
        .any(|accepted| media_type::is(value, accepted))
}

/// One fetch in flight. Dropping it, even by a panic inside the fetch, ends the flight.
struct Landing {
    keys: Arc<RemoteKeys>,
    reason: Reason,
    outcome: Option<Result<(), RefreshError>>,
    /// Wakes the waiters when dropped, after `Drop` below has settled the flight.
    _ended: watch::Sender<()>,
}

impl Landing {
    async fn fly(mut self) {
        self.outcome = Some(self.keys.refresh().await);
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or(Err(RefreshError::Runtime));
        let mut flight = self.keys.flight.lock().unwrap_or_else(PoisonError::into_inner);
        // Before the clock is asked: a clock that panics must not leave the flight in the air.
        flight.running = None;
        let now = self.keys.now();
        match outcome {
            Ok(()) => flight.pace.succeeded(self.reason, now),
            Err(_) => flight.pace.failed(self.reason, now),
        }
        drop(flight);
        if let Err(error) = outcome {
            self.keys.report_failure(error);
        }
    }
}
