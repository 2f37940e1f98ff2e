//! The document itself, and where it lies.
//!
//! Layers are made while the application is put together, and each adds its scopes and types. So the
//! document is rendered when it is first asked for and kept until a layer adds more; a server that
//! makes layers while it runs only causes it to be rendered again.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::HeaderValue;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{ResourceMetadata, signed};
use crate::authorize::OFFLINE_ACCESS;
use crate::base64url;
use crate::config::{Fault, Resource};
use crate::scheme::{Scheme, SenderConstraint};

pub(super) const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
const DEFAULT_MAX_AGE: u32 = 3600;

/// The document of one server. Its scopes grow while layers are made, so it is rendered when it
/// is first asked for after that.
#[derive(Debug)]
pub(crate) struct Document {
    members: Map<String, Value>,
    scopes: Listed,
    /// Of authorization details.
    types: Listed,
    accepted: Mutex<Accepted>,
    rendered: Mutex<Option<Rendered>>,
    /// Path, and the query that must be there.
    pub(super) path: String,
    pub(super) query: Option<String>,
    pub(super) root_alias: bool,
    pub(super) cache_control: HeaderValue,
}

/// What the document derives from the rest of the configuration.
pub(crate) struct Facts<'a> {
    pub(crate) resource: &'a Resource,
    /// The identifiers of the issuers that are known by name.
    pub(crate) issuers: Vec<&'a str>,
    pub(crate) proof_algorithms: Vec<&'static str>,
    pub(crate) constraint: SenderConstraint,
    /// Proxies are trusted to tell client certificates.
    pub(crate) certificates: bool,
}

/// What is accepted somewhere. Layers may add to what the server accepts.
#[derive(Clone, Copy, Debug)]
struct Accepted {
    bearer: bool,
    dpop: bool,
    /// Tokens bound to certificates are not merely accepted, as they are nearly everywhere, but
    /// there is reason to think that clients can show them.
    certificates: bool,
}

impl Accepted {
    const fn by(constraint: SenderConstraint) -> Self {
        Self {
            bearer: constraint.accepts(Scheme::Bearer),
            dpop: constraint.accepts(Scheme::Dpop),
            certificates: constraint.names_certificates(),
        }
    }

    const fn add(&mut self, constraint: SenderConstraint) {
        let more = Self::by(constraint);
        self.bearer |= more.bearer;
        self.dpop |= more.dpop;
        self.certificates |= more.certificates;
    }

    /// What is not true is left out (RFC 9728 §2, §3.2).
    fn retain(self, members: &mut Map<String, Value>) {
        if !self.dpop {
            members.remove(PROOF_ALGORITHMS);
        }
        let explicit_none = members.get(BEARER_METHODS).is_some_and(is_zero);
        if self.bearer && explicit_none {
            members.insert(BEARER_METHODS.into(), vec!["header"].into());
        } else if !self.bearer && !explicit_none {
            members.remove(BEARER_METHODS);
        }
        if self.dpop && !self.bearer {
            members.insert("dpop_bound_access_tokens_required".into(), true.into());
        }
        if self.certificates {
            members.insert("tls_client_certificate_bound_access_tokens".into(), true.into());
        }
    }
}

/// What layers name, for one member. None where the application lists it itself.
#[derive(Debug)]
struct Listed(Option<Mutex<BTreeSet<String>>>);

impl Listed {
    fn unless(chosen: bool) -> Self {
        Self((!chosen).then(Mutex::default))
    }

    fn extend(&self, named: impl Iterator<Item = String>) {
        if let Some(listed) = &self.0 {
            listed.lock().unwrap_or_else(PoisonError::into_inner).extend(named);
        }
    }

    fn write(&self, member: &str, members: &mut Map<String, Value>) {
        let Some(listed) = &self.0 else { return };
        let listed = listed.lock().unwrap_or_else(PoisonError::into_inner);
        if !listed.is_empty() {
            members.insert(member.into(), listed.iter().cloned().collect());
        }
    }
}

const DETAILS_TYPES: &str = "authorization_details_types_supported";
const PROOF_ALGORITHMS: &str = "dpop_signing_alg_values_supported";
const BEARER_METHODS: &str = "bearer_methods_supported";

#[derive(Clone, Debug)]
pub(super) struct Rendered {
    pub(super) json: Bytes,
    pub(super) etag: HeaderValue,
}

