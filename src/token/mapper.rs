//! What the access tokens of an issuer look like.

use std::collections::BTreeSet;

use super::types::{TokenType, TokenTypes, is_foreign};
use crate::config::Fault;

/// Where the access tokens of an issuer have what the crate reads, and how they are told from its
/// other tokens.
///
/// For authorization servers that follow neither RFC 9068 nor a [`Profile`](crate::Profile). It
/// starts as RFC 9068 or as a profile, and says what is different:
///
/// ```
/// use tower_resource_server::{ClaimMapper, Issuer, Profile};
///
/// let mapper = ClaimMapper::new()
///     .types(["JWT"])
///     .client_id(["azp"])
///     .scope(["scopes"])
///     .scope_lists()
///     .optional_token_id()
///     .require_value("kind", ["access"]);
/// let issuer = Issuer::discover("https://as.example.com").profile(mapper);
///
/// // Okta's stable user id in place of the login name, which can change.
/// let okta = ClaimMapper::from(Profile::Okta).subject(["uid", "sub"]);
/// ```
///
/// # Defaults
///
/// - type: `at+jwt` (RFC 9068 §2.1);
/// - subject `sub`, client `client_id`, audience `aud`, token id `jti`, all demanded; scope `scope`,
///   a string;
/// - `iss`, `exp` and `iat` are demanded, the first two always.
///
/// # How claims are read
///
/// Where a method takes several claims, the first that a token has counts, even if it is empty: an
/// empty text is none. What the mapper does not touch stays strict: claims have the right types,
/// names occur once, and `cnf`, `nbf`, `acr` and `auth_time` are read where the RFCs put them.
/// [`Grant::claims`](crate::Grant::claims) shows the claims as they were sent.
///
/// # Other kinds of JWT
///
/// The header of an RFC 9068 token says what it is. Where a mapper accepts other types, a token is
/// refused as `wrong-token-type` that has `nonce`, `at_hash`, `c_hash`, `s_hash`, `events`, `htm`,
/// `htu` or `token_introspection`: those belong to ID tokens, logout tokens and security events,
/// proofs, and answers of introspection. Add what tells them apart at this server, with
/// [`require_value`](Self::require_value), [`require_claims`](Self::require_claims) or
/// [`refuse_claims`](Self::refuse_claims). Without such a mark the audience alone keeps ID tokens
/// out, and it does not where a client and its API share a name.
///
/// # Checked when the server is built
///
/// That at least one type is accepted, and none of another kind of JWT, such as `dpop+jwt`; that
/// each list names something; that no claim is both demanded and refused; that `nonce` is accepted
/// only where [`require_value`](Self::require_value) tells ID tokens apart; and that the issuer has
/// audiences of its own where they are not read from `aud` alone.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct ClaimMapper {
    pub(super) types: TokenTypes,
    pub(super) subject: Vec<String>,
    pub(super) client_id: Vec<String>,
    pub(super) audience: Vec<String>,
    pub(super) scope: Vec<String>,
    pub(super) token_id: Vec<String>,
    pub(super) scope_lists: bool,
    pub(super) optional: Optional,
    pub(super) required: BTreeSet<String>,
    /// Claims with the values of which they must have one.
    pub(super) values: Vec<(String, BTreeSet<String>)>,
    pub(super) refused: BTreeSet<String>,
    accepts_nonce: bool,
    /// What the names of clients end with, which are no audience of an API.
    client_suffix: Option<&'static str>,
}

/// Which of the claims may be absent that RFC 9068 §2.2 demands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Optional {
    pub(super) subject: bool,
    pub(super) client_id: bool,
    pub(super) issued_at: bool,
    pub(super) token_id: bool,
}

/// Claims that no access token has, and another kind of JWT does. `nonce` is the first.
const MARKS: [&str; 8] =
    ["nonce", "at_hash", "c_hash", "s_hash", "events", "htm", "htu", "token_introspection"];

impl Default for ClaimMapper {
    fn default() -> Self {
        Self::new()
    }
}

