//! A server as it runs in production, but for its clock: bound, and answering over a socket.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tower_resource_server::testing::{FixedClock, TestIssuer};
use tower_resource_server::{Algorithm, Dpop, MemoryReplayStore, ResourceServer};

use crate::support::{issuer, server};

/// A server that is up, with all that is needed to ask it.
pub(crate) struct Served {
    pub(crate) server: ResourceServer,
    pub(crate) issuer: TestIssuer,
    pub(crate) clock: FixedClock,
    pub(crate) replay: Arc<MemoryReplayStore>,
    runtime: Runtime,
    address: SocketAddr,
}

impl Served {
    /// Binds a server with so many bytes for tokens, and so many for proofs.
    pub(crate) fn start(token_bytes: u64, proof_bytes: usize) -> Self {
        let clock = FixedClock::at(1_800_000_000);
        let issuer = issuer(Algorithm::Ed25519).clock(clock.clone());
        let replay = Arc::new(MemoryReplayStore::with_capacity_bytes(proof_bytes));
        let server = server(&issuer, |builder| {
            let dpop = Dpop::new().replay_store(Arc::clone(&replay));
            builder.clock(clock.clone()).token_cache_bytes(token_bytes).dpop(dpop)
        });
        let router = Router::new().fallback(async || "").layer(server.authenticate());
        let (runtime, address) = bind(router);
        let served = Self { server, issuer, clock, replay, runtime, address };
        served.ask();
        served
    }

    /// A few requests over the socket: it serves who has a token, and nobody else.
    pub(crate) fn ask(&self) {
        let token = self.issuer.token().scope("read").build();
        for _ in 0..16 {
            assert_eq!(self.status(&token), "200");
            assert_eq!(self.status("garbage"), "401");
        }
    }

    fn status(&self, token: &str) -> String {
        self.runtime.block_on(status(self.address, token))
    }
}

/// The same server without the layer, asked as often.
pub(crate) fn unprotected() {
    let (runtime, address) = bind(Router::new().fallback(async || ""));
    let token = issuer(Algorithm::Ed25519).token().scope("read").build();
    for _ in 0..32 {
        assert_eq!(runtime.block_on(status(address, &token)), "200");
    }
}

fn bind(router: Router) -> (Runtime, SocketAddr) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().expect("threads can be started");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    runtime.spawn(async { axum::serve(listener, router).await.expect("it serves until the end") });
    (runtime, address)
}

async fn status(address: SocketAddr, token: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    let request = format!(
        "GET /tools HTTP/1.1\r\nhost: api.example.com\r\nauthorization: Bearer {token}\r\n\
         connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("the server answers with text");
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}
