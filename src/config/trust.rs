//! Checks of whom the server trusts, and where the keys come from.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;

use super::client::{Client, Reach};
use super::issuer::Keys;
use super::{AllowedIssuers, Builder, Fault, Issuer, IssuerResolver};
use crate::clock::Clock;
use crate::fetch::FetchLimits;
use crate::keys::{
    CryptoBackend, JwkSet, KeySet, KeySource, Location, MetadataSource, RemoteKeys, RemoteSettings,
    Supplies, candidates,
};
use crate::observe::Observer;
use crate::token::{AudiencePolicy, Issuers, Resolver, TrustedIssuer};
use crate::uri::{Unfetchable, Web, fetchable};

impl Builder {
    pub(super) fn trusted_issuers(
        &self,
        audiences: &Arc<AudiencePolicy>,
        faults: &mut Vec<Fault>,
    ) -> Issuers {
        if self.issuers.is_empty() && self.resolver.is_none() {
            let mend = "add one, such as Issuer::discover(issuer)";
            faults.push(Fault::new("issuer", "no issuer is trusted", mend));
        }
        let private_hosts = Arc::new(self.checked_private_hosts(faults));
        let Some(backend) = self.backend else {
            let mend = "enable the feature aws-lc-rs or rust-crypto";
            faults.push(Fault::new("crypto_backend", "no signature backend is compiled in", mend));
            return Issuers::default();
        };
        let timeout = self.limits.timeout;
        let reach = Reach { allow_loopback: self.allow_loopback, private_hosts, timeout };
        let trust = Trust {
            resource: self.resource.clone(),
            leeway: self.leeway_or_default(),
            backend,
            client: Client::new(self.fetch.clone(), reach),
            allow_loopback: self.allow_loopback,
            limits: self.limits,
            clock: Arc::clone(&self.clock),
            observer: self.observer.clone(),
            audiences: Arc::clone(audiences),
            fapi2: self.fapi2.is_some(),
        };
        let mut trusted = Issuers::default();
        for issuer in &self.issuers {
            if trusted.configured(&issuer.identifier).is_some() {
                let problem = format!("{:?} is given twice", issuer.identifier);
                faults.push(Fault::new("issuer", problem, "give each issuer once"));
            }
            let Some(issuer) = trust.conforming(issuer, faults) else { continue };
            let made = trust.issuer(&issuer, faults);
            let introspector = trust.introspector(&issuer, made.as_ref(), faults);
            let Some(mut made) = made else { continue };
            if let Some((introspector, memory)) = introspector {
                trusted.keep(memory);
                made = made.introspecting(introspector);
            }
            trusted.add(made);
        }
        self.check_shapes(faults);
        if let Some(source) = &self.resolver {
            trusted.resolve_by(self.checked_resolver(source, trust, faults));
        }
        trusted
    }

    /// Issuers that are found later are held to the same checks, and share the same client.
    fn checked_resolver(
        &self,
        (allowed, source): &(AllowedIssuers, Arc<dyn IssuerResolver>),
        trust: Trust,
        faults: &mut Vec<Fault>,
    ) -> Resolver {
        allowed.check(faults);
        let admit = Box::new(move |issuer: &Issuer| {
            let mut faults = Vec::new();
            if issuer.introspection.is_some() {
                let problem = "an issuer that is found cannot be asked about its tokens";
                let mend = "give it to the builder with issuer()";
                faults.push(Fault::new("introspection", problem, mend));
            }
            let conforming = trust.conforming(issuer, &mut faults);
            let made = conforming.and_then(|issuer| trust.issuer(&issuer, &mut faults));
            made.filter(|_| faults.is_empty()).ok_or(faults)
        });
        let source = (allowed.clone(), Arc::clone(source));
        Resolver::new(source, admit, Arc::clone(&self.clock), self.limits.timeout)
    }
}

/// What it takes to trust an issuer, when the server is built or while it runs.
#[derive(Debug)]
pub(crate) struct Trust {
    pub(super) resource: String,
    pub(super) leeway: Duration,
    pub(super) backend: CryptoBackend,
    client: Client,
    allow_loopback: bool,
    limits: FetchLimits,
    clock: Arc<dyn Clock>,
    observer: Option<Arc<dyn Observer>>,
    audiences: Arc<AudiencePolicy>,
    /// Held to FAPI 2.0.
    fapi2: bool,
}

impl Trust {
    /// The issuer, ready to be asked; nothing is fetched yet. `None` says that there are faults.
    pub(crate) fn issuer(&self, issuer: &Issuer, faults: &mut Vec<Fault>) -> Option<TrustedIssuer> {
        let before = faults.len();
        self.check_issuer(issuer, faults);
        let keys = self.keys(issuer, faults).filter(|_| faults.len() == before)?;
        Some(TrustedIssuer::new(
            issuer.identifier.as_str().into(),
            Arc::new(issuer.mapper.clone()),
            issuer.algorithms.clone(),
            self.audiences_of(issuer),
            keys,
        ))
    }

