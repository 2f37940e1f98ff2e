//! The layer that lets only requests with a valid token through.
//!
//! The layer holds nothing but a shared [`Gate`]: the settings of its server, the demand, and
//! whether anonymous requests pass. Its methods copy that gate and change the copy, so a layer that
//! was already applied stays as it was. The work is done by [`ResponseFuture`].

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::ResponseBody;
use super::future::ResponseFuture;
use super::gate::{Claiming, Gate, Mode, Streams};
use super::request::Credentials;
use crate::authorize::{Demand, Requirement};
use crate::config::{ConfigError, Settings};
use crate::scheme::SenderConstraint;

/// Applies [`Authenticate`] to services. Made by
/// [`ResourceServer::authenticate`](crate::ResourceServer::authenticate).
///
/// # What is checked
///
/// In this order:
///
/// 1. the credentials: one token, of a scheme that is accepted, of the right form and size;
/// 2. under the scheme DPoP, the proof (RFC 9449 §4.3): one field; its form; `typ`, `crit`, `alg`
///    and `jwk`; the types and the presence of claims; `htm`, `htu`, `ath`; its signature; then the
///    nonce, where one is required; and `iat`;
/// 3. the token, if it was not verified before: its form; `typ` (RFC 9068 §2.1), `crit` and `alg`;
///    `iss`; the types and the presence of claims; the signature; `aud`. Where its issuer is asked
///    about it ([`Introspection`](crate::Introspection)), the answer takes their place;
/// 4. for tokens seen before as well, `exp`, `nbf` and `iat` with the
///    [leeway](crate::Builder::leeway);
/// 5. `cnf`: a token with `jkt` needs a proof of that key, a proof a token with its key; one with
///    `x5t#S256` needs the [client certificate](crate::ClientCertificate) (RFC 8705 §3); what the
///    [`sender_constraint`](Self::sender_constraint) demands has to be there; and other ways of
///    binding are refused unless [`danger`](crate::Builder::danger) was used;
/// 6. whether the token was revoked, if there is a [source](crate::Builder::revocation) that knows;
/// 7. whether the proof was used before. Only now is its use recorded.
///
/// So everything about the proof precedes everything about the token, and a proof that is refused
/// leaves no trace.
///
/// Not checked: whether a bearer token was sent before, and what it allows. The second is for
/// [`require`](Self::require), for a [`RequireLayer`](super::RequireLayer) and for the application
/// to say. A proof has been used also where that refuses.
///
/// # What the inner service sees
///
/// An accepted request carries a [`Grant`](crate::Grant) in its extensions, in place of any that an
/// outer layer left there. Its `Authorization` and `DPoP` fields are still there, marked as
/// sensitive, so that their `Debug` form does not show token and proof. Where requests are
/// forwarded, [`strip_credentials`](Self::strip_credentials) removes them: a token for this server
/// is not meant for another. With [`client_cert_field`](crate::Builder::client_cert_field), a
/// `Client-Cert` field is still there if a named proxy sent it, and gone if anybody else did.
///
/// CORS preflights pass without a token and without a grant, unless the builder says
/// [`protect_preflight`](crate::Builder::protect_preflight) or tonic is to serve them.
///
/// # What becomes of the response
///
/// The response to an accepted request passes as it is, with the exceptions of
/// [`optional`](Self::optional), [`SharedCaching`](crate::SharedCaching),
/// [`default_no_store`](crate::Builder::default_no_store),
/// [`close_on_expiry`](Self::close_on_expiry) and
/// [`expose_headers`](crate::Builder::expose_headers). Where proofs need nonces, it may bring the
/// next one in `DPoP-Nonce`, once and with `no-store` (RFC 9449 §8.2).
///
/// ```
/// use axum::{Router, body::Body, routing::get};
/// use http::{Request, StatusCode};
/// use tower::ServiceExt;
/// use tower_resource_server::{Grant, testing::TestIssuer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
/// # let issuer = TestIssuer::new("https://as.example.com");
/// # let server = issuer.resource_server("https://api.example.com").build()?;
/// let app = Router::new()
///     .route("/", get(|grant: Grant| async move { grant.issuer().to_owned() }))
///     .layer(server.authenticate());
///
/// let anonymous = app.clone().oneshot(Request::new(Body::empty())).await?;
/// assert_eq!(anonymous.status(), StatusCode::UNAUTHORIZED);
///
/// let known = app.oneshot(issuer.token().authorize(Request::new(Body::empty()))).await?;
/// assert_eq!(known.status(), StatusCode::OK);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct AuthenticateLayer {
    gate: Arc<Gate>,
}

impl AuthenticateLayer {
    pub(crate) fn new(settings: &Arc<Settings>) -> Self {
        let gate = Gate {
            settings: Arc::clone(settings),
            demand: Arc::new(Demand::any_token(settings.constraint)),
            mode: Mode::Required,
            claiming: Claiming::Record,
            credentials: Credentials::Hidden,
            streams: Streams::Outlive,
        };
        Self { gate: Arc::new(gate) }
    }

