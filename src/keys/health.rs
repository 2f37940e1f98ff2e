//! How the keys are: a snapshot for readiness probes and dashboards.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::error::RefreshError;
use super::introspection::{IntrospectionError, Trouble};
use super::schedule::Lifetime;
use crate::clock::Timestamp;

/// How a server's sources of keys are at one moment.
///
/// It comes from [`ResourceServer::health`](crate::ResourceServer::health), which asks nobody: it
/// looks at what is there. Its `Display` form has a line for each issuer, and neither keys nor URLs
/// in it.
///
/// ```
/// use axum::{Router, extract::State, http::StatusCode, routing::get};
/// use tower_resource_server::ResourceServer;
///
/// /// For the readiness probe of an orchestrator. It goes outside `authenticate`.
/// async fn readiness(State(server): State<ResourceServer>) -> (StatusCode, String) {
///     // Fetches are started by requests, which an unready server does not get: ask for the keys.
///     let _ = server.ready().await;
///     let health = server.health();
///     let status = match health.is_ready() {
///         true => StatusCode::OK,
///         false => StatusCode::SERVICE_UNAVAILABLE,
///     };
///     (status, health.to_string())
/// }
///
/// fn probes(server: ResourceServer) -> Router {
///     Router::new().route("/ready", get(readiness)).with_state(server)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Health {
    issuers: Vec<IssuerHealth>,
    /// So many of them, the first, are of the configuration.
    configured: usize,
}

impl Health {
    pub(crate) fn new(mut configured: Vec<IssuerHealth>, found: Vec<IssuerHealth>) -> Self {
        let count = configured.len();
        configured.extend(found);
        Self { issuers: configured, configured: count }
    }

    /// Whether every issuer of the configuration has keys to use, fresh or not, and whether it is
    /// known where to ask those about tokens that are asked.
    ///
    /// A server that is not ready answers 503 to the tokens of the issuers that lack one of them, and
    /// serves those of the others. Issuers that were found while the server runs do not count:
    /// one tenant's outage is not to stop the server for the rest. Where any of several issuers will
    /// do, judge by [`issuers`](Self::issuers).
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let mut configured = self.issuers.iter().take(self.configured);
        configured.all(|issuer| issuer.key_state() != KeyState::Missing && !issuer.is_lost())
    }

    /// Each issuer, in the order of the configuration; after them those that were found while the
    /// server runs.
    #[must_use]
    pub fn issuers(&self) -> &[IssuerHealth] {
        &self.issuers
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, issuer) in self.issuers.iter().enumerate() {
            let separator = if place == 0 { "" } else { "\n" };
            write!(f, "{separator}{issuer}")?;
        }
        Ok(())
    }
}

/// Whether an issuer's keys can be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyState {
    /// They are there, and no older than they may be. Static sets always are.
    Fresh,
    /// They should have been refreshed and were not. They are used for a day.
    Stale,
    /// None were loaded yet, or those that were are too old: tokens of the issuer are answered 503.
    Missing,
}

impl KeyState {
    /// The state in a word: `fresh`, `stale` or `missing`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Missing => "missing",
        }
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The set that is loaded.
#[derive(Clone, Copy, Debug)]
pub(super) struct LoadedKeys {
    pub(super) usable: usize,
    pub(super) lifetime: Lifetime,
}

/// How the keys of one issuer are at one moment.
#[derive(Clone, Debug)]
pub struct IssuerHealth {
    identifier: Arc<str>,
    state: KeyState,
    usable: usize,
    now: Timestamp,
    lifetime: Option<Lifetime>,
    failures: u32,
    last_failure: Option<(RefreshError, Timestamp)>,
    /// Where it is asked about tokens.
    introspection: Option<Trouble>,
}

impl IssuerHealth {
    pub(super) fn fixed(issuer: &Arc<str>, usable: usize, now: Timestamp) -> Self {
        Self {
            identifier: Arc::clone(issuer),
            state: KeyState::Fresh,
            usable,
            now,
            lifetime: None,
            failures: 0,
            last_failure: None,
            introspection: None,
        }
    }

    pub(super) fn remote(
        issuer: &Arc<str>,
        now: Timestamp,
        loaded: Option<LoadedKeys>,
        failures: u32,
        last_failure: Option<(RefreshError, Timestamp)>,
    ) -> Self {
        let lifetime = loaded.map(|loaded| loaded.lifetime);
        let state = match &lifetime {
            Some(lifetime) if !lifetime.is_usable(now) => KeyState::Missing,
            Some(lifetime) if lifetime.is_fresh(now) => KeyState::Fresh,
            Some(_) => KeyState::Stale,
            None => KeyState::Missing,
        };
        let usable = match state {
            KeyState::Missing => 0,
            KeyState::Fresh | KeyState::Stale => loaded.map_or(0, |loaded| loaded.usable),
        };
        let identifier = Arc::clone(issuer);
        let introspection = None;
        Self { identifier, state, usable, now, lifetime, failures, last_failure, introspection }
    }

