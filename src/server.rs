//! The resource server: what all its layers share.

use std::fmt;
use std::sync::Arc;

use crate::authorize::Requirement;
use crate::clock::Timestamp;
use crate::config::{Builder, ConfigError, Settings};
use crate::flight::Waiting;
use crate::keys::{Health, Supply};
use crate::layer::{AuthenticateLayer, Methods, RequireLayer, RequireMethodsLayer};
use crate::metadata::{MetadataLayer, MetadataService};
use crate::token::TrustedIssuer;

/// An OAuth 2 resource server: the one thing from which layers, metadata and keys come.
///
/// Cheap to clone; clones share keys and memory. See the [crate page](crate) for a whole example.
///
/// One is made for each resource identifier, when the program starts. Layers made from it, or from
/// its clones, belong together: they share the keys, the tokens verified before, the clock and the
/// envelope, and only they accept each other's grants. Two servers in one process share nothing.
///
/// Nothing of it runs by itself. Keys are fetched when a request or [`ready`](Self::ready) asks for
/// them, in a task of the Tokio runtime that is current then.
///
/// ```
/// use http::{Request, Response, StatusCode};
/// use http_body_util::Full;
/// use tower::{Layer, ServiceExt, service_fn};
/// use tower_resource_server::{Issuer, ResourceServer, testing::TestIssuer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
/// # let issuer = TestIssuer::new("https://as.example.com");
/// # let keys = issuer.jwks();
/// let server = ResourceServer::builder("https://api.example.com")
///     .issuer(Issuer::jwks("https://as.example.com", keys))
///     .build()?;
///
/// let service = server.authenticate().layer(service_fn(async |_: Request<()>| {
///     Ok::<_, std::convert::Infallible>(Response::new(Full::from("hello")))
/// }));
///
/// let request = issuer.token().authorize(Request::new(()));
/// assert_eq!(service.clone().oneshot(request).await?.status(), StatusCode::OK);
/// assert_eq!(service.oneshot(Request::new(())).await?.status(), StatusCode::UNAUTHORIZED);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ResourceServer {
    settings: Arc<Settings>,
}

