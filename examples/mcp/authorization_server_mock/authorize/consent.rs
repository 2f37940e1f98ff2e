//! What the person grants, and the code for it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::extract::{Request, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;

use super::super::account::Account;
use super::super::answer::{Refusal, form};
use super::super::mock::{Code, Grant, Mock, State};
use super::super::parameters::Parameters;
use super::super::random;
use super::super::scope::Scope;
use super::recipient::Recipient;
use super::request::AuthorizationRequest;
use super::{cookie, page};

/// Ten minutes are the most (RFC 6749 §4.1.2).
const CODE_LIFETIME: Duration = Duration::from_secs(60);
/// Longer, so that a second use is known for one.
const CODE_REMEMBERED: Duration = Duration::from_secs(600);
/// How long the person may think.
const QUESTION_LIFETIME: Duration = Duration::from_secs(600);

/// A request that waits for the person's answer.
pub(crate) struct Question {
    request: AuthorizationRequest,
    account: Account,
    recipient: Recipient,
}

impl Question {
    pub(super) const fn new(
        request: AuthorizationRequest,
        account: Account,
        recipient: Recipient,
    ) -> Self {
        Self { request, account, recipient }
    }
}

/// Keeps it under a ticket that only the page has: who cannot read the page cannot answer it.
pub(super) fn pose(
    state: &mut State,
    question: Question,
    now: SystemTime,
) -> Result<String, Refusal> {
    let ticket = random::name().ok_or_else(Refusal::failed)?;
    state.questions.insert(ticket.clone(), question, now + QUESTION_LIFETIME, now)?;
    Ok(ticket)
}

pub(super) fn ask(state: &State, ticket: &str, now: SystemTime) -> Response {
    match state.questions.get(ticket, now) {
        Some(question) => page::show(StatusCode::OK, "Do you allow this?", &text(question, ticket)),
        None => page::error("There is no such question."),
    }
}

fn text(question: &Question, ticket: &str) -> String {
    let client = page::escaped(&question.request.client.name);
    let person = question.account.person.name();
    let scopes = question.request.scope.names().map(page::escaped).map(|name| {
        format!(
            "<p><label><input type=checkbox name=scope value=\"{name}\" checked> {name}</label>"
        )
    });
    let scopes = scopes.collect::<Vec<_>>().join("\n");
    format!(
        "<p>{client} wants to act for you, {person}:\n\
         <form method=post action=\"/authorize/consent\">\n\
         <input type=hidden name=ticket value=\"{ticket}\">\n{scopes}\n\
         <p><button name=decision value=allow>Allow</button>\n\
         <button name=decision value=deny>Deny</button>\n</form>"
    )
}

/// The person's answer to the page.
pub(in super::super) async fn decide(
    Shared(mock): Shared<Arc<Mock>>,
    request: Request,
) -> Response {
    let cookie = cookie::read(request.headers());
    let Ok((_, form)) = form(request).await else { return page::error("The form is none.") };
    let (mut state, now) = (mock.state(), mock.now());
    let mut session = cookie.as_deref().and_then(|it| state.sessions.get(it, now)).cloned();
    let question = form.get("ticket").and_then(|ticket| state.questions.take(ticket, now));
    // The answer is to come from the browser that was asked.
    let asked = question.filter(|question| {
        session.as_ref().is_some_and(|it| it.account(question.account.person).is_some())
    });
    let (Some(Question { request, mut account, recipient }), Some(session)) =
        (asked, session.as_mut())
    else {
        return page::error("There is no such question, or it has been answered.");
    };
    let granted = match granted(&mock, &request.scope, &form) {
        Ok(granted) => granted,
        Err(refusal) => return recipient.refuse(&refusal),
    };
    account.consent(&request.client.id, &granted);
    session.put(account.clone());
    let code = code(&mut state, &request, &account, granted, &recipient, now);
    let mut response = match code {
        Ok(code) => recipient.respond(&[("code", &code)]),
        Err(refusal) => recipient.refuse(&refusal),
    };
    cookie::keep(&mock, &mut state, cookie, session.clone(), &mut response);
    response
}

/// What the person has left marked of what was asked for.
fn granted(mock: &Mock, asked: &Scope, form: &Parameters) -> Result<Scope, Refusal> {
    let denied = Refusal::new("access_denied", "the person has refused");
    if form.get("decision") != Some("allow") {
        return Err(denied);
    }
    let granted = mock.options.limited(&asked.and(&Scope::of(form.all("scope"))));
    if granted.is_empty() && !asked.is_empty() { Err(denied) } else { Ok(granted) }
}

/// RFC 6749 §4.1.2: good once, and for a short time.
pub(super) fn code(
    state: &mut State,
    request: &AuthorizationRequest,
    account: &Account,
    scope: Scope,
    recipient: &Recipient,
    now: SystemTime,
) -> Result<String, Refusal> {
    let grant = Grant {
        client_id: request.client.id.clone(),
        subject: account.person.name().to_owned(),
        scope,
        resources: request.resources.clone(),
        authentication: Some((account.acr.clone(), account.signed_in_at)),
    };
    let code = Code {
        grant,
        redirect_uri: recipient.redirect_uri.clone(),
        challenge: request.challenge.clone(),
        dpop_jkt: request.dpop_jkt.clone(),
        expires_at: now + CODE_LIFETIME,
        family: None,
    };
    let name = random::name().ok_or_else(Refusal::failed)?;
    state.codes.insert(name.clone(), code, now + CODE_REMEMBERED, now)?;
    Ok(name)
}
