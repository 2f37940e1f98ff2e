//! The builder of a resource server.

mod answers;
mod requests;
mod trust;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::audiences::Audiences;
use super::{AllowedIssuers, Danger, Dpop, Fapi2, Issuer, IssuerResolver};
use crate::clock::{Clock, SystemClock};
use crate::credentials::CredentialSource;
use crate::fetch::{Fetch, FetchLimits};
use crate::keys::CryptoBackend;
use crate::metadata::ResourceMetadata;
use crate::observe::Observer;
use crate::proof::proxy::TrustedProxies;
use crate::proof::{UnrecordedProof, UnverifiableConfirmation};
use crate::render::{ChallengeOrder, Hooks};
use crate::revocation::{Revocation, UnknownStatus};
use crate::scheme::SenderConstraint;

/// What to do when a handler lets shared caches keep the response to an authenticated request
/// (`public`, `s-maxage` or `must-revalidate`, without `private` or `no-store`; RFC 9111 §3.5).
///
/// It concerns accepted responses alone; refusals always say `no-store`. A handler that lets them
/// pass deliberately, since every caller gets the same, can leave the default and ignore the
/// warning (target `tower_resource_server::caching`).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum SharedCaching {
    /// Send it as it is and log a warning.
    #[default]
    Warn,
    /// Send `Cache-Control: private` in its place.
    Rewrite,
}

/// Collects the settings of a [`ResourceServer`](crate::ResourceServer) and checks them all at
/// once.
///
/// # Defaults
///
/// | setting | default |
/// |---|---|
/// | audience | the resource identifier |
/// | leeway | 60 s for `exp`, `nbf` and `iat` |
/// | longest token | 16 KiB |
/// | verified tokens remembered | about 16 MiB |
/// | sender constraint | any: bound tokens with what they are bound to, others without |
/// | proofs | those of [`Dpop`] |
/// | source of revoked tokens | none |
/// | base URL of the API, for `htu` | scheme, host and port of the resource identifier |
/// | proxies whose word is taken | none, neither for the URL nor for client certificates |
/// | order of challenges | Bearer before DPoP, each in a line of its own; first the scheme that was tried |
/// | realm, error_uri | none |
/// | resource_metadata | in every challenge |
/// | envelope | [`OAuthJson`](crate::render::OAuthJson) |
/// | fetches | embedded client, 5 s, 512 KiB, public addresses only |
/// | hosts at private addresses | none |
/// | Retry-After on 503 | 5 s |
/// | CORS preflight | passes without a token |
/// | `Access-Control-Expose-Headers` | left to the application |
///
/// # Checks
///
/// Nothing is checked before [`build`](Self::build), which reports every fault at once. Settings
/// may be made in any order. Where a setting is given twice the last one counts, unless it says
/// that it may be called several times.
#[must_use]
pub struct Builder {
    pub(super) resource: String,
    pub(super) issuers: Vec<Issuer>,
    pub(super) resolver: Option<(AllowedIssuers, Arc<dyn IssuerResolver>)>,
    pub(super) audiences: Audiences,
    pub(super) single_audience_only: bool,
    pub(super) any_audience: bool,
    pub(super) unverifiable: UnverifiableConfirmation,
    pub(super) unrecorded: UnrecordedProof,
    pub(super) revocation: Option<Arc<dyn Revocation>>,
    pub(super) unknown_status: UnknownStatus,
    pub(super) constraint: Option<SenderConstraint>,
    pub(super) dpop: Dpop,
    pub(super) base_url: Option<String>,
    pub(super) proxies: Option<TrustedProxies>,
    pub(super) client_cert_proxies: Option<Vec<String>>,
    pub(super) leeway: Option<Duration>,
    pub(super) max_token_bytes: usize,
    pub(super) lenient_charset: bool,
    pub(super) strict_query: bool,
    pub(super) require_https: bool,
    pub(super) preflight_passes: bool,
    pub(super) expose_headers: bool,
    pub(super) source: Option<Arc<dyn CredentialSource>>,
    pub(super) cache_bytes: u64,
    pub(super) hierarchy: Vec<(String, String)>,
    pub(super) realm: Option<String>,
    pub(super) error_uri: Option<String>,
    pub(super) advertise_metadata: bool,
    pub(super) extra: Vec<(String, String)>,
    pub(super) order: ChallengeOrder,
    pub(super) hooks: Hooks,
    pub(super) documentation: Option<String>,
    pub(super) retry_after: Duration,
    pub(super) metadata: ResourceMetadata,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) observer: Option<Arc<dyn Observer>>,
    pub(super) fetch: Option<Arc<dyn Fetch>>,
    pub(super) limits: FetchLimits,
    pub(super) allow_loopback: bool,
    pub(super) private_hosts: Vec<String>,
    pub(super) backend: Option<CryptoBackend>,
    pub(super) fapi2: Option<Fapi2>,
    #[cfg(feature = "mcp")]
    pub(super) mcp: Option<crate::mcp::Mcp>,
    pub(super) shared_caching: SharedCaching,
    pub(super) default_no_store: bool,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("resource", &self.resource).finish_non_exhaustive()
    }
}

