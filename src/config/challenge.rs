//! Checks of what every challenge carries.

use super::{Builder, Fault, Resource};
use crate::charset;
use crate::metadata::Document;
use crate::render::ChallengeSettings;
use crate::uri;

const DOCUMENTATION: &str = concat!(
    "https://docs.rs/tower-resource-server/",
    env!("CARGO_PKG_VERSION"),
    "/tower_resource_server/guide/error_catalogue/index.html"
);

/// Parameters that the library writes itself.
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
    pub(super) fn challenge_settings(
        &self,
        resource: &Resource,
        faults: &mut Vec<Fault>,
    ) -> ChallengeSettings {
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
            algs: self.dpop.algorithm_names().join(" "),
            order: self.order,
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

    pub(super) fn documentation_base(&self, faults: &mut Vec<Fault>) -> String {
        self.check_uri("documentation", self.documentation.as_deref(), faults);
        self.documentation.clone().unwrap_or_else(|| DOCUMENTATION.to_owned())
    }
}
