//! From a builder to settings: every check, every fault.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;

use super::{Builder, CachePolicy, ConfigError, Fault, Issuer, Replay, Resource, Settings};
use crate::ResourceServer;
use crate::authorize::ScopeHierarchy;
use crate::credentials::CredentialPolicy;
use crate::metadata::{Document, Facts};
use crate::revocation::Inquirer;
use crate::token::{Headers, TokenCache, TokenPolicy};

const LEEWAY: Duration = Duration::from_secs(60);
pub(crate) const MAX_LEEWAY: Duration = Duration::from_secs(300);
const MAX_TIMEOUT: Duration = Duration::from_secs(60);
const TOKEN_BYTES: std::ops::RangeInclusive<usize> = 256..=1024 * 1024;
impl Builder {
    /// Checks everything and builds the server. Touches no network.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every fault there is.
    ///
    /// It parses URLs, reads the system's root certificates if keys are to be fetched by the
    /// embedded client, and looks for a usable key in each static set. Keys behind a URL are not
    /// fetched: call [`ready`](ResourceServer::ready) to do that before serving. No Tokio runtime
    /// is needed here.
    ///
    /// ```
    /// use tower_resource_server::{Issuer, ResourceServer, Scopes};
    ///
    /// let result = ResourceServer::builder("https://api.example.com/#top")
    ///     .issuer(Issuer::jwks_uri("https://as.example.com", "http://as.example.com/jwks.json"))
    ///     .build();
    /// let error = result.expect_err("a fragment, and keys in the clear");
    /// for fault in error.faults() {
    ///     println!("{}: {}; {}", fault.setting(), fault.problem(), fault.suggestion());
    /// }
    /// # if tower_resource_server::CryptoBackend::preferred().is_some() {
    /// let settings: Vec<_> = error.faults().iter().map(|fault| fault.setting()).collect();
    /// assert_eq!(settings, ["resource", "jwks_uri"]);
    /// # }
    /// ```
    pub fn build(self) -> Result<ResourceServer, ConfigError> {
        let mut faults = Vec::new();
        let conforming = self.conforming(&mut faults);
        #[cfg(feature = "mcp")]
        let conforming = conforming.serving_mcp(&mut faults);
        conforming.checked(faults)
    }

    fn checked(self, mut faults: Vec<Fault>) -> Result<ResourceServer, ConfigError> {
        let resource = self.checked_resource(&mut faults);
        // Faults are listed in the order of the settings, issuers before audiences.
        let mut audience_faults = Vec::new();
        let audiences = Arc::new(self.audience_policy(&mut audience_faults));
        let issuers = self.trusted_issuers(&audiences, &mut faults);
        faults.append(&mut audience_faults);
        self.check_numbers(&mut faults);
        let hierarchy = ScopeHierarchy::new(&self.hierarchy, &mut faults);
        let challenge = self.challenge_settings(&resource, &mut faults);
        let documentation = self.documentation_base(&mut faults);
        let proofs = self.proof_policy(&resource, &mut faults);
        let certificates = self.certificate_policy(&mut faults);
        let metadata = self.metadata_document(&resource, &mut faults);
        #[cfg(feature = "mcp")]
        let mcp = self.mcp_transport(&resource, &mut faults);
        let (is_legacy, caching) = (self.is_legacy(), self.cache_policy());
        let Some(proofs) = proofs.filter(|_| faults.is_empty()) else {
            return Err(ConfigError::new(faults));
        };
        let settings = Settings {
            credentials: self.credentials(),
            tokens: TokenPolicy {
                types: issuers.types(),
                issuers,
                leeway: self.leeway_or_default(),
                headers: Headers::default(),
            },
            unverifiable: self.unverifiable,
            constraint: self.constraint.unwrap_or_default(),
            certificates,
            bound_only: self.fapi2.is_some(),
            proofs,
            revocation: self.revocation.map(|source| {
                let (longest, observer) = (self.limits.timeout, self.observer.clone());
                Inquirer::new(source, longest, self.unknown_status, observer)
            }),
            replay: Replay { store: self.dpop.store_or_default(), unrecorded: self.unrecorded },
            cache: TokenCache::new(self.cache_bytes),
            hierarchy,
            challenge,
            hooks: self.hooks,
            documentation,
            retry_after: HeaderValue::from(self.retry_after.as_secs()),
            metadata,
            caching,
            preflight_passes: self.preflight_passes,
            expose_headers: self.expose_headers,
            is_legacy,
            #[cfg(feature = "mcp")]
            mcp,
            echo_interaction_id: self.fapi2.is_some_and(|fapi2| fapi2.echo_interaction_id),
            clock: self.clock,
            observer: self.observer,
            resource,
        };
        Ok(ResourceServer::new(settings))
    }

    pub(super) fn leeway_or_default(&self) -> Duration {
        self.leeway.unwrap_or(LEEWAY)
    }

    #[cfg(not(feature = "mcp"))]
    const fn is_mcp(&self) -> bool {
        false
    }

    #[cfg(not(feature = "mcp"))]
    const fn is_legacy(&self) -> bool {
        false
    }

    const fn cache_policy(&self) -> CachePolicy {
        let (shared, default_no_store) = (self.shared_caching, self.default_no_store);
        CachePolicy { shared, default_no_store }
    }

    fn metadata_document(&self, resource: &Resource, faults: &mut Vec<Fault>) -> Document {
        let facts = Facts {
            resource,
            issuers: self.named_issuers(),
            proof_algorithms: self.dpop.algorithm_names(),
            constraint: self.constraint.unwrap_or_default(),
            certificates: self.client_cert_proxies.is_some(),
        };
        Document::new(&self.metadata, &facts, faults)
    }

    /// Those of the configuration, and those that may be looked up and are named whole.
    pub(super) fn named_issuers(&self) -> Vec<&str> {
        let mut named: Vec<_> = self.issuers.iter().map(Issuer::identifier).collect();
        let allowed = self.resolver.as_ref().map(|(allowed, _)| allowed.named());
        for identifier in allowed.unwrap_or_default() {
            if !named.contains(&identifier.as_str()) {
                named.push(identifier);
            }
        }
        named
    }

    fn credentials(&self) -> CredentialPolicy {
        CredentialPolicy {
            max_token_bytes: self.max_token_bytes,
            max_proof_bytes: self.dpop.max_proof_bytes,
            lenient_charset: self.lenient_charset,
            strict_query: self.strict_query,
            require_https: self.require_https,
            header_only: self.fapi2.is_some() || self.is_mcp(),
            source: self.source.clone(),
        }
    }

    fn check_numbers(&self, faults: &mut Vec<Fault>) {
        let mut check = |good: bool, setting, problem, mend: &'static str| {
            if !good {
                faults.push(Fault::new(setting, problem, mend));
            }
        };
        let whole = Duration::from_secs(1);
        check(
            self.leeway_or_default() <= MAX_LEEWAY,
            "leeway",
            "more than 300 s",
            "use 60 s; more keeps expired tokens in use",
        );
        check(
            TOKEN_BYTES.contains(&self.max_token_bytes),
            "max_token_bytes",
            "not from 256 to 1048576",
            "use 16384",
        );
        check(
            self.retry_after >= whole,
            "retry_after",
            "less than a second",
            "use whole seconds, such as 5",
        );
        let timeout = self.limits.timeout;
        check(
            !timeout.is_zero() && timeout <= MAX_TIMEOUT,
            "fetch_timeout",
            "zero or more than 60 s",
            "use 5 s",
        );
    }
}
