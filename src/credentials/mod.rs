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

use http::HeaderName;
use http::header::AUTHORIZATION;

use self::authorization::Authorization;
#[cfg(feature = "testing")]
pub(crate) use self::form::decode as decode_form;
pub(crate) use self::form::{find as find_in_form, is_form};
pub use self::source::{Credential, CredentialSource, RequestHead, SecureTransport};
use crate::error::RejectionKind;
use crate::scheme::{Scheme, SenderConstraint};

/// The field that carries a proof (RFC 9449 §4.1).
pub(crate) const DPOP: HeaderName = HeaderName::from_static("dpop");

/// How a server finds credentials.
#[derive(Debug)]
pub(crate) struct CredentialPolicy {
    pub(crate) max_token_bytes: usize,
    pub(crate) max_proof_bytes: usize,
    pub(crate) lenient_charset: bool,
    pub(crate) strict_query: bool,
    pub(crate) require_https: bool,
    /// What a form held is not looked at.
    pub(crate) header_only: bool,
    pub(crate) source: Option<Arc<dyn CredentialSource>>,
}

/// An access token as the request presents it: grammar checked, nothing verified.
pub(crate) struct Presented<'a> {
    token: Cow<'a, str>,
    scheme: Scheme,
    proof: Option<&'a str>,
}

impl<'a> Presented<'a> {
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The proof that came with it; there if and only if the scheme is DPoP.
    pub(crate) const fn proof(&self) -> Option<&'a str> {
        self.proof
    }
}

/// Why credentials are refused, and the scheme they were of, where that is clear.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) kind: RejectionKind,
    pub(crate) scheme: Option<Scheme>,
}

impl From<RejectionKind> for Refusal {
    fn from(kind: RejectionKind) -> Self {
        Self { kind, scheme: None }
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
    constraint: SenderConstraint,
) -> Result<Option<Presented<'a>>, Refusal> {
    if policy.require_https && !head.is_secure() {
        return Err(RejectionKind::InsecureTransport.into());
    }
    if policy.strict_query && head.query_has("access_token") {
        return Err(RejectionKind::TokenInQuery.into());
    }
    let header = from_authorization(head, policy)?;
    let form = match policy.header_only {
        true => None,
        false => form::presented(head)?.map(|token| (Scheme::Bearer, token)),
    };
    let custom = match &policy.source {
        Some(source) => source.find(head)?.map(Credential::into_parts),
        None => None,
    };
    // RFC 6750 §2: a client uses one method per request.
    let found = exclusive(exclusive(header, checked(form, policy)?)?, checked(custom, policy)?)?;
    let Some((scheme, token)) = found else { return Ok(None) };
    if !constraint.accepts(scheme) {
        return Err(RejectionKind::UnsupportedScheme.into());
    }
    let proof = match scheme {
        // RFC 9449 §7.2: a proof beside a bearer token means nothing.
        Scheme::Bearer => None,
        Scheme::Dpop => Some(proof(head, policy)?),
    };
    Ok(Some(Presented { token, scheme, proof }))
}

/// RFC 9449 §4.3 check 1: one DPoP field. What is in it is the proof stage's to read.
fn proof<'a>(head: &RequestHead<'a>, policy: &CredentialPolicy) -> Result<&'a str, Refusal> {
    let refuse = |kind| Err(Refusal { kind, scheme: Some(Scheme::Dpop) });
    let mut lines = head.headers().get_all(DPOP).into_iter();
    let Some(line) = lines.next() else { return refuse(RejectionKind::MissingProof) };
    if lines.next().is_some() {
        return refuse(RejectionKind::MultipleProofs);
    }
    if line.len() > policy.max_proof_bytes {
        return refuse(RejectionKind::ProofTooLarge);
    }
    let text = std::str::from_utf8(line.as_bytes()).map(str::trim_ascii);
    text.or_else(|_| refuse(RejectionKind::MalformedProof))
}

type Found<'a> = Option<(Scheme, Cow<'a, str>)>;

fn exclusive<'a>(first: Found<'a>, second: Found<'a>) -> Result<Found<'a>, RejectionKind> {
    match (first, second) {
        (Some(_), Some(_)) => Err(RejectionKind::MultipleCredentials),
        (first, second) => Ok(first.or(second)),
    }
}

/// RFC 9110 §11.6.2: Authorization is no list, so a second field line is an error, never ignored.
fn from_authorization<'a>(
    head: &RequestHead<'a>,
    policy: &CredentialPolicy,
) -> Result<Found<'a>, Refusal> {
    let mut lines = head.headers().get_all(AUTHORIZATION).into_iter();
    let Some(line) = lines.next() else { return Ok(None) };
    if let Some(second) = lines.next() {
        let mut all = [line, second].into_iter().chain(lines);
        // What is too long is not looked at any further, not even to be counted.
        let too_long = all.any(|line| authorization::is_too_long(line.as_bytes(), policy));
        return Err(match too_long {
            true => RejectionKind::TokenTooLarge.into(),
            false => RejectionKind::MultipleCredentials.into(),
        });
    }
    Ok(match authorization::parse(line.as_bytes(), policy)? {
        Authorization::Empty => None,
        Authorization::Token(scheme, token) => Some((scheme, Cow::Borrowed(token))),
    })
}

/// Holds a token from elsewhere to the rules of the header.
fn checked<'a>(found: Found<'a>, policy: &CredentialPolicy) -> Result<Found<'a>, Refusal> {
    let Some((scheme, token)) = &found else { return Ok(None) };
    let refuse = |kind| Err(Refusal { kind, scheme: Some(*scheme) });
    if token.len() > policy.max_token_bytes {
        return refuse(RejectionKind::TokenTooLarge);
    }
    // A token outside the header may hold any VSCHAR (RFC 6749 A.12).
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return refuse(RejectionKind::MalformedAuthorization);
    }
    Ok(found)
}