impl Builder {
    pub(crate) fn new(resource: String) -> Self {
        Self {
            resource,
            issuers: Vec::new(),
            resolver: None,
            audiences: Audiences::default(),
            single_audience_only: false,
            any_audience: false,
            unverifiable: UnverifiableConfirmation::default(),
            unrecorded: UnrecordedProof::default(),
            revocation: None,
            unknown_status: UnknownStatus::default(),
            constraint: None,
            dpop: Dpop::default(),
            base_url: None,
            proxies: None,
            client_cert_proxies: None,
            leeway: None,
            max_token_bytes: 16 * 1024,
            lenient_charset: false,
            strict_query: false,
            require_https: false,
            preflight_passes: true,
            expose_headers: false,
            source: None,
            cache_bytes: 16 * 1024 * 1024,
            hierarchy: Vec::new(),
            realm: None,
            error_uri: None,
            advertise_metadata: true,
            extra: Vec::new(),
            order: ChallengeOrder::default(),
            hooks: Hooks::default(),
            documentation: None,
            retry_after: Duration::from_secs(5),
            metadata: ResourceMetadata::default(),
            clock: Arc::new(SystemClock),
            observer: None,
            fetch: None,
            limits: FetchLimits::default(),
            allow_loopback: false,
            private_hosts: Vec::new(),
            backend: CryptoBackend::preferred(),
            fapi2: None,
            #[cfg(feature = "mcp")]
            mcp: None,
            shared_caching: SharedCaching::default(),
            default_no_store: false,
        }
    }

    /// Holds the server to the FAPI 2.0 Security Profile: bound tokens, its algorithms, https, and
    /// an answer to the question of revocation.
    ///
    /// [`Fapi2`] lists what follows from it. Settings may be made before and after; those that
    /// contradict the profile are faults. The [guide](crate::guide::fapi2) has the whole profile.
    ///
    /// ```
    /// use tower_resource_server::{Algorithm, Dpop, Fapi2, testing::TestIssuer};
    ///
    /// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
    /// # let issuer = TestIssuer::new("https://as.example.com");
    /// let builder = issuer.resource_server("https://bank.example.com");
    /// let server = builder.fapi2(Fapi2::new().short_lived_tokens()).build()?;
    ///
    /// // Chosen explicitly, and not of the profile.
    /// let builder = issuer.resource_server("https://bank.example.com");
    /// let result = builder
    ///     .dpop(Dpop::new().algorithms([Algorithm::ES256, Algorithm::RS256]))
    ///     .fapi2(Fapi2::new().short_lived_tokens())
    ///     .build();
    /// assert_eq!(result.expect_err("a fault").faults()[0].setting(), "dpop");
    /// # Ok::<(), tower_resource_server::ConfigError>(())
    /// ```
    pub fn fapi2(mut self, fapi2: Fapi2) -> Self {
        self.fapi2 = Some(fapi2);
        self
    }

    /// Settings that give up a protection.
    pub fn danger(self) -> Danger {
        Danger::new(self)
    }
}
