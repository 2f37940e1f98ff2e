//! The layer that demands more of a token that is already verified.

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
use super::future::{is_preflight, label, own, take_ready};
use crate::authorize::{Anonymous, Demand, Grant};
use crate::config::Settings;
use crate::credentials::RequestHead;
use crate::error::RejectionKind;
use crate::rejection::Rejection;
use crate::render;

/// Applies [`Require`] to services. Made by
/// [`ResourceServer::require`](crate::ResourceServer::require).
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
    #[must_use]
    pub fn conceal(self) -> Self {
        let demand = Arc::new(self.demand.concealed());
        Self { demand, ..self }
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
        RequireFuture::start(settings, demand, &mut self.inner, request)
    }
}

pin_project! {
    /// The future of [`Require`].
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
    pub(super) fn start<S, B>(
        settings: &Arc<Settings>,
        demand: &Arc<Demand>,
        inner: &mut S,
        request: Request<B>,
    ) -> Self
    where
        S: Service<Request<B>, Future = F> + Clone,
    {
        let state = match demanded(settings, demand, &request) {
            Ok(()) => RequireState::Calling { future: inner.call(request) },
            Err(rejection) => {
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

/// Fails closed: neither a grant nor the word of an optional layer means that nothing was checked,
/// and what another server checked counts for nothing here (RFC 9700 §2.3).
fn demanded<B>(
    settings: &Arc<Settings>,
    demand: &Arc<Demand>,
    request: &Request<B>,
) -> Result<(), Rejection> {
    let kind = if demand.unusable {
        RejectionKind::InvalidRequirement
    } else if let Some(grant) = own_grant(settings, request) {
        return demand.check(grant).map_err(|short| short.into_rejection(grant, demand));
    } else if !is_anonymous(settings, request) {
        RejectionKind::MissingAuthentication
    } else if settings.preflight_passes && is_preflight(&RequestHead::of(request)) {
        return Ok(());
    } else {
        RejectionKind::MissingCredentials
    };
    Err(Rejection::new(kind, settings, demand, label(request), None))
}

fn own_grant<'r, B>(settings: &Arc<Settings>, request: &'r Request<B>) -> Option<&'r Grant> {
    let grant = request.extensions().get::<Grant>();
    grant.filter(|grant| Arc::ptr_eq(grant.settings(), settings))
}

fn is_anonymous<B>(settings: &Arc<Settings>, request: &Request<B>) -> bool {
    let anonymous = request.extensions().get::<Anonymous>();
    anonymous.is_some_and(|anonymous| Arc::ptr_eq(&anonymous.settings, settings))
}
