//! Checks of what shows that a token is its sender's: the settings of proofs, the URL they have to
//! name, their nonces; and whose word is taken for certificates.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use super::{Builder, Fault, Resource};
use crate::charset;
use crate::clock::Timestamp;
use crate::proof::certificate::CertificatePolicy;
use crate::proof::nonce::NonceIssuer;
use crate::proof::proxy::TrustedPeers;
use crate::proof::{ProofPolicy, PublicUrl};

impl Builder {
    /// `None` only along with a fault.
    pub(super) fn proof_policy(
        &self,
        resource: &Resource,
        faults: &mut Vec<Fault>,
    ) -> Option<ProofPolicy> {
        self.dpop.check(faults);
        if let Some(issuer) = &self.dpop.nonces {
            // In whole milliseconds, as issuers are always asked.
            let now = Timestamp::from(self.clock.now()).to_system_time();
            check_nonces(&**issuer, resource, now.unwrap_or(SystemTime::UNIX_EPOCH), faults);
        }
        let url = self.public_url(resource, faults)?;
        Some(ProofPolicy {
            algorithms: self.dpop.algorithms.clone(),
            backend: self.backend?,
            url,
            freshness: self.dpop.freshness_or_default(),
            nonces: self.dpop.nonces.clone(),
            resource: resource.identifier().to_owned(),
            max_age: self.dpop.max_age,
            max_ahead: self.dpop.max_ahead,
            warned: AtomicBool::new(false),
        })
    }

    pub(super) fn certificate_policy(&self, faults: &mut Vec<Fault>) -> CertificatePolicy {
        let addresses = self.client_cert_proxies.as_ref();
        let proxies = addresses
            .map(|addresses| TrustedPeers::compile(addresses, "client_cert_field", faults));
        CertificatePolicy { proxies }
    }

    fn public_url(&self, resource: &Resource, faults: &mut Vec<Fault>) -> Option<PublicUrl> {
        let proxies = self.proxies.as_ref();
        let proxies = proxies.map(|proxies| proxies.compile(self.require_https, faults));
        let base = self.base_url.as_deref();
        let url = PublicUrl::new(base.unwrap_or(&resource.origin), proxies);
        match (base, &url) {
            (Some(base), None) => {
                let problem =
                    format!("{base:?} is not an absolute http or https URL without query");
                let mend = "use the URL of the root of the service, as clients call it";
                faults.push(Fault::new("base_url", problem, mend));
            }
            // Without an origin the resource is at fault already.
            (None, None) if !resource.origin.is_empty() => {
                let problem = format!("proofs cannot name the host of {:?}", resource.origin);
                let mend = "use a host name or an IP address, or set base_url";
                faults.push(Fault::new("resource", problem, mend));
            }
            _ => {}
        }
        url
    }
}

/// RFC 9449 §8.1: a nonce is made of NQCHARs. An issuer that makes others is found out at once,
/// and so is one that does not know its own.
fn check_nonces(
    issuer: &dyn NonceIssuer,
    resource: &Resource,
    now: SystemTime,
    faults: &mut Vec<Fault>,
) {
    let mut fault = |problem, mend| faults.push(Fault::new("dpop", problem, mend));
    let nonce = issuer.issue(resource.identifier(), now);
    if !charset::is_scope_token(&nonce) {
        return fault(
            "the issuer of nonces makes some that cannot be sent",
            "use visible ASCII without quotes and backslashes (RFC 9449 section 8.1)",
        );
    }
    let Some(nonce) = issuer.check(&nonce, resource.identifier(), now) else {
        return fault(
            "the issuer of nonces refuses its own",
            "check its secrets, and give it a lifetime such as 300 s",
        );
    };
    let life = nonce.expires_at().duration_since(now).unwrap_or_default();
    if !(SHORTEST_NONCE..=LONGEST_NONCE).contains(&life) {
        fault("nonces do not live from 5 s to a day", "use a lifetime such as 300 s");
    }
}

/// Below this hardly a client could use one; and who holds a proof may use it for as long.
const SHORTEST_NONCE: Duration = Duration::from_secs(5);
const LONGEST_NONCE: Duration = Duration::from_secs(24 * 60 * 60);