    pub(crate) fn with_introspection(self, introspection: Option<Trouble>) -> Self {
        Self { introspection, ..self }
    }

    fn is_lost(&self) -> bool {
        self.introspection.is_some_and(|trouble| trouble.lost)
    }

    /// Whether it is known where to ask it about tokens (RFC 7662): always, where the endpoint is
    /// configured; as long as there is metadata that names it, where it is looked up. `None` where the
    /// issuer is not asked.
    #[must_use]
    pub fn knows_introspection_endpoint(&self) -> Option<bool> {
        self.introspection.map(|trouble| !trouble.lost)
    }

    /// The issuer, as configured.
    #[must_use]
    pub fn identifier(&self) -> &str {
        &self.identifier
    }

    /// Whether its keys can be used.
    #[must_use]
    pub const fn key_state(&self) -> KeyState {
        self.state
    }

    /// How many keys can be used now. None in a set that the issuer has emptied, which is fresh all
    /// the same; nor has an issuer any that is asked about each of its tokens (RFC 7662).
    #[must_use]
    pub const fn usable_keys(&self) -> usize {
        self.usable
    }

    /// How long ago the keys were fetched. `None` for static sets, and while none were loaded.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.lifetime.map(|lifetime| self.now.since(lifetime.loaded))
    }

    /// When the keys are, or were, no longer fresh. A refresh is begun earlier, by the first request
    /// after four fifths of the time. `None` as for [`age`](Self::age).
    #[must_use]
    pub fn stale_at(&self) -> Option<SystemTime> {
        self.lifetime?.fresh_until.to_system_time()
    }

    /// When the keys become, or became, too old to use. `None` as for [`age`](Self::age).
    #[must_use]
    pub fn unusable_at(&self) -> Option<SystemTime> {
        self.lifetime?.stale_until.to_system_time()
    }

    /// How many refreshes in a row have failed; zero after one that did not.
    #[must_use]
    pub const fn consecutive_failures(&self) -> u32 {
        self.failures
    }

    /// Why the last refresh failed that did. Later ones may have succeeded: see
    /// [`consecutive_failures`](Self::consecutive_failures).
    #[must_use]
    pub fn last_error(&self) -> Option<RefreshError> {
        self.last_failure.map(|(error, _)| error)
    }

    /// When that was.
    #[must_use]
    pub fn last_error_at(&self) -> Option<SystemTime> {
        self.last_failure?.1.to_system_time()
    }

    /// How many calls in a row have failed in which it was asked about a token (RFC 7662); zero after
    /// one that did not. `None` where it is not asked.
    ///
    /// It has no part in [`Health::is_ready`]: tokens that are remembered are still accepted, and
    /// only requests show when the endpoint is back.
    #[must_use]
    pub fn introspection_failures(&self) -> Option<u32> {
        self.introspection.map(|trouble| trouble.failures)
    }

    /// Why the last call failed that did, whether or not later ones succeeded.
    #[must_use]
    pub fn last_introspection_error(&self) -> Option<IntrospectionError> {
        self.introspection?.last.map(|(error, _)| error)
    }

    /// When that was.
    #[must_use]
    pub fn last_introspection_error_at(&self) -> Option<SystemTime> {
        self.introspection?.last?.1.to_system_time()
    }
}

fn failures(
    f: &mut fmt::Formatter<'_>,
    of: &str,
    count: u32,
    last: &dyn fmt::Display,
) -> fmt::Result {
    match count {
        0 => Ok(()),
        1 => write!(f, ", 1 {of}failure: {last}"),
        _ => write!(f, ", {count} {of}failures: {last}"),
    }
}

/// Such as `https://as.example.com: stale, 2 keys, 700 s old, 3 failures: the connection failed`.
impl fmt::Display for IssuerHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.usable == 1 { "" } else { "s" };
        write!(f, "{}: {}, {} key{plural}", self.identifier, self.state, self.usable)?;
        if let Some(age) = self.age() {
            write!(f, ", {} s old", age.as_secs())?;
        }
        if let Some((error, _)) = self.last_failure {
            failures(f, "", self.failures, &error)?;
        }
        if self.is_lost() {
            write!(f, ", introspection endpoint unknown")?;
        }
        match self.introspection {
            Some(Trouble { failures: count, last: Some((error, _)), .. }) => {
                failures(f, "introspection ", count, &error)
            }
            _ => Ok(()),
        }
    }
}
