//! The members of the document that an application chooses.

use serde_json::{Map, Value};

use crate::authorize::OFFLINE_ACCESS;
use crate::charset;
use crate::config::Fault;
use crate::uri;

/// Members of the metadata document beyond those that follow from other settings.
///
/// `resource`, `authorization_servers`, `bearer_methods_supported` and, unless set here,
/// `scopes_supported` and `authorization_details_types_supported` are derived. Members without a
/// value are left out (RFC 9728 §3.2).
///
/// ```
/// use tower_resource_server::ResourceMetadata;
///
/// let metadata = ResourceMetadata::new()
///     .name("Example payments")
///     .member("resource_name#it", "Pagamenti di esempio")
///     .documentation("https://developer.example.com/payments");
/// # let _ = metadata;
/// ```
///
/// # Checked when the server is built
///
/// URLs are absolute, `jwks_uri` is https, no algorithm is `none`, scopes are well-formed and
/// `offline_access` is not among them. Derived members cannot be set by name. Whether the pages
/// exist is not checked.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ResourceMetadata {
    pub(super) members: Map<String, Value>,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) root_alias: bool,
    pub(super) no_bearer_methods: bool,
    pub(super) certificate_bound_tokens: bool,
    pub(super) max_age: Option<u32>,
}

/// Members that follow from other settings and cannot be set by name.
const DERIVED: [&str; 6] = [
    "resource",
    "authorization_servers",
    "scopes_supported",
    "dpop_signing_alg_values_supported",
    "dpop_bound_access_tokens_required",
    "tls_client_certificate_bound_access_tokens",
];
const URLS: [&str; 4] =
    ["resource_documentation", "resource_policy_uri", "resource_tos_uri", "jwks_uri"];

impl ResourceMetadata {
    /// Nothing beyond the derived members.
    pub fn new() -> Self {
        Self::default()
    }

