//! Who the person is. Nobody is asked for a password: whoever comes is believed.

use std::time::SystemTime;

use super::super::account::{Account, Person, Session};
use super::super::answer::Refusal;
use super::super::mock::Mock;
use super::request::AuthorizationRequest;

pub(super) fn account(
    mock: &Mock,
    session: &mut Session,
    request: &AuthorizationRequest,
    now: SystemTime,
) -> Result<Account, Refusal> {
    if request.is_silent {
        return silently(session, request, now);
    }
    let person = request.person.or_else(|| session.accounts.first().map(|first| first.person));
    let person = person.unwrap_or(Person::Alice);
    let known = session.account(person).filter(|known| is_enough(known, request, now));
    let account = match known {
        Some(known) if !request.signs_in_again => known.clone(),
        _ => again(mock, session, request, person, now),
    };
    session.put(account.clone());
    match person {
        Person::Alice | Person::Bob | Person::Late => Ok(account),
        Person::Busy => Err(Refusal::busy()),
        Person::Deny => Err(Refusal::new("access_denied", "the person has refused")),
        Person::Fail => Err(Refusal::failed()),
    }
}

fn is_enough(account: &Account, request: &AuthorizationRequest, now: SystemTime) -> bool {
    let strong = request.acr.as_ref().is_none_or(|acr| *acr == account.acr);
    strong && account.is_recent(request.max_age, now)
}

/// Signs the person in as it is asked for. What was consented to before still is.
fn again(
    mock: &Mock,
    session: &Session,
    request: &AuthorizationRequest,
    person: Person,
    now: SystemTime,
) -> Account {
    let ordinary = mock.options.acr_values.first().cloned().unwrap_or_default();
    let acr = request.acr.clone().unwrap_or(ordinary);
    let consents = session.account(person).map(|known| known.consents.clone());
    Account { person, signed_in_at: now, acr, consents: consents.unwrap_or_default() }
}

/// OpenID Connect Core §3.1.2.1, §3.1.2.6: without a word to the person, or not at all.
fn silently(
    session: &Session,
    request: &AuthorizationRequest,
    now: SystemTime,
) -> Result<Account, Refusal> {
    let account = match (request.person, session.accounts.as_slice()) {
        (Some(person), _) => session.account(person),
        (None, [_, _, ..]) => {
            return Err(Refusal::new("account_selection_required", "there are several accounts"));
        }
        (None, accounts) => accounts.first(),
    };
    let account = account.filter(|account| account.is_recent(request.max_age, now));
    let account = account.ok_or(Refusal::new("login_required", "the person has to sign in"))?;
    if !is_enough(account, request, now) {
        let text = "the person has to sign in in another way";
        return Err(Refusal::new("interaction_required", text));
    }
    if !account.has_consented(&request.client.id, &request.scope) {
        return Err(Refusal::new("consent_required", "the person has to consent"));
    }
    Ok(account.clone())
}
