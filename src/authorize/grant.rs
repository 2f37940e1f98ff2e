//! What an accepted request carries on to the application.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::Method;
use http::uri::PathAndQuery;
use serde::de::DeserializeOwned;

use super::{Demand, Requirement};
use crate::clock::Timestamp;
use crate::config::Settings;
use crate::grpc::MediaType;
use crate::proof::replay::ProofUse;
use crate::proof::{Binding, BoundToken};
use crate::rejection::Rejection;
use crate::scheme::{Scheme, SenderConstraint};
use crate::token::{VerifiedToken, Vouched, VouchedBy};

/// The rights a request has shown: a verified access token and the server that verified it.
///
/// The [`authenticate`](crate::ResourceServer::authenticate) layer puts it into the request's
/// extensions. To hold one is to have passed every check of the server. What it does **not** say
/// is that the token suffices for the operation: that is what [`require`](Self::require) and the
/// `require` layer ask.
///
/// Nothing else makes one: a handler that takes a grant cannot be called without the checks.
/// Cloning it is cheap. Its `Debug` output shows issuer, subject and client, and neither token nor
/// further claims.
///
/// ```
/// use http::{Request, Response};
/// use tower_resource_server::{Grant, testing::TestIssuer};
/// # use tower::{Layer, ServiceExt, service_fn};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
/// # let issuer = TestIssuer::new("https://as.example.com");
/// # let server = issuer.resource_server("https://api.example.com").build()?;
///
/// let handler = service_fn(async |request: Request<()>| {
///     let grant = request.extensions().get::<Grant>().expect("authenticate is outside");
///     assert_eq!(grant.principal(), Some(("https://as.example.com", "alice")));
///     assert_eq!(grant.client_id(), Some("app-1"));
///     assert!(!grant.is_client_itself());
///     assert_eq!(grant.audience().collect::<Vec<_>>(), ["https://api.example.com"]);
///     assert_eq!(grant.scopes().collect::<Vec<_>>(), ["read", "write"]);
///     assert!(grant.has_scope("read") && !grant.has_scope("admin"));
///     assert_eq!(grant.claim::<String>("tenant").as_deref(), Some("blue"));
///     assert_eq!(grant.binding().name(), "bearer");
///     Ok::<_, std::io::Error>(Response::new(http_body_util::Full::<bytes::Bytes>::default()))
/// });
/// let token = issuer.token().subject("alice").client_id("app-1").scope("read write");
/// let request = token.claim("tenant", "blue").authorize(Request::new(()));
/// let response = server.authenticate().layer(handler).oneshot(request).await?;
/// assert_eq!(response.status(), 200);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Grant {
    token: BoundToken,
    settings: Arc<Settings>,
    label: Label,
}

/// Which request it was: method and path as the client sent them, for the log; and what its answer
/// depends on besides.
#[derive(Clone)]
pub(crate) struct Label {
    pub(crate) method: Method,
    pub(crate) target: Option<PathAndQuery>,
    /// It came from a web page, which is to be told what it may read of the answer.
    pub(crate) exposes: bool,
    /// It is a gRPC call of that media type.
    pub(crate) grpc: Option<MediaType>,
    /// What the authenticate layer around it accepts.
    pub(crate) constraint: SenderConstraint,
}

/// In the extensions of requests that an optional layer let through without credentials.
#[derive(Clone)]
pub(crate) struct Anonymous {
    pub(crate) settings: Arc<Settings>,
    pub(crate) label: Label,
}

impl Grant {
    #[inline]
    pub(crate) const fn new(token: BoundToken, settings: Arc<Settings>, label: Label) -> Self {
        Self { token, settings, label }
    }

    pub(crate) const fn token(&self) -> &VerifiedToken {
        self.token.token()
    }

    fn vouched(&self) -> &Vouched {
        self.token().vouched()
    }

    pub(crate) const fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// The scheme the token came with.
    pub(crate) const fn scheme(&self) -> Scheme {
        self.token.scheme()
    }

    /// Whether the token is tied to its sender in that way, and came with a scheme that goes with it.
    pub(crate) const fn is_tied_by(&self, constraint: SenderConstraint) -> bool {
        constraint.accepts(self.scheme()) && self.token.binding().meets(constraint)
    }

    pub(crate) fn has_recorded(&self, usage: &ProofUse) -> bool {
        self.token.has_recorded(usage)
    }

    pub(crate) const fn renews_nonce(&self) -> bool {
        self.token.renews_nonce()
    }

    pub(crate) const fn label(&self) -> &Label {
        &self.label
    }

