//! How an issuer is asked about tokens (RFC 7662, RFC 9701).

use std::time::Duration;

use super::ClientAuthentication;
use crate::algorithm::Algorithm;

/// How an issuer is asked about tokens that cannot be verified here (RFC 7662).
///
/// It goes to [`Issuer::introspection`](crate::Issuer::introspection), or to
/// [`Issuer::introspect`](crate::Issuer::introspect) where signed and opaque tokens live side by
/// side. The [guide](crate::guide::opaque_tokens) tells the rest.
///
/// ```
/// use std::time::Duration;
/// use tower_resource_server::{ClientAuthentication, Introspection, Issuer, ResourceServer};
///
/// let credentials = ClientAuthentication::client_secret_basic("api-1", "s3cr3t");
/// let introspection = Introspection::at("https://as.example.com/introspect", credentials)
///     .cache_for(Duration::from_secs(30));
/// let builder = ResourceServer::builder("https://api.example.com")
///     .issuer(Issuer::introspection("https://as.example.com", introspection));
/// ```
///
/// # Defaults
///
/// | setting | default |
/// |---|---|
/// | tokens sent to it | those that are not compact JWS, whatever they begin with |
/// | answers about active tokens | remembered for 60 s, and not beyond `exp` |
/// | refusals | remembered for 10 s |
/// | memory of active tokens | about 4 MiB |
/// | memory of refusals | 16,384 of them |
/// | calls under way | at most 64, a quarter for tokens that were active before |
/// | calls a second | at most 500, likewise |
/// | one call | [`fetch_timeout`](crate::Builder::fetch_timeout), 64 KiB |
/// | `token_type_hint` | sent |
/// | `aud` | demanded |
/// | answers | plain JSON over TLS |
///
/// # What is checked of an answer
///
/// `active` is `true`; every member that the crate reads has its type, or is null and so absent; `iss`,
/// where it is there, is this issuer; `aud` names this server; `token_type`, `token_use` and `typ` name
/// no other kind of token, and no member marks one, such as `at_hash`; `exp`, `nbf` and `iat`, where
/// they are there, fit the clock, at each request anew. `cnf` binds the token as it binds a signed
/// one, and is verified here: no proof is sent to the endpoint. `acr` and `auth_time` of a wrong type
/// count as absent.
///
/// # What is not
///
/// Which [`Profile`](crate::Profile) the claims fulfil: all members but `active` may be absent.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Introspection {
    pub(super) endpoint: Endpoint,
    pub(super) authentication: ClientAuthentication,
    pub(super) prefixes: Vec<String>,
    pub(super) every_token: bool,
    pub(super) signed_only: bool,
    pub(super) scope_lists: bool,
    pub(super) active_for: Duration,
    pub(super) refusals_for: Duration,
    pub(super) cache_bytes: u64,
    pub(super) concurrent: usize,
    pub(super) a_second: u32,
    pub(super) hint: bool,
    pub(super) audience_required: bool,
    pub(super) signed: Option<Vec<Algorithm>>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Endpoint {
    At(String),
    Discovered,
}

impl Introspection {
    /// Asks the endpoint that the issuer's metadata names (RFC 8414 §2), looked up when it is first
    /// needed and now and again after that.
    ///
    /// [`ClientAuthentication::client_secret`] goes by what the metadata says of methods; all others
    /// stay as they are given.
    ///
    /// ```
    /// use tower_resource_server::{ClientAuthentication, Introspection, Issuer};
    ///
    /// let credentials = ClientAuthentication::client_secret("api-1", "s3cr3t");
    /// let issuer = Issuer::discover("https://as.example.com")
    ///     .introspect(Introspection::discovered(credentials));
    /// ```
    pub fn discovered(authentication: ClientAuthentication) -> Self {
        Self::new(Endpoint::Discovered, authentication)
    }

    /// Asks that endpoint. It is https, or http on loopback under the same conditions as a key set
    /// URL. A query of it is kept; no token is ever put there (RFC 7662 §4).
    pub fn at(endpoint: impl Into<String>, authentication: ClientAuthentication) -> Self {
        Self::new(Endpoint::At(endpoint.into()), authentication)
    }

    fn new(endpoint: Endpoint, authentication: ClientAuthentication) -> Self {
        Self {
            endpoint,
            authentication,
            prefixes: Vec::new(),
            every_token: false,
            signed_only: false,
            scope_lists: false,
            active_for: Duration::from_secs(60),
            refusals_for: Duration::from_secs(10),
            cache_bytes: 4 * 1024 * 1024,
            concurrent: 64,
            a_second: 500,
            hint: true,
            audience_required: true,
            signed: None,
        }
    }