impl ResourceServer {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings: Arc::new(settings) }
    }

    #[cfg(feature = "mcp")]
    pub(crate) const fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// Begins the configuration of the server with that resource identifier: the URL by which
    /// clients know it, the audience of its tokens (RFC 8707) and the `resource` of its metadata
    /// (RFC 9728), all byte for byte.
    ///
    /// It is https, or http on loopback, without fragment (RFC 9728 §1.2). A query is allowed and
    /// logged as a warning. `https://api.example.com` and `https://api.example.com/` are two
    /// resources.
    pub fn builder(resource: impl Into<String>) -> Builder {
        Builder::new(resource.into())
    }

    /// The layer that lets only requests with a valid access token through.
    ///
    /// Each call makes a layer of its own. Only the demand and the mode differ between them, so one
    /// layer can be cloned for many routes, or made anew for each.
    #[must_use]
    pub fn authenticate(&self) -> AuthenticateLayer {
        AuthenticateLayer::new(&self.settings)
    }

    /// A layer that demands more of the token; it goes inside an
    /// [`authenticate`](Self::authenticate) layer of this server.
    ///
    /// A faulty requirement is logged at once and fails closed: every request is answered 500.
    /// [`try_require`](Self::try_require) returns the faults instead.
    ///
    /// Making it also enters its scopes into the metadata document, so make layers before the
    /// document is first served.
    ///
    /// ```
    /// use tower_resource_server::{ResourceServer, Scopes};
    ///
    /// fn app(server: &ResourceServer) -> axum::Router {
    ///     let writing = server.require(Scopes::all(["notes/write"]));
    ///     axum::Router::new()
    ///         .route("/notes", axum::routing::post(|| async {}).layer(writing))
    ///         .layer(server.authenticate())
    /// }
    /// ```
    #[must_use]
    pub fn require(&self, requirement: impl Into<Requirement>) -> RequireLayer {
        let demand = self.settings.demand(requirement.into());
        RequireLayer::new(Arc::clone(&self.settings), demand)
    }

    /// As [`require`](Self::require).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every fault of the requirement.
    ///
    /// Use it where requirements are read from a file, or to stop at start-up rather than answer
    /// 500.
    pub fn try_require(
        &self,
        requirement: impl Into<Requirement>,
    ) -> Result<RequireLayer, ConfigError> {
        let demand = self.settings.try_demand(requirement.into())?;
        Ok(RequireLayer::new(Arc::clone(&self.settings), demand))
    }

    /// A layer that demands of each gRPC method what its rule says, and denies every method without
    /// one; it goes inside an [`authenticate`](Self::authenticate) layer of this server.
    ///
    /// Faulty rules are logged at once and fail closed: every request is answered 13 `INTERNAL`.
    /// [`try_require_methods`](Self::try_require_methods) returns the faults instead.
    ///
    /// ```no_run
    /// # async fn serve(
    /// #     server: tower_resource_server::ResourceServer,
    /// #     tools: tonic::service::Routes,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// use tower_resource_server::{Methods, Scopes};
    ///
    /// let methods = Methods::new()
    ///     .public("/grpc.health.v1.Health/Check")
    ///     .method("/demo.Tools/Add", Scopes::all(["tools/write"]));
    /// tonic::transport::Server::builder()
    ///     .layer(server.authenticate().optional()) // outermost
    ///     .layer(server.require_methods(methods))
    ///     .add_routes(tools)
    ///     .serve("127.0.0.1:50051".parse()?)
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn require_methods(&self, methods: Methods) -> RequireMethodsLayer {
        RequireMethodsLayer::new(&self.settings, methods)
    }

    /// As [`require_methods`](Self::require_methods).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every path that is not one or has two rules, and every fault of a
    /// requirement.
    pub fn try_require_methods(
        &self,
        methods: Methods,
    ) -> Result<RequireMethodsLayer, ConfigError> {
        RequireMethodsLayer::try_new(&self.settings, methods)
    }

    /// The metadata document as a service of its own (RFC 9728). With axum, merge it into the
    /// router after the `authenticate` layer, so that it stays public.
    ///
    /// ```
    /// use http::{Request, StatusCode};
    /// use tower::ServiceExt;
    /// # use tower_resource_server::testing::TestIssuer;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
    /// # let server = TestIssuer::new("https://as.example.com")
    /// #     .resource_server("https://api.example.com/v1").build()?;
    /// let metadata = server.metadata();
    /// assert_eq!(metadata.path(), "/.well-known/oauth-protected-resource/v1");
    /// let request = Request::get(metadata.path()).body(())?;
    /// assert_eq!(metadata.oneshot(request).await?.status(), StatusCode::OK);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn metadata(&self) -> MetadataService {
        MetadataService::new(Arc::clone(&self.settings))
    }

    /// The metadata document as a layer, for stacks without a router. Goes outside `authenticate`.
    #[must_use]
    pub fn metadata_layer(&self) -> MetadataLayer {
        MetadataLayer::new(self.metadata())
    }

    /// The resource identifier.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.settings.resource.identifier()
    }

    /// Loads the keys of every issuer, for servers that would rather not start than start without.
    /// Where an issuer is asked about tokens and its metadata says where, that is looked up too.
    ///
    /// Each issuer's keys are tried once, all at the same time; keys that are there already are not
    /// waited for, and static sets are always there. In the rest after a failure nothing is tried, and
    /// it fails at once: who calls it again and again sleeps in between. It takes no longer than the
    /// slowest fetch, about the [`fetch_timeout`](Builder::fetch_timeout) at most, and twice that where
    /// the issuer's metadata is looked up first. Dropping the future stops no fetch.
    ///
    /// It says that there are keys to use, not that they are fresh: that is in
    /// [`health`](Self::health). Issuers of the configuration alone are tried, and no introspection
    /// endpoint is called.
    ///
    /// # Errors
    ///
    /// [`NotReady`] names the issuers whose keys could not be loaded, or whose metadata names no
    /// introspection endpoint, or could not be had.
    pub async fn ready(&self) -> Result<(), NotReady> {
        let issuers = &self.settings.tokens.issuers;
        let now = self.settings.now();
        // All fetches run at once; waiting for each in turn takes as long as the slowest.
        let fetches: Vec<_> = issuers.iter().flat_map(|issuer| missing(issuer, now)).collect();
        for fetch in fetches {
            fetch.ended().await;
        }
        let now = self.settings.now();
        let named = |lacks: fn(&TrustedIssuer, Timestamp) -> bool| -> Vec<String> {
            let lacking = issuers.iter().filter(|issuer| lacks(issuer, now));
            lacking.map(|issuer| issuer.identifier.to_string()).collect()
        };
        let issuers = named(|issuer, now| lacks_keys(issuer, now) || lacks_endpoint(issuer, now));
        let (keys, endpoints) = (named(lacks_keys), named(lacks_endpoint));
        if issuers.is_empty() { Ok(()) } else { Err(NotReady { issuers, keys, endpoints }) }
    }

    /// How the keys of each issuer are now, for readiness probes and dashboards.
    ///
    /// It asks nobody and waits for nothing, and costs about as much as there are issuers. Nor does
    /// it start a refresh: only requests and [`ready`](Self::ready) do. [`Health`] has an example of
    /// a probe.
    ///
    /// ```
    /// use tower_resource_server::{KeyState, ResourceServer};
    ///
    /// fn report(server: &ResourceServer) {
    ///     for issuer in server.health().issuers() {
    ///         if issuer.key_state() != KeyState::Fresh {
    ///             eprintln!("{issuer}"); // in a line: state, number and age of keys, last error
    ///         }
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn health(&self) -> Health {
        let now = self.settings.now();
        let issuers = &self.settings.tokens.issuers;
        let health = |issuer: &Arc<TrustedIssuer>| {
            let asked = issuer.introspection.as_ref();
            let asked = asked.map(|introspector| introspector.trouble(now));
            issuer.keys.health(&issuer.identifier, now).with_introspection(asked)
        };
        Health::new(
            issuers.iter().map(health).collect(),
            issuers.found().iter().map(health).collect(),
        )
    }
}

