//! Checks of what the server is called: its resource identifier and its audiences.

use super::uri::{self, Web};
use super::{Builder, Fault, Resource};
use crate::token::AudiencePolicy;

impl Builder {
    /// RFC 9728 §1.2: https (http on loopback, OAuth 2.1 §1.5), no fragment.
    pub(super) fn checked_resource(&self, faults: &mut Vec<Fault>) -> Resource {
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

    pub(super) fn audience_policy(&self, faults: &mut Vec<Fault>) -> AudiencePolicy {
        let accepted = self.checked_audiences(faults);
        AudiencePolicy { accepted, single_only: self.single_audience_only }
    }

    fn checked_audiences(&self, faults: &mut Vec<Fault>) -> Option<Vec<String>> {
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
}
