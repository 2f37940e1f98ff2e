//! Demands on authorization details (RFC 9396).

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::Grant;
use crate::config::Fault;
use crate::json::Object;

/// Authorization details that a request needs (RFC 9396): an object of a type, with certain
/// contents, in the token's `authorization_details`.
///
/// ```
/// use tower_resource_server::{AuthorizationDetails, Scopes};
///
/// let paying = AuthorizationDetails::of_type("payment_initiation")
///     .actions(["initiate"])
///     .locations(["https://api.example.com/payments"])
///     .matching(|payment| payment.get("currency").and_then(|c| c.as_str()) == Some("EUR"));
/// // Both are needed.
/// let requirement = Scopes::all(["payments"]).and(paying);
/// # let _ = requirement;
/// ```
///
/// # What meets it
///
/// **One** object of the token that has the type and everything else that is demanded here. Two
/// objects that have half of it each do not: each stands for a grant of its own (RFC 9396 §2). To
/// accept that, demand the halves separately, joined by [`and`](Self::and).
///
/// All texts are compared exactly. An object of another type grants nothing, nor does a field that
/// is not asked for; a common field of the wrong type contains nothing. **A field that is not asked
/// for is not looked at either**: where the token's objects limit what they grant, by an amount or
/// a place, demand it with [`locations`](Self::locations) or [`matching`](Self::matching), or read
/// it in the handler with
/// [`Grant::authorization_details`](crate::Grant::authorization_details).
///
/// The refusal is a 403 `insufficient_scope`, for OAuth has no closer code; its kind is
/// `insufficient-authorization-details`. The challenge names the scopes of the route, if it has
/// any. What details to ask for a client learns from the API's documentation, and their types from
/// `authorization_details_types_supported` of the metadata document (RFC 9396 §10), in which each
/// type that a layer demands is listed.
///
/// # Checked
///
/// The type is not empty, and no list is.
#[derive(Clone)]
pub struct AuthorizationDetails {
    kind: String,
    /// Common fields that are arrays, and what each has to contain.
    lists: Vec<(&'static str, Vec<String>)>,
    identifier: Option<String>,
    tests: Vec<Test>,
}

type Test = Arc<dyn Fn(&Map<String, Value>) -> bool + Send + Sync>;

impl AuthorizationDetails {
    /// An object whose `type` is that.
    pub fn of_type(kind: impl Into<String>) -> Self {
        Self { kind: kind.into(), lists: Vec::new(), identifier: None, tests: Vec::new() }
    }

    /// Its `actions` contain all of these (RFC 9396 §2.2).
    #[must_use]
    pub fn actions<S: Into<String>>(self, actions: impl IntoIterator<Item = S>) -> Self {
        self.list("actions", actions)
    }

    /// Its `locations` contain all of these: URIs, as a rule, of this server or a part of it
    /// (RFC 9396 §2.2).
    ///
    /// A token that is good at several servers may have details that are meant for another. Where
    /// your issuer writes such tokens, demand your own location.
    #[must_use]
    pub fn locations<S: Into<String>>(self, locations: impl IntoIterator<Item = S>) -> Self {
        self.list("locations", locations)
    }

    /// Its `datatypes` contain all of these (RFC 9396 §2.2).
    #[must_use]
    pub fn datatypes<S: Into<String>>(self, datatypes: impl IntoIterator<Item = S>) -> Self {
        self.list("datatypes", datatypes)
    }

    /// Its `privileges` contain all of these (RFC 9396 §2.2).
    #[must_use]
    pub fn privileges<S: Into<String>>(self, privileges: impl IntoIterator<Item = S>) -> Self {
        self.list("privileges", privileges)
    }

    fn list<S: Into<String>>(
        mut self,
        field: &'static str,
        values: impl IntoIterator<Item = S>,
    ) -> Self {
        self.lists.push((field, values.into_iter().map(Into::into).collect()));
        self
    }

    /// Its `identifier` is that: the record or account that is meant (RFC 9396 §2.2).
    ///
    /// Where it depends on the request, demand it in the handler, with
    /// [`Grant::require`](crate::Grant::require).
    #[must_use]
    pub fn identifier(mut self, identifier: impl Into<String>) -> Self {
        self.identifier = Some(identifier.into());
        self
    }

    /// It passes a test of the application's own, for the fields of its API. May be called several
    /// times; all have to be passed.
    ///
    /// The test sees only objects that have everything else that is demanded, whole. It runs on
    /// the request path and should not block. A field that is absent or of another type should fail
    /// it.
    #[must_use]
    pub fn matching(
        mut self,
        test: impl Fn(&Map<String, Value>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.tests.push(Arc::new(test));
        self
    }

    pub(super) fn are_met_by(&self, grant: &Grant) -> bool {
        grant.each_detail().any(|detail| self.fits(detail))
    }

    fn fits(&self, detail: &str) -> bool {
        let Ok(fields) = Object::parse(detail) else { return false };
        let is = |name, text: &str| fields.string(name).is_ok_and(|it| it.as_deref() == Some(text));
        is("type", &self.kind)
            && self.identifier.as_deref().is_none_or(|identifier| is("identifier", identifier))
            && self.lists.iter().all(|(field, demanded)| contains(fields.raw(field), demanded))
            && self.passes(detail)
    }

    fn passes(&self, detail: &str) -> bool {
        if self.tests.is_empty() {
            return true;
        }
        let object = serde_json::from_str(detail);
        object.is_ok_and(|object| self.tests.iter().all(|test| test(&object)))
    }

    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    pub(super) fn faults(&self, faults: &mut Vec<Fault>) {
        if self.kind.is_empty() {
            let problem = "authorization details of no type";
            faults.push(Fault::new("require", problem, "name the type, as the issuer writes it"));
        }
        for (field, _) in self.lists.iter().filter(|(_, demanded)| demanded.is_empty()) {
            let problem = format!("authorization details with an empty list of {field}");
            faults.push(Fault::new("require", problem, "name at least one, or leave it out"));
        }
    }
}

/// Whether the array of strings has all that is demanded.
fn contains(array: Option<&str>, demanded: &[String]) -> bool {
    let held = array.and_then(|array| serde_json::from_str::<Vec<String>>(array).ok());
    held.is_some_and(|held| demanded.iter().all(|value| held.contains(value)))
}

impl fmt::Debug for AuthorizationDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationDetails")
            .field("type", &self.kind)
            .field("lists", &self.lists)
            .field("identifier", &self.identifier)
            .finish_non_exhaustive()
    }
}
