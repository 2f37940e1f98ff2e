//! Tokens for clients that act for themselves (RFC 6749 §4.4).

use serde_json::Value;

use super::super::answer::Refusal;
use super::super::mock::{Grant, State};
use super::super::resource;
use super::super::scope::Scope;
use super::{Ask, issue};

/// There is no refresh token: the client can ask again (§4.4.3).
pub(super) fn grant(ask: &Ask<'_>, state: &mut State) -> Result<Value, Refusal> {
    let grant = Grant {
        client_id: ask.client.id.clone(),
        subject: ask.client.id.clone(),
        scope: scope(ask)?,
        resources: resource::asked(ask.form, &ask.mock.options)?,
        authentication: None,
    };
    issue::access_token(ask, state, &grant, None)
}

fn scope(ask: &Ask<'_>) -> Result<Scope, Refusal> {
    let options = &ask.mock.options;
    let asked = match ask.form.get("scope") {
        Some(text) => Scope::parse(text).filter(|asked| options.scopes_supported.has_all(asked)),
        None => Some(ask.client.default_scope.clone()),
    };
    let asked = asked.ok_or(Refusal::new("invalid_scope", "there is no such scope"))?;
    let granted = options.limited(&asked);
    if granted.is_empty() && !asked.is_empty() {
        return Err(Refusal::new("invalid_scope", "none of it is granted"));
    }
    Ok(granted)
}
