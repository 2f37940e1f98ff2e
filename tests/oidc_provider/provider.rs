//! One running oidc-provider, and what its endpoints answer.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::install;

/// Of both its clients. It has what Basic and forms encode (RFC 6749 §2.3.1).
pub(crate) const SECRET: &str = "100% \"a+b\" & c:d/~";

/// The resource that gets opaque tokens.
pub(crate) const OPAQUE: &str = "https://opaque.example.com";

/// Whatever takes longer hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A server of its own for each test; killed when dropped.
pub(crate) struct Provider {
    pub(crate) issuer: String,
    console: Mutex<Console>,
    http: Client<HttpConnector, Full<Bytes>>,
    _child: Child,
}

/// What it is told to do, and what it says to that.
struct Console {
    orders: ChildStdin,
    said: Lines<BufReader<ChildStdout>>,
    log: PathBuf,
}

impl Provider {
    /// None, after a line that says why, where it cannot run.
    pub(crate) async fn start() -> Option<Self> {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let folder = install::folder()?;
        let log = folder.join(format!("{}.log", STARTED.fetch_add(1, Ordering::Relaxed)));
        let mut child = Command::new("node")
            .args(["server.mjs", OPAQUE, SECRET])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).expect("a file"))
            .kill_on_drop(true)
            .spawn()
            .expect("node starts");
        let (orders, said) = (child.stdin.take(), child.stdout.take());
        let (orders, said) = (orders.expect("piped"), said.expect("piped"));
        let mut console = Console { orders, said: BufReader::new(said).lines(), log };
        let issuer = console.line("issuer ").await;
        let http = Client::builder(TokioExecutor::new()).build_http();
        Some(Self { issuer, console: Mutex::new(console), http, _child: child })
    }

    /// Signs with a new key from now on; old ones stay published. The new one's id.
    pub(crate) async fn rotate(&self) -> String {
        self.order("rotate", "signs ").await
    }

    /// Publishes the key that signs alone.
    pub(crate) async fn retire(&self) {
        self.order("retire", "publishes ").await;
    }

    /// The private key of the client `api-key`, as a JWK.
    pub(crate) async fn client_key(&self) -> String {
        self.order("client-key", "key ").await
    }

    /// How many requests to that path there were.
    pub(crate) async fn count(&self, path: &str) -> usize {
        let number = self.order(&format!("count {path}"), "counted ").await;
        number.parse().expect("a number")
    }

    /// The answer to a form of the client `id`, who authenticates by `client_secret_basic`.
    pub(crate) async fn post(
        &self,
        id: &str,
        path: &str,
        form: &[(&str, &str)],
        proof: Option<&str>,
    ) -> (StatusCode, Value) {
        let secret = encoded(SECRET);
        let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
        let pairs = form.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
        let mut request = Request::post(self.url(path))
            .header(header::AUTHORIZATION, basic)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(proof) = proof {
            request = request.header("dpop", proof);
        }
        let body = pairs.collect::<Vec<_>>().join("&");
        self.send(request.body(Full::from(body)).expect("a request")).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> (StatusCode, Value) {
        let answer = timeout(PATIENCE, self.http.request(request)).await.expect("no hang");
        let (head, body) = answer.expect("it runs").into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        (head.status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn order(&self, order: &str, answer: &str) -> String {
        let line = format!("{order}\n");
        let mut console = self.console.lock().await;
        console.orders.write_all(line.as_bytes()).await.expect("it runs");
        console.line(answer).await
    }
}

impl Console {
    /// What follows `start` on the next line that begins so; what else it prints are remarks.
    async fn line(&mut self, start: &str) -> String {
        loop {
            let line = timeout(PATIENCE, self.said.next_line()).await.expect("no hang");
            let Some(line) = line.expect("a line") else { panic!("it ended: {}", self.log()) };
            if let Some(rest) = line.strip_prefix(start) {
                return rest.to_owned();
            }
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// `application/x-www-form-urlencoded`.
fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"*-._".contains(byte);
    text.bytes()
        .map(
            |byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") },
        )
        .collect()
}
