//! What the FAPI 2.0 Security Profile makes of the settings.
//!
//! It is applied once, before anything else looks at them, and to issuers when they are looked at:
//! defaults become the profile's, and what was chosen against it becomes a fault. So the rest of
//! the checks need not know of it.

use std::time::Duration;

use super::{Builder, Fault, Issuer};
use crate::algorithm::Algorithm;
use crate::proof::{Freshness, UnrecordedProof, UnverifiableConfirmation};
use crate::revocation::UnknownStatus;
use crate::scheme::SenderConstraint;
use crate::uri::Web;

/// §5.4: PS256, ES256 and EdDSA with Ed25519, which has two names (RFC 9864).
const ALGORITHMS: [Algorithm; 4] =
    [Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA, Algorithm::Ed25519];

/// §5.3.2: times up to 10 s ahead are accepted, those of 60 s and more are not.
const AHEAD: std::ops::Range<Duration> = Duration::from_secs(10)..Duration::from_secs(60);
const LEEWAY: Duration = Duration::from_secs(30);

/// How long a revoked token may go on being used where its issuer is asked. §5.3.4 names no time.
const ANSWERS_LAST: Duration = Duration::from_secs(60);

impl Builder {
    /// The settings as the profile has them, where it was chosen.
    pub(super) fn conforming(mut self, faults: &mut Vec<Fault>) -> Self {
        if self.fapi2.is_none() {
            return self;
        }
        self.require_https = true;
        self.check_urls(faults);
        conform(&mut self.dpop.algorithms, self.dpop.chose_algorithms, "dpop", faults);
        self.conform_times(faults);
        self.conform_binding(faults);
        self.check_source(faults);
        self.check_revocation(faults);
        self.check_dangers(faults);
        self
    }

    /// The URL of the resource is held to https by `require_https`.
    fn check_urls(&self, faults: &mut Vec<Fault>) {
        let base = self.base_url.as_deref();
        if let Some(url) = base.filter(|url| is_http(url)) {
            faults.push(plain_http("base_url", url));
        }
        if self.allow_loopback {
            let problem = "plain http on loopback contradicts FAPI 2.0 section 5.2.1";
            faults.push(Fault::new("allow_loopback", problem, "leave it out"));
        }
    }

