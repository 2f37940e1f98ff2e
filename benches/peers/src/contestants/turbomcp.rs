//! turbomcp-auth: `validate_bearer_token`, in a service written here after its documentation.
//!
//! The crate's own Tower layer answers with errors instead of responses, and has no provider for
//! JWTs; its functions for other HTTP stacks are what a service like this one would call.

use std::convert::Infallible;
use std::sync::Arc;

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderValue, Request, Response, StatusCode};
use tokio::runtime::Runtime;
use tower::service_fn;
use tower_service::Service;
use turbomcp_auth::jwt::JwtValidator;
use turbomcp_auth::server::{
    BearerTokenValidator, TokenValidationError, WwwAuthenticateBuilder, validate_bearer_token,
};

use super::{Demand, MISSING};
use crate::authority::Authority;
use crate::bare::Bare;
use crate::contestant::{Contestant, Served};
use crate::{Body, ISSUER, RESOURCE};

const METADATA: &str = "https://api.example.com/.well-known/oauth-protected-resource";

/// The service. It fetches keys with the first token.
#[must_use]
pub fn build(authority: &Authority, _: &Runtime, demand: Demand) -> Option<Box<dyn Contestant>> {
    let validator =
        JwtValidator::with_jwks_uri(ISSUER.to_owned(), RESOURCE.to_owned(), authority.jwks_uri());
    let validator = Arc::new(validator);
    let scopes: &[&str] = if demand == Demand::Scope { &[MISSING] } else { &[] };
    let service = service_fn(move |request| serve(Arc::clone(&validator), scopes, request));
    Some(Box::new(Served(service)))
}

async fn serve(
    validator: Arc<JwtValidator>,
    scopes: &[&str],
    mut request: Request<Body>,
) -> Result<Response<Body>, Infallible> {
    let metadata = METADATA.to_owned();
    let Some(token) = token(&request) else {
        let challenge = WwwAuthenticateBuilder::new(metadata);
        return Ok(refusal(StatusCode::UNAUTHORIZED, challenge));
    };
    match validate_bearer_token(&validator, &token, scopes).await {
        Ok(context) => {
            request.extensions_mut().insert(context);
            Bare::new().call(request).await
        }
        Err(TokenValidationError::InvalidToken(_)) => {
            let challenge = WwwAuthenticateBuilder::invalid_token(metadata, None);
            Ok(refusal(StatusCode::UNAUTHORIZED, challenge))
        }
        Err(TokenValidationError::InsufficientScope { required, .. }) => {
            let scope = required.join(" ");
            let challenge = WwwAuthenticateBuilder::insufficient_scope(metadata, scope, None);
            Ok(refusal(StatusCode::FORBIDDEN, challenge))
        }
    }
}

fn token(request: &Request<Body>) -> Option<String> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    BearerTokenValidator::extract_from_header(value).ok()
}

fn refusal(status: StatusCode, challenge: WwwAuthenticateBuilder) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    let value = HeaderValue::try_from(challenge.build()).expect("visible ASCII");
    response.headers_mut().insert(WWW_AUTHENTICATE, value);
    response
}
