//! Connections: HTTP/1.1, or HTTP/2 where the client begins with it.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt as _;
use tower_resource_server::PeerAddress;

use crate::common;
use crate::service::App;

/// As many at a time; the next ones wait.
const CONNECTIONS: usize = 1024;

/// How long a client may take for the head of a request, the first one included.
const HEAD: Duration = Duration::from_secs(10);

/// How often a silent HTTP/2 client is asked whether it is still there.
const PING: Duration = Duration::from_secs(20);

/// Serves until `stop` resolves, and then finishes what is under way.
pub(crate) async fn serve(listener: TcpListener, app: App, stop: impl Future<Output = ()>) {
    let mut stop = pin!(stop);
    let (stopping, watched) = watch::channel(());
    let mut connections = JoinSet::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = common::accept(&listener), if connections.len() < CONNECTIONS => accepted,
            Some(_) = connections.join_next() => continue,
            () = &mut stop => break,
        };
        connections.spawn(connection(stream, peer, app.clone(), watched.clone()));
    }
    drop((listener, stopping));
    let finished = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(common::GRACE, finished).await.is_err() {
        tracing::warn!("stopped before all requests were finished");
    }
}

/// `stopping` is closed when the server stops.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    app: App,
    mut stopping: watch::Receiver<()>,
) {
    let asked = Arc::new(AtomicBool::new(false));
    let has_asked = Arc::clone(&asked);
    let service = app.map_request(move |mut request: Request<Incoming>| {
        asked.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(PeerAddress::new(peer.ip()));
        request
    });
    let builder = builder();
    let connection =
        builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = pin!(connection);
    let mut first = pin!(tokio::time::sleep(HEAD));
    let (mut stops, mut waits) = (false, true);
    let ended = loop {
        tokio::select! {
            ended = connection.as_mut() => break ended,
            _ = stopping.changed(), if !stops => {
                stops = true;
                connection.as_mut().graceful_shutdown();
            }
            () = first.as_mut(), if waits => {
                waits = false;
                // Not even the version of HTTP may be known yet.
                if !has_asked.load(Ordering::Relaxed) {
                    return;
                }
            }
        }
    };
    if let Err(error) = ended {
        tracing::info!(%peer, error, "connection ended");
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(PING);
    builder
}
