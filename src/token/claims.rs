//! The claims of an access token that the crate itself acts on (RFC 9068 §2.2).

use std::borrow::Cow;

use super::text::Text;
use super::{AudiencePolicy, Profile};
use crate::clock::Timestamp;
use crate::error::RejectionKind;
use crate::json::{Object, OneOrMany, WrongType};
use crate::keys::{CertificateThumbprint, Thumbprint};

/// Claims of the right types; those the profile demands are there.
#[derive(Debug)]
pub(crate) struct Claims {
    pub(super) subject: Option<Text>,
    pub(super) client_id: Option<Text>,
    pub(super) audience: Audience,
    pub(super) scope: Option<Text>,
    pub(super) token_id: Option<Text>,
    /// Always there in a JWT.
    pub(crate) expires: Option<Timestamp>,
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) issued: Option<Timestamp>,
    pub(crate) confirmation: Option<Confirmation>,
    pub(super) acr: Option<Text>,
    pub(crate) authenticated: Option<Timestamp>,
}

/// `cnf` (RFC 7800): the token is bound to a key, by whatever members it holds. Members that are
/// not known here are ignored beside those that are (§3.1).
#[derive(Debug)]
pub(crate) struct Confirmation {
    /// `jkt`: the key of its DPoP proofs (RFC 9449 §6.1).
    key: Option<Thumbprint>,
    /// `x5t#S256`: the client certificate of its connections (RFC 8705 §3.1).
    certificate: Option<CertificateThumbprint>,
}

impl Confirmation {
    /// The methods that are known here.
    pub(crate) const fn methods(&self) -> (Option<&Thumbprint>, Option<&CertificateThumbprint>) {
        (self.key.as_ref(), self.certificate.as_ref())
    }

    /// It binds the token in none of those ways.
    pub(crate) const fn is_unknown(&self) -> bool {
        self.key.is_none() && self.certificate.is_none()
    }
}

impl From<WrongType> for RejectionKind {
    fn from(_: WrongType) -> Self {
        Self::InvalidClaim
    }
}

/// `iss`, which selects the issuer before anything of the token is believed.
pub(super) fn issuer<'a>(members: &Object<'a>) -> Result<Cow<'a, str>, RejectionKind> {
    members.string("iss")?.ok_or(RejectionKind::MissingClaim)
}

pub(super) fn parse(
    payload: &str,
    members: &Object<'_>,
    profile: Profile,
) -> Result<Claims, RejectionKind> {
    let text = |name| text(payload, members, name);
    let claims = Claims {
        subject: text("sub")?,
        client_id: text("client_id")?,
        audience: Audience::of(members, payload)?,
        scope: text("scope")?,
        token_id: text("jti")?,
        expires: Some(members.date("exp")?.ok_or(RejectionKind::MissingClaim)?),
        not_before: members.date("nbf")?,
        issued: members.date("iat")?,
        confirmation: confirmation(members)?,
        // RFC 9470 §6.1: of the wrong type they meet no requirement, and spoil nothing else.
        acr: text("acr").unwrap_or_default(),
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

fn text(payload: &str, members: &Object<'_>, name: &str) -> Result<Option<Text>, WrongType> {
    // An empty text identifies nobody and grants nothing.
    let value = members.string(name)?.filter(|value| !value.is_empty());
    Ok(value.map(|value| Text::of(value, payload)))
}

/// `aud`, most often one.
#[derive(Debug)]
pub(super) enum Audience {
    One(Text),
    Many(Vec<String>),
}

impl Audience {
    fn of(members: &Object<'_>, payload: &str) -> Result<Self, RejectionKind> {
        Ok(match members.one_or_many("aud")?.ok_or(RejectionKind::MissingClaim)? {
            OneOrMany::One(value) => Self::One(Text::of(value, payload)),
            OneOrMany::Many(values) => Self::Many(values),
        })
    }

    pub(super) fn read<'a>(&'a self, payload: &'a str) -> impl Iterator<Item = &'a str> {
        let (one, many) = match self {
            Self::One(one) => (Some(one), &[][..]),
            Self::Many(many) => (None, many.as_slice()),
        };
        one.map(|one| one.read(payload)).into_iter().chain(many.iter().map(String::as_str))
    }
}

fn confirmation(members: &Object<'_>) -> Result<Option<Confirmation>, RejectionKind> {
    let Some(raw) = members.raw("cnf") else { return Ok(None) };
    let members = Object::parse(raw).map_err(|_| RejectionKind::InvalidClaim)?;
    let key = thumbprint(&members, "jkt", Thumbprint::parse)?;
    let certificate = thumbprint(&members, "x5t#S256", CertificateThumbprint::parse)?;
    Ok(Some(Confirmation { key, certificate }))
}

fn thumbprint<T>(
    members: &Object<'_>,
    name: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, RejectionKind> {
    let Some(text) = members.string(name)? else { return Ok(None) };
    parse(&text).map(Some).ok_or(RejectionKind::InvalidClaim)
}

/// RFC 9068 §4 step 4: one of the token's audiences is one of ours, compared exactly. No prefix,
/// no wildcard, no normalization (RFC 8707 §2).
pub(super) fn check_audience(
    payload: &str,
    claims: &Claims,
    policy: &AudiencePolicy,
) -> Result<(), RejectionKind> {
    let mut audience = claims.audience.read(payload);
    let named = match &policy.accepted {
        Some(ours) => audience.any(|audience| ours.iter().any(|our| our == audience)),
        None => audience.next().is_some(),
    };
    let narrow = !policy.single_only || claims.audience.read(payload).count() == 1;
    if named && narrow { Ok(()) } else { Err(RejectionKind::WrongAudience) }
}
