//! The layer that demands more of a token that is already verified.
//!
//! The grant was put into the request's extensions by the layer outside, together with the settings
//! of the server that verified it. A requirement is put to that grant here, on the spot: nothing is
//! fetched, nothing is awaited, and the future does no more than hold the answer.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::ResponseBody;
use super::caller::demanded;
use super::future::{own, take_ready};
use crate::authorize::Demand;
use crate::config::Settings;
use crate::rejection::Rejection;
use crate::render;
use crate::scheme::SenderConstraint;

/// Applies [`Require`] to services. Made by
/// [`ResourceServer::require`](crate::ResourceServer::require).
///
/// It verifies nothing itself. It reads the [`Grant`](crate::Grant) that an
/// [`AuthenticateLayer`](super::AuthenticateLayer) of the *same* server has left, and answers
///
/// | it finds | answer |
/// |---|---|
/// | a grant that meets the requirement | the inner service's |
/// | a grant without enough scopes or authorization details, or one that fails a predicate | 403 `insufficient_scope` |
/// | a token not tied to its sender as is [demanded](Self::sender_constraint), of a scheme that is not accepted | 401, the challenges without error |
/// | such a token, of an accepted scheme | 401 `invalid_token` |
/// | a grant with too weak or too old an authentication | 401 `insufficient_user_authentication` (RFC 9470 §3) |
/// | an anonymous request behind an optional layer | 401 with the scopes to ask for |
/// | a CORS preflight that the outer layer let through | the inner service's |
/// | no grant, or that of another server | 500, logged at level ERROR |
/// | a faulty requirement | 500 for every request |
///
/// The scopes it names are listed in `scopes_supported` of the metadata document from the moment it
/// is made, and the types of authorization details in `authorization_details_types_supported`.
///
/// ```
/// use axum::{Router, body::Body, routing::get};
/// use http::{Request, StatusCode};
/// use tower::ServiceExt;
/// use tower_resource_server::{Scopes, testing::TestIssuer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
/// # let issuer = TestIssuer::new("https://as.example.com");
/// # let server = issuer.resource_server("https://api.example.com").build()?;
/// let app = Router::new()
///     .route("/tools", get(|| async { "hammer, saw" }))
///     .layer(server.require(Scopes::all(["tools/read"])))
///     .layer(server.authenticate());
///
/// let request = || Request::get("/tools").body(Body::empty()).expect("a request");
/// let narrow = issuer.token().scope("tools/list").authorize(request());
/// assert_eq!(app.clone().oneshot(narrow).await?.status(), StatusCode::FORBIDDEN);
///
/// let enough = issuer.token().scope("tools/read tools/list").authorize(request());
/// assert_eq!(app.oneshot(enough).await?.status(), StatusCode::OK);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RequireLayer {
    settings: Arc<Settings>,
    demand: Arc<Demand>,
}

impl RequireLayer {
    pub(crate) const fn new(settings: Arc<Settings>, demand: Arc<Demand>) -> Self {
        Self { settings, demand }
    }

    /// Answers 404 without a challenge where it would answer 403, to hide that the route exists
    /// (RFC 9110 §15.5.4). Requests without a valid token still get their 401.
    ///
    /// A token that lacks a step-up and nothing else gets its 401 too, since without the challenge
    /// the client could not go on: by everything else it may know of the route. One that lacks more
    /// gets the 404. So beside a step-up, demand what tells the few who may know; a step-up alone
    /// hides nothing.
    ///
    /// The kind in the log and in the [`Rejection`](crate::Rejection) stays what it is, while the
    /// envelope is shown `not-found` and no error code.
    ///
    /// Concealment is only as good as the real 404s of the application are like this one; the
    /// [guide](crate::guide::envelopes#concealed-routes) says what to look at.
    ///
    /// ```
    /// use axum::{Router, body::Body, routing::get};
    /// use http::{Request, StatusCode, header};
    /// use tower::ServiceExt;
    /// use tower_resource_server::{Rejection, Scopes, testing::TestIssuer};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
    /// # let issuer = TestIssuer::new("https://as.example.com");
    /// # let server = issuer.resource_server("https://api.example.com").build()?;
    /// let staff = server.require(Scopes::all(["staff"])).conceal();
    /// let app = Router::new()
    ///     .route("/ledger", get(|| async { "…" }).layer(staff))
    ///     .layer(server.authenticate());
    ///
    /// let request = Request::get("/ledger").body(Body::empty())?;
    /// let response = app.oneshot(issuer.token().scope("reader").authorize(request)).await?;
    /// assert_eq!(response.status(), StatusCode::NOT_FOUND);
    /// assert!(!response.headers().contains_key(header::WWW_AUTHENTICATE));
    /// // Layers outside still learn why.
    /// let rejection = response.extensions().get::<Rejection>().expect("a refusal");
    /// assert_eq!(rejection.kind().name(), "insufficient-scope");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn conceal(self) -> Self {
        let demand = Arc::new(self.demand.concealed());
        Self { demand, ..self }
    }
}

