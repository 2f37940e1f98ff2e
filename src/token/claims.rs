//! The claims of an access token that the crate itself acts on (RFC 9068 §2.2).

use std::borrow::Cow;
use std::sync::LazyLock;

use super::text::Text;
use super::{AudiencePolicy, ClaimMapper, details};
use crate::charset;
use crate::clock::Timestamp;
use crate::error::RejectionKind;
use crate::json::{Object, OneOrMany, WrongType};
use crate::keys::{CertificateThumbprint, Thumbprint};

/// Claims of the right types; those the mapper demands are there.
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
    /// `authorization_details`, as JSON text.
    pub(super) details: Option<Text>,
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
    members.string("iss")?.ok_or_else(|| missing("iss"))
}

pub(super) fn parse(
    payload: &str,
    members: &Object<'_>,
    mapper: &ClaimMapper,
) -> Result<Claims, RejectionKind> {
    let reader = Reader { payload, members, mapper };
    reader.check_kind()?;
    let claims = reader.claims()?;
    match reader.lacking(&claims) {
        Some(names) => Err(missing(&names)),
        None => Ok(claims),
    }
}

/// The name is that of the profile, and no text of the token.
fn missing(claim: &str) -> RejectionKind {
    tracing::debug!(target: "tower_resource_server::rejection", claim, "a claim is missing");
    RejectionKind::MissingClaim
}

/// How an answer of introspection is read: under the names of RFC 7662 §2.2, none of which has to be
/// there. Answers about access tokens may have a `nonce`, as those of Keycloak do.
static ANSWER: LazyLock<ClaimMapper> =
    LazyLock::new(|| ClaimMapper::new().untyped().accept_nonce());
static ANSWER_WITH_LISTS: LazyLock<ClaimMapper> = LazyLock::new(|| ANSWER.clone().scope_lists());

/// Why an answer of introspection tells of no access token.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// It has a member that marks another kind of token.
    OtherKind,
    /// That member has the wrong type.
    WrongType(&'static str),
}

/// The members of an answer of introspection.
pub(super) fn of_answer(
    payload: &str,
    members: &Object<'_>,
    scope_lists: bool,
) -> Result<Claims, NoAnswer> {
    let mapper = if scope_lists { &ANSWER_WITH_LISTS } else { &ANSWER };
    let reader = Reader { payload, members, mapper };
    reader.check_kind().map_err(|_| NoAnswer::OtherKind)?;
    reader.claims().map_err(|_| NoAnswer::WrongType(reader.wrong_member()))
}

/// Finds claims where the mapper says that they stand.
struct Reader<'r, 'a> {
    payload: &'r str,
    members: &'r Object<'a>,
    mapper: &'r ClaimMapper,
}

impl Reader<'_, '_> {
    /// Claims of the right types, whichever there are.
    fn claims(&self) -> Result<Claims, RejectionKind> {
        let Self { members, mapper, .. } = self;
        Ok(Claims {
            subject: self.text(&mapper.subject)?,
            client_id: self.text(&mapper.client_id)?,
            audience: self.audience()?,
            scope: self.scope()?,
            token_id: self.text(&mapper.token_id)?,
            expires: members.date("exp")?,
            not_before: members.date("nbf")?,
            issued: members.date("iat")?,
            confirmation: confirmation(members)?,
            // RFC 9470 §6.1: of the wrong type they meet no requirement, and spoil nothing else.
            acr: self.text_of("acr").unwrap_or_default(),
            authenticated: members.date("auth_time").unwrap_or_default(),
            details: details::read(members, self.payload)?,
        })
    }