    /// What contradicts the profile is told by itself: other checks would advise otherwise.
    fn conforming<'i>(
        &self,
        issuer: &'i Issuer,
        faults: &mut Vec<Fault>,
    ) -> Option<Cow<'i, Issuer>> {
        if !self.fapi2 {
            return Some(Cow::Borrowed(issuer));
        }
        let before = faults.len();
        let mut issuer = issuer.clone();
        issuer.conform(faults);
        (faults.len() == before).then_some(Cow::Owned(issuer))
    }

    fn check_issuer(&self, issuer: &Issuer, faults: &mut Vec<Fault>) {
        let identifier = &issuer.identifier;
        let sound = check_identifier("issuer", identifier, faults);
        let mut fault = |problem: &str, mend: &'static str| {
            faults.push(Fault::new("issuer", format!("{identifier:?} {problem}"), mend));
        };
        let plain = issuer.is_discovered() && identifier.starts_with("http:");
        if sound && plain && !self.may_fetch_plainly() {
            fault(Unfetchable::PlainLoopback.problem(), ALLOW_LOOPBACK);
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
        if mapper.moves_audience() && audiences.is_empty() && self.audiences.accepted.is_some() {
            let problem =
                format!("the profile of {identifier:?} reads the audience from another claim");
            let mend = "name what it may be with Issuer::audience_name, such as the clients' ids";
            faults.push(Fault::new("audience", problem, mend));
        }
        let policy = self.audiences_of(issuer);
        for audience in policy.accepted.iter().flatten() {
            if mapper.is_client(audience) {
                let problem = format!("{audience:?} is a client of {identifier:?} and no service");
                let mend = "have callers ask for tokens with the URL of this service";
                faults.push(Fault::new("audience", problem, mend));
            }
        }
    }

    /// The issuer's own in place of the server's.
    fn audiences_of(&self, issuer: &Issuer) -> Arc<AudiencePolicy> {
        if issuer.audiences.is_empty() {
            return Arc::clone(&self.audiences);
        }
        let accepted = Some(issuer.audiences.iter().cloned().collect());
        Arc::new(AudiencePolicy { accepted, single_only: self.audiences.single_only })
    }

    /// Whether http on loopback is fetched from; a client of one's own is asked in any case.
    const fn may_fetch_plainly(&self) -> bool {
        self.allow_loopback || self.client.is_given()
    }

    fn keys(&self, issuer: &Issuer, faults: &mut Vec<Fault>) -> Option<KeySource> {
        let location = match &issuer.keys {
            Keys::None => return Some(KeySource::Fixed(Arc::default())),
            Keys::Fixed(set) => return fixed(issuer, set, self.backend, faults),
            Keys::Remote(uri) => {
                let source = "use the jwks_uri of the issuer's metadata";
                Location::Uri(self.checked_url("jwks_uri", uri, source, faults)?)
            }
            Keys::Discovered => Location::Metadata(self.metadata(issuer, faults)?),
        };
        Some(KeySource::Remote(Arc::new(RemoteKeys::new(RemoteSettings {
            supplies: self.supplies(issuer, faults)?,
            location,
            allowed: issuer.key_algorithms(),
            backend: self.backend,
        }))))
    }

    /// The source of the issuer's metadata, for all that need it of this issuer.
    pub(super) fn metadata(
        &self,
        issuer: &Issuer,
        faults: &mut Vec<Fault>,
    ) -> Option<Arc<MetadataSource>> {
        let candidates = candidates(&issuer.identifier)?;
        // A document that was itself fetched over http may name such URLs.
        let plainly = self.allow_loopback || issuer.identifier.starts_with("http:");
        let supplies = self.supplies(issuer, faults)?;
        Some(Arc::new(MetadataSource::new(supplies, candidates, plainly)))
    }

    pub(super) fn supplies(&self, issuer: &Issuer, faults: &mut Vec<Fault>) -> Option<Supplies> {
        let fetch = match self.client.get() {
            Ok(fetch) => fetch,
            Err(fault) => {
                if !faults.contains(&fault) {
                    faults.push(fault);
                }
                return None;
            }
        };
        Some(Supplies {
            issuer: issuer.identifier.as_str().into(),
            fetch,
            limits: self.limits,
            clock: Arc::clone(&self.clock),
            observer: self.observer.clone(),
        })
    }

    /// A URL that is fetched from; `source` says where to find the right one.
    pub(super) fn checked_url(
        &self,
        setting: &'static str,
        uri: &str,
        source: &'static str,
        faults: &mut Vec<Fault>,
    ) -> Option<Uri> {
        let unfetchable = match fetchable(uri, self.may_fetch_plainly()) {
            Ok(uri) => return Some(uri),
            Err(unfetchable) => unfetchable,
        };
        let mend = match unfetchable {
            Unfetchable::NotAbsolute => source,
            Unfetchable::PlainHttp => USE_HTTPS,
            Unfetchable::PlainLoopback => ALLOW_LOOPBACK,
            Unfetchable::Fragment => "remove # and what follows it",
        };
        let problem = format!("{uri:?} {}", unfetchable.problem());
        faults.push(Fault::new(setting, problem, mend));
        None
    }
}

/// RFC 8414 §2: https without query or fragment; http is for loopback only. Returns whether it is so.
pub(super) fn check_identifier(
    setting: &'static str,
    identifier: &str,
    faults: &mut Vec<Fault>,
) -> bool {
    let (problem, mend) = match Web::parse(identifier) {
        None => (Unfetchable::NotAbsolute.problem(), USE_ISS),
        Some(uri) if uri.fragment || uri.has_query() => ("has a query or a fragment", USE_ISS),
        Some(uri) if !uri.is_protected() => (Unfetchable::PlainHttp.problem(), USE_HTTPS),
        Some(_) => return true,
    };
    faults.push(Fault::new(setting, format!("{identifier:?} {problem}"), mend));
    false
}

const USE_ISS: &str = "use the exact iss of its tokens";
const USE_HTTPS: &str = "use https; what goes in the clear can be read and replaced on the way";
const ALLOW_LOOPBACK: &str = "call allow_loopback(), in development only";

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
