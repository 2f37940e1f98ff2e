//! A reverse proxy that protects the server behind it.
//!
//! That server never sees a token. Who calls it is told in fields of the gateway's own.

mod fields;
mod identity;
mod upload;

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, Request, Response, StatusCode, Uri, Version, header};
use http_body_util::combinators::MapFrame;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Frame, Incoming};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde_json::json;
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_resource_server::ResourceServer;

use self::fields::Names;
use self::upload::Upload;
use crate::common::start::{Failure, Started};
use crate::service::{App, Body, boxed};

/// How long it may take to reach the server behind.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a connection to it is kept for the next request.
const IDLE: Duration = Duration::from_secs(60);

/// All but this path and the metadata document needs a valid token.
const PUBLIC: &str = "/public";

pub(crate) fn app(server: &ResourceServer, gateway: Gateway) -> App {
    let gateway = Arc::new(gateway);
    let forward = boxed(service_fn(move |request| {
        let gateway = Arc::clone(&gateway);
        async move { Ok::<_, Infallible>(gateway.answer(request).await) }
    }));
    let checked = boxed(server.authenticate().strip_credentials().layer(forward.clone()));
    let app = service_fn(move |request: Request<Incoming>| {
        let public = request.uri().path() == PUBLIC;
        (if public { &forward } else { &checked }).clone().oneshot(request)
    });
    boxed(server.metadata_layer().layer(app))
}

/// The body of a request, without what is not the client's to say.
type Checked = MapFrame<Incoming, fn(Frame<Bytes>) -> Frame<Bytes>>;

/// Forwards requests, checked or not.
pub(crate) struct Gateway {
    client: Client<HttpConnector, Upload<Checked>>,
    upstream: Authority,
    names: Names,
    patience: Duration,
}

impl Gateway {
    pub(crate) fn new(
        started: &Started,
        upstream: &str,
        patience: Duration,
    ) -> Result<Self, Failure> {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT.min(patience)));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        let names = Names::new(&started.resource)?;
        Ok(Self { client, upstream: upstream.parse()?, names, patience })
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        match self.forward(request).await {
            Ok(response) => response,
            Err(status) => failed(status),
        }
    }

    async fn forward(&self, request: Request<Incoming>) -> Result<Response<Body>, StatusCode> {
        let (mut head, body) = request.into_parts();
        self.prepare(&mut head)?;
        let (upload, progress) = Upload::new(body.map_frame(fields::clean_trailers as fn(_) -> _));
        let sent = self.client.request(Request::from_parts(head, upload));
        let response = progress.wait(sent, self.patience).await?.map_err(|error| fault(&error))?;
        let (mut head, body) = response.into_parts();
        // Nobody asked it to speak something else.
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            tracing::warn!("the server behind switches protocols unasked");
            return Err(StatusCode::BAD_GATEWAY);
        }
        fields::remove_hop_by_hop(&mut head.headers);
        head.version = Version::HTTP_11;
        // If it breaks off, so does this body: what is cut short never looks whole.
        Ok(Response::from_parts(head, body.map_err(Into::into).boxed_unsync()))
    }

    /// Makes the head of a request that of the next.
    fn prepare(&self, head: &mut Parts) -> Result<(), StatusCode> {
        // Tunnels bypass every check; TRACE shows fields to those who may not read them.
        if [Method::CONNECT, Method::TRACE].contains(&head.method) {
            return Err(StatusCode::NOT_IMPLEMENTED);
        }
        if self.names.has_forwarded(&head.headers) {
            return Err(StatusCode::LOOP_DETECTED);
        }
        head.uri = self.target(&head.uri)?;
        fields::remove_hop_by_hop(&mut head.headers);
        fields::remove_claims(&mut head.headers);
        fields::join_cookies(&mut head.headers);
        self.names.tell_way(head);
        identity::tell(head);
        // What this connection left there means nothing on the next.
        head.extensions.clear();
        head.version = Version::HTTP_11;
        Ok(())
    }

    /// Path and query stay byte for byte.
    fn target(&self, uri: &Uri) -> Result<Uri, StatusCode> {
        let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(self.upstream.clone());
        parts.path_and_query = path.starts_with('/').then(|| path.parse().ok()).flatten();
        Uri::from_parts(parts).map_err(|_| StatusCode::BAD_REQUEST)
    }
}

/// Whose fault it was. Where the client broke off there is nobody left to tell.
fn fault(error: &ClientError) -> StatusCode {
    let sending = error.source().and_then(|error| error.downcast_ref::<hyper::Error>());
    if sending.is_some_and(hyper::Error::is_user) {
        tracing::info!("the client broke off its request");
        return StatusCode::BAD_REQUEST;
    }
    tracing::warn!(error = error as &dyn Error, "the server behind gives no answer");
    if timed_out(error) { StatusCode::GATEWAY_TIMEOUT } else { StatusCode::BAD_GATEWAY }
}

fn timed_out(error: &ClientError) -> bool {
    let mut causes = std::iter::successors(error.source(), |error| (*error).source());
    causes.any(|error| {
        let error = error.downcast_ref::<io::Error>();
        error.is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
    })
}

/// An answer of the gateway itself.
fn failed(status: StatusCode) -> Response<Body> {
    let reason = status.canonical_reason().unwrap_or_default();
    let body = Full::from(Bytes::from(json!({ "error": reason }).to_string()));
    let body = body.map_err(|never: Infallible| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let fields = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    for (name, value) in fields {
        response.headers_mut().insert(name, http::HeaderValue::from_static(value));
    }
    response
}