    /// The first member of an answer that is not of its type.
    fn wrong_member(&self) -> &'static str {
        let Self { members, mapper, .. } = self;
        let reads = [
            ("sub", self.text(&mapper.subject).is_err()),
            ("client_id", self.text(&mapper.client_id).is_err()),
            ("aud", self.audience().is_err()),
            ("scope", self.scope().is_err()),
            ("jti", self.text(&mapper.token_id).is_err()),
            ("exp", members.date("exp").is_err()),
            ("nbf", members.date("nbf").is_err()),
            ("iat", members.date("iat").is_err()),
            ("cnf", confirmation(members).is_err()),
        ];
        let wrong = reads.into_iter().find_map(|(name, wrong)| wrong.then_some(name));
        wrong.unwrap_or(details::NAME)
    }

    /// RFC 8725 §3.12: what one kind of JWT passes, no other does.
    fn check_kind(&self) -> Result<(), RejectionKind> {
        let marked = self.mapper.marks().any(|mark| self.members.contains(mark));
        let right = self.mapper.values.iter().all(|(claim, values)| {
            let found = self.members.string(claim).ok().flatten();
            found.is_some_and(|found| values.iter().any(|value| *value == found))
        });
        if right && !marked { Ok(()) } else { Err(RejectionKind::WrongTokenType) }
    }

    /// What is not there of that which every token must have, and of what the mapper demands beyond:
    /// by default all that RFC 9068 §2.2 requires. Names of which any would do are joined.
    fn lacking(&self, claims: &Claims) -> Option<Cow<'_, str>> {
        let Self { members, mapper, .. } = self;
        let optional = &mapper.optional;
        let dates = [
            ("exp", claims.expires.is_none()),
            ("iat", claims.issued.is_none() && !optional.issued_at),
        ];
        let places = [
            (&mapper.audience, !self.has_audience()),
            (&mapper.subject, claims.subject.is_none() && !optional.subject),
            (&mapper.client_id, claims.client_id.is_none() && !optional.client_id),
            (&mapper.token_id, claims.token_id.is_none() && !optional.token_id),
        ];
        let absent = |claim: &&String| matches!(members.raw(claim), None | Some("null" | "\"\""));
        let date = dates.into_iter().find_map(|(name, lacks)| lacks.then_some(name.into()));
        date.or_else(|| {
            places.iter().find_map(|(names, lacks)| lacks.then(|| names.join(" or ").into()))
        })
        .or_else(|| mapper.required.iter().find(absent).map(|name| name.into()))
    }

    /// The first of the claims that is there.
    fn first<T>(
        &self,
        claims: &[String],
        read: impl Fn(&str) -> Result<Option<T>, WrongType>,
    ) -> Result<Option<T>, WrongType> {
        claims.iter().find_map(|claim| read(claim).transpose()).transpose()
    }

    fn text(&self, claims: &[String]) -> Result<Option<Text>, WrongType> {
        let value = self.first(claims, |claim| self.members.string(claim))?;
        Ok(value.and_then(|value| self.not_empty(value)))
    }

    fn text_of(&self, claim: &str) -> Result<Option<Text>, WrongType> {
        Ok(self.members.string(claim)?.and_then(|value| self.not_empty(value)))
    }

    /// An empty text identifies nobody and grants nothing.
    fn not_empty(&self, value: Cow<'_, str>) -> Option<Text> {
        (!value.is_empty()).then(|| Text::of(value, self.payload))
    }

    fn scope(&self) -> Result<Option<Text>, WrongType> {
        if !self.mapper.scope_lists {
            return self.text(&self.mapper.scope);
        }
        let found = self.first(&self.mapper.scope, |claim| self.members.one_or_many(claim))?;
        Ok(match found {
            None => None,
            Some(OneOrMany::One(value)) => self.not_empty(value),
            Some(OneOrMany::Many(scopes)) => self.not_empty(joined(&scopes)?.into()),
        })
    }

    fn audience(&self) -> Result<Audience, WrongType> {
        let found = self.first(&self.mapper.audience, |claim| self.members.one_or_many(claim))?;
        Ok(match found {
            Some(OneOrMany::One(value)) => Audience::One(Text::of(value, self.payload)),
            Some(OneOrMany::Many(values)) => Audience::Many(values),
            None => Audience::Many(Vec::new()),
        })
    }

    fn has_audience(&self) -> bool {
        self.mapper.audience.iter().any(|claim| self.members.contains(claim))
    }
}

/// Scopes as the string of RFC 9068 §2.2.3; none of them is several or none.
fn joined(scopes: &[String]) -> Result<String, WrongType> {
    if scopes.iter().all(|scope| charset::is_scope_token(scope)) {
        Ok(scopes.join(" "))
    } else {
        Err(WrongType)
    }
}

/// `aud`, most often one; without the claim, none.
#[derive(Debug)]
pub(super) enum Audience {
    One(Text),
    Many(Vec<String>),
}

impl Audience {
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
