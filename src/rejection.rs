//! A refusal: its kind, and all that is needed to render it anywhere.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value};

#[cfg(feature = "mcp")]
use crate::authorize::Caller;
use crate::authorize::{Anonymous, Demand, Grant, Label, Shortfall};
use crate::config::Settings;
use crate::error::RejectionKind;
use crate::scheme::{Scheme, SenderConstraint};
use crate::token::Vouched;

/// Why a request was refused, with the server whose envelope renders it.
///
/// It lies in the extensions of every refusing response, whatever the envelope made of it, and is
/// what [`Grant::require`] fails with. It holds no token.
///
/// Its `Debug` output is the kind, its `Display` output the text for developers. Under the `axum`
/// feature it is a response; elsewhere a handler turns it into one, a `Response<Bytes>`, with
/// `into()`. A layer outside can look at it:
///
/// ```
/// use http::{Request, Response};
/// use tower::{Layer, ServiceExt, service_fn};
/// use tower_resource_server::{Rejection, RejectionKind, testing::TestIssuer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
/// # let issuer = TestIssuer::new("https://as.example.com");
/// # let server = issuer.resource_server("https://api.example.com").build()?;
/// # let inner = service_fn(async |_: Request<()>| {
/// #     Ok::<_, std::convert::Infallible>(Response::new(http_body_util::Full::from("hello")))
/// # });
/// let service = server.authenticate().layer(inner);
/// let old = issuer.token().claim("exp", 1_000_000_000);
/// let response = service.oneshot(old.authorize(Request::new(()))).await?;
///
/// let rejection = response.extensions().get::<Rejection>().expect("a refusal");
/// assert_eq!(rejection.kind(), RejectionKind::ExpiredToken);
/// assert_eq!(rejection.status(), response.status());
/// assert_eq!(rejection.to_string(), "The access token expired");
/// assert!(rejection.documentation_url().ends_with("#expired-token"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Rejection(Arc<Details>);

pub(crate) struct Details {
    pub(crate) kind: RejectionKind,
    pub(crate) settings: Arc<Settings>,
    pub(crate) demand: Arc<Demand>,
    pub(crate) attempt: Attempt,
    pub(crate) shortfall: Shortfall,
    /// The next nonce, for a client that makes proofs.
    pub(crate) nonce: Option<HeaderValue>,
    /// What bodies say besides.
    pub(crate) members: Option<Map<String, Value>>,
}

/// The request that is refused.
pub(crate) struct Attempt {
    pub(crate) label: Label,
    /// The scheme of its credentials, where that is clear.
    pub(crate) scheme: Option<Scheme>,
    /// The token, once its signature is verified.
    pub(crate) vouched: Option<Arc<Vouched>>,
}

impl Attempt {
    /// One without credentials, or with such as cannot be told.
    pub(crate) const fn unclear(label: Label) -> Self {
        Self { label, scheme: None, vouched: None }
    }

    #[cfg(feature = "mcp")]
    pub(crate) fn by(caller: Caller<'_>) -> Self {
        match caller {
            Caller::Granted(grant) => Self::of(grant),
            Caller::Anonymous(anonymous) => Self::unclear(anonymous.label.clone()),
        }
    }

    pub(crate) fn of(grant: &Grant) -> Self {
        let vouched = Some(Arc::clone(grant.token().vouched()));
        Self { label: grant.label().clone(), scheme: Some(grant.scheme()), vouched }
    }
}

impl Details {
    /// What the route accepts: as its own layer says, within what the one around it lets through.
    pub(crate) fn constraint(&self) -> SenderConstraint {
        let around = self.attempt.label.constraint;
        self.demand.constraint.map_or(around, |own| own.within(around))
    }

    /// Whether what it says depends on the layer and the kind alone, and will be said again. The
    /// reason of a predicate comes from the request, and so do the scopes of a step-up.
    pub(crate) fn is_fixed(&self) -> bool {
        let varies = match self.kind {
            RejectionKind::RequirementNotMet => true,
            RejectionKind::InsufficientAuthentication => self.shortfall.scope,
            _ => false,
        };
        self.demand.is_kept && !varies
    }

