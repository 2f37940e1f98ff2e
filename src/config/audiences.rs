//! Audiences as they are configured, for the server or for one issuer.

use std::collections::BTreeSet;

use super::Fault;
use crate::uri;

/// What tokens may name for their audience: absolute URIs, and names that are none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Audiences {
    uris: BTreeSet<String>,
    names: BTreeSet<String>,
}

impl Audiences {
    pub(super) fn add_uri(&mut self, uri: String) {
        self.uris.insert(uri);
    }

    pub(super) fn add_name(&mut self, name: String) {
        self.names.insert(name);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.uris.is_empty() && self.names.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &String> {
        self.uris.iter().chain(&self.names)
    }

    /// RFC 8707 §2: a resource indicator is an absolute URI without fragment.
    pub(super) fn check(&self, faults: &mut Vec<Fault>) {
        let mut fault = |problem: String, mend| faults.push(Fault::new("audience", problem, mend));
        for audience in &self.uris {
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
        if self.names.iter().any(String::is_empty) {
            fault(
                "an audience name is empty".into(),
                "use the aud of the tokens meant for this server",
            );
        }
    }
}
