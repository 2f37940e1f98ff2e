//! Around a bare hyper service, over real connections.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::{Layer, Service, service_fn};
use tower_resource_server::Grant;

use crate::support::{Bed, Challenge};

async fn whoami(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let grant = request.extensions().get::<Grant>().expect("behind the layer");
    Ok(Response::new(Full::from(grant.subject().unwrap_or_default().to_owned())))
}

/// Serves until the test's runtime ends.
pub(crate) async fn serve<S, B>(service: S) -> SocketAddr
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let service = TowerToHyperService::new(service);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            let service = service.clone();
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                // An error ends the connection when the client goes away.
                drop(server.serve_connection(TokioIo::new(stream), service).await);
            });
        }
    });
    address
}

struct Caller {
    client: Client<HttpConnector, Full<Bytes>>,
    address: SocketAddr,
    version: Version,
}

struct Got {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Caller {
    async fn new(bed: &Bed, version: Version) -> Self {
        let mut builder = Client::builder(TokioExecutor::new());
        builder.http2_only(version == Version::HTTP_2);
        let layers = (bed.server.metadata_layer(), bed.server.authenticate());
        let address = serve(layers.layer(service_fn(whoami))).await;
        Self { client: builder.build_http(), address, version }
    }

    async fn send(&self, method: Method, path: &str, authorization: Option<&str>) -> Got {
        let uri = format!("http://{}{path}", self.address);
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let request = request.body(Full::default()).expect("a request");
        let response = self.client.request(request).await.expect("a response");
        assert_eq!(response.version(), self.version);
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Got { status: parts.status, headers: parts.headers, body }
    }
}

impl Got {
    /// The Bearer challenge, which is the first; after it comes one of DPoP without error.
    fn challenge(&self) -> Challenge {
        let lines = self.headers.get_all("www-authenticate").iter();
        let parse = |line: &http::HeaderValue| Challenge::parse(line.to_str().expect("ASCII"));
        let parsed: Vec<_> = lines.map(parse).collect();
        let [bearer, dpop] = parsed.try_into().expect("two challenges");
        assert_eq!((bearer.scheme.as_str(), dpop.scheme.as_str()), ("Bearer", "DPoP"));
        assert_eq!(dpop.names(), ["algs", "resource_metadata"]);
        bearer
    }

    fn length(&self) -> Option<&str> {
        self.headers.get("content-length").map(|value| value.to_str().expect("ASCII"))
    }
}

async fn verdicts(version: Version) {
    let bed = Bed::new();
    let caller = Caller::new(&bed, version).await;
    let good = format!("Bearer {}", bed.token());
    for _ in ["seen first", "seen before"] {
        let got = caller.send(Method::GET, "/r", Some(&good)).await;
        assert_eq!((got.status, &got.body[..]), (StatusCode::OK, &b"user-1"[..]));
        assert!(!got.headers.contains_key("www-authenticate"));
    }
    let got = caller.send(Method::GET, "/r", None).await;
    assert_eq!((got.status, got.body.len()), (StatusCode::UNAUTHORIZED, 0));
    assert_eq!(got.challenge().get("error"), None);
    let got = caller.send(Method::POST, "/r", Some("Bearer garbage")).await;
    assert_eq!(got.status, StatusCode::UNAUTHORIZED);
    assert_eq!(got.challenge().get("error"), Some("invalid_token"));
    let length = got.body.len().to_string();
    assert_eq!(got.length(), Some(length.as_str()));
}

/// HEAD has no body, and announces none or that of GET (RFC 9110 §9.3.2).
async fn heads(version: Version) {
    let bed = Bed::new();
    let caller = Caller::new(&bed, version).await;
    let document = "/.well-known/oauth-protected-resource";
    for (path, authorization) in [("/r", None), ("/r", Some("Bearer garbage")), (document, None)] {
        let get = caller.send(Method::GET, path, authorization).await;
        let head = caller.send(Method::HEAD, path, authorization).await;
        assert_eq!(head.status, get.status);
        assert!(head.body.is_empty());
        assert!(head.length().is_none() || head.length() == get.length(), "{path}");
        for name in ["www-authenticate", "cache-control", "content-type", "etag"] {
            assert_eq!(head.headers.get(name), get.headers.get(name), "{path}: {name}");
        }
    }
}

#[tokio::test]
async fn over_http_1_every_verdict_arrives() {
    verdicts(Version::HTTP_11).await;
}

#[tokio::test]
async fn over_http_2_every_verdict_arrives() {
    verdicts(Version::HTTP_2).await;
}

#[tokio::test]
async fn over_http_1_head_is_get_without_its_body() {
    heads(Version::HTTP_11).await;
}

#[tokio::test]
async fn over_http_2_head_is_get_without_its_body() {
    heads(Version::HTTP_2).await;
}

#[tokio::test]
async fn a_connection_goes_on_after_a_refusal() {
    let bed = Bed::new();
    let caller = Caller::new(&bed, Version::HTTP_11).await;
    let good = format!("Bearer {}", bed.token());
    for _ in 0..3 {
        let refused = caller.send(Method::GET, "/r", Some("Bearer garbage")).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        let served = caller.send(Method::GET, "/r", Some(&good)).await;
        assert_eq!(served.status, StatusCode::OK);
    }
}
