//! From a builder to settings: every check, every fault.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Uri};

use super::issuer::Keys;
use super::uri::{self, Web};
use super::{Builder, CachePolicy, ConfigError, Fault, Issuer, Resource, Settings};
use crate::ResourceServer;
use crate::authorize::ScopeHierarchy;
use crate::charset;
use crate::credentials::CredentialPolicy;
use crate::fetch::Fetch;
use crate::keys::{CryptoBackend, JwkSet, KeySet, KeySource, RemoteKeys, RemoteSettings};
use crate::metadata::Document;
use crate::render::ChallengeSettings;
use crate::token::{TokenCache, TokenPolicy, TrustedIssuer};

const DOCUMENTATION: &str = concat!(
    "https://docs.rs/tower-resource-server/",
    env!("CARGO_PKG_VERSION"),
    "/tower_resource_server/guide/error_catalogue/index.html"
);
const MAX_LEEWAY: Duration = Duration::from_secs(300);
const MAX_TIMEOUT: Duration = Duration::from_secs(60);
const TOKEN_BYTES: std::ops::RangeInclusive<usize> = 256..=1024 * 1024;
const RESERVED: [&str; 10] = [
    "realm",
    "scope",
    "error",
    "error_description",
    "error_uri",
    "resource_metadata",
    "algs",
    "acr_values",
    "max_age",
    "nonce",
];

impl Builder {
    /// Checks everything and builds the server. Touches no network.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every fault there is.
    pub fn build(self) -> Result<ResourceServer, ConfigError> {
        let mut faults = Vec::new();
        let resource = self.resource(&mut faults);
        let issuers = self.issuers(&mut faults);
        let audiences = self.audiences(&mut faults);
        self.check_numbers(&mut faults);
        let hierarchy = ScopeHierarchy::new(&self.hierarchy, &mut faults);
        let challenge = self.challenge(&resource, &mut faults);
        let documentation = self.documentation_base(&mut faults);
        let metadata = Document::new(&self.metadata, &resource, &self.issuers, &mut faults);
        if !faults.is_empty() {
            return Err(ConfigError::new(faults));
        }
        let settings = Settings {
            credentials: self.credentials(),
            tokens: TokenPolicy {
                issuers,
                audiences,
                single_audience_only: self.single_audience_only,
                leeway: self.leeway,
            },
            unverifiable: self.unverifiable,
            cache: TokenCache::new(self.cache_bytes),
            hierarchy,
            challenge,
            hooks: self.hooks,
            documentation,
            retry_after: HeaderValue::from(self.retry_after.as_secs()),
            metadata,
            caching: CachePolicy {
                shared: self.shared_caching,
                default_no_store: self.default_no_store,
            },
            preflight_passes: self.preflight_passes,
            clock: self.clock,
            observer: self.observer,
            resource,
        };
        Ok(ResourceServer::new(settings))
    }

    fn credentials(&self) -> CredentialPolicy {
        CredentialPolicy {
            max_token_bytes: self.max_token_bytes,
            lenient_charset: self.lenient_charset,
            strict_query: self.strict_query,
            require_https: self.require_https,
            source: self.source.clone(),
        }
    }

    /// RFC 9728 §1.2: https (http on loopback, OAuth 2.1 §1.5), no fragment.
    fn resource(&self, faults: &mut Vec<Fault>) -> Resource {
        let mut fault = |problem: String, mend| faults.push(Fault::new("resource", problem, mend));
        let given = &self.resource;
        let parsed = Web::parse(given);
        match &parsed {
            None => fault(
                format!("{given:?} is not an absolute https URL"),
                "use the URL that clients call, such as https://api.example.com",
            ),
            Some(uri) if uri.fragment => {
                fault(format!("{given:?} has a fragment"), "remove # and what follows it");
            }
            Some(uri) if !uri.is_protected() => fault(
                format!("{given:?} is plain http to a host that is not loopback"),
                "use https; tokens must not travel in the clear",
            ),
            Some(uri) if self.require_https && uri.scheme != "https" => fault(
                format!("{given:?} is plain http, but require_https is set"),
                "use https, or leave require_https out on loopback",
            ),
            Some(uri) if uri.has_query() => {
                tracing::warn!(target: "tower_resource_server::config", resource = %given, "the resource identifier has a query, which RFC 9728 discourages");
            }
            Some(_) => {}
        }
        let (origin, rest) = parsed.map_or_else(Default::default, |uri| {
            (format!("{}://{}", uri.scheme, uri.authority), uri.rest.to_owned())
        });
        Resource { identifier: self.resource.clone(), origin, rest }
    }

