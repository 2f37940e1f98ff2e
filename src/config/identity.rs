//! Checks of what the server is called: its resource identifier and its audiences.

use super::{Builder, Fault, Resource};
use crate::token::AudiencePolicy;
use crate::uri::Web;

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
                format!("{given:?} is plain http, which require_https and fapi2 forbid"),
                "use https, or leave both out on loopback",
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
        self.audiences.check(faults);
        let accepted = if self.any_audience {
            tracing::warn!(target: "tower_resource_server::config", "tokens are accepted whatever their audience");
            None
        } else if self.audiences.is_empty() {
            Some(vec![self.resource.clone()])
        } else {
            Some(self.audiences.iter().cloned().collect())
        };
        AudiencePolicy { accepted, single_only: self.single_audience_only }
    }
}
