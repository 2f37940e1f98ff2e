//! A code for tokens (RFC 6749 §4.1.3).

use std::time::Duration;

use serde_json::Value;

use super::super::answer::Refusal;
use super::super::client::GrantType;
use super::super::mock::{Code, Family, Grant, State};
use super::super::parameters::Parameters;
use super::super::{pkce, random, resource};
use super::{Ask, issue};

/// How long refresh tokens go on, from the code.
const FAMILY_LIFETIME: Duration = Duration::from_secs(8 * 60 * 60);

pub(super) fn redeem(ask: &Ask<'_>, state: &mut State) -> Result<Value, Refusal> {
    let id = random::name().ok_or_else(Refusal::failed)?;
    let mut grant = spend(ask, state, &id)?;
    let ends_at = ask.now + FAMILY_LIFETIME;
    if ask.client.may(GrantType::RefreshToken) {
        let jkt = ask.proven.as_ref().map(|proven| proven.jkt.clone());
        let family = Family { grant: grant.clone(), jkt, ends_at };
        state.families.insert(id.clone(), family, ends_at, ask.now)?;
    }
    grant.resources = resource::narrowed(ask.form, &grant.resources)?;
    let mut body = issue::access_token(ask, state, &grant, Some(&id))?;
    issue::refresh_token(ask, state, &id, ends_at, &mut body)?;
    Ok(body)
}

/// The grant of the code, of which `family` is to come. Spent by the attempt already: a copied code
/// is not for trying verifiers.
fn spend(ask: &Ask<'_>, state: &mut State, family: &str) -> Result<Grant, Refusal> {
    let name = ask.form.get("code");
    let name = name.ok_or(Refusal::new("invalid_request", "code is missing"))?;
    let code = state.codes.get_mut(name, ask.now).ok_or_else(unknown)?;
    if code.grant.client_id != ask.client.id {
        return Err(unknown());
    }
    if let Some(first) = code.family.clone() {
        // Somebody has a copy of it, and may have been first.
        tracing::warn!("a code came twice: what came of it is revoked");
        state.revoke(&first, &ask.mock.kit);
        return Err(invalid("the code has been used"));
    }
    code.family = Some(family.to_owned());
    check(ask, code)
}

/// What the code is for, if whoever has it is who asked for it.
fn check(ask: &Ask<'_>, code: &Code) -> Result<Grant, Refusal> {
    if code.expires_at <= ask.now {
        return Err(invalid("the code has expired"));
    }
    check_redirect_uri(ask.form, code)?;
    check_verifier(ask.form, code)?;
    check_key(ask, code)?;
    Ok(code.grant.clone())
}

/// OAuth 2.1 leaves `redirect_uri` to PKCE; RFC 6749 wants it repeated. Who sends it has to send the
/// same (§4.1.3), and who has no challenge has to send it.
fn check_redirect_uri(form: &Parameters, code: &Code) -> Result<(), Refusal> {
    match form.get("redirect_uri") {
        Some(uri) if uri == code.redirect_uri => Ok(()),
        None if code.challenge.is_some() => Ok(()),
        _ => Err(invalid("redirect_uri is not that of the code")),
    }
}

/// RFC 7636 §4.6. A verifier without a challenge tells of a downgrade (OAuth 2.1 §4.1.3, §7.5.1).
fn check_verifier(form: &Parameters, code: &Code) -> Result<(), Refusal> {
    match (&code.challenge, form.get("code_verifier")) {
        (None, None) => Ok(()),
        (Some(challenge), Some(verifier)) if pkce::verifies(verifier, challenge) => Ok(()),
        (Some(_), _) => Err(invalid("code_verifier is not that of the code")),
        (None, Some(_)) => {
            Err(Refusal::new("invalid_request", "there was no challenge for that code_verifier"))
        }
    }
}

/// RFC 9449 §10.
fn check_key(ask: &Ask<'_>, code: &Code) -> Result<(), Refusal> {
    let proven = ask.proven.as_ref().map(|proven| proven.jkt.as_str());
    match code.dpop_jkt.as_deref() {
        Some(_) if proven.is_none() => {
            Err(Refusal::new("invalid_dpop_proof", "the code is bound to a key: there is no proof"))
        }
        Some(jkt) if proven != Some(jkt) => Err(invalid("the code is bound to another key")),
        _ => Ok(()),
    }
}

const fn unknown() -> Refusal {
    invalid("there is no such code for this client")
}

const fn invalid(description: &'static str) -> Refusal {
    Refusal::new("invalid_grant", description)
}
