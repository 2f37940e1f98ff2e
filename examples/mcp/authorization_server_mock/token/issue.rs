//! Tokens, and the answer that has them (RFC 6749 §5.1).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::super::account::Person;
use super::super::answer::Refusal;
use super::super::client::GrantType;
use super::super::mock::{Grant, RefreshToken, State};
use super::super::random;
use super::Ask;

/// An access token for what `grant` says, known to introspection until it expires.
pub(super) fn access_token(
    ask: &Ask<'_>,
    state: &mut State,
    grant: &Grant,
    family: Option<&str>,
) -> Result<Value, Refusal> {
    let claims = claims(ask, grant)?;
    let token = claims.iter().fold(ask.mock.issuer.token(), |token, (name, value)| {
        token.claim(name.as_str(), value.clone())
    });
    let token = token.build();
    remember(ask, state, &token, claims, family)?;
    let mut body = json!({
        "access_token": token,
        "token_type": token_type(ask),
        "expires_in": ask.mock.options.token_lifetime.as_secs(),
    });
    if !grant.scope.is_empty() {
        body["scope"] = json!(grant.scope.to_string());
    }
    Ok(body)
}

/// RFC 9068 §2.2, RFC 9449 §6.1, RFC 9470 §6.1.
fn claims(ask: &Ask<'_>, grant: &Grant) -> Result<Map<String, Value>, Refusal> {
    let issued_at = issued_at(ask, grant);
    let expires_at = issued_at + ask.mock.options.token_lifetime;
    let audience = match grant.resources.as_slice() {
        [one] => json!(one),
        several => json!(several),
    };
    let mut claims = Map::from_iter([
        ("iss".to_owned(), json!(ask.mock.issuer.issuer())),
        ("sub".to_owned(), json!(grant.subject)),
        ("client_id".to_owned(), json!(grant.client_id)),
        ("aud".to_owned(), audience),
        ("iat".to_owned(), json!(seconds(issued_at))),
        ("exp".to_owned(), json!(seconds(expires_at))),
        ("jti".to_owned(), json!(random::name().ok_or_else(Refusal::failed)?)),
    ]);
    if !grant.scope.is_empty() {
        claims.insert("scope".to_owned(), json!(grant.scope.to_string()));
    }
    if let Some((acr, signed_in_at)) = &grant.authentication {
        claims.insert("acr".to_owned(), json!(acr));
        claims.insert("auth_time".to_owned(), json!(seconds(*signed_in_at)));
    }
    if let Some(proven) = &ask.proven {
        claims.insert("cnf".to_owned(), json!({ "jkt": proven.jkt }));
    }
    Ok(claims)
}

/// Now, but for the person whose tokens come too late: further off than any leeway.
fn issued_at(ask: &Ask<'_>, grant: &Grant) -> SystemTime {
    if Person::named(&grant.subject) == Some(Person::Late) {
        return ask.now - ask.mock.options.token_lifetime - Duration::from_secs(3600);
    }
    ask.now
}

fn remember(
    ask: &Ask<'_>,
    state: &mut State,
    token: &str,
    mut members: Map<String, Value>,
    family: Option<&str>,
) -> Result<(), Refusal> {
    for expired in state.access_tokens.sweep(ask.now) {
        ask.mock.kit.revoke(&expired);
    }
    let expires_at = ask.now + ask.mock.options.token_lifetime;
    let family = family.map(str::to_owned);
    state.access_tokens.insert(token.to_owned(), family, expires_at, ask.now)?;
    members.insert("token_type".to_owned(), json!(token_type(ask)));
    ask.mock.kit.register(token, members);
    Ok(())
}

/// A refresh token beside the access token, if the client may use one.
pub(super) fn refresh_token(
    ask: &Ask<'_>,
    state: &mut State,
    family: &str,
    ends_at: SystemTime,
    body: &mut Value,
) -> Result<(), Refusal> {
    if !ask.client.may(GrantType::RefreshToken) {
        return Ok(());
    }
    let name = random::name().ok_or_else(Refusal::failed)?;
    let token = RefreshToken { family: family.to_owned(), spent: false };
    state.refresh_tokens.insert(name.clone(), token, ends_at, ask.now)?;
    body["refresh_token"] = json!(name);
    Ok(())
}

/// RFC 9449 §5: a client that sees another type knows that its token is not bound.
const fn token_type(ask: &Ask<'_>) -> &'static str {
    if ask.proven.is_some() { "DPoP" } else { "Bearer" }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).as_ref().map_or(0, Duration::as_secs)
}