    /// `resource_name`, for people. Add translations with `member("resource_name#it", …)`.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.member("resource_name", name.into())
    }

    /// `resource_documentation`: a page for developers.
    pub fn documentation(self, url: impl Into<String>) -> Self {
        self.member("resource_documentation", url.into())
    }

    /// `resource_policy_uri`: how clients may use the data.
    pub fn policy(self, url: impl Into<String>) -> Self {
        self.member("resource_policy_uri", url.into())
    }

    /// `resource_tos_uri`: the terms of service.
    pub fn terms_of_service(self, url: impl Into<String>) -> Self {
        self.member("resource_tos_uri", url.into())
    }

    /// `jwks_uri`: the resource's own keys, for signed responses.
    pub fn jwks_uri(self, url: impl Into<String>) -> Self {
        self.member("jwks_uri", url.into())
    }

    /// `resource_signing_alg_values_supported`: algorithms of signed responses; never `none`.
    pub fn resource_signing_algorithms<S: Into<String>>(
        self,
        names: impl IntoIterator<Item = S>,
    ) -> Self {
        self.member("resource_signing_alg_values_supported", strings(names))
    }

    /// `authorization_details_types_supported` (RFC 9396 §10), in place of the types that the
    /// server's layers demand with [`AuthorizationDetails`](crate::AuthorizationDetails).
    ///
    /// An empty list leaves the member out.
    pub fn authorization_details_types<S: Into<String>>(
        self,
        types: impl IntoIterator<Item = S>,
    ) -> Self {
        self.member("authorization_details_types_supported", strings(types))
    }

    /// `signed_metadata`: a JWT made elsewhere, served verbatim (RFC 9728 §2.2).
    ///
    /// It is looked at when the server is built: it must be a compact JWS with `iss`, and no claim
    /// may contradict the member of that name, since clients prefer the claims. Its signature is
    /// not verified, nor is its expiry.
    pub fn signed_metadata(self, jwt: impl Into<String>) -> Self {
        self.member("signed_metadata", jwt.into())
    }

    /// `bearer_methods_supported`: `header` and, with a
    /// [`FormTokenLayer`](crate::layer::FormTokenLayer), `body`. By default `header` alone.
    pub fn bearer_methods<S: Into<String>>(self, methods: impl IntoIterator<Item = S>) -> Self {
        self.member("bearer_methods_supported", strings(methods))
    }

    /// `bearer_methods_supported` as an empty array, which says that no bearer token is accepted (RFC
    /// 9728 §2). Only for servers whose [`SenderConstraint`](crate::SenderConstraint) says so; it is
    /// a fault elsewhere. Without this, such servers leave the member out.
    pub const fn no_bearer_methods(mut self) -> Self {
        self.no_bearer_methods = true;
        self
    }

    /// `tls_client_certificate_bound_access_tokens` (RFC 8705 §3.3, RFC 9728 §2), for servers that
    /// see the certificates of their clients' connections and accept other tokens as well.
    ///
    /// Where a [`SenderConstraint`](crate::SenderConstraint) asks for certificates, or
    /// [`client_cert_field`](crate::Builder::client_cert_field) is set, the document says so without
    /// this. Elsewhere nothing tells the crate whether clients are asked for a certificate.
    pub const fn certificate_bound_tokens(mut self) -> Self {
        self.certificate_bound_tokens = true;
        self
    }

    /// `scopes_supported`, in place of the scopes that the server's layers name.
    ///
    /// An empty list leaves the member out, for servers that would rather not tell. Scopes that
    /// only handlers demand, with [`Grant::require`](crate::Grant::require), are in the document
    /// only this way.
    pub fn scopes_supported<S: Into<String>>(
        mut self,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Any other member: translations (`name#tag`, RFC 9728 §2.1) and extensions.
    ///
    /// A value that is null, an empty string or an empty array leaves the member out; an empty URL
    /// is a fault.
    pub fn member(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.members.insert(name.into(), value.into());
        self
    }

    /// Also serves the document at the host's root well-known path, where some MCP clients look
    /// when the resource has a path. Its `resource` stays the configured identifier.
    pub const fn root_alias(mut self) -> Self {
        self.root_alias = true;
        self
    }

    /// `max-age` of the document, in seconds. Default 3600.
    ///
    /// Sent as `Cache-Control: public, max-age=…`. How long clients take to notice a change depends
    /// on it.
    pub const fn max_age(mut self, seconds: u32) -> Self {
        self.max_age = Some(seconds);
        self
    }

    pub(super) fn check(&self, accepts_bearer: bool, faults: &mut Vec<Fault>) {
        if self.no_bearer_methods && accepts_bearer {
            let problem = "bearer_methods_supported: none, but bearer tokens are accepted";
            let mend = "set sender_constraint(SenderConstraint::Dpop)";
            faults.push(Fault::new("metadata", problem, mend));
        }
        for scope in self.scopes.iter().flatten() {
            if !charset::is_scope_token(scope) {
                faults.push(Fault::scope("metadata", scope));
            }
            if scope == OFFLINE_ACCESS {
                let problem = "scopes_supported: lists offline_access";
                let mend = "leave it out; it asks for a refresh token and grants nothing here";
                faults.push(Fault::new("metadata", problem, mend));
            }
        }
        for (name, value) in &self.members {
            if let Some((problem, suggestion)) = fault(name, value) {
                faults.push(Fault::new("metadata", format!("{name}: {problem}"), suggestion));
            }
        }
    }
}

fn strings<S: Into<String>>(values: impl IntoIterator<Item = S>) -> Value {
    values.into_iter().map(Into::into).collect::<Vec<String>>().into()
}

fn fault(name: &str, value: &Value) -> Option<(&'static str, &'static str)> {
    let base = name.split('#').next().unwrap_or(name);
    let text = value.as_str();
    if DERIVED.contains(&base) {
        return Some(("follows from other settings", "change the setting it follows from"));
    }
    if URLS.contains(&base) && !text.is_some_and(uri::is_absolute) {
        return Some(("is not an absolute URL", "start it with https://"));
    }
    if base == "jwks_uri" && !text.is_some_and(|url| url.starts_with("https://")) {
        return Some(("is not https", "publish the keys over https"));
    }
    let names_none = value.as_array().is_some_and(|names| names.iter().any(|name| name == "none"));
    if base == "resource_signing_alg_values_supported" && names_none {
        return Some(("lists none", "list signature algorithms only"));
    }
    if base == "bearer_methods_supported" && !is_bearer_methods(value) {
        return Some((
            "is not a list of header and body",
            "tokens in the query are never accepted",
        ));
    }
    None
}

fn is_bearer_methods(value: &Value) -> bool {
    let known = |method: &Value| method == "header" || method == "body";
    value.as_array().is_some_and(|methods| methods.iter().all(known))
}
