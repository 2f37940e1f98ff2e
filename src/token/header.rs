//! The JOSE header of an access token (RFC 7515 §4, RFC 9068 §2.1).

use std::borrow::Cow;

use super::types::{TokenType, TokenTypes};
use crate::algorithm::Algorithm;
use crate::base64url;
use crate::error::RejectionKind;
use crate::json::Object;
use crate::jws;

/// The header parameters that verification acts on. `jku`, `jwk`, `x5u` and `x5c` are not among
/// them: a token never chooses its own key (RFC 8725 §3.10).
#[derive(Debug)]
pub(super) struct Header {
    pub(super) typ: TokenType,
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
}

/// `types` are those that some issuer's access tokens have.
pub(super) fn decode(encoded: &str, types: &TokenTypes) -> Result<Header, RejectionKind> {
    let bytes = base64url::decode(encoded).ok_or(RejectionKind::MalformedToken)?;
    parse(std::str::from_utf8(&bytes).map_err(|_| RejectionKind::MalformedToken)?, types)
}

fn parse(text: &str, types: &TokenTypes) -> Result<Header, RejectionKind> {
    let members = Object::parse(text).map_err(|_| RejectionKind::MalformedToken)?;
    let typ = token_type(&members, types)?;
    if jws::needs_extension(&members) {
        return Err(RejectionKind::UnsupportedCritical);
    }
    let algorithm = text_member(&members, "alg")?.ok_or(RejectionKind::UnacceptableAlgorithm)?;
    let algorithm = Algorithm::from_name(&algorithm).ok_or(RejectionKind::UnacceptableAlgorithm)?;
    let kid = text_member(&members, "kid")?.map(Cow::into_owned);
    Ok(Header { typ, algorithm, kid })
}

fn text_member<'a>(
    members: &Object<'a>,
    name: &str,
) -> Result<Option<Cow<'a, str>>, RejectionKind> {
    members.string(name).map_err(|_| RejectionKind::MalformedToken)
}

/// RFC 9068 §4 step 1, compared as media types are (RFC 7515 §4.1.9). `cty: JWT` announces a
/// nested token (RFC 7519 §5.2), which is no access token here.
fn token_type(members: &Object<'_>, types: &TokenTypes) -> Result<TokenType, RejectionKind> {
    let typ = text_member(members, "typ")?;
    let known = types.find(typ.as_deref()).ok_or(RejectionKind::WrongTokenType)?;
    let nested = text_member(members, "cty")?.is_some_and(|cty| jws::is_type(&cty, "jwt"));
    if nested { Err(RejectionKind::WrongTokenType) } else { Ok(known) }
}
