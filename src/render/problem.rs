//! Problem details (RFC 9457) together with the OAuth members.

use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};

use super::envelope::Envelope;
use super::error_body::{ErrorBody, ErrorResponse};
use super::oauth::{self, OAuthMembers};

/// `application/problem+json`: `type`, `title`, `status` and `detail` for those who read RFC 9457,
/// and `error`, `error_description`, `error_uri`, `scope`, `acr_values` and `max_age` for OAuth clients.
///
/// `type` points at the kind's row in the error catalogue; where that is hosted can be set with
/// [`documentation`](crate::Builder::documentation).
///
/// Every refusal has a body, also those without an OAuth error code; these lack the OAuth members.
/// `title` is the reason phrase of the status and `detail` the text of the kind. There is no
/// `instance`: it would have to repeat the request. A concealed route has no `type` (RFC 9457
/// §3.1.1 then takes it for `about:blank`). Kinds with further [`members`](ErrorBody::members) have
/// them as extension members.
///
/// ```
/// use tower_resource_server::{Builder, render::ProblemJson};
///
/// fn configured(builder: Builder) -> Builder {
///     builder
///         .envelope(ProblemJson::default())
///         .documentation("https://developer.example.com/errors") // #expired-token and so on
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ProblemJson;

#[derive(Serialize)]
struct Members<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(flatten)]
    oauth: OAuthMembers<'a>,
    #[serde(flatten)]
    members: Option<&'a Map<String, Value>>,
}

impl Envelope for ProblemJson {
    fn send_error(&self, status: StatusCode, error: &ErrorBody<'_>, response: &mut ErrorResponse) {
        let members = Members {
            kind: error.documentation_url(),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: error.detail(),
            oauth: OAuthMembers::of(error),
            members: error.members(),
        };
        oauth::json(&members, HeaderValue::from_static("application/problem+json"), response);
    }
}
