//! How the client gets tokens: the authorization code flow with PKCE, and refresh.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Request, header};
use http_body_util::Full;
use p256::elliptic_curve::rand_core::{OsRng, RngCore as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::discovery::AuthorizationServer;
use super::form;
use super::http::{Failure, Http};
use super::proof::{self, ProofKey};
use super::user::{self, REDIRECT_URI};

/// What the token endpoint gave.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
    /// `DPoP` where it is bound to the key of the proof (RFC 9449 §5).
    pub(crate) is_bound: bool,
    /// All that it grants.
    pub(crate) scopes: Vec<String>,
}

impl Token {
    /// The same, as somebody sends it who has no key.
    pub(crate) fn into_bearer(self) -> Self {
        Self { is_bound: false, ..self }
    }
}

/// Who asks.
#[derive(Clone, Copy)]
pub(crate) struct Client<'a> {
    /// What the authorization server knows it by.
    pub(crate) id: &'a str,
    /// The key to bind tokens to, if they are to be bound.
    pub(crate) key: Option<&'a ProofKey>,
}

/// The whole flow (OAuth 2.1 §4.1): the user decides at the authorization endpoint, the code is
/// redeemed for a token.
pub(crate) async fn authorization_code(
    http: &Http,
    server: &AuthorizationServer,
    client: Client<'_>,
    user: &str,
    scopes: &[String],
) -> Result<Token, Failure> {
    let (verifier, state) = (random(), random());
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
    let query = form::encode(&[
        ("response_type", "code"),
        ("client_id", client.id),
        ("redirect_uri", REDIRECT_URI),
        ("scope", &scopes.join(" ")),
        ("resource", &server.resource),
        ("state", &state),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("login_hint", user),
    ]);
    let uri = format!("{}?{query}", server.authorization_endpoint);
    let code = code(&user::authorizes(http, &uri).await?, &state, &server.issuer)?;
    let parameters = [
        ("grant_type", "authorization_code"),
        ("client_id", client.id),
        ("redirect_uri", REDIRECT_URI),
        ("code", &code),
        ("code_verifier", &verifier),
        ("resource", &server.resource),
    ];
    token(http, server, &parameters, client.key).await
}

/// A new access token, without the user (RFC 6749 §6).
pub(crate) async fn refresh(
    http: &Http,
    server: &AuthorizationServer,
    client: Client<'_>,
    refresh_token: &str,
) -> Result<Token, Failure> {
    let parameters = [
        ("grant_type", "refresh_token"),
        ("client_id", client.id),
        ("refresh_token", refresh_token),
        ("resource", &server.resource),
    ];
    token(http, server, &parameters, client.key).await
}

/// The code, if the answer is to this request (`state`) and of that server (`iss`, RFC 9207).
fn code(answer: &[(String, String)], state: &str, issuer: &str) -> Result<String, Failure> {
    let find = |name: &str| {
        let pair = answer.iter().find(|(this, _)| this == name);
        pair.map(|(_, value)| value.as_str())
    };
    if find("state") != Some(state) {
        return Err("the browser brings an answer to somebody else's request".into());
    }
    if find("iss") != Some(issuer) {
        return Err("the browser brings an answer of another authorization server".into());
    }
    if let Some(error) = find("error") {
        return Err(format!("the authorization server refuses: {error}").into());
    }
    Ok(find("code").ok_or("the browser brings no code")?.to_owned())
}

async fn token(
    http: &Http,
    server: &AuthorizationServer,
    parameters: &[(&str, &str)],
    key: Option<&ProofKey>,
) -> Result<Token, Failure> {
    let uri = server.token_endpoint.as_str();
    let mut request = Request::post(uri)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "application/json");
    if let Some(key) = key {
        let target = proof::Request { method: "POST", uri, token: None, nonce: None };
        request = request.header("dpop", key.proof(&target));
    }
    let answer = http.send(request.body(Full::from(form::encode(parameters)))?).await?;
    let body = answer.json();
    let Some(access_token) = body["access_token"].as_str().filter(|_| answer.status.is_success())
    else {
        return Err(format!("the token endpoint refuses: {}", body["error"]).into());
    };
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let is_bound = text("token_type").is_some_and(|it| it.eq_ignore_ascii_case("dpop"));
    // Another type would be a token that is not bound, whatever was asked for (RFC 9449 §5).
    if is_bound != key.is_some() {
        return Err("the token is of another type than was asked for".into());
    }
    Ok(Token {
        access_token: access_token.to_owned(),
        refresh_token: text("refresh_token").map(str::to_owned),
        is_bound,
        scopes: text("scope").unwrap_or_default().split(' ').map(str::to_owned).collect(),
    })
}

/// 256 random bits (RFC 7636 §4.1 recommends as many).
fn random() -> String {
    let mut bytes = [0; 32];
    OsRng.fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}
