//! The claims of an access token that the crate itself acts on (RFC 9068 §2.2).

use std::borrow::Cow;

use super::{Profile, TokenPolicy};
use crate::clock::Timestamp;
use crate::error::RejectionKind;
use crate::json::{Object, WrongType};

/// Claims of the right types; those the profile demands are there.
#[derive(Debug)]
pub(crate) struct Claims {
    pub(crate) subject: Option<Box<str>>,
    pub(crate) client_id: Option<Box<str>>,
    pub(crate) audience: Vec<String>,
    pub(crate) scope: Option<Box<str>>,
    pub(crate) token_id: Option<Box<str>>,
    pub(crate) expires: Timestamp,
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) issued: Option<Timestamp>,
    pub(crate) confirmation: Option<Confirmation>,
    pub(crate) acr: Option<Box<str>>,
    pub(crate) authenticated: Option<Timestamp>,
}

/// `cnf` (RFC 7800): the token is bound to a key, by whatever members it holds.
#[derive(Debug)]
pub(crate) struct Confirmation;

impl From<WrongType> for RejectionKind {
    fn from(_: WrongType) -> Self {
        Self::InvalidClaim
    }
}

/// `iss`, which selects the issuer before anything of the token is believed.
pub(super) fn issuer<'a>(members: &Object<'a>) -> Result<Cow<'a, str>, RejectionKind> {
    members.string("iss")?.ok_or(RejectionKind::MissingClaim)
}

pub(super) fn parse(members: &Object<'_>, profile: Profile) -> Result<Claims, RejectionKind> {
    let claims = Claims {
        subject: text(members, "sub")?,
        client_id: text(members, "client_id")?,
        audience: members.one_or_many("aud")?.ok_or(RejectionKind::MissingClaim)?,
        scope: text(members, "scope")?,
        token_id: text(members, "jti")?,
        expires: members.date("exp")?.ok_or(RejectionKind::MissingClaim)?,
        not_before: members.date("nbf")?,
        issued: members.date("iat")?,
        confirmation: confirmation(members)?,
        // RFC 9470 §6.1: of the wrong type they meet no requirement, and spoil nothing else.
        acr: text(members, "acr").unwrap_or_default(),
        authenticated: members.date("auth_time").unwrap_or_default(),
    };
    match profile {
        Profile::Rfc9068 if lacks_a_claim(&claims) => Err(RejectionKind::MissingClaim),
        Profile::Rfc9068 | Profile::Lenient => Ok(claims),
    }
}

/// The claims RFC 9068 §2.2 requires beyond those every profile requires.
fn lacks_a_claim(claims: &Claims) -> bool {
    claims.subject.is_none()
        || claims.client_id.is_none()
        || claims.issued.is_none()
        || claims.token_id.is_none()
}

fn text(members: &Object<'_>, name: &str) -> Result<Option<Box<str>>, WrongType> {
    Ok(members.string(name)?.map(|value| value.into_owned().into_boxed_str()))
}

fn confirmation(members: &Object<'_>) -> Result<Option<Confirmation>, RejectionKind> {
    let Some(raw) = members.raw("cnf") else { return Ok(None) };
    Object::parse(raw).map_err(|_| RejectionKind::InvalidClaim)?;
    Ok(Some(Confirmation))
}

/// RFC 9068 §4 step 4: one of the token's audiences is one of ours, compared exactly. No prefix,
/// no wildcard, no normalization (RFC 8707 §2).
pub(super) fn check_audience(claims: &Claims, policy: &TokenPolicy) -> Result<(), RejectionKind> {
    let ours = match &policy.audiences {
        Some(ours) => claims.audience.iter().any(|audience| ours.contains(audience)),
        None => !claims.audience.is_empty(),
    };
    let narrow = !policy.single_audience_only || claims.audience.len() == 1;
    if ours && narrow { Ok(()) } else { Err(RejectionKind::WrongAudience) }
}
