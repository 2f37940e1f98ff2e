//! A service `demo.Tools` with a method of each kind, a server for it on a loopback port, and a
//! client. What `tonic-build` would generate is written by hand here.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use http::uri::PathAndQuery;
use tonic::body::Body;
use tonic::codec::Streaming;
use tonic::metadata::MetadataMap;
use tonic::server::{Grpc, NamedService};
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::{Layer, Service, service_fn};
use tower_resource_server::tonic::{grant, optional_grant};
use tower_resource_server::{Grant, Scopes};

/// The message of every method.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Number {
    #[prost(int64, tag = "1")]
    pub(crate) value: i64,
    #[prost(string, tag = "2")]
    pub(crate) caller: String,
}

impl Number {
    pub(crate) fn of(value: i64) -> Self {
        Self { value, ..Self::default() }
    }
}

type Codec = ProstCodec<Number, Number>;
pub(crate) type Outcome = Result<Number, Status>;
type Numbers = Pin<Box<dyn Stream<Item = Outcome> + Send>>;

/// The service; counts the calls that reach a method.
#[derive(Clone, Default)]
pub(crate) struct Tools {
    calls: Arc<AtomicUsize>,
}

impl Tools {
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

impl NamedService for Tools {
    const NAME: &'static str = "demo.Tools";
}

fn caller<T>(request: &Request<T>) -> String {
    let grant = request.extensions().get::<Grant>();
    grant.and_then(Grant::subject).unwrap_or("anonymous").to_owned()
}

/// Unary: one more.
async fn add(request: Request<Number>) -> Result<Response<Number>, Status> {
    let value = request.get_ref().value + 1;
    Ok(Response::new(Number { value, caller: caller(&request) }))
}

/// Unary: demands more by itself.
async fn purge(request: Request<Number>) -> Result<Response<Number>, Status> {
    let grant = grant(&request)?;
    grant.require(Scopes::all(["tools/delete"]))?;
    Ok(Response::new(Number::of(0)))
}

/// Unary: for anybody.
async fn greet(request: Request<Number>) -> Result<Response<Number>, Status> {
    let grant = optional_grant(&request)?;
    let caller = grant.and_then(Grant::subject).unwrap_or("anonymous").to_owned();
    Ok(Response::new(Number { value: 0, caller }))
}

/// Server streaming: counts down to one; a negative number never ends.
async fn count(request: Request<Number>) -> Result<Response<Numbers>, Status> {
    let from = request.get_ref().value;
    let numbers = stream::iter((1..=from.abs()).rev()).map(|value| Ok(Number::of(value)));
    Ok(Response::new(match from {
        0.. => Box::pin(numbers),
        _ => Box::pin(numbers.chain(stream::pending())),
    }))
}

/// Client streaming: the sum.
async fn sum(request: Request<Streaming<Number>>) -> Result<Response<Number>, Status> {
    let caller = caller(&request);
    let mut numbers = request.into_inner();
    let mut value = 0;
    while let Some(number) = numbers.message().await? {
        value += number.value;
    }
    Ok(Response::new(Number { value, caller }))
}

/// Both: each number doubled.
async fn double(request: Request<Streaming<Number>>) -> Result<Response<Numbers>, Status> {
    let doubled = request.into_inner().map(|number| number.map(|n| Number::of(n.value * 2)));
    Ok(Response::new(Box::pin(doubled)))
}

impl Service<http::Request<Body>> for Tools {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = request.uri().path().strip_prefix("/demo.Tools/").unwrap_or("").to_owned();
        let calls = Arc::clone(&self.calls);
        Box::pin(async move {
            let mut grpc = Grpc::new(Codec::default());
            calls.fetch_add(1, Ordering::SeqCst);
            Ok(match method.as_str() {
                "Add" => grpc.unary(service_fn(add), request).await,
                "Purge" => grpc.unary(service_fn(purge), request).await,
                "Greet" => grpc.unary(service_fn(greet), request).await,
                "Count" => grpc.server_streaming(service_fn(count), request).await,
                "Sum" => grpc.client_streaming(service_fn(sum), request).await,
                "Double" => grpc.streaming(service_fn(double), request).await,
                _ => {
                    calls.fetch_sub(1, Ordering::SeqCst);
                    Status::unimplemented("").into_http()
                }
            })
        })
    }
}

