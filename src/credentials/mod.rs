//! Stage 1: from the head of a request to what it presents.
//!
//! Nothing is believed at this stage. It decides what the request *says*: no token, one token, or
//! something that cannot be read without guessing. Guessing is what must not happen, because a
//! proxy in front may have guessed otherwise; so two tokens, two fields and broken syntax are
//! refused.

mod authorization;
mod form;
mod source;

use std::borrow::Cow;
use std::sync::Arc;

use http::header::AUTHORIZATION;

use self::authorization::Authorization;
pub(crate) use self::form::{find as find_in_form, is_form};
pub use self::source::{Credential, CredentialSource, RequestHead, SecureTransport};
use crate::error::RejectionKind;

/// How a server finds credentials.
#[derive(Debug)]
pub(crate) struct CredentialPolicy {
    pub(crate) max_token_bytes: usize,
    pub(crate) lenient_charset: bool,
    pub(crate) strict_query: bool,
    pub(crate) require_https: bool,
    pub(crate) source: Option<Arc<dyn CredentialSource>>,
}

/// An access token as the request presents it: grammar checked, nothing verified.
pub(crate) struct Presented<'a> {
    token: Cow<'a, str>,
}

impl Presented<'_> {
    pub(crate) fn token(&self) -> &str {
        &self.token
    }
}

/// Finds the one access token of a request; `None` when it carries no credentials at all.
///
/// Only the Authorization field counts, and what was opted into: a [`CredentialSource`], or a form
/// that a [`FormTokenLayer`](crate::layer::FormTokenLayer) has read. Tokens in the query are
/// ignored (OAuth 2.1 §5.1) or refused when the server is strict about them; cookies and trailers
/// are never looked at.
pub(crate) fn extract<'a>(
    head: &RequestHead<'a>,
    policy: &CredentialPolicy,
) -> Result<Option<Presented<'a>>, RejectionKind> {
    if policy.require_https && !head.is_secure() {
        return Err(RejectionKind::InsecureTransport);
    }
    if policy.strict_query && head.query_has("access_token") {
        return Err(RejectionKind::TokenInQuery);
    }
    let header = from_authorization(head, policy)?.map(Cow::Borrowed);
    let form = checked(form::presented(head)?, policy)?;
    let custom = match &policy.source {
        Some(source) => checked(source.find(head)?.map(Credential::into_token), policy)?,
        None => None,
    };
    // RFC 6750 §2: a client uses one method per request.
    let token = exclusive(exclusive(header, form)?, custom)?;
    Ok(token.map(|token| Presented { token }))
}

fn exclusive<T>(first: Option<T>, second: Option<T>) -> Result<Option<T>, RejectionKind> {
    match (first, second) {
        (Some(_), Some(_)) => Err(RejectionKind::MultipleCredentials),
        (first, second) => Ok(first.or(second)),
    }
}

/// RFC 9110 §11.6.2: Authorization is no list, so a second field line is an error, never ignored.
fn from_authorization<'a>(
    head: &RequestHead<'a>,
    policy: &CredentialPolicy,
) -> Result<Option<&'a str>, RejectionKind> {
    let mut lines = head.headers().get_all(AUTHORIZATION).into_iter();
    let Some(line) = lines.next() else { return Ok(None) };
    if lines.next().is_some() {
        return Err(RejectionKind::MultipleCredentials);
    }
    match authorization::parse(line.as_bytes(), policy)? {
        Authorization::Empty => Ok(None),
        Authorization::Bearer(token) => Ok(Some(token)),
    }
}

/// Holds a token from elsewhere to the rules of the header.
fn checked<'a>(
    token: Option<Cow<'a, str>>,
    policy: &CredentialPolicy,
) -> Result<Option<Cow<'a, str>>, RejectionKind> {
    let Some(token) = token else { return Ok(None) };
    if token.len() > policy.max_token_bytes {
        return Err(RejectionKind::TokenTooLarge);
    }
    // A token outside the header may hold any VSCHAR (RFC 6749 A.12).
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(RejectionKind::MalformedAuthorization);
    }
    Ok(Some(token))
}