    /// `iss`: the issuer, exactly as configured.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.vouched().issuer.identifier
    }

    /// `sub`: the user, or the client itself in a client-credentials token. Always present under
    /// RFC 9068. Unique only together with [`issuer`](Self::issuer): see
    /// [`principal`](Self::principal).
    ///
    /// It may be absent under [`Profile::Lenient`](crate::Profile::Lenient), and stand in another
    /// claim where the [profile](crate::Issuer::profile) of the issuer says so.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.vouched().subject()
    }

    /// The pair that identifies a subject across issuers (RFC 8725 §3.8).
    ///
    /// Use it as the key of a user, not the subject alone: two issuers may well give one name to
    /// two people. `None` where the token has no `sub`.
    #[must_use]
    pub fn principal(&self) -> Option<(&str, &str)> {
        self.subject().map(|subject| (self.issuer(), subject))
    }

    /// `client_id`: the client the token was issued to. Always present under RFC 9068; read from
    /// another claim, such as `azp`, where the [profile](crate::Issuer::profile) of the issuer says
    /// so.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.vouched().client_id()
    }

    /// Whether the subject is the client itself: no user stands behind the token (RFC 9068 §5).
    ///
    /// Found by `sub` being equal to `client_id`. `false` where either is absent, and for issuers
    /// that make them differ: the guide on
    /// [authorization servers](crate::guide::authorization_servers#who-stands-behind-a-token) lists
    /// them.
    #[must_use]
    pub fn is_client_itself(&self) -> bool {
        self.subject().is_some() && self.subject() == self.client_id()
    }

    /// `aud`, or what the [profile](crate::Issuer::profile) of the issuer reads in its place: all
    /// audiences of the token; one of them is this server.
    ///
    /// Unless [`accept_any_audience`](crate::Danger::accept_any_audience) was chosen: then it need
    /// not be. The others are services at which this very token can be used as well.
    pub fn audience(&self) -> impl Iterator<Item = &str> {
        self.vouched().audience()
    }

    /// `jti`, where the token has one.
    ///
    /// Unique within its issuer (RFC 7519 §4.1.7). The crate does not look whether it was seen
    /// before; it serves audit logs, and applications with a list of revoked tokens of their own.
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.vouched().token_id()
    }

    /// `scope`, or what the [profile](crate::Issuer::profile) of the issuer reads in its place: the
    /// scopes the token names, without those they include by hierarchy.
    ///
    /// None at all where the claim is absent. Compare with [`has_scope`](Self::has_scope) rather
    /// than with this list, which knows nothing of the hierarchy.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        let scope = self.vouched().scope().unwrap_or_default();
        scope.split(' ').filter(|scope| !scope.is_empty())
    }

    /// Whether the token has that scope, itself or through one that includes it.
    ///
    /// Compared exactly, case included (RFC 6749 §3.3). To refuse a request use
    /// [`require`](Self::require), which also tells the client what to ask for.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        let wider = self.settings.hierarchy.including(scope);
        self.scopes().any(|held| held == scope || wider.iter().any(|wider| wider == held))
    }

    /// `authorization_details` (RFC 9396), as a type of the application's: for each object one
    /// value, in their order; none where the token has no such claim.
    ///
    /// # Errors
    ///
    /// [`ClaimsError`] when any of them does not fit the type.
    ///
    /// An issuer may put in types that this API knows nothing of. An enum with a variant for them
    /// fits those too. They are parsed at each call; that the claim is an array of objects, each
    /// with a string `type`, has been checked.
    ///
    /// To refuse a request use [`require`](Self::require) with
    /// [`AuthorizationDetails`](crate::AuthorizationDetails).
    ///
    /// ```
    /// use serde::Deserialize;
    /// use tower_resource_server::{ClaimsError, Grant};
    ///
    /// #[derive(Deserialize)]
    /// #[serde(tag = "type", rename_all = "snake_case")]
    /// enum Detail {
    ///     PaymentInitiation { cents: u64 },
    ///     #[serde(other)]
    ///     Unknown,
    /// }
    ///
    /// fn may_pay(grant: &Grant, sum: u64) -> Result<bool, ClaimsError> {
    ///     let details = grant.authorization_details::<Detail>()?;
    ///     let fits = |detail: &Detail| matches!(detail, Detail::PaymentInitiation { cents } if *cents >= sum);
    ///     Ok(details.iter().any(fits))
    /// }
    /// ```
    pub fn authorization_details<T: DeserializeOwned>(&self) -> Result<Vec<T>, ClaimsError> {
        let details = self.vouched().details().unwrap_or("[]");
        serde_json::from_str(details).map_err(|_| ClaimsError)
    }

    pub(super) fn each_detail(&self) -> impl Iterator<Item = &str> {
        self.vouched().each_detail()
    }

    /// `exp`, without leeway.
    ///
    /// A long answer, such as a stream, may outlive it, unless the layer is told to
    /// [`close_on_expiry`](crate::layer::AuthenticateLayer::close_on_expiry). `None` where an introspected token has none, or the platform cannot represent the
    /// time.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.vouched().claims.expires?.to_system_time()
    }

    /// How the issuer vouches for the token: by its signature, or by what it answered when it was
    /// asked.
    #[must_use]
    pub fn vouched_by(&self) -> VouchedBy {
        self.vouched().vouched_by()
    }

    /// How the token is tied to its sender, as far as that was verified.
    ///
    /// A [`Binding::Dpop`] has the thumbprint of the client's key (RFC 7638), which stays the same
    /// for as long as the client keeps its key; a [`Binding::MutualTls`] that of the client's
    /// certificate (RFC 8705), which changes when it is renewed.
    #[must_use]
    pub const fn binding(&self) -> &Binding {
        self.token.binding()
    }

    pub(crate) fn authentication(&self) -> (Option<&str>, Option<Timestamp>) {
        (self.vouched().acr(), self.vouched().claims.authenticated)
    }

    pub(crate) fn now_and_leeway(&self) -> (Timestamp, Duration) {
        (self.settings.now(), self.settings.tokens.leeway)
    }

    /// All claims, as a type of the application's.
    ///
    /// # Errors
    ///
    /// [`ClaimsError`] when the claims do not fit the type.
    ///
    /// They are parsed at each call, so call it once a request. Times are numbers in seconds, as in
    /// the token. Claims of the wrong type that the crate does not read itself have not been
    /// checked before.
    ///
    /// ```
    /// use serde::Deserialize;
    /// use tower_resource_server::{ClaimsError, Grant};
    ///
    /// #[derive(Deserialize)]
    /// struct Tenancy {
    ///     tenant: String,
    ///     #[serde(default)]
    ///     roles: Vec<String>,
    /// }
    ///
    /// fn may_edit(grant: &Grant) -> Result<bool, ClaimsError> {
    ///     let tenancy: Tenancy = grant.claims()?;
    ///     Ok(tenancy.tenant == "blue" && tenancy.roles.iter().any(|role| role == "editor"))
    /// }
    /// ```
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, ClaimsError> {
        serde_json::from_str(&self.vouched().payload).map_err(|_| ClaimsError)
    }

    /// One claim; `None` when it is absent or does not fit the type.
    ///
    /// The two cases are not told apart; where that matters, use [`claims`](Self::claims) with an
    /// `Option` member. A decision should treat `None` as the lesser right.
    #[must_use]
    pub fn claim<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        self.vouched().claim(name)
    }

    /// Demands more of the token from within a handler.
    ///
    /// The refusal renders through the server's own envelope, as a layer's does. Under the `axum`
    /// feature it is a response, so that `grant.require(..)?` suffices.
    ///
    /// # Errors
    ///
    /// [`Rejection`] of kind `insufficient-scope`, `insufficient-authorization-details`,
    /// `insufficient-authentication` or `requirement-not-met`; of kind `invalid-requirement` when
    /// the requirement itself is faulty.
    ///
    /// It is checked against the clock of this moment, as far as a [`StepUp`](crate::StepUp) is
    /// concerned, and everything else against the token. The scopes named here are unknown to the
    /// metadata document, since nothing knows of them before the handler runs; list them with
    /// [`scopes_supported`](crate::ResourceMetadata::scopes_supported).
    ///
    /// ```
    /// use tower_resource_server::{Grant, Rejection, Scopes};
    ///
    /// fn check(grant: &Grant, owner: &str) -> Result<(), Rejection> {
    ///     if grant.subject() == Some(owner) {
    ///         grant.require(Scopes::any(["notes/write", "notes/admin"]))
    ///     } else {
    ///         grant.require(Scopes::all(["notes/admin"]))
    ///     }
    /// }
    /// ```
    pub fn require(&self, requirement: impl Into<Requirement>) -> Result<(), Rejection> {
        let demand = Arc::new(Demand::new(requirement.into()));
        if !demand.faults().is_empty() {
            return Err(Rejection::unusable(self, demand));
        }
        demand.check(self).map_err(|short| short.into_rejection(self, &demand))
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("issuer", &self.issuer())
            .field("subject", &self.subject())
            .field("client_id", &self.client_id())
            .finish_non_exhaustive()
    }
}

/// The claims of a token do not fit the type asked for.
///
/// It does not say which claim: the text might end up in an answer, and claims are a user's data.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ClaimsError;

impl fmt::Display for ClaimsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the claims of the access token do not fit the type asked for")
    }
}

impl std::error::Error for ClaimsError {}