/// The service on a loopback port, with these layers around it.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) tools: Tools,
}

impl Served {
    pub(crate) async fn behind<L, S, R>(layer: L) -> Self
    where
        L: Layer<Routes, Service = S> + Clone + Send + 'static,
        S: Service<http::Request<Body>, Response = http::Response<R>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send + 'static,
        R: http_body::Body<Data = Bytes> + Send + 'static,
        R::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let tools = Tools::default();
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().expect("an address"));
        let incoming = incoming.expect("a free port");
        let address = incoming.local_addr().expect("bound");
        let routes = Routes::new(tools.clone());
        let server = Server::builder().accept_http1(true).layer(layer);
        tokio::spawn(server.serve_with_incoming(routes, incoming));
        Self { address, tools }
    }

    pub(crate) async fn client(&self) -> Client {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address));
        Client::over(endpoint.expect("a URI").connect().await.expect("the server listens"))
    }
}

/// A client that sends the same metadata with each call.
#[derive(Clone)]
pub(crate) struct Client {
    grpc: tonic::client::Grpc<Channel>,
    metadata: MetadataMap,
}

impl Client {
    pub(crate) fn over(channel: Channel) -> Self {
        Self { grpc: tonic::client::Grpc::new(channel), metadata: MetadataMap::new() }
    }

    /// The same with one more field.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.metadata.append(name, value.parse().expect("ASCII"));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    async fn ready(&self) -> tonic::client::Grpc<Channel> {
        let mut grpc = self.grpc.clone();
        grpc.ready().await.expect("connected");
        grpc
    }

    fn request<T>(&self, message: T) -> Request<T> {
        Request::from_parts(self.metadata.clone(), http::Extensions::new(), message)
    }

    pub(crate) async fn unary(&self, path: &'static str, value: i64) -> Outcome {
        let request = self.request(Number::of(value));
        let path = PathAndQuery::from_static(path);
        let answer = self.ready().await.unary(request, path, Codec::default()).await?;
        Ok(answer.into_inner())
    }

    pub(crate) async fn add(&self, value: i64) -> Outcome {
        self.unary("/demo.Tools/Add", value).await
    }

    pub(crate) async fn count(&self, from: i64) -> Result<Streaming<Number>, Status> {
        let path = PathAndQuery::from_static("/demo.Tools/Count");
        let request = self.request(Number::of(from));
        let answer = self.ready().await.server_streaming(request, path, Codec::default()).await?;
        Ok(answer.into_inner())
    }

    pub(crate) async fn sum<S>(&self, numbers: S) -> Outcome
    where
        S: Stream<Item = i64> + Send + 'static,
    {
        let path = PathAndQuery::from_static("/demo.Tools/Sum");
        let request = self.request(numbers.map(Number::of));
        let answer = self.ready().await.client_streaming(request, path, Codec::default()).await?;
        Ok(answer.into_inner())
    }

    pub(crate) async fn double<S>(&self, numbers: S) -> Result<Streaming<Number>, Status>
    where
        S: Stream<Item = i64> + Send + 'static,
    {
        let path = PathAndQuery::from_static("/demo.Tools/Double");
        let request = self.request(numbers.map(Number::of));
        let answer = self.ready().await.streaming(request, path, Codec::default()).await?;
        Ok(answer.into_inner())
    }
}

/// All that a stream brings.
pub(crate) async fn all(mut stream: Streaming<Number>) -> Result<Vec<i64>, Status> {
    let mut values = Vec::new();
    while let Some(number) = stream.message().await? {
        values.push(number.value);
    }
    Ok(values)
}

/// The values of that field in the metadata of a status.
pub(crate) fn metadata(status: &Status, name: &str) -> Vec<String> {
    let values = status.metadata().get_all(name).iter();
    values.map(|value| value.to_str().expect("ASCII").to_owned()).collect()
}