    /// RFC 9449 §8, §8.2: with every answer to a client that makes proofs, and with the challenge
    /// to one that will have to, so that it need not ask twice.
    fn brings_nonce(&self) -> bool {
        match self.attempt.scheme {
            Some(scheme) => scheme == Scheme::Dpop,
            None => {
                let will_have_to = self.constraint() == SenderConstraint::Dpop;
                will_have_to && self.kind.status() == StatusCode::UNAUTHORIZED
            }
        }
    }
}

impl Rejection {
    pub(crate) fn new(
        kind: RejectionKind,
        settings: &Arc<Settings>,
        demand: &Arc<Demand>,
        attempt: Attempt,
    ) -> Self {
        Self::with_members(kind, settings, demand, attempt, None)
    }

    /// With more to say than the text of the kind.
    pub(crate) fn with_members(
        kind: RejectionKind,
        settings: &Arc<Settings>,
        demand: &Arc<Demand>,
        attempt: Attempt,
        members: Option<Map<String, Value>>,
    ) -> Self {
        let (settings, demand) = (Arc::clone(settings), Arc::clone(demand));
        Self::made(kind, settings, demand, attempt, Shortfall::default(), members)
    }

    fn made(
        kind: RejectionKind,
        settings: Arc<Settings>,
        demand: Arc<Demand>,
        attempt: Attempt,
        shortfall: Shortfall,
        members: Option<Map<String, Value>>,
    ) -> Self {
        let mut details =
            Details { kind, settings, demand, attempt, shortfall, nonce: None, members };
        if details.brings_nonce() {
            details.nonce = details.settings.next_nonce(details.settings.now());
        }
        Self(Arc::new(details))
    }

    /// The token does not suffice. Step-up comes before scope, and scope before details: the token
    /// that follows needs them all. A route that conceals itself asks only those for a step-up who
    /// may know of it.
    pub(crate) fn short(grant: &Grant, demand: Arc<Demand>, shortfall: Shortfall) -> Self {
        let stays_hidden = demand.conceal && shortfall.is_more_than_step_up();
        let kind = if shortfall.step_up && !stays_hidden {
            RejectionKind::InsufficientAuthentication
        } else if shortfall.scope {
            RejectionKind::InsufficientScope
        } else if shortfall.details {
            RejectionKind::InsufficientAuthorizationDetails
        } else {
            RejectionKind::RequirementNotMet
        };
        Self::of(grant, demand, kind, shortfall)
    }

    /// The token has expired while its request was answered.
    pub(crate) fn expired(grant: &Grant, demand: &Arc<Demand>) -> Self {
        let demand = Arc::clone(demand);
        Self::of(grant, demand, RejectionKind::ExpiredToken, Shortfall::default())
    }

    /// No rule names the method.
    pub(crate) fn unlisted(grant: &Grant, demand: &Arc<Demand>) -> Self {
        let demand = Arc::clone(demand);
        Self::of(grant, demand, RejectionKind::UnlistedMethod, Shortfall::default())
    }

    /// An optional layer let the request through, and here a token is needed.
    pub(crate) fn missing(anonymous: &Anonymous, demand: &Arc<Demand>) -> Self {
        let attempt = Attempt::unclear(anonymous.label.clone());
        Self::new(RejectionKind::MissingCredentials, &anonymous.settings, demand, attempt)
    }

    /// The requirement is faulty, so nobody can meet it.
    pub(crate) fn unusable(grant: &Grant, demand: Arc<Demand>) -> Self {
        Self::of(grant, demand, RejectionKind::InvalidRequirement, Shortfall::default())
    }

    /// The claims do not fit the type a handler asks for. The token is good all the same, so the
    /// client must not be told to throw it away.
    #[cfg(feature = "axum")]
    pub(crate) fn claims(grant: &Grant) -> Self {
        let reason =
            Some(Arc::from("The claims of the access token are not those this request needs"));
        let shortfall = Shortfall { reason, ..Shortfall::default() };
        Self::of(grant, Arc::default(), RejectionKind::RequirementNotMet, shortfall)
    }

    /// The application says that the token counts no longer.
    #[cfg(feature = "mcp")]
    pub(crate) fn revoked(grant: &Grant) -> Self {
        Self::of(grant, Arc::default(), RejectionKind::RevokedToken, Shortfall::default())
    }