    /// Sends it the tokens that begin so, and no longer those of any other beginning. May be called
    /// several times.
    ///
    /// It is for servers with several issuers of opaque tokens: a token must not be shown to an
    /// issuer that did not make it. At most one of them goes without a prefix. Where several
    /// prefixes fit, the longest counts, and it counts for signed tokens as well.
    pub fn token_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefixes.push(prefix.into());
        self
    }

    /// Sends it the signed tokens of this issuer too, in place of verifying them here. So that a
    /// token that was revoked is refused as soon as no answer about it is remembered.
    ///
    /// Signed tokens of other issuers are verified as ever: what counts is their `iss`. The claims
    /// are then those of the answer.
    pub const fn every_token(mut self) -> Self {
        self.every_token = true;
        self
    }

    /// Sends it the signed tokens of this issuer, as [`every_token`](Self::every_token) does, and no
    /// opaque ones.
    ///
    /// It is for servers with several issuers of signed tokens that are all asked, such as two realms
    /// of one server: their tokens are told apart by `iss`, and a token without that belongs to
    /// neither. It goes with no [`token_prefix`](Self::token_prefix).
    ///
    /// ```
    /// use tower_resource_server::{ClientAuthentication, Introspection, Issuer, ResourceServer};
    ///
    /// let realm = |name: &str| {
    ///     let credentials = ClientAuthentication::client_secret("api-1", "s3cr3t");
    ///     Issuer::discover(format!("https://as.example.com/realms/{name}"))
    ///         .introspect(Introspection::discovered(credentials).signed_tokens_only())
    /// };
    /// let builder = ResourceServer::builder("https://api.example.com")
    ///     .issuer(realm("staff"))
    ///     .issuer(realm("customers"));
    /// ```
    pub const fn signed_tokens_only(mut self) -> Self {
        (self.every_token, self.signed_only) = (true, true);
        self
    }

    /// Takes a `scope` that is an array of scopes as well as the text of RFC 7662 §2.2, for servers
    /// that answer so, such as Gluu and those made with Spring.
    ///
    /// Each item must be one scope (RFC 6749 §3.3): none is empty or has a space in it.
    pub const fn scope_lists(mut self) -> Self {
        self.scope_lists = true;
        self
    }

    /// How long an answer about an active token is remembered; at most an hour, and never beyond
    /// the token's `exp`.
    ///
    /// Default 60 s. So long a token works after it was revoked. Zero has every request ask; those
    /// that come with one token at the same time share a call even so.
    pub const fn cache_for(mut self, time: Duration) -> Self {
        self.active_for = time;
        self
    }

    /// How long a refusal is remembered; at most 60 s.
    ///
    /// Default 10 s. Zero has every request ask. What failed is never remembered.
    pub const fn cache_refusals_for(mut self, time: Duration) -> Self {
        self.refusals_for = time;
        self
    }

    /// About how much memory answers about active tokens may take, in bytes; 0 remembers none.
    ///
    /// Default 4 MiB, some 3,000 tokens of common size. What has ended is dropped as other answers
    /// come.
    pub const fn cache_bytes(mut self, bytes: u64) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// How many calls may be under way at a time, from 1 to 10,000.
    ///
    /// Default 64. A quarter of them is kept for tokens that the issuer called active before, in the
    /// last hour. Requests beyond that are answered 503; those whose token's answer is remembered, or
    /// being waited for, go on.
    pub const fn max_calls(mut self, calls: usize) -> Self {
        self.concurrent = calls;
        self
    }

    /// How many calls may be begun in a second, from 1 to 100,000.
    ///
    /// Default 500: with answers remembered for a minute that is enough for 30,000 tokens in use at a
    /// time, if [`cache_bytes`](Self::cache_bytes) has room for as many. A quarter of them is kept for
    /// tokens that the issuer called active before, as with [`max_calls`](Self::max_calls), and
    /// requests beyond that are answered 503. A call that failed is counted like any other, and stops
    /// no later one.
    pub const fn max_calls_per_second(mut self, calls: u32) -> Self {
        self.a_second = calls;
        self
    }

    /// Leaves out `token_type_hint=access_token`, for servers that take offence at it.
    ///
    /// Some servers then call refresh tokens active without naming their type. Those would pass.
    pub const fn without_hint(mut self) -> Self {
        self.hint = false;
        self
    }

    /// Takes an active token without `aud`, for servers that leave it out.
    ///
    /// They then have to know by the credentials of this server which tokens are meant for it, and
    /// call all others inactive (RFC 7662 §4). Where any client may ask about every token, tokens for
    /// all other APIs pass. An `aud` that is there still has to name this server.
    pub const fn audience_optional(mut self) -> Self {
        self.audience_required = false;
        self
    }

    /// Demands answers that the issuer signed with one of these algorithms (RFC 9701), and takes no
    /// others.
    ///
    /// The issuer needs keys, so it is made with [`Issuer::discover`](crate::Issuer::discover),
    /// [`Issuer::jwks_uri`](crate::Issuer::jwks_uri) or [`Issuer::jwks`](crate::Issuer::jwks), and
    /// not with [`Issuer::introspection`](crate::Issuer::introspection). `aud` of the answer is the
    /// resource identifier or the client id; `iat` is not before the call, nor ahead, but for the
    /// [`leeway`](crate::Builder::leeway). Encrypted answers are not supported. *Not* checked, since an
    /// answer does not say it: that it is about the token that was sent.
    pub fn signed_answers(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.signed = Some(algorithms.into_iter().collect());
        self
    }
}
