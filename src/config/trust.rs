//! Checks of whom the server trusts, and where the keys come from.

use std::sync::Arc;

use http::Uri;

use super::issuer::Keys;
use super::uri::Web;
use super::{Builder, Fault, Issuer};
use crate::fetch::Fetch;
use crate::keys::{CryptoBackend, JwkSet, KeySet, KeySource, RemoteKeys, RemoteSettings};
use crate::token::{AudiencePolicy, Issuers, TrustedIssuer};

impl Builder {
    pub(super) fn trusted_issuers(
        &self,
        audiences: &Arc<AudiencePolicy>,
        faults: &mut Vec<Fault>,
    ) -> Issuers {
        if self.issuers.is_empty() {
            let mend = "add one, such as Issuer::jwks_uri(issuer, url)";
            faults.push(Fault::new("issuer", "no issuer is trusted", mend));
        }
        let Some(backend) = self.backend else {
            let mend = "enable the feature aws-lc-rs or rust-crypto";
            faults.push(Fault::new("crypto_backend", "no signature backend is compiled in", mend));
            return Issuers::default();
        };
        let mut trusted = Issuers::default();
        let mut client = Client::default();
        for issuer in &self.issuers {
            self.check_issuer(issuer, faults);
            if trusted.configured(&issuer.identifier).is_some() {
                let problem = format!("{:?} is given twice", issuer.identifier);
                faults.push(Fault::new("issuer", problem, "give each issuer once"));
            }
            let keys = self.keys(issuer, backend, &mut client, faults);
            let introspector = self.introspector(issuer, backend, &mut client, faults);
            let Some(keys) = keys else { continue };
            let mut made = TrustedIssuer::new(
                issuer.identifier.as_str().into(),
                Arc::new(issuer.mapper.clone()),
                issuer.algorithms.clone(),
                self.audiences_of(issuer, audiences),
                keys,
            );
            if let Some((introspector, memory)) = introspector {
                trusted.keep(memory);
                made = made.introspecting(introspector);
            }
            trusted.add(made);
        }
        self.check_reaches(faults);
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
        issuer.mapper.check(identifier, faults);
        self.check_audiences(issuer, faults);
    }

    /// Its own audiences are right, and there where those of the server say nothing.
    fn check_audiences(&self, issuer: &Issuer, faults: &mut Vec<Fault>) {
        issuer.audiences.check(faults);
        let Issuer { identifier, mapper, audiences, .. } = issuer;
        if mapper.moves_audience() && audiences.is_empty() && !self.any_audience {
            let problem =
                format!("the profile of {identifier:?} reads the audience from another claim");
            let mend = "name what it may be with Issuer::audience_name, such as the clients' ids";
            faults.push(Fault::new("audience", problem, mend));
        }
        for audience in audiences.or(&self.audiences).iter() {
            if mapper.is_client(audience) {
                let problem = format!("{audience:?} is a client of {identifier:?} and no service");
                let mend = "have callers ask for tokens with the URL of this service";
                faults.push(Fault::new("audience", problem, mend));
            }
        }
    }

    fn audiences_of(&self, issuer: &Issuer, server: &Arc<AudiencePolicy>) -> Arc<AudiencePolicy> {
        if issuer.audiences.is_empty() {
            return Arc::clone(server);
        }
        let accepted = Some(issuer.audiences.iter().cloned().collect());
        Arc::new(AudiencePolicy { accepted, single_only: self.single_audience_only })
    }

    fn keys(
        &self,
        issuer: &Issuer,
        backend: CryptoBackend,
        client: &mut Client,
        faults: &mut Vec<Fault>,
    ) -> Option<KeySource> {
        match &issuer.keys {
            Keys::None => Some(KeySource::Fixed(Arc::default())),
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
        let mend = "use the jwks_uri of the issuer's metadata";
        let uri = self.checked_url("jwks_uri", uri, mend, faults)?;
        let fetch = self.fetch_or(client, faults)?;
        Some(KeySource::Remote(Arc::new(RemoteKeys::new(RemoteSettings {
            issuer: issuer.identifier.as_str().into(),
            uri,
            allowed: issuer.key_algorithms(),
            backend,
            fetch,
            limits: self.limits,
            clock: Arc::clone(&self.clock),
            observer: self.observer.clone(),
        }))))
    }

    /// The client that was given, else the embedded one.
    pub(super) fn fetch_or(
        &self,
        embedded: &mut Client,
        faults: &mut Vec<Fault>,
    ) -> Option<Arc<dyn Fetch>> {
        match &self.fetch {
            Some(fetch) => Some(Arc::clone(fetch)),
            None => embedded.get(self.allow_loopback, faults),
        }
    }

    /// A URL that is fetched from.
    pub(super) fn checked_url(
        &self,
        setting: &'static str,
        uri: &str,
        source: &'static str,
        faults: &mut Vec<Fault>,
    ) -> Option<Uri> {
        let mut fault = |problem: &str, mend: &'static str| {
            faults.push(Fault::new(setting, format!("{uri:?} {problem}"), mend));
        };
        match Web::parse(uri) {
            None => fault("is not an absolute https URL", source),
            Some(parsed) if !parsed.is_protected() => fault(
                "is plain http to a host that is not loopback",
                "use https; what goes in the clear can be read and replaced on the way",
            ),
            Some(parsed)
                if parsed.scheme == "http" && !self.allow_loopback && self.fetch.is_none() =>
            {
                fault("is plain http on loopback", "call allow_loopback(), in development only");
            }
            Some(parsed) if parsed.fragment => {
                fault("has a fragment", "remove # and what follows it")
            }
            Some(_) => match uri.parse() {
                Ok(uri) => return Some(uri),
                Err(_) => fault("is not a usable URL", source),
            },
        }
        None
    }
}

fn fixed(
    issuer: &Issuer,
    set: &JwkSet,
    backend: CryptoBackend,
    faults: &mut Vec<Fault>,
) -> Option<KeySource> {
    let keys = KeySet::new(set, &issuer.key_algorithms(), backend);
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
pub(super) struct Client(Option<Arc<dyn Fetch>>);

impl Client {
    fn get(&mut self, allow_loopback: bool, faults: &mut Vec<Fault>) -> Option<Arc<dyn Fetch>> {
        if self.0.is_none() {
            match embedded(allow_loopback) {
                Ok(client) => self.0 = Some(client),
                Err(fault) => faults.push(fault),
            }
        }
        self.0.clone()
    }
}

#[cfg(feature = "http-client")]
fn embedded(allow_loopback: bool) -> Result<Arc<dyn Fetch>, Fault> {
    use crate::fetch::{AddressPolicy, HttpClient};
    match HttpClient::new(AddressPolicy { allow_loopback, allow_private: false }) {
        Ok(client) => Ok(Arc::new(client)),
        Err(error) => {
            let problem = format!("the embedded client cannot be made: {error}");
            let mend = "install the system's CA certificates, or give a client with fetch()";
            Err(Fault::new("fetch", problem, mend))
        }
    }
}

#[cfg(not(feature = "http-client"))]
fn embedded(_: bool) -> Result<Arc<dyn Fetch>, Fault> {
    let problem = "an issuer is to be reached, and no client is there to do it";
    let mend = "enable the feature http-client, or give a client with fetch()";
    Err(Fault::new("fetch", problem, mend))
}
