//! The settings of a running server: checked, and shared by all its layers.

use std::sync::Arc;

use http::HeaderValue;

use super::{ConfigError, SharedCaching};
use crate::authorize::{Demand, Requirement, ScopeHierarchy};
use crate::charset;
use crate::clock::{Clock, Timestamp};
use crate::credentials::CredentialPolicy;
use crate::error::RejectionKind;
use crate::metadata::Document;
use crate::observe::Observer;
use crate::proof::certificate::CertificatePolicy;
use crate::proof::replay::ReplayStore;
use crate::proof::{ProofPolicy, UnrecordedProof, UnverifiableConfirmation};
use crate::render::{ChallengeSettings, Hooks};
use crate::revocation::Inquirer;
use crate::scheme::SenderConstraint;
use crate::token::introspection::Introspector;
use crate::token::{Digest, TokenCache, TokenPolicy, TrustedIssuer, Vouched};

#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) resource: Resource,
    pub(crate) credentials: CredentialPolicy,
    pub(crate) tokens: TokenPolicy,
    pub(crate) unverifiable: UnverifiableConfirmation,
    pub(crate) constraint: SenderConstraint,
    pub(crate) certificates: CertificatePolicy,
    /// No layer may let unbound tokens in.
    pub(crate) bound_only: bool,
    pub(crate) proofs: ProofPolicy,
    pub(crate) revocation: Option<Inquirer>,
    pub(crate) replay: Replay,
    pub(crate) cache: TokenCache,
    pub(crate) hierarchy: ScopeHierarchy,
    pub(crate) challenge: ChallengeSettings,
    pub(crate) hooks: Hooks,
    /// Base of the documentation links; `#kind` is added.
    pub(crate) documentation: String,
    pub(crate) retry_after: HeaderValue,
    pub(crate) metadata: Document,
    pub(crate) caching: CachePolicy,
    pub(crate) preflight_passes: bool,
    /// Whether scripts of other origins are told which fields they may read.
    pub(crate) expose_headers: bool,
    /// Whether it is an MCP server of no version that knows the error codes of 2026-07-28.
    pub(crate) is_legacy: bool,
    /// What MCP asks of its transport, where that was chosen.
    #[cfg(feature = "mcp")]
    pub(crate) mcp: Option<crate::mcp::Transport>,
    /// Whether a response has the `x-fapi-interaction-id` of its request.
    pub(crate) echo_interaction_id: bool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

/// Where used proofs are recorded.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) store: Arc<dyn ReplayStore>,
    pub(crate) unrecorded: UnrecordedProof,
}

/// How caches may treat responses to accepted requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CachePolicy {
    pub(crate) shared: SharedCaching,
    pub(crate) default_no_store: bool,
}

/// The resource identifier, as configured and taken apart.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) identifier: String,
    /// Scheme and authority, as written.
    pub(crate) origin: String,
    /// Path and query.
    pub(crate) rest: String,
}

/// What is known of a token before anything is read of it.
pub(crate) enum Recalled<'s> {
    Vouched(Arc<Vouched>),
    /// Its issuer said that it is not active, a moment ago.
    Refused(RejectionKind),
    /// That issuer has to be asked about it.
    ToAsk(&'s Arc<TrustedIssuer>, &'s Arc<Introspector>),
    Nothing,
}

impl Recalled<'_> {
    pub(crate) const fn vouched(&self) -> Option<&Arc<Vouched>> {
        match self {
            Self::Vouched(vouched) => Some(vouched),
            Self::Refused(_) | Self::ToAsk(..) | Self::Nothing => None,
        }
    }
}

impl Resource {
    pub(crate) fn identifier(&self) -> &str {
        &self.identifier
    }
}

impl Settings {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now().into()
    }

    /// A new nonce, where proofs need one.
    pub(crate) fn next_nonce(&self, now: Timestamp) -> Option<HeaderValue> {
        let issuer = self.proofs.nonces.as_ref()?;
        let nonce = issuer.issue(&self.proofs.resource, now.to_system_time()?);
        let value = Some(nonce).filter(|nonce| charset::is_scope_token(nonce));
        let value = value.and_then(|nonce| HeaderValue::try_from(nonce).ok());
        if value.is_none() {
            tracing::error!(target: "tower_resource_server::config", "the nonce issuer made no nonce that can be sent");
        }
        value
    }

    /// What is known of a token before anything is read of it.
    pub(crate) fn recall(&self, token: &str, digest: &Digest, now: Timestamp) -> Recalled<'_> {
        if let Some(vouched) = self.remembered(digest, now) {
            return Recalled::Vouched(vouched);
        }
        let asked = self.tokens.issuers.introspecting_issuer(token);
        let Some((issuer, introspector)) =
            asked.and_then(|issuer| Some((issuer, issuer.introspection.as_ref()?)))
        else {
            return Recalled::Nothing;
        };
        match introspector.known(digest, now) {
            Some(Ok(vouched)) => Recalled::Vouched(vouched),
            Some(Err(kind)) => Recalled::Refused(kind),
            None => Recalled::ToAsk(issuer, introspector),
        }
    }

    /// What is remembered of a token, unless it counts no longer.
    fn remembered(&self, digest: &Digest, now: Timestamp) -> Option<Arc<Vouched>> {
        let vouched = self.cache.get(digest)?;
        if vouched.stands(now) && self.tokens.issuers.keeps(&vouched.issuer, now) {
            return Some(vouched);
        }
        self.cache.remove(digest);
        None
    }

    /// A layer's requirement. With faults it fails closed, and says so in the log at once.
    pub(crate) fn demand(&self, requirement: Requirement) -> Arc<Demand> {
        self.try_demand(requirement.clone()).unwrap_or_else(|error| {
            tracing::error!(target: "tower_resource_server::config", %error, "requirement unusable");
            Arc::new(Demand::unusable(requirement).kept())
        })
    }

    pub(crate) fn try_demand(&self, requirement: Requirement) -> Result<Arc<Demand>, ConfigError> {
        let demand = Demand::new(requirement);
        let faults = demand.faults();
        if !faults.is_empty() {
            return Err(ConfigError::new(faults));
        }
        demand.register(self);
        Ok(Arc::new(demand.kept()))
    }
}
