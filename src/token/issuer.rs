//! The issuers a server trusts, and what it accepts from each.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use super::ClaimMapper;
use super::introspection::{Introspector, Memory, Routes};
use super::resolver::{Resolution, Resolver};
use super::types::TokenTypes;
use crate::algorithm::Algorithm;
use crate::clock::Timestamp;
use crate::flight::Waiting;
use crate::keys::KeySource;

/// An issuer the server trusts, with what it accepts from it.
#[derive(Debug)]
pub(crate) struct TrustedIssuer {
    pub(crate) identifier: Arc<str>,
    pub(crate) mapper: Arc<ClaimMapper>,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) audiences: Arc<AudiencePolicy>,
    pub(crate) keys: KeySource,
    /// Where it is asked about tokens that it does not sign.
    pub(crate) introspection: Option<Arc<Introspector>>,
    /// Trust in it has ended while the server runs.
    retired: AtomicBool,
    /// When it was last looked up, in milliseconds; [`NEVER`] if it is one of the configuration.
    looked_up: AtomicI64,
    /// When a token of it last counted, or it was found, in milliseconds and at most a [`NOTED`] behind.
    used: AtomicI64,
}

const NEVER: i64 = i64::MIN;
/// How long an issuer that was looked up is used before that is done again.
const FRESH: Duration = Duration::from_secs(10 * 60);
/// How often use is noted: threads that share an issuer seldom write what the others read.
const NOTED: Duration = Duration::from_secs(1);

impl TrustedIssuer {
    pub(crate) const fn new(
        identifier: Arc<str>,
        mapper: Arc<ClaimMapper>,
        algorithms: Vec<Algorithm>,
        audiences: Arc<AudiencePolicy>,
        keys: KeySource,
    ) -> Self {
        let retired = AtomicBool::new(false);
        let (looked_up, used) = (AtomicI64::new(NEVER), AtomicI64::new(NEVER));
        Self {
            identifier,
            mapper,
            algorithms,
            audiences,
            keys,
            introspection: None,
            retired,
            looked_up,
            used,
        }
    }

    /// With the keys that are known of another, in place of its own.
    pub(super) fn with_keys_of(self, known: &Self) -> Self {
        Self { keys: known.keys.clone(), ..self }
    }

    pub(crate) fn introspecting(self, introspector: Introspector) -> Self {
        Self { introspection: Some(Arc::new(introspector)), ..self }
    }

    /// Ends the trust in it, and in all its tokens that are remembered.
    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_trusted(&self) -> bool {
        !self.retired.load(Ordering::Relaxed)
    }

    /// Whether it was found while the server runs.
    fn is_found(&self) -> bool {
        self.looked_up.load(Ordering::Relaxed) != NEVER
    }

    /// A token of it counts. What only names it does not: anybody can make such tokens.
    pub(crate) fn note_use(&self, now: Timestamp) {
        if !self.is_found() {
            return;
        }
        let used = self.used();
        if now < used || now.since(used) >= NOTED {
            self.used.store(now.millis(), Ordering::Relaxed);
        }
    }

    pub(super) fn used(&self) -> Timestamp {
        Timestamp::from_millis(self.used.load(Ordering::Relaxed))
    }

    pub(super) fn confirm(&self, now: Timestamp) {
        self.looked_up.store(now.millis(), Ordering::Relaxed);
    }

    /// Until when what the look-up brought is fresh; `None` if there was none.
    pub(super) fn fresh_until(&self) -> Option<Timestamp> {
        let since = self.looked_up.load(Ordering::Relaxed);
        (since != NEVER).then(|| Timestamp::from_millis(since).plus(FRESH))
    }

    /// Whether it should be looked up again. What was looked up in the future was so before the
    /// clock went back.
    pub(super) fn is_aged(&self, now: Timestamp) -> bool {
        let fresh = |until: Timestamp| now < until && until.since(now) <= FRESH;
        self.fresh_until().is_some_and(|until| !fresh(until))
    }
}