    fn conform_times(&mut self, faults: &mut Vec<Fault>) {
        let mut check = |good: bool, setting, problem, mend: &'static str| {
            if !good {
                faults.push(Fault::new(setting, problem, mend));
            }
        };
        let mend = "use from 10 s to 59 s, or leave it out (FAPI 2.0 section 5.3.2)";
        let leeway = *self.leeway.get_or_insert(LEEWAY);
        let problem = "FAPI 2.0 accepts tokens dated 10 s ahead and refuses those of 60 s";
        check(AHEAD.contains(&leeway), "leeway", problem, mend);
        let problem = "FAPI 2.0 accepts proofs dated 10 s ahead and refuses those of 60 s";
        check(AHEAD.contains(&self.dpop.max_ahead), "dpop", problem, mend);
        check(
            self.dpop.freshness != Some(Freshness::Nonce),
            "dpop",
            "with Freshness::Nonce, proofs dated a day ahead are accepted",
            "use Freshness::Both (FAPI 2.0 section 5.3.2)",
        );
    }

    fn conform_binding(&mut self, faults: &mut Vec<Fault>) {
        let constraint = *self.constraint.get_or_insert(SenderConstraint::Dpop);
        if !constraint.demands_binding() {
            let problem = format!("SenderConstraint::{constraint:?} lets unbound tokens in");
            let mend = "leave it out, or demand bound tokens (FAPI 2.0 section 5.3.4)";
            faults.push(Fault::new("sender_constraint", problem, mend));
        }
    }

    fn check_source(&self, faults: &mut Vec<Fault>) {
        if self.source.is_some() {
            let problem =
                "tokens outside the Authorization field contradict FAPI 2.0 section 5.3.4";
            faults.push(Fault::new("credential_source", problem, "leave it out"));
        }
    }

    fn check_revocation(&self, faults: &mut Vec<Fault>) {
        let waits = self.fapi2.is_some_and(|fapi2| fapi2.short_lived_tokens);
        // Issuers that are found while the server runs are not asked.
        let asks =
            self.resolver.is_none() && self.issuers.iter().all(Issuer::is_asked_about_every_token);
        if waits || self.revocation.is_some() {
            return;
        }
        if !asks {
            let problem =
                "nothing says whether a token was revoked, as FAPI 2.0 section 5.3.4 asks";
            let mend = "set revocation(), or Fapi2::short_lived_tokens() if their expiry is enough";
            faults.push(Fault::new("fapi2", problem, mend));
        } else if self.issuers.iter().any(|issuer| issuer.answers_last() > ANSWERS_LAST) {
            let problem = "answers that revoke tokens are remembered for longer than 60 s";
            let mend =
                "use cache_for() of 60 s at most, or set revocation() or short_lived_tokens()";
            faults.push(Fault::new("fapi2", problem, mend));
        }
    }

    fn check_dangers(&self, faults: &mut Vec<Fault>) {
        let mut forbid = |chosen: bool, problem: &'static str, mend: &'static str| {
            if chosen {
                faults.push(Fault::new("danger", problem, mend));
            }
        };
        forbid(
            self.any_audience,
            "accept_any_audience() contradicts FAPI 2.0: a token has to be meant for this server",
            "name the audiences with audience() or audience_name()",
        );
        forbid(
            self.unverifiable == UnverifiableConfirmation::Ignore,
            "ignore_unverifiable_confirmation() contradicts FAPI 2.0: bindings have to be verified",
            "leave it out (section 5.3.4)",
        );
        forbid(
            self.unknown_status == UnknownStatus::Accept,
            "accept_unknown_status() contradicts FAPI 2.0: revocation has to be verified",
            "leave it out (section 5.3.4)",
        );
        forbid(
            self.unrecorded == UnrecordedProof::Accept && self.dpop.nonces.is_none(),
            "accept_unrecorded_proofs() without nonces lets proofs be used twice",
            "require nonces with Dpop::nonces(), or leave it out",
        );
    }
}

impl Issuer {
    /// The same for one issuer, of the configuration or found while the server runs.
    pub(super) fn conform(&mut self, faults: &mut Vec<Fault>) {
        // Other hosts are held to https without the profile too.
        let loopback = |url: &str| Web::parse(url).is_some_and(|uri| uri.is_loopback());
        let plain = self.urls().filter(|(_, url)| is_http(url) && loopback(url));
        faults.extend(plain.map(|(setting, url)| plain_http(setting, url)));
        conform(&mut self.algorithms, self.chose_algorithms, "issuer", faults);
        let Some(introspection) = &mut self.introspection else { return };
        if let Some(signed) = &mut introspection.signed {
            conform(signed, true, "introspection", faults);
        }
        // An RSA key signs with RS256 unless it was told otherwise.
        if let Some(algorithm) = introspection.authentication.signing_algorithm() {
            conform(&mut vec![algorithm], true, "client_authentication", faults);
        }
    }
}

fn is_http(url: &str) -> bool {
    Web::parse(url).is_some_and(|uri| uri.scheme == "http")
}

fn plain_http(setting: &'static str, url: &str) -> Fault {
    let problem = format!("{url:?} is plain http, which FAPI 2.0 section 5.2.1 forbids");
    Fault::new(setting, problem, "use https, on loopback too")
}

/// A default list loses what the profile does not know; a chosen one must not have it.
fn conform(
    algorithms: &mut Vec<Algorithm>,
    chosen: bool,
    setting: &'static str,
    faults: &mut Vec<Fault>,
) {
    if !chosen {
        return algorithms.retain(|algorithm| ALGORITHMS.contains(algorithm));
    }
    for algorithm in algorithms.iter().filter(|algorithm| !ALGORITHMS.contains(algorithm)) {
        let problem = format!("{algorithm} is no algorithm of FAPI 2.0 section 5.4");
        faults.push(Fault::new(setting, problem, "use PS256, ES256, EdDSA and Ed25519"));
    }
}
