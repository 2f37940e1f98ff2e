//! Refresh tokens: each good once (RFC 6749 §6, OAuth 2.1 §4.3.1).

use serde_json::Value;

use super::super::answer::Refusal;
use super::super::mock::{Family, Grant, State};
use super::super::resource;
use super::super::scope::Scope;
use super::{Ask, issue};

pub(super) fn renew(ask: &Ask<'_>, state: &mut State) -> Result<Value, Refusal> {
    let name = ask.form.get("refresh_token");
    let name = name.ok_or(Refusal::new("invalid_request", "refresh_token is missing"))?;
    let token = state.refresh_tokens.get(name, ask.now).ok_or_else(unknown)?;
    let (id, spent) = (token.family.clone(), token.spent);
    let family = state.families.get(&id, ask.now).cloned().ok_or_else(unknown)?;
    check(ask, &family)?;
    if spent {
        // The client and a thief both have it, and nobody can tell who is who.
        tracing::warn!("a refresh token came twice: its family is revoked");
        state.revoke(&id, &ask.mock.kit);
        return Err(invalid("the refresh token has been used"));
    }
    let grant = narrowed(ask, family.grant)?;
    if let Some(token) = state.refresh_tokens.get_mut(name, ask.now) {
        token.spent = true;
    }
    let mut body = issue::access_token(ask, state, &grant, Some(&id))?;
    issue::refresh_token(ask, state, &id, family.ends_at, &mut body)?;
    Ok(body)
}

/// Of a client without a secret the key is all there is to know it by (RFC 9449 §5).
fn check(ask: &Ask<'_>, family: &Family) -> Result<(), Refusal> {
    if family.grant.client_id != ask.client.id {
        return Err(unknown());
    }
    let proven = ask.proven.as_ref().map(|proven| &proven.jkt);
    let bound = ask.client.secret.is_none() && family.jkt.is_some();
    if bound && proven != family.jkt.as_ref() {
        return Err(invalid("the refresh token is bound to a key"));
    }
    Ok(())
}

/// Less than was granted, never more.
fn narrowed(ask: &Ask<'_>, mut grant: Grant) -> Result<Grant, Refusal> {
    grant.resources = resource::narrowed(ask.form, &grant.resources)?;
    if let Some(asked) = ask.form.get("scope") {
        let asked = Scope::parse(asked).filter(|asked| grant.scope.has_all(asked));
        grant.scope = asked.ok_or(Refusal::new("invalid_scope", "that was not granted"))?;
    }
    Ok(grant)
}

const fn unknown() -> Refusal {
    invalid("there is no such refresh token for this client")
}

const fn invalid(description: &'static str) -> Refusal {
    Refusal::new("invalid_grant", description)
}
