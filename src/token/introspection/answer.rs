//! What the endpoint said of a token (RFC 7662 §2.2), and whether that suffices here.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode, Uri};

use super::{Failure, IntrospectionError};
use crate::clock::Timestamp;
use crate::error::RejectionKind;
use crate::json::Object;
use crate::keys::shown;
use crate::media_type;
use crate::token::claims::{self, Claims, NoAnswer};
use crate::token::types::is_foreign;
use crate::token::{TrustedIssuer, Vouched};

/// Why there is no token that the issuer vouches for.
#[derive(Debug)]
pub(super) enum Negative {
    /// The token is at fault.
    Refused(RejectionKind),
    /// The answer is.
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for Negative {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Negative {
    /// That endpoint answered so.
    pub(super) fn at(self, endpoint: &Uri) -> Self {
        match self {
            Self::Refused(kind) => Self::Refused(kind),
            Self::Failed(failure) => Self::Failed(failure.at(endpoint)),
        }
    }
}

/// What is left to the configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnswerPolicy {
    pub(crate) audience_required: bool,
    /// Whether `scope` may be an array.
    pub(crate) scope_lists: bool,
}

/// The body of an answer of that media type. RFC 7662 §2.3: what the endpoint thinks of this
/// server's credentials is no verdict on the token.
pub(super) fn body<'a>(answer: &'a Response<Bytes>, expected: &str) -> Result<&'a str, Failure> {
    let status = answer.status();
    match status {
        StatusCode::OK => {}
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            let cause = format!("its status is {}", status.as_u16());
            return Err(Failure::with_cause(IntrospectionError::Refused, cause));
        }
        _ => return Err(Failure::of_status(IntrospectionError::Status, status)),
    }
    let content_type = answer.headers().get(CONTENT_TYPE);
    if !content_type.is_some_and(|value| media_type::is(value, expected)) {
        let named = |value: &HeaderValue| shown(&String::from_utf8_lossy(value.as_bytes()));
        let cause = content_type.map_or_else(|| "there is none".to_owned(), named);
        return Err(Failure::with_cause(IntrospectionError::ContentType, cause));
    }
    std::str::from_utf8(answer.body()).map_err(|_| malformed("it is not UTF-8"))
}

fn malformed(cause: &'static str) -> Failure {
    Failure::with_cause(IntrospectionError::Malformed, cause)
}

fn wrong_type(name: &'static str) -> Failure {
    Failure::with_cause(IntrospectionError::WrongType, format!("it is {name}"))
}

/// Members that count even if they are null: neither is to be taken for absent.
const NEVER_ABSENT: [&str; 2] = ["active", "cnf"];

/// Reads an answer and holds it against what this server accepts of the issuer. `until` says how
/// long it counts, given when the token expires.
pub(super) fn judge(
    text: String,
    issuer: &Arc<TrustedIssuer>,
    policy: AnswerPolicy,
    until: impl FnOnce(Option<Timestamp>) -> Timestamp,
) -> Result<Vouched, Negative> {
    let members = Object::parse(&text).map_err(|_| malformed("it is not one JSON object"))?;
    // Several servers write null for what they do not know.
    let members = members.without_nulls(&NEVER_ABSENT);
    check_active(&members)?;
    let claims = claims::of_answer(&text, &members, policy.scope_lists);
    let claims = claims.map_err(|no_answer| match no_answer {
        NoAnswer::OtherKind => Negative::Refused(RejectionKind::WrongTokenType),
        NoAnswer::WrongType(name) => wrong_type(name).into(),
    })?;
    if string(&members, "iss")?.is_some_and(|other| *other != *issuer.identifier) {
        return Err(Negative::Refused(RejectionKind::UntrustedIssuer));
    }
    check_type(&members, &claims)?;
    if members.contains("aud") {
        claims::check_audience(&text, &claims, &issuer.audiences).map_err(Negative::Refused)?;
    } else if policy.audience_required {
        return Err(Negative::Refused(RejectionKind::MissingClaim));
    }
    let until = until(claims.expires);
    Ok(Vouched::by_answer(claims, text, Arc::clone(issuer), until))
}

/// Nothing else than true is, not even "true".
fn check_active(members: &Object<'_>) -> Result<(), Negative> {
    match members.boolean("active") {
        Ok(Some(true)) => Ok(()),
        Ok(Some(false)) => Err(Negative::Refused(RejectionKind::InactiveToken)),
        Ok(None) => Err(malformed("it has no member active").into()),
        Err(_) => Err(malformed("active is not a boolean").into()),
    }
}

fn string<'a>(members: &Object<'a>, name: &'static str) -> Result<Option<Cow<'a, str>>, Failure> {
    members.string(name).map_err(|_| wrong_type(name))
}

/// What an answer may call tokens that are no access tokens.
const OTHER_KINDS: [&str; 8] =
    ["refresh_token", "id_token", "N_A", "refresh", "id", "offline", "logout", "serialized-id"];

fn is(named: &str, kind: &str) -> bool {
    const URN: &str = "urn:ietf:params:oauth:token-type:";
    named.strip_prefix(URN).unwrap_or(named).eq_ignore_ascii_case(kind)
}

/// `token_type` is optional, and servers put many things there; what it rules out is another kind
/// of token, and one bound to a key that is not named (RFC 9449 §6.2). Ory Hydra answers `Bearer`
/// for refresh tokens as well, and says in `token_use` which of the two it is. Keycloak says it in
/// `typ`, as in its JWTs.
fn check_type(members: &Object<'_>, claims: &Claims) -> Result<(), Negative> {
    let [named, used, typ] = ["token_type", "token_use", "typ"].map(|name| string(members, name));
    let (named, used, typ) = (named?, used?, typ?);
    let mut kinds = [&named, &used, &typ].into_iter().flatten();
    if kinds.any(|kind| is_foreign(kind) || OTHER_KINDS.iter().any(|other| is(kind, other))) {
        return Err(Negative::Refused(RejectionKind::WrongTokenType));
    }
    let bound = [&named, &typ].into_iter().flatten().any(|kind| is(kind, "DPoP"));
    let key = claims.confirmation.as_ref().and_then(|confirmation| confirmation.methods().0);
    if bound && key.is_none() {
        return Err(Negative::Refused(RejectionKind::UnsupportedConfirmation));
    }
    Ok(())
}
