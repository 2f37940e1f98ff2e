//! Scopes that include others.
//!
//! The closure over all pairs is made once, when the server is built. At a request there is one
//! look-up for the scope demanded and one comparison for each scope that grants it.

use std::collections::{BTreeMap, BTreeSet};

use crate::charset;
use crate::config::Fault;

/// For each scope, all that include it, directly or through others.
#[derive(Debug, Default)]
pub(crate) struct ScopeHierarchy(BTreeMap<String, Vec<String>>);

impl ScopeHierarchy {
    /// From pairs (wider, narrower). Faults are added for bad names and for circles.
    pub(crate) fn new(pairs: &[(String, String)], faults: &mut Vec<Fault>) -> Self {
        let mut direct: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (wider, narrower) in pairs {
            for scope in [wider, narrower] {
                if !charset::is_scope_token(scope) {
                    faults.push(Fault::scope("scope_hierarchy", scope));
                }
            }
            direct.entry(narrower).or_default().insert(wider);
        }
        let closed: BTreeMap<_, _> =
            direct.keys().map(|scope| ((*scope).to_owned(), above(scope, &direct))).collect();
        for scope in closed.iter().filter(|(scope, above)| above.contains(scope)).map(|(s, _)| s) {
            let problem = format!("{scope:?} includes itself through others");
            faults.push(Fault::new("scope_hierarchy", problem, "remove one pair of the circle"));
        }
        Self(closed)
    }

    /// The scopes that grant `scope` besides itself.
    pub(crate) fn including(&self, scope: &str) -> &[String] {
        self.0.get(scope).map_or(&[], Vec::as_slice)
    }
}

fn above(scope: &str, direct: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![scope];
    while let Some(scope) = open.pop() {
        for wider in direct.get(scope).into_iter().flatten() {
            if found.insert(*wider) {
                open.push(wider);
            }
        }
    }
    found.into_iter().map(str::to_owned).collect()
}
