//! The resource server under test, in this process.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Empty;
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};
use tower_resource_server::testing::DpopClient;
use tower_resource_server::{
    Builder, Clock, Grant, Issuer, Rejection, RejectionKind, ResourceServer, Scopes,
};

use crate::provider::PATIENCE;

/// The resource that gets JWTs.
pub(crate) const RESOURCE: &str = "https://api.example.com";

pub(crate) type App = BoxCloneSyncService<Request<()>, Response<()>, Infallible>;

/// The system's clock, put forward.
#[derive(Clone, Debug, Default)]
pub(crate) struct ForwardClock {
    seconds: Arc<AtomicU64>,
}

impl ForwardClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.seconds.fetch_add(by.as_secs(), Ordering::SeqCst);
    }
}

impl Clock for ForwardClock {
    fn now(&self) -> SystemTime {
        SystemTime::now() + Duration::from_secs(self.seconds.load(Ordering::SeqCst))
    }
}

/// Requests to a route that wants the scope `read`, behind the real layers.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) app: App,
    pub(crate) clock: ForwardClock,
}

/// What a request gets: its grant, or why it was refused.
pub(crate) type Verdict = Result<Grant, RejectionKind>;

impl Api {
    pub(crate) fn new(resource: &str, issuer: Issuer) -> Self {
        Self::with(resource, issuer, |builder| builder)
    }

    pub(crate) fn with(
        resource: &str,
        issuer: Issuer,
        change: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let clock = ForwardClock::default();
        let builder = ResourceServer::builder(resource).issuer(issuer).allow_loopback();
        let builder = builder.clock(clock.clone()).fetch_timeout(PATIENCE);
        let server = change(builder).build().expect("a valid configuration");
        let handler = service_fn(async |request: Request<()>| {
            let mut response = Response::new(Empty::<Bytes>::new());
            response.extensions_mut().extend(request.extensions().clone());
            Ok::<_, Infallible>(response)
        });
        let service =
            server.authenticate().layer(server.require(Scopes::all(["read"])).layer(handler));
        let app = service.map_response(|response| response.map(drop));
        Self { app: BoxCloneSyncService::new(app), clock }
    }

    pub(crate) async fn bearer(&self, token: &str) -> Verdict {
        let request = Request::get("/r").header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.send(request.body(()).expect("a request")).await
    }

    /// A request with whatever proof the client makes, following nonces.
    pub(crate) async fn call(&self, client: &mut DpopClient) -> Verdict {
        let request = || Request::get("/r").body(()).expect("a request");
        verdict(&client.call(&mut self.app.clone(), request).await.expect("infallible"))
    }

    pub(crate) async fn send(&self, request: Request<()>) -> Verdict {
        verdict(&self.app.clone().oneshot(request).await.expect("infallible"))
    }
}

fn verdict(response: &Response<()>) -> Verdict {
    if let Some(rejection) = response.extensions().get::<Rejection>() {
        return Err(rejection.kind());
    }
    assert_eq!(response.status(), StatusCode::OK);
    Ok(response.extensions().get::<Grant>().cloned().expect("the handler had it"))
}