    /// A grant whose token is not tied to its sender as the route demands. Where the client has to
    /// use another scheme, that is no fault of the token (RFC 6750 §3.1).
    pub(crate) fn unconstrained(
        grant: &Grant,
        demand: &Arc<Demand>,
        constraint: SenderConstraint,
    ) -> Self {
        let attempt = Attempt::of(grant);
        let (kind, scheme) = if constraint.accepts(grant.scheme()) {
            (RejectionKind::UnboundToken, attempt.scheme)
        } else {
            (RejectionKind::UnsupportedScheme, None)
        };
        Self::new(kind, grant.settings(), demand, Attempt { scheme, ..attempt })
    }

    fn of(grant: &Grant, demand: Arc<Demand>, kind: RejectionKind, shortfall: Shortfall) -> Self {
        let settings = Arc::clone(grant.settings());
        Self::made(kind, settings, demand, Attempt::of(grant), shortfall, None)
    }

    pub(crate) fn details(&self) -> &Details {
        &self.0
    }

    /// Why.
    ///
    /// The true one, also where the route conceals itself.
    #[must_use]
    pub fn kind(&self) -> RejectionKind {
        self.0.kind
    }

    /// The status of the answer: that of the kind, or 404 where the route conceals itself.
    ///
    /// A gRPC request is answered with 200 all the same, and with the
    /// [`grpc_code`](Self::grpc_code) in `grpc-status`.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        if self.is_concealed() { StatusCode::NOT_FOUND } else { self.kind().status() }
    }

    /// The gRPC status code of the answer to a gRPC request: that of the kind, or 12,
    /// `UNIMPLEMENTED`, where the route conceals itself.
    #[must_use]
    pub fn grpc_code(&self) -> u8 {
        if self.is_concealed() { 12 } else { self.kind().grpc_code() }
    }

    /// The scopes the operation needs, space-separated, where a layer or handler named them.
    ///
    /// They are there for every kind of refusal, whether or not scopes are what is missing. A
    /// challenge names them too, save beside `invalid_request` and beside a step-up that lacks no
    /// scope.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.0.demand.scope.as_deref()
    }

    /// The authentication context classes that will do, space-separated and the preferred one first
    /// (RFC 9470 §3).
    ///
    /// Those of the challenge: only of
    /// [`InsufficientAuthentication`](RejectionKind::InsufficientAuthentication), and only where
    /// classes are asked for.
    #[must_use]
    pub fn acr_values(&self) -> Option<&str> {
        self.stepped_up()?.acr_values.as_deref()
    }

    /// How long ago the user may have authenticated, in whole seconds (RFC 9470 §3).
    ///
    /// That of the challenge, like [`acr_values`](Self::acr_values).
    #[must_use]
    pub fn max_age(&self) -> Option<Duration> {
        self.stepped_up()?.max_age.map(Duration::from_secs)
    }

    /// What is demanded, where another authentication would meet it.
    fn stepped_up(&self) -> Option<&Demand> {
        (self.kind() == RejectionKind::InsufficientAuthentication).then_some(&*self.0.demand)
    }

    /// A text for developers: fixed for the kind, or the reason of the predicate that failed.
    ///
    /// It stands in `error_description` where there is an error code (RFC 6750 §3).
    #[must_use]
    pub fn description(&self) -> &str {
        match (&self.0.shortfall.reason, self.kind()) {
            (Some(reason), RejectionKind::RequirementNotMet) => reason,
            (_, kind) => kind.description(),
        }
    }

    /// Where the kind is explained: its row in the error catalogue.
    ///
    /// In this crate's documentation, or where [`documentation`](crate::Builder::documentation)
    /// says.
    #[must_use]
    pub fn documentation_url(&self) -> String {
        format!("{}#{}", self.0.settings.documentation, self.kind().name())
    }

    pub(crate) fn is_concealed(&self) -> bool {
        self.0.demand.conceal && self.kind().status() == StatusCode::FORBIDDEN
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejection").field("kind", &self.kind()).finish_non_exhaustive()
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description())
    }
}

impl std::error::Error for Rejection {}
