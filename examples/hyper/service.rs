//! The one type of all services here, and of their bodies.

use std::convert::Infallible;
use std::future::ready;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde_json::Value;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service, ServiceExt as _, service_fn};

/// Layers make a type of each service and body. Here all are boxed, so that a table can hold them.
pub(crate) type App = BoxCloneSyncService<Request<Incoming>, Response<Body>, Infallible>;

pub(crate) type Body = UnsyncBoxBody<Bytes, BoxError>;

pub(crate) fn boxed<S, B>(service: S) -> App
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let boxed = |body: B| body.map_err(Into::into).boxed_unsync();
    BoxCloneSyncService::new(service.map_response(move |response| response.map(boxed)))
}

/// A service that answers at once.
pub(crate) fn answer<F>(make: F) -> App
where
    F: Fn(&Request<Incoming>) -> Response<Bytes> + Clone + Send + Sync + 'static,
{
    boxed(service_fn(move |request| ready(Ok(make(&request).map(Full::new)))))
}

pub(crate) fn json(value: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(value.to_string()));
    let kind = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    response
}

pub(crate) fn status(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

/// HEAD is answered as GET is, without the body (RFC 9110 §9.3.2). Over HTTP/2 hyper would send it.
pub(crate) fn without_body(response: Response<Body>) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact() {
        head.headers.entry(http::header::CONTENT_LENGTH).or_insert(length.into());
    }
    let empty = Full::default().map_err(|never: Infallible| match never {});
    Response::from_parts(head, empty.boxed_unsync())
}
