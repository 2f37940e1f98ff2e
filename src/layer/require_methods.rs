//! The layer that demands of each gRPC method what its rule says.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::ResponseBody;
use super::caller::{caller, fault, met};
use super::methods::{Access, Methods, Table};
use super::require::RequireFuture;
use crate::authorize::{Caller, Demand};
use crate::config::{ConfigError, Settings};
use crate::error::RejectionKind;
use crate::rejection::Rejection;

/// Applies [`RequireMethods`] to services. Made by
/// [`ResourceServer::require_methods`](crate::ResourceServer::require_methods).
///
/// It verifies nothing itself. It looks the path of the request up in its [`Methods`], reads the
/// [`Grant`](crate::Grant) that an [`AuthenticateLayer`](super::AuthenticateLayer) of the *same*
/// server has left, and answers
///
/// | the rule of the method | who calls | answer |
/// |---|---|---|
/// | any, or none | nobody knows: there is no such layer around | 13 `INTERNAL`, logged at level ERROR |
/// | public | anybody | the inner service's |
/// | any token, or a requirement | an anonymous request behind an optional layer | 16 `UNAUTHENTICATED`, with the scopes to ask for |
/// | any token | a grant | the inner service's |
/// | a requirement | a grant | as a [`RequireLayer`](super::RequireLayer) does |
/// | none | an anonymous request | 16 `UNAUTHENTICATED` |
/// | none | a grant | 7 `PERMISSION_DENIED`, `unlisted-method`, without a challenge |
///
/// A request that is no gRPC call by its content type gets the same answers in HTTP form, with the
/// statuses 500, 401 and 403. Neither is a CORS preflight let through: gRPC services look at the
/// path alone, and would run the method for it. Preflights are for a CORS layer outside.
///
/// The scopes it names are listed in `scopes_supported` of the metadata document from the moment it
/// is made.
///
/// ```
/// use http::{Request, Response, header};
/// use http_body_util::Empty;
/// use tower::{Layer, ServiceExt, service_fn};
/// use tower_resource_server::{Methods, Scopes, testing::TestIssuer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
/// # let issuer = TestIssuer::new("https://as.example.com");
/// # let server = issuer.resource_server("https://api.example.com").build()?;
/// let methods = Methods::new().method("/demo.Tools/Add", Scopes::all(["tools/write"]));
/// let layers = (server.authenticate(), server.require_methods(methods));
/// let service = layers.layer(service_fn(async |_: Request<()>| {
///     let mut response = Response::new(Empty::<bytes::Bytes>::new());
///     response.headers_mut().insert("grpc-status", header::HeaderValue::from_static("0"));
///     Ok::<_, std::convert::Infallible>(response)
/// }));
///
/// let call = |path: &str| {
///     let request = Request::post(path).header("content-type", "application/grpc").body(());
///     issuer.token().scope("tools/write").authorize(request.expect("a request"))
/// };
/// let added = service.clone().oneshot(call("/demo.Tools/Add")).await?;
/// assert_eq!(added.headers()["grpc-status"], "0");
/// let unlisted = service.oneshot(call("/demo.Tools/Remove")).await?;
/// assert_eq!(unlisted.headers()["grpc-status"], "7");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RequireMethodsLayer {
    settings: Arc<Settings>,
    policy: Arc<Policy>,
}

struct Policy {
    /// `None` where the rules have faults: every request is refused.
    table: Option<Table>,
    /// Of a method without a rule.
    unlisted: Arc<Demand>,
}

impl RequireMethodsLayer {
    /// With faults it fails closed, and says so in the log at once.
    pub(crate) fn new(settings: &Arc<Settings>, methods: Methods) -> Self {
        Self::try_new(settings, methods).unwrap_or_else(|error| {
            tracing::error!(target: "tower_resource_server::config", %error, "methods unusable");
            Self::of(settings, None)
        })
    }

    pub(crate) fn try_new(settings: &Arc<Settings>, methods: Methods) -> Result<Self, ConfigError> {
        Ok(Self::of(settings, Some(methods.into_table(settings)?)))
    }

    fn of(settings: &Arc<Settings>, table: Option<Table>) -> Self {
        let policy = Policy { table, unlisted: Arc::new(Demand::default().kept()) };
        Self { settings: Arc::clone(settings), policy: Arc::new(policy) }
    }

    fn verdict<B>(&self, request: &Request<B>) -> Result<(), Rejection> {
        let Self { settings, policy } = self;
        let Some(table) = &policy.table else {
            let kind = RejectionKind::InvalidRequirement;
            return Err(fault(kind, settings, &policy.unlisted, request));
        };
        let access = table.access(request.uri().path());
        let demand = match access {
            Some(Access::Demand(demand)) => demand,
            Some(Access::Public) | None => &policy.unlisted,
        };
        match (caller(settings, demand, request)?, access) {
            (_, Some(Access::Public)) => Ok(()),
            (Caller::Anonymous(anonymous), _) => Err(Rejection::missing(anonymous, demand)),
            (Caller::Granted(grant), Some(Access::Demand(demand))) => met(demand, grant),
            (Caller::Granted(grant), None) => Err(Rejection::unlisted(grant, demand)),
        }
    }
}

impl fmt::Debug for RequireMethodsLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireMethodsLayer")
            .field("table", &self.policy.table)
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for RequireMethodsLayer {
    type Service = RequireMethods<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireMethods { inner, layer: self.clone() }
    }
}

/// Calls the inner service for requests whose [`Grant`](crate::Grant) is enough for their method.
///
/// Without an [`authenticate`](crate::ResourceServer::authenticate) layer of the same server
/// around it, it refuses everything: it fails closed.
#[derive(Clone)]
pub struct RequireMethods<S> {
    inner: S,
    layer: RequireMethodsLayer,
}

impl<S: fmt::Debug> fmt::Debug for RequireMethods<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireMethods").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<S, B, R> Service<Request<B>> for RequireMethods<S>
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
        RequireFuture::start(self.layer.verdict(&request), &mut self.inner, request)
    }
}
