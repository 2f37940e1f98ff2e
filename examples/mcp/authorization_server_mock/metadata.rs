//! What the server says of itself (RFC 8414), its keys, and what it says of tokens (RFC 7662): the
//! kit's server has all of that already.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tower_resource_server::testing::TestAuthorizationServer;

use super::MAX_BYTES;
use super::client::GrantType;
use super::mock::Mock;
use super::options::Options;
use super::pkce;

/// The members of the document besides those that every authorization server has.
pub(super) fn describe(
    kit: &TestAuthorizationServer,
    options: &Options,
) -> TestAuthorizationServer {
    let issuer = kit.issuer().issuer().to_owned();
    let (client, secret) = &options.introspection_client;
    let members = [
        ("authorization_endpoint", json!(format!("{issuer}/authorize"))),
        ("registration_endpoint", json!(format!("{issuer}/register"))),
        ("scopes_supported", json!(options.scopes_supported.names().collect::<Vec<_>>())),
        ("response_modes_supported", json!(["query"])),
        ("grant_types_supported", json!(GrantType::ALL.map(GrantType::name))),
        (
            "token_endpoint_auth_methods_supported",
            json!(["client_secret_basic", "client_secret_post", "none"]),
        ),
        ("code_challenge_methods_supported", json!([pkce::METHOD])),
        // RFC 9207 §3
        ("authorization_response_iss_parameter_supported", json!(true)),
        // RFC 9449 §5.1
        ("dpop_signing_alg_values_supported", json!(["ES256"])),
        ("acr_values_supported", json!(options.acr_values)),
        ("prompt_values_supported", json!(["none", "login", "consent", "select_account"])),
        ("request_parameter_supported", json!(false)),
        ("request_uri_parameter_supported", json!(false)),
        ("claims_parameter_supported", json!(false)),
    ];
    for (name, value) in members {
        kit.metadata_member(name, value);
    }
    kit.client(client, secret)
}

pub(super) async fn answer(State(mock): State<Arc<Mock>>, request: Request) -> Response {
    ask(&mock, request).await
}

/// What is true of a token now may not be in a minute.
pub(super) async fn introspection(State(mock): State<Arc<Mock>>, request: Request) -> Response {
    let mut response = ask(&mock, request).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The kit goes by whole URLs; over HTTP/1.1 come paths alone.
async fn ask(mock: &Mock, request: Request) -> Response {
    let (mut head, body) = request.into_parts();
    let url = mock.url(head.uri.path()).parse::<Uri>();
    let (Ok(url), Ok(body)) = (url, to_bytes(body, MAX_BYTES).await) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    head.uri = url;
    mock.kit.answer(&Request::from_parts(head, body)).map(Body::from)
}
