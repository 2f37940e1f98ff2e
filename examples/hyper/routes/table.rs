//! The least of a router: paths, then methods.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use tower::{Service, ServiceExt as _, service_fn};

use crate::service::{App, Body, answer, boxed, status, without_body};

/// Services by path. A request keeps its path, also in a table within a table: proofs name it whole.
#[derive(Clone, Default)]
pub(crate) struct Table {
    places: Arc<[(&'static str, Place)]>,
}

#[derive(Clone)]
enum Place {
    Service(App),
    /// What stands under that prefix.
    Table(Table),
}

impl Table {
    /// A path that ends in `{id}` stands for all with one more segment there.
    pub(crate) fn at(self, path: &'static str, service: App) -> Self {
        self.with(path, Place::Service(service))
    }

    pub(crate) fn nest(self, prefix: &'static str, table: Self) -> Self {
        self.with(prefix, Place::Table(table))
    }

    fn with(self, path: &'static str, place: Place) -> Self {
        let places = self.places.iter().cloned().chain([(path, place)]);
        Self { places: places.collect() }
    }

    fn find(&self, path: &str) -> Option<App> {
        self.places.iter().find_map(|(at, place)| match place {
            Place::Service(service) => matches(at, path).then(|| service.clone()),
            Place::Table(table) => path.strip_prefix(at).and_then(|rest| table.find(rest)),
        })
    }
}

fn matches(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix("{id}") {
        None => pattern == path,
        Some(start) => {
            let id = path.strip_prefix(start);
            id.is_some_and(|id| !id.is_empty() && !id.contains('/'))
        }
    }
}

impl Service<Request<Incoming>> for Table {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let found = self.find(request.uri().path());
        let service = found.unwrap_or_else(|| answer(|_| status(StatusCode::NOT_FOUND)));
        Box::pin(service.oneshot(request))
    }
}

pub(crate) fn get(service: App) -> App {
    methods([(Method::GET, service)])
}

/// The others are answered 405. HEAD is allowed where GET is.
pub(crate) fn methods<const N: usize>(services: [(Method, App); N]) -> App {
    boxed(service_fn(move |request: Request<Incoming>| {
        let is_head = *request.method() == Method::HEAD;
        let wanted = if is_head { Method::GET } else { request.method().clone() };
        let found = services.iter().find(|(method, _)| *method == wanted);
        let service = found.map(|(_, service)| service.clone());
        let service = service.unwrap_or_else(|| not_allowed(&services));
        async move {
            let response = service.oneshot(request).await?;
            Ok(if is_head { without_body(response) } else { response })
        }
    }))
}

fn not_allowed(services: &[(Method, App)]) -> App {
    let mut names: Vec<_> = services.iter().map(|(method, _)| method.as_str()).collect();
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    let allow = HeaderValue::from_str(&names.join(",")).ok();
    answer(move |_| {
        let mut response = status(StatusCode::METHOD_NOT_ALLOWED);
        if let Some(allow) = &allow {
            response.headers_mut().insert(header::ALLOW, allow.clone());
        }
        response
    })
}