    /// What [`require`](Self::require) was given, if it can be met.
    #[cfg(feature = "mcp")]
    pub(crate) fn requirement(&self) -> Option<&Requirement> {
        let demand = &self.gate.demand;
        demand.requirement.as_ref().filter(|_| !demand.unusable)
    }

    fn map(self, change: impl FnOnce(&mut Gate)) -> Self {
        let mut gate = Gate::clone(&self.gate);
        change(&mut gate);
        Self { gate: Arc::new(gate) }
    }

    /// Lets requests without credentials through, with no [`Grant`](crate::Grant). Credentials
    /// that are malformed, of a scheme that is not accepted, or do not verify are refused all the
    /// same: their sender meant to be known.
    ///
    /// An `Authorization` field that is empty, or a scheme with nothing after it, counts as no
    /// credentials.
    ///
    /// Responses get `Vary: Authorization`, and `Vary: DPoP` where that scheme is accepted, merged
    /// with what the handler set, since what a handler answers may now depend on whether there was a
    /// token. If the layer also
    /// [`require`](Self::require)s something, that is asked of tokens only; a
    /// [`RequireLayer`](super::RequireLayer) further in does refuse anonymous requests, with a 401
    /// that names its scopes.
    ///
    /// ```
    /// use axum::{Router, body::Body, routing::get};
    /// use http::{Request, StatusCode, header};
    /// use tower::ServiceExt;
    /// # use tower_resource_server::testing::TestIssuer;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
    /// # let server = TestIssuer::new("https://as.example.com")
    /// #     .resource_server("https://api.example.com").build()?;
    /// let app = Router::new()
    ///     .route("/", get(|| async { "hello" }))
    ///     .layer(server.authenticate().optional());
    ///
    /// let anonymous = app.clone().oneshot(Request::new(Body::empty())).await?;
    /// assert_eq!(anonymous.status(), StatusCode::OK);
    /// assert_eq!(anonymous.headers()[header::VARY], "authorization");
    ///
    /// let broken = Request::get("/").header("authorization", "Bearer x").body(Body::empty())?;
    /// assert_eq!(app.oneshot(broken).await?.status(), StatusCode::UNAUTHORIZED);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn optional(self) -> Self {
        self.map(|gate| gate.mode = Mode::Optional)
    }

    /// Also demands `requirement` of every token, so that already the challenge to a request
    /// without credentials names the scopes to ask for. Called again, it demands both.
    ///
    /// A faulty requirement is logged at once and fails closed: every request is answered 500.
    /// [`try_require`](Self::try_require) returns the faults instead.
    ///
    /// The scopes named here are listed in `scopes_supported` of the metadata document.
    #[must_use]
    pub fn require(self, requirement: impl Into<Requirement>) -> Self {
        let requirement = self.gate.demand.and(requirement.into());
        let constraint = self.gate.constraint();
        self.map(|gate| {
            let demand = gate.settings.demand(requirement);
            gate.demand = Arc::new(demand.constrained(constraint));
        })
    }

    /// As [`require`](Self::require).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every fault of the requirement.
    pub fn try_require(self, requirement: impl Into<Requirement>) -> Result<Self, ConfigError> {
        let requirement = self.gate.demand.and(requirement.into());
        let demand = self.gate.settings.try_demand(requirement)?;
        let demand = Arc::new(demand.constrained(self.gate.constraint()));
        Ok(self.map(|gate| gate.demand = demand))
    }

    /// Which tie between tokens and their senders this layer demands, in place of what the
    /// [server](crate::Builder::sender_constraint) does.
    ///
    /// Under [`fapi2`](crate::Builder::fapi2) it cannot let unbound tokens in: that is logged as an
    /// error, and every request is answered 500.
    ///
    /// ```
    /// use axum::{Router, body::Body, routing::post};
    /// use http::{Request, StatusCode, header};
    /// use tower::ServiceExt;
    /// use tower_resource_server::{SenderConstraint, testing::TestIssuer};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
    /// # let issuer = TestIssuer::new("https://as.example.com");
    /// # let server = issuer.resource_server("https://api.example.com").build()?;
    /// let bound_only = server.authenticate().sender_constraint(SenderConstraint::Dpop);
    /// let app = Router::new().route("/pay", post(|| async {})).layer(bound_only);
    ///
    /// let bearer = issuer.token().authorize(Request::post("/pay").body(Body::empty())?);
    /// let refused = app.oneshot(bearer).await?;
    /// assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    /// let challenge = refused.headers()[header::WWW_AUTHENTICATE].to_str()?;
    /// assert!(challenge.starts_with("DPoP algs="), "{challenge}");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn sender_constraint(self, constraint: SenderConstraint) -> Self {
        let layer = self.map(|gate| gate.demand = Arc::new(gate.demand.constrained(constraint)));
        if layer.gate.is_too_lax() {
            tracing::error!(target: "tower_resource_server::config", ?constraint, "the server accepts bound tokens alone; this layer refuses every request");
        } else {
            layer.gate.settings.metadata.add_constraint(constraint);
        }
        layer
    }

    /// Removes every `Authorization` and `DPoP` field before the inner service sees the request, for
    /// proxies: a token for this server is not to be passed on to another (RFC 8707 §3).
    ///
    /// That holds for each request that gets through, also for one that passed
    /// [without credentials](Self::optional): whatever stood there is gone. The
    /// [`Grant`](crate::Grant) stays, so that a [`RequireLayer`](super::RequireLayer) and handlers
    /// further in work as before. Another `authenticate` layer further in finds nothing and refuses
    /// every request: leave this to the innermost.
    ///
    /// Not removed: a token in a form, for that is in the body; what a
    /// [`CredentialSource`](crate::CredentialSource) of your own has found elsewhere; and
    /// `Client-Cert`, in which a proxy names the client's certificate. The
    /// [guide](crate::guide::gateways) says more.
    ///
    /// ```
    /// use axum::{Router, body::Body, http::HeaderMap};
    /// use http::{Request, header};
    /// use tower::ServiceExt;
    /// # use tower_resource_server::testing::TestIssuer;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
    /// # let issuer = TestIssuer::new("https://as.example.com");
    /// # let server = issuer.resource_server("https://api.example.com").build()?;
    /// let forward = |headers: HeaderMap| async move {
    ///     assert!(!headers.contains_key(header::AUTHORIZATION));
    /// };
    /// let app = Router::new()
    ///     .fallback(forward)
    ///     .layer(server.authenticate().strip_credentials());
    ///
    /// let response = app.oneshot(issuer.token().authorize(Request::new(Body::empty()))).await?;
    /// assert_eq!(response.status(), 200);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn strip_credentials(self) -> Self {
        self.map(|gate| gate.credentials = Credentials::Stripped)
    }

    /// Ends a response that is still streamed when the token of its request expires, leeway included.
    ///
    /// Without this, a request is authorized when it begins, and its answer may go on for as long as
    /// it likes.
    ///
    /// | request | how its response ends |
    /// |---|---|
    /// | gRPC | with trailers: `grpc-status` 16, the message of `expired-token` and the challenges |
    /// | gRPC-Web | the same, in a frame of the body |
    /// | any other | as if it were complete |
    ///
    /// So over HTTP a client cannot tell that there would have been more, unless the format says
    /// where it ends: use it there for events and the like, of which there is always more. A body
    /// whose size is known is never cut. One frame that is ready still goes out afterwards, and so
    /// does whatever ends the body, so that the answer to a call of a single message is whole; but in
    /// gRPC-Web its trailers are one more frame, and those here take their place. The rest of the inner
    /// body is dropped, and with it whatever produces it. It is logged and counted as a refusal of the
    /// kind `expired-token`.
    ///
    /// The [clock](crate::Builder::clock) is asked at each frame. Between frames Tokio's timer wakes
    /// the stream, so that the runtime needs its timers enabled. A response that has not begun is
    /// waited for as long as ever: what a client streams to the server goes on until the service
    /// answers. Nor is revocation looked at again.
    ///
    /// ```
    /// use tower_resource_server::{ResourceServer, layer::AuthenticateLayer};
    ///
    /// fn for_streams(server: &ResourceServer) -> AuthenticateLayer {
    ///     server.authenticate().close_on_expiry()
    /// }
    /// ```
    #[must_use]
    pub fn close_on_expiry(self) -> Self {
        self.map(|gate| gate.streams = Streams::End)
    }

    /// Checks proofs and does not record them, for a gate in front of another resource server.
    ///
    /// A proof may be used once. If the gate recorded it, the server behind would have to refuse
    /// it, where the two share a store; where they do not, recording twice is no use. So the one
    /// that serves the request records it. Until then a proof can pass this layer more than once:
    /// **nothing but such a gate should be behind it.**
    #[must_use]
    pub fn without_claiming(self) -> Self {
        self.map(|gate| gate.claiming = Claiming::Leave)
    }
}

impl fmt::Debug for AuthenticateLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticateLayer").field("mode", &self.gate.mode).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for AuthenticateLayer {
    type Service = Authenticate<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Authenticate { inner, gate: Arc::clone(&self.gate) }
    }
}

/// Calls the inner service for requests with a valid access token, with a
/// [`Grant`](crate::Grant) in their extensions; answers the others itself.
///
/// A refusal is a response: the error type is the inner service's.
///
/// Its readiness is that of the inner service. A proof is checked, and a token that was verified
/// before is settled, within `call`; a new token when the returned future is first polled, so that a
/// service behind a buffer does not check its signature in the buffer's one task.
#[derive(Clone)]
pub struct Authenticate<S> {
    inner: S,
    gate: Arc<Gate>,
}

impl<S: fmt::Debug> fmt::Debug for Authenticate<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticate").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<S, B, R> Service<Request<B>> for Authenticate<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: Body<Data = Bytes>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ResponseFuture::start(&self.gate, &mut self.inner, request)
    }
}
