//! WWW-Authenticate (RFC 9110 §11.6.1, RFC 6750 §3, RFC 9470 §3, RFC 9728 §5.1).

use http::HeaderValue;

use crate::charset;
use crate::error::RejectionKind;
use crate::rejection::Rejection;
use crate::scheme::Scheme;

/// The challenges of one response, computed: each is the value of a field line of its own, since
/// several in one line do not interoperate (RFC 9110 §11.6.1).
///
/// There is one for each scheme that the route accepts (see
/// [`SenderConstraint`](crate::SenderConstraint)); where only more of the same would help, as on
/// 403, one for the scheme that was tried. An error stands in the challenge of the scheme that was
/// tried, which is then the first (RFC 9449 §7.2); in all, where that is not clear.
///
/// A challenge has, where they apply, `realm`, `error`, `scope`, `acr_values`, `max_age`, `algs`
/// (of `DPoP`, RFC 9449 §7.1), `resource_metadata` (RFC 9728 §5.1), the parameters of
/// [`challenge_param`](crate::Builder::challenge_param), `error_uri` and `error_description`, in
/// this order. Code that handles challenges should expect several.
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
    /// `algs` of every DPoP challenge.
    pub(crate) algs: String,
    pub(crate) order: ChallengeOrder,
}

/// How several challenges stand in a response.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ChallengeOrder {
    /// DPoP before Bearer, where no scheme was tried.
    pub(crate) dpop_first: bool,
    /// One field line with commas.
    pub(crate) one_line: bool,
}

pub(super) fn build(rejection: &Rejection) -> Challenges {
    let order = rejection.details().settings.challenge.order;
    let mut lines: Vec<_> = schemes(rejection)
        .into_iter()
        .map(|(scheme, code)| challenge(rejection, scheme, code))
        .collect();
    if order.one_line {
        lines = vec![lines.join(", ")];
    }
    // Quoted-strings of printable ASCII only: what the builder and the table admit.
    Challenges(lines.into_iter().filter_map(|line| HeaderValue::try_from(line).ok()).collect())
}

type Code = Option<&'static str>;

/// The schemes to name, in their order, and the error code each carries.
fn schemes(rejection: &Rejection) -> Vec<(Scheme, Code)> {
    let details = rejection.details();
    let code = rejection.kind().error_code();
    let constraint = details.constraint();
    let mut schemes = [Scheme::Bearer, Scheme::Dpop];
    if details.settings.challenge.order.dpop_first {
        schemes.reverse();
    }
    let accepted = schemes.into_iter().filter(|scheme| constraint.accepts(*scheme));
    let tried = details.attempt.scheme.filter(|scheme| constraint.accepts(*scheme));
    match (tried, code) {
        (Some(tried), Some(code)) => {
            let others = accepted.filter(|scheme| *scheme != tried && !wants_the_same(code));
            [(tried, Some(code))].into_iter().chain(others.map(|scheme| (scheme, None))).collect()
        }
        (_, code) => accepted.map(|scheme| (scheme, code)).collect(),
    }
}

/// Whether a client goes on with the scheme it has: with more scopes, a stronger authentication, a
/// nonce. Clients look for `use_dpop_nonce` in a response of one challenge.
fn wants_the_same(code: &str) -> bool {
    matches!(code, "insufficient_scope" | "insufficient_user_authentication" | "use_dpop_nonce")
}

/// The order that clients cope with: the description last, since several search it for `name=`.
fn challenge(rejection: &Rejection, scheme: Scheme, code: Code) -> String {
    let details = rejection.details();
    let settings = &details.settings.challenge;
    let demand = &details.demand;
    let mut out = Parameters::of(scheme);
    out.optional("realm", settings.realm.as_deref());
    out.optional("error", code);
    if names_scope(rejection) {
        out.optional("scope", demand.scope.as_deref());
    }
    out.optional("acr_values", rejection.acr_values());
    out.optional("max_age", rejection.max_age().map(|age| age.as_secs().to_string()).as_deref());
    if scheme == Scheme::Dpop {
        out.push("algs", &settings.algs);
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
    out.value
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
    fn of(scheme: Scheme) -> Self {
        let mut value = String::with_capacity(256);
        value.push_str(scheme.name());
        Self { value, first: true }
    }

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