impl ClaimMapper {
    /// As RFC 9068 §2 has it.
    pub fn new() -> Self {
        let one = |name: &str| vec![name.to_owned()];
        Self {
            types: [TokenType::ACCESS_TOKEN].into_iter().collect(),
            subject: one("sub"),
            client_id: one("client_id"),
            audience: one("aud"),
            scope: one("scope"),
            token_id: one("jti"),
            scope_lists: false,
            optional: Optional::default(),
            required: BTreeSet::new(),
            values: Vec::new(),
            refused: BTreeSet::new(),
            accepts_nonce: false,
            client_suffix: None,
        }
    }

    /// The accepted values of `typ` in the header, in place of those before. Compared as media
    /// types (RFC 7515 §4.1.9): `JWT` and `application/jwt` are one.
    ///
    /// Name `at+jwt` as well where the server has it for some of its tokens.
    pub fn types(mut self, types: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.types = types.into_iter().map(|typ| TokenType::parse(typ.as_ref())).collect();
        self
    }

    /// Accepts headers without `typ`, and none with one; [`types`](Self::types) afterwards would
    /// undo it.
    pub fn untyped(mut self) -> Self {
        self.types = [TokenType::ABSENT].into_iter().collect();
        self
    }

    /// Accepts headers without `typ` besides those of the accepted types. Call it after
    /// [`types`](Self::types), which would undo it.
    pub fn optional_type(mut self) -> Self {
        self.types.add(TokenType::ABSENT);
        self
    }

    /// The claims in which the subject may stand: [`Grant::subject`](crate::Grant::subject).
    ///
    /// Choose one whose values are never given to somebody else.
    pub fn subject(mut self, claims: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.subject = owned(claims);
        self
    }

    /// The claims in which the client may stand: [`Grant::client_id`](crate::Grant::client_id).
    pub fn client_id(mut self, claims: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.client_id = owned(claims);
        self
    }

    /// The claims in which the audience may stand, a string or an array of strings.
    ///
    /// Unless it is `aud` alone, the issuer needs audiences of its own
    /// ([`Issuer::audience_name`](crate::Issuer::audience_name)): those of the server are values of
    /// `aud`, and mean nothing in another claim. Put `aud` first where some tokens have it, so that
    /// a token for another service is not judged by the second claim.
    pub fn audience(mut self, claims: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.audience = owned(claims);
        self
    }

    /// The claims in which the scopes may stand: [`Grant::scopes`](crate::Grant::scopes).
    pub fn scope(mut self, claims: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scope = owned(claims);
        self
    }

    /// Accepts an array of scopes as well as the string of RFC 9068 §2.2.3.
    ///
    /// Each item must be one scope (RFC 6749 §3.3): none is empty or has a space in it.
    pub fn scope_lists(mut self) -> Self {
        self.scope_lists = true;
        self
    }

    /// The claims in which the id of the token may stand:
    /// [`Grant::token_id`](crate::Grant::token_id).
    pub fn token_id(mut self, claims: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.token_id = owned(claims);
        self
    }

    /// Accepts tokens without a subject. Nobody is then known to be behind them.
    pub fn optional_subject(mut self) -> Self {
        self.optional.subject = true;
        self
    }

    /// Accepts tokens that do not name their client.
    pub fn optional_client_id(mut self) -> Self {
        self.optional.client_id = true;
        self
    }

    /// Accepts tokens without `iat`. `exp` still ends them.
    pub fn optional_issued_at(mut self) -> Self {
        self.optional.issued_at = true;
        self
    }

    /// Accepts tokens without an id. Nothing in the crate depends on it, but a list of revoked
    /// tokens does.
    pub fn optional_token_id(mut self) -> Self {
        self.optional.token_id = true;
        self
    }

    /// Demands these claims besides, of whatever type, but neither null nor an empty text. May be
    /// called several times. The refusal is `missing-claim`.
    pub fn require_claims(mut self, claims: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.required.extend(claims.into_iter().map(Into::into));
        self
    }

