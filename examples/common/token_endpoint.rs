//! A token endpoint for development: whoever brings a DPoP proof gets a token bound to the key of
//! the proof (RFC 9449 §5).
//!
//! It is a mock. It knows neither clients nor users, gives whatever scope it is asked for, and takes
//! the same proof twice. Serve it nowhere but on loopback.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Form;
use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_resource_server::testing::TestIssuer;

use super::dpop;

const LIFETIME: Duration = Duration::from_secs(3600);

pub(crate) struct TokenEndpoint {
    pub(crate) issuer: TestIssuer,
    /// As clients call it, for `htu`.
    pub(crate) url: String,
    /// Who the tokens are meant for.
    pub(crate) audience: String,
}

#[derive(Deserialize)]
struct Ask {
    grant_type: Option<String>,
    scope: Option<String>,
}

/// The error code and its description (RFC 6749 §5.2).
type Refusal = (&'static str, &'static str);

impl TokenEndpoint {
    pub(crate) fn route(self) -> MethodRouter {
        let this = Arc::new(self);
        post(async move |headers: HeaderMap, Form(ask): Form<Ask>| {
            match this.token(&headers, &ask) {
                Ok(token) => respond(StatusCode::OK, token),
                Err((error, description)) => respond(
                    StatusCode::BAD_REQUEST,
                    json!({ "error": error, "error_description": description }),
                ),
            }
        })
    }

    fn token(&self, headers: &HeaderMap, ask: &Ask) -> Result<Value, Refusal> {
        if ask.grant_type.as_deref() != Some("client_credentials") {
            return Err(("unsupported_grant_type", "there is client_credentials alone"));
        }
        let thumbprint = self.thumbprint(headers).map_err(|text| ("invalid_dpop_proof", text))?;
        let scope = ask.scope.as_deref().unwrap_or_default();
        let token = self.issuer.token().subject("client-1").scope(scope).expires_in(LIFETIME);
        let token = token.audience(&self.audience).claim("cnf", json!({ "jkt": thumbprint }));
        Ok(json!({
            "access_token": token.build(),
            "token_type": "DPoP",
            "expires_in": LIFETIME.as_secs(),
            "scope": scope,
        }))
    }

    fn thumbprint(&self, headers: &HeaderMap) -> Result<String, &'static str> {
        let mut fields = headers.get_all("dpop").iter();
        let (Some(proof), None) = (fields.next(), fields.next()) else {
            return Err("one DPoP proof is needed, in one field");
        };
        let proof = proof.to_str().unwrap_or_default();
        dpop::thumbprint(proof, "POST", &self.url, SystemTime::now())
    }
}

fn respond(status: StatusCode, body: Value) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