/// Fetches of what is not there.
fn missing(issuer: &TrustedIssuer, now: Timestamp) -> impl Iterator<Item = Waiting<()>> {
    let keys = lacks_keys(issuer, now).then(|| issuer.keys.fetch_for_unverified(now)).flatten();
    let keys = keys.map(|(fetch, _)| fetch);
    let asked = issuer.introspection.as_ref();
    let endpoint = asked.and_then(|introspector| introspector.look_up_endpoint(now));
    [keys, endpoint].into_iter().flatten()
}

fn lacks_keys(issuer: &TrustedIssuer, now: Timestamp) -> bool {
    !matches!(issuer.keys.supply(now), Supply::Keys(..))
}

fn lacks_endpoint(issuer: &TrustedIssuer, now: Timestamp) -> bool {
    issuer.introspection.as_ref().is_some_and(|introspector| !introspector.knows_endpoint(now))
}

impl fmt::Debug for ResourceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceServer").field("resource", &self.resource()).finish_non_exhaustive()
    }
}

/// Some issuers lack what it takes to judge their tokens: keys, or a place to ask about them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotReady {
    issuers: Vec<String>,
    /// Those without keys.
    keys: Vec<String>,
    /// Those of which nobody knows where to ask.
    endpoints: Vec<String>,
}

impl NotReady {
    /// The issuers whose keys are missing, or their introspection endpoint. Why, the log says.
    ///
    /// [`RefreshError`](crate::RefreshError) has the reasons why keys are missing; an
    /// [`Observer`](crate::Observer) gets them too.
    #[must_use]
    pub fn issuers(&self) -> &[String] {
        &self.issuers
    }
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        let lists = [
            ("no keys could be loaded for", &self.keys),
            ("no introspection endpoint is known for", &self.endpoints),
        ];
        for (problem, issuers) in lists.into_iter().filter(|(_, issuers)| !issuers.is_empty()) {
            write!(f, "{separator}{problem} {}", issuers.join(", "))?;
            separator = "; ";
        }
        Ok(())
    }
}

impl std::error::Error for NotReady {}
