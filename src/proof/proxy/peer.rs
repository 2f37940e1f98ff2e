//! Who is at the other end of the connection.

use std::net::IpAddr;

/// A request extension by which a server says what address the connection comes from.
///
/// Insert it where connections are accepted. [`TrustedProxies`](crate::TrustedProxies), and those
/// named to [`client_cert_field`](crate::Builder::client_cert_field), are told by it; no header can
/// take its place. Never fill it from `X-Forwarded-For` and the like: then
/// everyone could pass for a proxy.
///
/// With axum, a small middleware outside of
/// [`authenticate`](crate::ResourceServer::authenticate) maps axum's own extension:
///
/// ```no_run
/// use std::net::SocketAddr;
///
/// use axum::extract::{ConnectInfo, Request};
/// use axum::middleware::{self, Next};
/// use axum::{Router, response::Response};
/// use tower_resource_server::PeerAddress;
///
/// async fn tell_peer(
///     ConnectInfo(peer): ConnectInfo<SocketAddr>,
///     mut request: Request,
///     next: Next,
/// ) -> Response {
///     request.extensions_mut().insert(PeerAddress::new(peer.ip()));
///     next.run(request).await
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let app = Router::new();
/// let app = app.layer(middleware::from_fn(tell_peer)); // after, so outside of, the layers
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await
/// # }
/// ```
///
/// With hyper, the address comes with the accepted connection:
///
/// ```no_run
/// # use axum::Router;
/// use http::Request;
/// use hyper::body::Incoming;
/// use hyper_util::rt::{TokioExecutor, TokioIo};
/// use hyper_util::server::conn::auto;
/// use hyper_util::service::TowerToHyperService;
/// use tower::ServiceExt;
/// use tower_resource_server::PeerAddress;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let service: Router = Router::new();
/// # let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// loop {
///     let (stream, peer) = listener.accept().await?;
///     let service = service.clone().map_request(move |mut request: Request<Incoming>| {
///         request.extensions_mut().insert(PeerAddress::new(peer.ip()));
///         request
///     });
///     tokio::spawn(async move {
///         auto::Builder::new(TokioExecutor::new())
///             .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
///             .await
///             .unwrap_or_else(|error| eprintln!("{error}"));
///     });
/// }
/// # }
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PeerAddress(IpAddr);

impl PeerAddress {
    /// The address of the peer, as the operating system tells it.
    #[must_use]
    pub const fn new(ip: IpAddr) -> Self {
        Self(ip)
    }

    /// The address.
    #[must_use]
    pub const fn ip(&self) -> IpAddr {
        self.0
    }
}