    /// Demands that this claim be one of these texts: by it access tokens are told from other
    /// tokens. May be called several times. The refusal is `wrong-token-type`, where the claim is
    /// absent too.
    pub fn require_value(
        mut self,
        claim: impl Into<String>,
        values: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.values.push((claim.into(), owned(values)));
        self
    }

    /// Refuses tokens that have one of these claims, whatever its value, as `wrong-token-type`. May
    /// be called several times.
    pub fn refuse_claims(mut self, claims: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.refused.extend(claims.into_iter().map(Into::into));
        self
    }

    /// Does not take `nonce` for the mark of an ID token, since access tokens of this server have
    /// it too. [`require_value`](Self::require_value) must then tell the two apart.
    pub fn accept_nonce(mut self) -> Self {
        self.accepts_nonce = true;
        self
    }

    pub(super) const fn no_audience_under(mut self, suffix: &'static str) -> Self {
        self.client_suffix = Some(suffix);
        self
    }

    /// The claims that mark a token as one of another kind. What says `at+jwt` needs none.
    pub(super) fn marks(&self) -> impl Iterator<Item = &str> {
        let typed = self.types.iter().all(|typ| *typ == TokenType::ACCESS_TOKEN);
        let marks = match &MARKS[..] {
            _ if typed => &[],
            [_, others @ ..] if self.accepts_nonce => others,
            all => all,
        };
        marks.iter().copied().chain(self.refused.iter().map(String::as_str))
    }

    /// Whether the audience may stand elsewhere than in `aud`.
    pub(crate) fn moves_audience(&self) -> bool {
        self.audience.iter().any(|claim| claim != "aud")
    }

    /// Whether this names a client and no API.
    pub(crate) fn is_client(&self, audience: &str) -> bool {
        self.client_suffix.is_some_and(|suffix| audience.ends_with(suffix))
    }

    pub(crate) fn check(&self, issuer: &str, faults: &mut Vec<Fault>) {
        let mut fault = |problem: String, mend: &'static str| {
            faults.push(Fault::new("profile", format!("{problem} for {issuer:?}"), mend));
        };
        if self.types.is_empty() {
            fault("no type is accepted".into(), "name the typ of its access tokens, or untyped()");
        }
        let foreign = self.types.iter().filter_map(TokenType::name);
        for typ in foreign.filter(|typ| is_foreign(typ) || typ.is_empty()) {
            let mend = "name the typ of its access tokens, or untyped()";
            fault(format!("{typ:?} is accepted, which is no type of access tokens"), mend);
        }
        if self.any_list_is_faulty() {
            fault("a list is empty, or an item of it".into(), "name claims and values");
        }
        if let Some(claim) = self.marks().find(|mark| self.demands(mark)) {
            fault(format!("{claim:?} is demanded and refused"), "decide for one");
        }
        if self.accepts_nonce && self.values.is_empty() {
            let mend = "add require_value with what tells its access tokens from ID tokens";
            fault("nonce is accepted and nothing else excludes ID tokens".into(), mend);
        }
    }

    /// Whether a list names nothing that must name something, or an item is empty.
    fn any_list_is_faulty(&self) -> bool {
        let places = [&self.subject, &self.client_id, &self.audience, &self.scope, &self.token_id];
        let faulty_place =
            |list: &&Vec<String>| list.is_empty() || list.iter().any(String::is_empty);
        let faulty = |values: &BTreeSet<String>| values.is_empty() || values.contains("");
        places.iter().any(faulty_place) || self.values.iter().any(|(_, values)| faulty(values))
    }

    fn demands(&self, claim: &str) -> bool {
        let required = self.required.iter().any(|name| name == claim);
        required || self.values.iter().any(|(name, _)| name == claim)
    }
}

fn owned<C: FromIterator<String>>(texts: impl IntoIterator<Item = impl Into<String>>) -> C {
    texts.into_iter().map(Into::into).collect()
}
