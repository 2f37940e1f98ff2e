//! WWW-Authenticate (RFC 9110 §11.6.1, RFC 6750 §3, RFC 9470 §3, RFC 9728 §5.1).

use http::HeaderValue;

use crate::charset;
use crate::error::RejectionKind;
use crate::rejection::Rejection;

/// The challenges of one response, computed: each is the value of a field line of its own, since
/// several in one line do not interoperate (RFC 9110 §11.6.1).
///
/// There is at most one in this version, of the scheme `Bearer`; it has, where they apply, `realm`,
/// `error`, `scope`, `acr_values`, `max_age`, `resource_metadata` (RFC 9728 §5.1), the parameters
/// of [`challenge_param`](crate::Builder::challenge_param), `error_uri` and `error_description`, in
/// this order. Code that handles challenges should nevertheless expect several.
///
/// ```
/// use http::{HeaderMap, header};
/// use tower_resource_server::{Builder, render::Challenges};
///
/// /// Some clients read only a field of this name.
/// fn doubled(challenges: &Challenges, headers: &mut HeaderMap) {
///     for challenge in challenges.iter() {
///         headers.append(header::WWW_AUTHENTICATE, challenge.clone());
///         headers.append("x-www-authenticate", challenge.clone());
///     }
/// }
///
/// fn configured(builder: Builder) -> Builder {
///     builder.www_authenticate(doubled)
/// }
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Challenges(Vec<HeaderValue>);

impl Challenges {
    /// The field values, in the order in which they are to be sent.
    pub fn iter(&self) -> impl Iterator<Item = &HeaderValue> {
        self.0.iter()
    }

    /// Whether the response carries no challenge.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What every challenge of a server carries.
#[derive(Debug, Default)]
pub(crate) struct ChallengeSettings {
    pub(crate) realm: Option<String>,
    pub(crate) resource_metadata: Option<String>,
    pub(crate) error_uri: Option<String>,
    pub(crate) extra: Vec<(String, String)>,
}

pub(super) fn build(rejection: &Rejection) -> Challenges {
    let mut value = String::with_capacity(256);
    value.push_str("Bearer");
    let mut parameters = Parameters { value, first: true };
    write_parameters(rejection, &mut parameters);
    // Quoted-strings of printable ASCII only: what the builder and the table admit.
    Challenges(HeaderValue::try_from(parameters.value).into_iter().collect())
}

/// The order that clients cope with: the description last, since several search it for `name=`.
fn write_parameters(rejection: &Rejection, out: &mut Parameters) {
    let details = rejection.details();
    let settings = &details.settings.challenge;
    let demand = &details.demand;
    let kind = rejection.kind();
    let code = kind.error_code();
    out.optional("realm", settings.realm.as_deref());
    out.optional("error", code);
    if names_scope(rejection) {
        out.optional("scope", demand.scope.as_deref());
    }
    if kind == RejectionKind::InsufficientAuthentication {
        out.optional("acr_values", demand.acr_values.as_deref());
        out.optional("max_age", demand.max_age.map(|age| age.to_string()).as_deref());
    }
    out.optional("resource_metadata", settings.resource_metadata.as_deref());
    for (name, value) in &settings.extra {
        out.push(name, value);
    }
    // Without an error code there is no error information at all (RFC 6750 §3.1).
    if code.is_some() {
        out.optional("error_uri", settings.error_uri.as_deref());
        out.push("error_description", &charset::description(rejection.description()));
    }
}

/// On 401 where the layer knows it, so that clients ask for enough at once; on 403; and beside a
/// step-up where scopes are missing as well. Not where the request itself is malformed.
fn names_scope(rejection: &Rejection) -> bool {
    match rejection.kind() {
        RejectionKind::InsufficientAuthentication => rejection.details().shortfall.scope,
        kind => !matches!(kind.error_code(), Some("invalid_request")),
    }
}

struct Parameters {
    value: String,
    first: bool,
}

impl Parameters {
    fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.push(name, value);
        }
    }

    /// Always a quoted-string; only `"` and `\` are escaped (RFC 9110 §5.6.4).
    fn push(&mut self, name: &str, value: &str) {
        self.value.push_str(if self.first { " " } else { ", " });
        self.first = false;
        self.value.push_str(name);
        self.value.push_str("=\"");
        for c in value.chars() {
            if matches!(c, '"' | '\\') {
                self.value.push('\\');
            }
            self.value.push(c);
        }
        self.value.push('"');
    }
}