impl Document {
    pub(crate) fn new(
        chosen: &ResourceMetadata,
        facts: &Facts<'_>,
        faults: &mut Vec<Fault>,
    ) -> Self {
        let mut accepted = Accepted::by(facts.constraint);
        accepted.certificates |= facts.certificates || chosen.certificate_bound_tokens;
        chosen.check(accepted.bearer, faults);
        let members = members(chosen, facts);
        signed::check(&chosen.members, &members, faults);
        let (path, query) = location(&facts.resource.rest);
        let max_age = chosen.max_age.unwrap_or(DEFAULT_MAX_AGE);
        Self {
            members,
            scopes: Listed::unless(chosen.scopes.is_some()),
            types: Listed::unless(chosen.members.contains_key(DETAILS_TYPES)),
            accepted: Mutex::new(accepted),
            rendered: Mutex::default(),
            path,
            query,
            root_alias: chosen.root_alias,
            cache_control: HeaderValue::try_from(format!("public, max-age={max_age}"))
                .unwrap_or_else(|_| HeaderValue::from_static("public, max-age=3600")),
        }
    }

    /// The absolute URL of the document, for `resource_metadata`.
    pub(crate) fn url(resource: &Resource) -> String {
        let (path, query) = location(&resource.rest);
        let query = query.map_or_else(String::new, |query| format!("?{query}"));
        format!("{}{path}{query}", resource.origin)
    }

    pub(crate) fn add_scopes(&self, named: Vec<String>) {
        self.scopes.extend(named.into_iter().filter(|scope| scope != OFFLINE_ACCESS));
        self.forget_rendered();
    }

    /// RFC 9396 §10: which types of authorization details the layers know.
    pub(crate) fn add_details_types(&self, named: Vec<String>) {
        self.types.extend(named.into_iter());
        self.forget_rendered();
    }

    /// A layer accepts other schemes than the server at large.
    pub(crate) fn add_constraint(&self, constraint: SenderConstraint) {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).add(constraint);
        self.forget_rendered();
    }

    /// Called when the other locks are given back: rendering takes them the other way round.
    fn forget_rendered(&self) {
        *self.rendered.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// A layer demands certificates of tokens that others let through.
    pub(crate) fn add_certificates(&self, constraint: SenderConstraint) {
        if constraint.names_certificates() {
            self.accepted.lock().unwrap_or_else(PoisonError::into_inner).certificates = true;
            *self.rendered.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    pub(super) fn render(&self) -> Rendered {
        let mut rendered = self.rendered.lock().unwrap_or_else(PoisonError::into_inner);
        rendered.get_or_insert_with(|| self.fresh()).clone()
    }

    fn fresh(&self) -> Rendered {
        let mut members = self.members.clone();
        self.scopes.write("scopes_supported", &mut members);
        self.types.write(DETAILS_TYPES, &mut members);
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).retain(&mut members);
        let json = Value::Object(members).to_string();
        let tag = base64url::encode(Sha256::digest(json.as_bytes()));
        let etag = HeaderValue::try_from(format!("\"{tag}\""))
            .expect("base64url between quotes is a field value");
        Rendered { json: Bytes::from(json), etag }
    }
}

fn members(chosen: &ResourceMetadata, facts: &Facts<'_>) -> Map<String, Value> {
    let mut members = chosen.members.clone();
    members.retain(|_, value| !is_zero(value));
    let identifiers = facts.issuers.clone();
    members.insert("resource".into(), facts.resource.identifier().into());
    members.insert("authorization_servers".into(), identifiers.into());
    members.insert(PROOF_ALGORITHMS.into(), facts.proof_algorithms.clone().into());
    if chosen.no_bearer_methods {
        members.insert(BEARER_METHODS.into(), Value::Array(Vec::new()));
    } else {
        members.entry(BEARER_METHODS).or_insert_with(|| vec!["header"].into());
    }
    if let Some(scopes) = chosen.scopes.clone().filter(|scopes| !scopes.is_empty()) {
        members.insert("scopes_supported".into(), scopes.into());
    }
    members
}

/// RFC 9728 §3.1: the well-known string goes between host and path; of the path, only a slash
/// directly after the host is dropped (not, as in RFC 8414, one at the end).
fn location(rest: &str) -> (String, Option<String>) {
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (rest, None),
    };
    let path = if path == "/" { "" } else { path };
    (format!("{WELL_KNOWN}{path}"), query)
}

/// RFC 9728 §3.2: members with zero values are omitted.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A document is rendered under one lock while the other is taken.
    #[test]
    fn a_new_layer_holds_no_lock_while_it_waits_for_the_document() {
        let resource = Resource {
            identifier: "https://h".into(),
            origin: "https://h".into(),
            rest: String::new(),
        };
        let facts = Facts {
            resource: &resource,
            issuers: Vec::new(),
            proof_algorithms: vec!["ES256"],
            constraint: SenderConstraint::Bearer,
            certificates: false,
        };
        let document = Document::new(&ResourceMetadata::new(), &facts, &mut Vec::new());
        std::thread::scope(|threads| {
            let rendering = document.rendered.lock().expect("no panic");
            let adding = threads.spawn(|| document.add_constraint(SenderConstraint::Dpop));
            while !document.accepted.try_lock().is_ok_and(|accepted| accepted.dpop) {
                std::thread::yield_now();
            }
            drop(rendering);
            adding.join().expect("no panic");
        });
    }
}