    fn issuers(&self, faults: &mut Vec<Fault>) -> Vec<TrustedIssuer> {
        if self.issuers.is_empty() {
            let mend = "add one, such as Issuer::jwks_uri(issuer, url)";
            faults.push(Fault::new("issuer", "no issuer is trusted", mend));
        }
        let Some(backend) = self.backend else {
            let mend = "enable the feature aws-lc-rs or rust-crypto";
            faults.push(Fault::new("crypto_backend", "no signature backend is compiled in", mend));
            return Vec::new();
        };
        let mut trusted: Vec<TrustedIssuer> = Vec::new();
        let mut client = Client::default();
        for issuer in &self.issuers {
            self.check_issuer(issuer, faults);
            if trusted.iter().any(|other| *other.identifier == *issuer.identifier) {
                let problem = format!("{:?} is given twice", issuer.identifier);
                faults.push(Fault::new("issuer", problem, "give each issuer once"));
            }
            if let Some(keys) = self.keys(issuer, backend, &mut client, faults) {
                trusted.push(TrustedIssuer {
                    identifier: issuer.identifier.as_str().into(),
                    profile: issuer.profile,
                    algorithms: issuer.algorithms.clone(),
                    keys,
                });
            }
        }
        trusted
    }

    /// RFC 8414 §2: https without query or fragment; http is for loopback only.
    fn check_issuer(&self, issuer: &Issuer, faults: &mut Vec<Fault>) {
        let identifier = &issuer.identifier;
        let mut fault = |problem: &str, mend: &'static str| {
            faults.push(Fault::new("issuer", format!("{identifier:?} {problem}"), mend));
        };
        match Web::parse(identifier) {
            None => fault("is not an absolute https URL", "use the exact iss of its tokens"),
            Some(uri) if uri.fragment || uri.has_query() => {
                fault("has a query or a fragment", "use the exact iss of its tokens");
            }
            Some(uri) if !uri.is_protected() => fault(
                "is plain http to a host that is not loopback",
                "use https; keys fetched in the clear can be replaced on the way",
            ),
            Some(_) => {}
        }
        if issuer.algorithms.is_empty() {
            fault("accepts no algorithm", "name at least one, such as Algorithm::ES256");
        }
    }

    fn keys(
        &self,
        issuer: &Issuer,
        backend: CryptoBackend,
        client: &mut Client,
        faults: &mut Vec<Fault>,
    ) -> Option<KeySource> {
        match &issuer.keys {
            Keys::Fixed(set) => fixed(issuer, set, backend, faults),
            Keys::Remote(uri) => self.remote(issuer, uri, backend, client, faults),
        }
    }

    fn remote(
        &self,
        issuer: &Issuer,
        uri: &str,
        backend: CryptoBackend,
        client: &mut Client,
        faults: &mut Vec<Fault>,
    ) -> Option<KeySource> {
        let uri = self.checked_jwks_uri(uri, faults)?;
        let fetch = match &self.fetch {
            Some(fetch) => Arc::clone(fetch),
            None => client.get(self.allow_loopback, faults)?,
        };
        Some(KeySource::Remote(Arc::new(RemoteKeys::new(RemoteSettings {
            issuer: issuer.identifier.as_str().into(),
            uri,
            allowed: issuer.algorithms.clone(),
            backend,
            fetch,
            limits: self.limits,
            clock: Arc::clone(&self.clock),
            observer: self.observer.clone(),
        }))))
    }

    fn checked_jwks_uri(&self, uri: &str, faults: &mut Vec<Fault>) -> Option<Uri> {
        let mut fault = |problem: &str, mend: &'static str| {
            faults.push(Fault::new("jwks_uri", format!("{uri:?} {problem}"), mend));
        };
        match Web::parse(uri) {
            None => {
                fault("is not an absolute https URL", "use the jwks_uri of the issuer's metadata")
            }
            Some(parsed) if !parsed.is_protected() => fault(
                "is plain http to a host that is not loopback",
                "use https; keys fetched in the clear can be replaced on the way",
            ),
            Some(parsed)
                if parsed.scheme == "http" && !self.allow_loopback && self.fetch.is_none() =>
            {
                fault("is plain http on loopback", "call allow_loopback(), in development only");
            }
            Some(_) => return uri.parse().ok(),
        }
        None
    }

    fn audiences(&self, faults: &mut Vec<Fault>) -> Option<Vec<String>> {
        let mut fault = |problem: String, mend| faults.push(Fault::new("audience", problem, mend));
        for audience in self.audiences.iter().flatten() {
            if audience.is_empty() {
                fault(
                    "an audience is empty".into(),
                    "use the aud of the tokens meant for this server",
                );
            } else if audience.contains('#') || !uri::is_absolute(audience) {
                fault(
                    format!("{audience:?} is not an absolute URI without fragment"),
                    "use the resource indicator, or audience_name() for names that are no URIs",
                );
            }
        }
        if self.audience_names.iter().any(String::is_empty) {
            fault(
                "an audience name is empty".into(),
                "use the aud of the tokens meant for this server",
            );
        }
        if self.any_audience {
            tracing::warn!(target: "tower_resource_server::config", "tokens are accepted whatever their audience");
            return None;
        }
        let given = self.audiences.iter().flatten().chain(&self.audience_names);
        let mut audiences: Vec<_> = given.cloned().collect();
        if audiences.is_empty() {
            audiences.push(self.resource.clone());
        }
        Some(audiences)
    }

    fn check_numbers(&self, faults: &mut Vec<Fault>) {
        let mut check = |good: bool, setting, problem, mend: &'static str| {
            if !good {
                faults.push(Fault::new(setting, problem, mend));
            }
        };
        let whole = Duration::from_secs(1);
        check(
            self.leeway <= MAX_LEEWAY,
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

    fn challenge(&self, resource: &Resource, faults: &mut Vec<Fault>) -> ChallengeSettings {
        self.check_realm(faults);
        self.check_extra(faults);
        self.check_uri("error_uri", self.error_uri.as_deref(), faults);
        let resource_metadata = self.advertise_metadata.then(|| Document::url(resource));
        let unnamed = self.realm.is_none() && !self.advertise_metadata;
        ChallengeSettings {
            realm: if unnamed { Some(self.resource.clone()) } else { self.realm.clone() },
            resource_metadata,
            error_uri: self.error_uri.clone(),
            extra: self.extra.clone(),
        }
    }

    fn check_realm(&self, faults: &mut Vec<Fault>) {
        let quotable = self.realm.as_deref().is_none_or(charset::is_quotable);
        if !quotable {
            let problem = "the realm holds control or non-ASCII characters";
            faults.push(Fault::new("realm", problem, "use printable ASCII"));
        }
    }

    fn check_extra(&self, faults: &mut Vec<Fault>) {
        let mut fault = |problem, mend| faults.push(Fault::new("challenge_param", problem, mend));
        let lower = |name: &str| name.to_ascii_lowercase();
        for (at, (name, value)) in self.extra.iter().enumerate() {
            if RESERVED.contains(&lower(name).as_str()) {
                fault(
                    format!("{name:?} is written by the library"),
                    "use the setting of that name",
                );
            }
            if self.extra.iter().take(at).any(|(other, _)| lower(other) == lower(name)) {
                fault(format!("{name:?} is given twice"), "give each parameter once");
            }
            if !charset::is_token(name) || !charset::is_quotable(value) {
                let mend = "use a token for the name and printable ASCII for the value";
                fault(format!("{name:?} cannot stand in a challenge"), mend);
            }
        }
    }

    fn check_uri(&self, setting: &'static str, uri: Option<&str>, faults: &mut Vec<Fault>) {
        if let Some(uri) = uri.filter(|uri| !uri::is_absolute(uri)) {
            let problem = format!("{uri:?} is not an absolute URI");
            faults.push(Fault::new(setting, problem, "start it with https://"));
        }
    }

    fn documentation_base(&self, faults: &mut Vec<Fault>) -> String {
        self.check_uri("documentation", self.documentation.as_deref(), faults);
        self.documentation.clone().unwrap_or_else(|| DOCUMENTATION.to_owned())
    }
}