impl RequireLayer {
    /// Demands that the token be tied to its sender in that way (RFC 9700 §2.2.1), whatever the
    /// layers around it accept.
    ///
    /// What those refuse never gets here, so nothing is accepted by this that was not before;
    /// [`SenderConstraint::Any`] demands nothing.
    ///
    /// ```
    /// use axum::{Router, body::Body, routing::get};
    /// use http::{Request, StatusCode};
    /// use tower::ServiceExt;
    /// use tower_resource_server::{Scopes, SenderConstraint, testing::TestIssuer};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
    /// # let issuer = TestIssuer::new("https://as.example.com");
    /// # let server = issuer.resource_server("https://api.example.com").build()?;
    /// let ledger = server.require(Scopes::all(["ledger"])).sender_constraint(SenderConstraint::Dpop);
    /// let app = Router::new()
    ///     .route("/ledger", get(|| async { "…" }).layer(ledger))
    ///     .layer(server.authenticate());
    ///
    /// let bearer = Request::get("/ledger").body(Body::empty())?;
    /// let refused = app.oneshot(issuer.token().scope("ledger").authorize(bearer)).await?;
    /// assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn sender_constraint(self, constraint: SenderConstraint) -> Self {
        // The layer around may accept less than any, and its challenges are to say so.
        let own = Some(constraint).filter(|constraint| *constraint != SenderConstraint::Any);
        self.settings.metadata.add_certificates(constraint);
        Self { demand: Arc::new(self.demand.constrained(own)), ..self }
    }
}

impl fmt::Debug for RequireLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireLayer").field("demand", &self.demand).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for RequireLayer {
    type Service = Require<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Require { inner, layer: self.clone() }
    }
}

/// Calls the inner service for requests whose [`Grant`](crate::Grant) meets the requirement.
///
/// Without an [`authenticate`](crate::ResourceServer::authenticate) layer of the same server
/// around it, it answers 500: it fails closed.
#[derive(Clone)]
pub struct Require<S> {
    inner: S,
    layer: RequireLayer,
}

impl<S: fmt::Debug> fmt::Debug for Require<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Require").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<S, B, R> Service<Request<B>> for Require<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: Body<Data = Bytes>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = RequireFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let RequireLayer { settings, demand } = &self.layer;
        RequireFuture::start(demanded(settings, demand, &request), &mut self.inner, request)
    }
}

pin_project! {
    /// The future of [`Require`], and of the other services that decide on the spot whether the inner
    /// one is called.
    pub struct RequireFuture<F> {
        #[pin]
        state: RequireState<F>,
    }
}

pin_project! {
    #[project = RequireProjection]
    enum RequireState<F> {
        Calling { #[pin] future: F },
        Refused { response: Option<Response<Bytes>> },
    }
}

impl<F> RequireFuture<F> {
    pub(crate) fn start<S, B>(
        verdict: Result<(), Rejection>,
        inner: &mut S,
        request: Request<B>,
    ) -> Self
    where
        S: Service<Request<B>, Future = F> + Clone,
    {
        let state = match verdict {
            Ok(()) => RequireState::Calling { future: inner.call(request) },
            Err(rejection) => {
                // Gives back what readiness reserved, such as a permit: the inner is not called.
                drop(take_ready(inner));
                RequireState::Refused { response: Some(render::respond(&rejection)) }
            }
        };
        Self { state }
    }
}

impl<F, R, E> Future for RequireFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body<Data = Bytes>,
{
    type Output = Result<Response<ResponseBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            RequireProjection::Calling { future } => {
                future.poll(cx).map_ok(|response| response.map(ResponseBody::inner))
            }
            RequireProjection::Refused { response } => Poll::Ready(Ok(own(response))),
        }
    }
}
