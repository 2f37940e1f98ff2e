//! Serving the document: a service for its own route, and a layer around anything.

use std::convert::Infallible;
use std::fmt;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW,
    CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::document::{Document, WELL_KNOWN};
use crate::config::Settings;
use crate::layer::ResponseBody;

/// Answers requests for the metadata document, and 404 for every other path.
///
/// The document is public: it needs no token, is cacheable, and readable from any origin. It says
/// nothing that depends on the request. Under the `axum` feature it turns into a `Router`, ready to
/// be merged.
///
/// | method | answer at its path |
/// |---|---|
/// | GET | 200 with the document, or 304 where `If-None-Match` is the present `ETag` |
/// | HEAD | the same without a body |
/// | OPTIONS | 204 with `Access-Control-Allow-Headers: *`: browser clients with headers of their own ask first |
/// | others | 405 with `Allow` |
///
/// All of them have `Access-Control-Allow-Origin: *`. The path is compared as it stands, and the
/// query too if the resource identifier has one.
#[derive(Clone)]
pub struct MetadataService {
    settings: Arc<Settings>,
}

impl fmt::Debug for MetadataService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetadataService").field("path", &self.path()).finish_non_exhaustive()
    }
}

impl MetadataService {
    pub(crate) const fn new(settings: Arc<Settings>) -> Self {
        Self { settings }
    }

    fn document(&self) -> &Document {
        &self.settings.metadata
    }

    /// The path of the document, without its query.
    ///
    /// That of the root alias is not told; it is the well-known path alone.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.document().path
    }

    /// The paths it answers: its own, and the root alias where that is on.
    #[cfg(feature = "axum")]
    pub(crate) fn paths(&self) -> Vec<&str> {
        let mut paths = vec![self.path()];
        if self.document().root_alias && self.path() != WELL_KNOWN {
            paths.push(WELL_KNOWN);
        }
        paths
    }

    fn is_at(&self, uri: &Uri) -> bool {
        let document = self.document();
        let own = uri.path() == document.path
            && document.query.as_deref().is_none_or(|query| uri.query() == Some(query));
        own || document.root_alias && uri.path() == WELL_KNOWN
    }

    fn answer<B>(&self, request: &Request<B>) -> Response<Bytes> {
        if !self.is_at(request.uri()) {
            return status(StatusCode::NOT_FOUND);
        }
        let mut response = match *request.method() {
            Method::GET => self.document_for(request),
            Method::HEAD => self.document_for(request).map(|_| Bytes::new()),
            Method::OPTIONS => preflight(),
            _ => {
                let mut response = status(StatusCode::METHOD_NOT_ALLOWED);
                response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
                response
            }
        };
        let any = HeaderValue::from_static("*");
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, any);
        response
    }

    fn document_for<B>(&self, request: &Request<B>) -> Response<Bytes> {
        let rendered = self.document().render();
        let known = request.headers().get(IF_NONE_MATCH) == Some(&rendered.etag);
        let mut response = if known {
            status(StatusCode::NOT_MODIFIED)
        } else {
            let mut response = Response::new(rendered.json);
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(CONTENT_TYPE, json);
            response
        };
        response.headers_mut().insert(ETAG, rendered.etag);
        response.headers_mut().insert(CACHE_CONTROL, self.document().cache_control.clone());
        response
    }
}

fn status(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

/// Browser clients ask first when they send headers of their own, as MCP clients do.
fn preflight() -> Response<Bytes> {
    let mut response = status(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*"));
    response
}

impl<B> Service<Request<B>> for MetadataService {
    type Response = Response<ResponseBody<http_body_util::Empty<Bytes>>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.answer(&request).map(ResponseBody::own)))
    }
}

/// Serves the document in front of a service, for stacks without a router. Put it outside the
/// `authenticate` layer.
///
/// Its readiness is that of the inner service, for the document too. Requests for the document are
/// answered in place, and what the inner service had reserved for them is given back.
#[derive(Clone, Debug)]
pub struct MetadataLayer {
    service: MetadataService,
}

impl MetadataLayer {
    pub(crate) const fn new(service: MetadataService) -> Self {
        Self { service }
    }
}

impl<S> Layer<S> for MetadataLayer {
    type Service = MetadataLayered<S>;

    fn layer(&self, inner: S) -> Self::Service {
        MetadataLayered { inner, service: self.service.clone() }
    }
}

/// Answers requests for the document and hands the others to the inner service.
#[derive(Clone, Debug)]
pub struct MetadataLayered<S> {
    inner: S,
    service: MetadataService,
}

impl<S, B, R> Service<Request<B>> for MetadataLayered<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: Body<Data = Bytes>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = MetadataFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let state = if self.service.is_at(request.uri()) {
            // Gives back what readiness reserved, such as a permit: the inner is not called.
            self.inner = self.inner.clone();
            State::Own { response: Some(self.service.answer(&request)) }
        } else {
            State::Inner { future: self.inner.call(request) }
        };
        MetadataFuture { state }
    }
}

pin_project! {
    /// The future of [`MetadataLayered`].
    pub struct MetadataFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Inner { #[pin] future: F },
        Own { response: Option<Response<Bytes>> },
    }
}

impl<F, R, E> Future for MetadataFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<ResponseBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Inner { future } => {
                future.poll(cx).map_ok(|response| response.map(ResponseBody::inner))
            }
            StateProjection::Own { response } => {
                let response = response.take().expect("a future is not polled after it is done");
                Poll::Ready(Ok(response.map(ResponseBody::own)))
            }
        }
    }
}