fn fixed(
    issuer: &Issuer,
    set: &JwkSet,
    backend: CryptoBackend,
    faults: &mut Vec<Fault>,
) -> Option<KeySource> {
    let keys = KeySet::new(set, &issuer.algorithms, backend);
    if keys.len() == 0 {
        let problem = format!(
            "the key set of {:?} has no key usable with the accepted algorithms ({} skipped)",
            issuer.identifier,
            set.skipped()
        );
        faults.push(Fault::new("jwks", problem, "check the keys' kty, alg and use"));
        return None;
    }
    Some(KeySource::Fixed(Arc::new(keys)))
}

/// The embedded client, made when the first issuer asks for it and shared by all.
#[derive(Default)]
struct Client(Option<Arc<dyn Fetch>>);

impl Client {
    #[cfg(feature = "http-client")]
    fn get(&mut self, allow_loopback: bool, faults: &mut Vec<Fault>) -> Option<Arc<dyn Fetch>> {
        use crate::fetch::{AddressPolicy, HttpClient};
        if self.0.is_none() {
            match HttpClient::new(AddressPolicy { allow_loopback, allow_private: false }) {
                Ok(client) => self.0 = Some(Arc::new(client)),
                Err(error) => {
                    let problem = format!("the embedded client cannot be made: {error}");
                    let mend =
                        "install the system's CA certificates, or give a client with fetch()";
                    faults.push(Fault::new("fetch", problem, mend));
                }
            }
        }
        self.0.clone()
    }

    #[cfg(not(feature = "http-client"))]
    fn get(&mut self, _: bool, faults: &mut Vec<Fault>) -> Option<Arc<dyn Fetch>> {
        let problem = "keys are to be fetched, and no client is there to do it";
        let mend = "enable the feature http-client, or give a client with fetch()";
        faults.push(Fault::new("fetch", problem, mend));
        self.0.clone()
    }
}
