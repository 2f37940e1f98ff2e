//! What the endpoint said of a token (RFC 7662 §2.2), and whether that suffices here.

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Response, StatusCode};

use super::IntrospectionError;
use crate::clock::Timestamp;
use crate::error::RejectionKind;
use crate::json::{Object, WrongType};
use crate::media_type;
use crate::token::claims::{self, Claims};
use crate::token::{TrustedIssuer, Vouched};

/// Why there is no token that the issuer vouches for.
#[derive(Debug)]
pub(super) enum Negative {
    /// The token is at fault.
    Refused(RejectionKind),
    /// The answer is.
    Failed(IntrospectionError),
}

impl From<IntrospectionError> for Negative {
    fn from(error: IntrospectionError) -> Self {
        Self::Failed(error)
    }
}

impl From<WrongType> for Negative {
    fn from(_: WrongType) -> Self {
        Self::Failed(IntrospectionError::WrongType)
    }
}

/// The body of an answer of that media type. RFC 7662 §2.3: what the endpoint thinks of this
/// server's credentials is no verdict on the token.
pub(super) fn body<'a>(
    answer: &'a Response<Bytes>,
    expected: &str,
) -> Result<&'a str, IntrospectionError> {
    match answer.status() {
        StatusCode::OK => {}
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            return Err(IntrospectionError::Refused);
        }
        _ => return Err(IntrospectionError::Status),
    }
    let content_type = answer.headers().get(CONTENT_TYPE);
    if !content_type.is_some_and(|value| media_type::is(value, expected)) {
        return Err(IntrospectionError::ContentType);
    }
    std::str::from_utf8(answer.body()).map_err(|_| IntrospectionError::Malformed)
}

/// What `token_type` or `token_use` call tokens that are no access tokens.
const OTHER_KINDS: [&str; 5] = ["refresh_token", "id_token", "N_A", "refresh", "id"];

/// Reads an answer and holds it against what this server accepts of the issuer. `until` says how
/// long it counts, given when the token expires.
pub(super) fn judge(
    text: String,
    issuer: &Arc<TrustedIssuer>,
    audience_required: bool,
    until: impl FnOnce(Option<Timestamp>) -> Timestamp,
) -> Result<Vouched, Negative> {
    let members = Object::parse(&text).map_err(|_| IntrospectionError::Malformed)?;
    // Nothing else is true, not even "true".
    match members.boolean("active") {
        Ok(Some(true)) => {}
        Ok(Some(false)) => return Err(Negative::Refused(RejectionKind::InactiveToken)),
        Ok(None) | Err(_) => return Err(IntrospectionError::Malformed.into()),
    }
    let claims = claims::of_answer(&text, &members)?;
    let issued_by = members.string("iss")?;
    if issued_by.is_some_and(|other| *other != *issuer.identifier) {
        return Err(Negative::Refused(RejectionKind::UntrustedIssuer));
    }
    check_type(&members, &claims)?;
    if members.contains("aud") {
        claims::check_audience(&text, &claims, &issuer.audiences).map_err(Negative::Refused)?;
    } else if audience_required {
        return Err(Negative::Refused(RejectionKind::MissingClaim));
    }
    let until = until(claims.expires);
    Ok(Vouched::by_answer(claims, text, Arc::clone(issuer), until))
}

/// `token_type` is optional, and servers put many things there; what it rules out is another kind
/// of token, and one bound to a key that is not named (RFC 9449 §6.2). Ory Hydra answers `Bearer`
/// for refresh tokens as well, and says in `token_use` which of the two it is.
fn check_type(members: &Object<'_>, claims: &Claims) -> Result<(), Negative> {
    const URN: &str = "urn:ietf:params:oauth:token-type:";
    let is = |named: &str, other: &str| {
        named.strip_prefix(URN).unwrap_or(named).eq_ignore_ascii_case(other)
    };
    let (named, used) = (members.string("token_type")?, members.string("token_use")?);
    let mut kinds = [&named, &used].into_iter().flatten();
    if kinds.any(|kind| OTHER_KINDS.iter().any(|other| is(kind, other))) {
        return Err(Negative::Refused(RejectionKind::WrongTokenType));
    }
    let bound = named.as_ref().is_some_and(|named| is(named, "DPoP"));
    let key = claims.confirmation.as_ref().and_then(|confirmation| confirmation.methods().0);
    if bound && key.is_none() {
        return Err(Negative::Refused(RejectionKind::UnsupportedConfirmation));
    }
    Ok(())
}
