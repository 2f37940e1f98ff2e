//! What is asked for, checked: from here on errors go to the client.

use std::time::Duration;

use super::super::account::Person;
use super::super::answer::Refusal;
use super::super::client::{Client, GrantType};
use super::super::mock::Mock;
use super::super::parameters::Parameters;
use super::super::scope::Scope;
use super::super::{pkce, resource};

pub(crate) struct AuthorizationRequest {
    pub(super) client: Client,
    pub(super) scope: Scope,
    pub(super) resources: Vec<String>,
    pub(super) challenge: Option<String>,
    pub(super) dpop_jkt: Option<String>,
    /// `prompt=none`: the person is to see nothing.
    pub(super) is_silent: bool,
    /// `prompt=login`: the person is to sign in even if it has.
    pub(super) signs_in_again: bool,
    /// `prompt=consent`.
    pub(super) asks_again: bool,
    pub(super) max_age: Option<Duration>,
    /// The first of the authentication context classes asked for that there is.
    pub(super) acr: Option<String>,
    pub(super) person: Option<Person>,
}

pub(super) fn read(
    mock: &Mock,
    client: Client,
    parameters: &Parameters,
) -> Result<AuthorizationRequest, Refusal> {
    check_form(parameters)?;
    check_response(parameters, &client)?;
    let prompts = prompts(parameters)?;
    Ok(AuthorizationRequest {
        scope: scope(mock, &client, parameters)?,
        resources: resource::asked(parameters, &mock.options)?,
        challenge: challenge(parameters, &client)?,
        dpop_jkt: digest(parameters, "dpop_jkt")?,
        is_silent: prompts.contains(&"none"),
        signs_in_again: prompts.contains(&"login"),
        asks_again: prompts.contains(&"consent"),
        max_age: max_age(parameters)?,
        acr: acr(mock, parameters)?,
        person: parameters.get("login_hint").and_then(Person::named),
        client,
    })
}

/// RFC 6749 §3.1; OpenID Connect Core §6, §7.2.1.
fn check_form(parameters: &Parameters) -> Result<(), Refusal> {
    if parameters.repeat() {
        return Err(invalid("a parameter is there twice"));
    }
    let not_supported = [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ];
    match not_supported.into_iter().find(|(name, _)| parameters.get(name).is_some()) {
        Some((_, error)) => Err(Refusal::new(error, "this server does without")),
        None => Ok(()),
    }
}

fn check_response(parameters: &Parameters, client: &Client) -> Result<(), Refusal> {
    match parameters.get("response_type") {
        Some("code") => {}
        Some(_) => {
            return Err(Refusal::new("unsupported_response_type", "there are codes alone"));
        }
        None => return Err(invalid("response_type is missing")),
    }
    if parameters.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(invalid("answers are in the query"));
    }
    if !client.may(GrantType::AuthorizationCode) {
        return Err(Refusal::new("unauthorized_client", "the client may not ask for codes"));
    }
    Ok(())
}

/// RFC 6749 §3.3. Names that the server does not know are refused, not passed on.
fn scope(mock: &Mock, client: &Client, parameters: &Parameters) -> Result<Scope, Refusal> {
    let Some(text) = parameters.get("scope") else { return Ok(client.default_scope.clone()) };
    let scope = Scope::parse(text).filter(|scope| mock.options.scopes_supported.has_all(scope));
    scope.ok_or(Refusal::new("invalid_scope", "there is no such scope"))
}

/// RFC 7636 §4.3, OAuth 2.1 §4.1.1. Without a method `plain` is meant, which is not supported. Only
/// a client that authenticates itself may do without a challenge.
fn challenge(parameters: &Parameters, client: &Client) -> Result<Option<String>, Refusal> {
    let challenge = digest(parameters, "code_challenge")?;
    match (&challenge, parameters.get("code_challenge_method")) {
        (Some(_), Some(pkce::METHOD)) => Ok(challenge),
        (None, None) if client.secret.is_some() => Ok(None),
        (None, _) => Err(invalid("code_challenge is missing")),
        (Some(_), _) => Err(invalid("code_challenge_method is S256")),
    }
}

fn digest(parameters: &Parameters, name: &str) -> Result<Option<String>, Refusal> {
    match parameters.get(name) {
        Some(text) if !pkce::is_digest(text) => Err(invalid("a digest is 32 bytes in base64url")),
        text => Ok(text.map(str::to_owned)),
    }
}

/// OpenID Connect Core §3.1.2.1: `none` stands alone.
fn prompts(parameters: &Parameters) -> Result<Vec<&str>, Refusal> {
    let prompts: Vec<_> = parameters.get("prompt").unwrap_or_default().split(' ').collect();
    if prompts.contains(&"none") && prompts.len() > 1 {
        return Err(invalid("prompt is none or something else, not both"));
    }
    Ok(prompts)
}

fn max_age(parameters: &Parameters) -> Result<Option<Duration>, Refusal> {
    let seconds = parameters.get("max_age").map(|text| text.parse().map(Duration::from_secs));
    seconds.transpose().map_err(|_| invalid("max_age is a number of seconds"))
}

/// In order of preference. A resource server asks for one of them because it accepts no other (RFC
/// 9470 §4), so that each request of this kind counts as essential.
fn acr(mock: &Mock, parameters: &Parameters) -> Result<Option<String>, Refusal> {
    let Some(text) = parameters.get("acr_values") else { return Ok(None) };
    let known = |name: &&str| mock.options.acr_values.iter().any(|own| own == name);
    let acr = text.split(' ').find(known).map(str::to_owned);
    let unmet = Refusal::new("unmet_authentication_requirements", "nobody can sign in like that");
    acr.ok_or(unmet).map(Some)
}

const fn invalid(description: &'static str) -> Refusal {
    Refusal::new("invalid_request", description)
}
