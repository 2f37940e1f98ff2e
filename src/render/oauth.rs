//! The body of RFC 6749 §5.2.

use bytes::Bytes;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde::Serialize;

use super::error_body::{ErrorBody, ErrorResponse};

/// `{"error", "error_description", …}` as `application/json`, the default.
///
/// The members mirror the challenge exactly. Where there is no error code there is no body.
///
/// RFC 6750 leaves the body of a refusal open. This is the form that RFC 6749 §5.2 gives to the
/// errors of a token endpoint, which OAuth clients parse anyway. A 401 without credentials has no
/// body, for RFC 6750 §3.1 wants no error information there; neither has a 5xx, for which OAuth has
/// no code.
///
/// ```text
/// {"error":"insufficient_scope","error_description":"The access token lacks a scope that this request needs","scope":"tools/write"}
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct OAuthJson;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What OAuth says of a refusal, in whatever else the body is.
#[derive(Serialize)]
pub(super) struct OAuthMembers<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr_values: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age: Option<u64>,
}

impl<'a> OAuthMembers<'a> {
    pub(super) fn of(body: &ErrorBody<'a>) -> Self {
        Self {
            error: body.error(),
            error_description: body.error_description(),
            error_uri: body.error_uri(),
            scope: body.scope(),
            acr_values: body.acr_values(),
            max_age: body.max_age().map(|age| age.as_secs()),
        }
    }

    pub(super) fn without_uri(self) -> Self {
        Self { error_uri: None, ..self }
    }
}

pub(super) fn write(body: &ErrorBody<'_>, response: &mut ErrorResponse) {
    if body.error().is_none() {
        return;
    }
    let build = || serialized(&OAuthMembers::of(body)).unwrap_or_default();
    let details = body.rejection().details();
    let bytes = match details.is_fixed() {
        true => details.demand.body(details.kind, build).clone(),
        false => build(),
    };
    put(bytes, JSON, response);
}

/// Sets body and content type; what cannot be serialized leaves the body empty.
pub(super) fn json(
    value: &impl Serialize,
    content_type: HeaderValue,
    response: &mut ErrorResponse,
) {
    put(serialized(value).unwrap_or_default(), content_type, response);
}

fn put(json: Bytes, content_type: HeaderValue, response: &mut ErrorResponse) {
    if !json.is_empty() {
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        *response.body_mut() = json;
    }
}

/// Written in place first, so that the body is allocated once and has its own length.
fn serialized(value: &impl Serialize) -> serde_json::Result<Bytes> {
    let mut place = [0; 512];
    let mut rest = place.as_mut_slice();
    if serde_json::to_writer(&mut rest, value).is_ok() {
        let length = 512 - rest.len();
        return Ok(Bytes::copy_from_slice(place.get(..length).unwrap_or_default()));
    }
    serde_json::to_vec(value).map(Bytes::from)
}
