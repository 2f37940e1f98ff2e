//! Dynamic client registration (RFC 7591), open to everybody.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::MAX_BYTES;
use super::answer::{Refusal, has_type, uncached};
use super::client::{Client, GrantType};
use super::mock::Mock;
use super::random;
use super::redirect_uri;
use super::scope::Scope;

/// Whoever comes back later registers anew.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
const MAX_REDIRECT_URIS: usize = 8;

/// §2, with its defaults. Members that say nothing to this server are left out of the answer.
#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    redirect_uris: Vec<String>,
    #[serde(default = "basic")]
    token_endpoint_auth_method: String,
    #[serde(default = "code_grant")]
    grant_types: Vec<String>,
    #[serde(default = "code_response")]
    response_types: Vec<String>,
    client_name: Option<String>,
    scope: Option<String>,
    #[serde(default)]
    dpop_bound_access_tokens: bool,
}

fn basic() -> String {
    "client_secret_basic".to_owned()
}

fn code_grant() -> Vec<String> {
    vec!["authorization_code".to_owned()]
}

fn code_response() -> Vec<String> {
    vec!["code".to_owned()]
}

pub(super) async fn answer(State(mock): State<Arc<Mock>>, request: Request) -> Response {
    let registered = match metadata(request).await {
        Ok(metadata) => register(&mock, &metadata),
        Err(refusal) => Err(refusal),
    };
    match registered {
        Ok(document) => uncached(StatusCode::CREATED, &document),
        Err(refusal) => refusal.into_response(),
    }
}

async fn metadata(request: Request) -> Result<Metadata, Refusal> {
    let (head, body) = request.into_parts();
    if !has_type(&head.headers, "application/json") {
        return Err(invalid("the metadata comes as application/json"));
    }
    let body = to_bytes(body, MAX_BYTES).await.map_err(|_| invalid("that is too much metadata"))?;
    serde_json::from_slice(&body).map_err(|_| invalid("the metadata cannot be read"))
}

fn register(mock: &Mock, metadata: &Metadata) -> Result<Value, Refusal> {
    let now = mock.now();
    let client = client(mock, metadata)?;
    let document = document(&client, metadata, now);
    mock.state().clients.insert(client.id.clone(), client, now + LIFETIME, now)?;
    Ok(document)
}

/// What it may be of what it wants to be (§2: the server may replace what is asked for).
fn client(mock: &Mock, metadata: &Metadata) -> Result<Client, Refusal> {
    let grant_types: Vec<_> =
        metadata.grant_types.iter().filter_map(|name| GrantType::named(name)).collect();
    let secret = match metadata.token_endpoint_auth_method.as_str() {
        "none" => None,
        "client_secret_basic" | "client_secret_post" => Some(name()?),
        _ => return Err(invalid("the authentication method is not supported")),
    };
    if secret.is_none() && grant_types.contains(&GrantType::ClientCredentials) {
        // RFC 6749 §4.4
        return Err(invalid("client_credentials needs a client that authenticates itself"));
    }
    check_redirect_uris(metadata, &grant_types)?;
    let scope = Scope::parse(metadata.scope.as_deref().unwrap_or_default());
    let scope = scope.ok_or(invalid("the scope is malformed"))?;
    Ok(Client {
        id: name()?,
        secret,
        name: metadata.client_name.clone().unwrap_or_else(|| "A client".to_owned()),
        redirect_uris: metadata.redirect_uris.clone(),
        grant_types,
        default_scope: scope.and(&mock.options.scopes_supported),
        dpop_bound: metadata.dpop_bound_access_tokens,
    })
}

fn check_redirect_uris(metadata: &Metadata, grant_types: &[GrantType]) -> Result<(), Refusal> {
    let uris = &metadata.redirect_uris;
    let refused = |text| Err(Refusal::new("invalid_redirect_uri", text));
    if uris.len() > MAX_REDIRECT_URIS || !uris.iter().all(|uri| redirect_uri::is_acceptable(uri)) {
        return refused("use few, each https, http on loopback or of an app, without fragment");
    }
    let with_code = grant_types.contains(&GrantType::AuthorizationCode);
    if with_code && uris.is_empty() {
        return refused("the code grant needs one");
    }
    if with_code && !metadata.response_types.iter().any(|kind| kind == "code") {
        return Err(invalid("the code grant needs the response type code"));
    }
    Ok(())
}

/// §3.2.1
fn document(client: &Client, metadata: &Metadata, now: SystemTime) -> Value {
    let with_code = client.may(GrantType::AuthorizationCode);
    let names = client.grant_types.iter().map(|grant| grant.name());
    let mut document = json!({
        "client_id": client.id,
        "client_id_issued_at": seconds(now),
        "client_name": client.name,
        "redirect_uris": client.redirect_uris,
        "token_endpoint_auth_method": metadata.token_endpoint_auth_method,
        "grant_types": names.collect::<Vec<_>>(),
        "response_types": if with_code { code_response() } else { Vec::new() },
        "scope": client.default_scope.to_string(),
        "dpop_bound_access_tokens": client.dpop_bound,
    });
    if let Some(secret) = &client.secret {
        document["client_secret"] = json!(secret);
        document["client_secret_expires_at"] = json!(seconds(now + LIFETIME));
    }
    document
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn name() -> Result<String, Refusal> {
    random::name().ok_or_else(Refusal::failed)
}

const fn invalid(description: &'static str) -> Refusal {
    Refusal::new("invalid_client_metadata", description)
}
