//! An authorization server in miniature, on a loopback port of its own: that of the test kit, which
//! has metadata, keys and introspection, and a token endpoint.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::net::TcpListener;
use tower_resource_server::Algorithm;
use tower_resource_server::testing::{SigningKey, TestAuthorizationServer, TestIssuer};

use super::token_endpoint::TokenEndpoint;

/// The resource server, as a client of the introspection endpoint. Elsewhere nobody else knows its
/// secret.
pub(crate) const CLIENT: (&str, &str) = ("example-api", "example-secret");

/// Longer requests than any of its clients sends.
const MAX_BYTES: usize = 64 * 1024;

/// Where tokens bound to a key are to be had.
pub(crate) fn token_endpoint(issuer: &TestIssuer) -> String {
    format!("{}/token", issuer.issuer())
}

/// Starts the issuer of tokens for `audience`, with a signing key that lives as long as the process.
pub(crate) async fn start(audience: &str) -> std::io::Result<TestAuthorizationServer> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let identifier = format!("http://{}", listener.local_addr()?);
    let key = SigningKey::generate(Algorithm::ES256).with_kid("embedded-1");
    let issuer = TestIssuer::with_key(identifier.as_str(), key);
    let tokens = TokenEndpoint {
        issuer: issuer.clone(),
        url: token_endpoint(&issuer),
        audience: audience.to_owned(),
    };
    let server = with_metadata(&TestAuthorizationServer::of(issuer)).client(CLIENT.0, CLIENT.1);
    let rest = server.clone();
    let app = Router::new()
        .route("/token", tokens.route())
        .fallback(async move |request: Request| answer(&rest, &identifier, request).await);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(server)
}

/// RFC 8414, RFC 9449 §5.1: what it says of itself besides where things are.
fn with_metadata(server: &TestAuthorizationServer) -> TestAuthorizationServer {
    server
        .metadata_member("token_endpoint_auth_methods_supported", json!(["none"]))
        .metadata_member("grant_types_supported", json!(["client_credentials"]))
        .metadata_member("response_types_supported", json!([]))
        .metadata_member("dpop_signing_alg_values_supported", json!(["ES256"]))
}

/// The server goes by whole URLs, as clients know it; over HTTP/1.1 come paths alone.
async fn answer(server: &TestAuthorizationServer, identifier: &str, request: Request) -> Response {
    let (mut head, body) = request.into_parts();
    let path = head.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let url = format!("{identifier}{path}").parse::<Uri>();
    let (Ok(url), Ok(body)) = (url, to_bytes(body, MAX_BYTES).await) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    head.uri = url;
    server.answer(&Request::from_parts(head, body)).map(Body::from)
}
