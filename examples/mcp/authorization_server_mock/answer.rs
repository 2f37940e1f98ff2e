//! Answers in JSON, and refusals (RFC 6749 §5).

use axum::Json;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::MAX_BYTES;
use super::expiring::Full;
use super::parameters::Parameters;

pub(super) const DPOP: HeaderName = HeaderName::from_static("dpop");
pub(super) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// Why there is no token, or no code.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    /// Of a registry, for programs.
    pub(super) error: &'static str,
    /// For people; nothing of the request is in it.
    pub(super) description: &'static str,
    field: Option<(HeaderName, HeaderValue)>,
}

impl Refusal {
    pub(super) const fn new(error: &'static str, description: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, description, field: None }
    }

    pub(super) fn with(mut self, status: StatusCode, name: HeaderName, value: &str) -> Self {
        self.status = status;
        self.field = HeaderValue::from_str(value).ok().map(|value| (name, value));
        self
    }

    /// Both texts are the server's own.
    pub(super) fn log(&self) {
        tracing::info!(error = self.error, "refused: {}", self.description);
    }

    /// Not the client's fault.
    pub(super) fn busy() -> Self {
        let busy = Self::new("temporarily_unavailable", "the server has too much to remember");
        busy.with(StatusCode::SERVICE_UNAVAILABLE, header::RETRY_AFTER, "60")
    }

    /// Nor is this.
    pub(super) fn failed() -> Self {
        let mut failed = Self::new("server_error", "the server has failed");
        failed.status = StatusCode::INTERNAL_SERVER_ERROR;
        failed
    }
}

impl From<Full> for Refusal {
    fn from(_: Full) -> Self {
        Self::busy()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.log();
        let body = json!({ "error": self.error, "error_description": self.description });
        let mut response = uncached(self.status, &body);
        response.headers_mut().extend(self.field);
        response
    }
}

/// Answers with tokens and about them are kept by no cache (§5.1).
pub(super) fn uncached(status: StatusCode, body: &Value) -> Response {
    let fields = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
    (status, fields, Json(body)).into_response()
}

/// The form in a request, with what stands in its header.
pub(super) async fn form(request: Request) -> Result<(HeaderMap, Parameters), Refusal> {
    let (head, body) = request.into_parts();
    if !has_type(&head.headers, "application/x-www-form-urlencoded") {
        return Err(Refusal::new("invalid_request", "the body is not a form"));
    }
    let body = to_bytes(body, MAX_BYTES).await;
    let body = body.map_err(|_| Refusal::new("invalid_request", "the body is too long"))?;
    let form = Parameters::parse(&body);
    Ok((head.headers, form.ok_or(Refusal::new("invalid_request", "the form cannot be read"))?))
}

pub(super) fn has_type(headers: &HeaderMap, wanted: &str) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(wanted)
}