/// Which audiences are this server's (RFC 9068 §4 step 4).
#[derive(Debug)]
pub(crate) struct AudiencePolicy {
    /// None only by an explicit, dangerous choice.
    pub(crate) accepted: Option<Vec<String>>,
    pub(crate) single_only: bool,
}

/// The issuers of the configuration, and those found while the server runs. However many there are,
/// finding one costs the same.
#[derive(Debug, Default)]
pub(crate) struct Issuers {
    list: Vec<Arc<TrustedIssuer>>,
    by_identifier: HashMap<Arc<str>, usize>,
    resolver: Option<Arc<Resolver>>,
    routes: Routes,
    /// What each remembers that introspects.
    memories: Vec<Arc<Memory>>,
}

impl Issuers {
    /// The first of each identifier counts.
    pub(crate) fn add(&mut self, issuer: TrustedIssuer) {
        let place = self.list.len();
        self.by_identifier.entry(Arc::clone(&issuer.identifier)).or_insert(place);
        let issuer = Arc::new(issuer);
        self.routes.add(&issuer);
        self.list.push(issuer);
    }

    /// Keeps what an introspector remembers for as long as its issuer is one of these.
    pub(crate) fn keep(&mut self, memory: Arc<Memory>) {
        self.memories.push(memory);
    }

    /// The issuer that has to be asked about a token of that shape; none where the token is to be
    /// verified by its signature.
    pub(crate) fn introspecting_issuer(&self, token: &str) -> Option<&Arc<TrustedIssuer>> {
        self.routes.find(token, self)
    }

    pub(crate) fn resolve_by(&mut self, resolver: Resolver) {
        self.resolver = Some(Arc::new(resolver));
    }

    /// The issuer of the configuration with that identifier, byte for byte.
    pub(crate) fn configured(&self, identifier: &str) -> Option<&Arc<TrustedIssuer>> {
        self.list.get(*self.by_identifier.get(identifier)?)
    }

    /// The types that the tokens of at least one of them have.
    pub(crate) fn types(&self) -> TokenTypes {
        let mut types = TokenTypes::default();
        self.list.iter().for_each(|issuer| types.add_all(&issuer.mapper.types));
        if self.resolver.is_some() { types.open() } else { types }
    }

    /// RFC 9068 §4 step 3: `iss` equals a trusted identifier, byte for byte.
    pub(super) fn find(&self, identifier: &str, now: Timestamp) -> Resolution {
        match (self.configured(identifier), &self.resolver) {
            (Some(issuer), _) => Resolution::Trusted(Arc::clone(issuer)),
            (None, Some(resolver)) => resolver.get(identifier, now),
            (None, None) => Resolution::Untrusted,
        }
    }

    /// Whether remembered tokens of that issuer may count on. One that has aged is looked up again,
    /// even if new tokens of it never come.
    pub(crate) fn keeps(&self, issuer: &TrustedIssuer, now: Timestamp) -> bool {
        !issuer.is_found() || self.keeps_found(issuer, now)
    }

    fn keeps_found(&self, issuer: &TrustedIssuer, now: Timestamp) -> bool {
        issuer.note_use(now);
        !issuer.is_aged(now) || matches!(self.find(&issuer.identifier, now), Resolution::Trusted(_))
    }

    /// A look-up of an issuer that is not known, to wait for; `None` while there are too many.
    pub(crate) fn look_up(&self, identifier: &str, now: Timestamp) -> Option<Waiting<()>> {
        self.resolver.as_ref()?.look_up(identifier, now)
    }

    /// The issuers of the configuration.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<TrustedIssuer>> {
        self.list.iter()
    }

    /// The issuers that were found while the server runs.
    pub(crate) fn found(&self) -> Vec<Arc<TrustedIssuer>> {
        self.resolver.as_ref().map(|resolver| resolver.known()).unwrap_or_default()
    }
}
