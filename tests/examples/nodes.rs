//! Two processes that share one Redis.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Empty;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower_resource_server::Algorithm;
use tower_resource_server::testing::{DpopClient, SigningKey, TestIssuer};

use crate::redis_server::RedisServer;
use crate::support::{Server, has_backend};

const ISSUER: &str = "https://as.example.com";
const RESOURCE: &str = "https://api.example.com";
const URI: &str = "https://api.example.com/whoami";
const SECRET: &str = "of the nonces of both, in a test that nobody relies on";

/// An answer that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many proofs are on their way at a time.
const AT_ONCE: usize = 16;

/// How far proofs may be dated ahead, less a second.
const AHEAD: i64 = 29;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Said {
    Accepted,
    /// 401 with `invalid_dpop_proof`.
    Refused,
    /// 503: the store cannot say.
    Unavailable,
}

/// Both servers, and a client of theirs.
struct Nodes {
    servers: [Server; 2],
    keys: PathBuf,
    http: Client<HttpConnector, Empty<&'static [u8]>>,
    key: SigningKey,
    token: String,
}

impl Nodes {
    fn start(redis: &RedisServer, arguments: &[&str]) -> Option<Arc<Self>> {
        let issuer = TestIssuer::new(ISSUER);
        let keys = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let keys = keys.join(format!("nodes-{}.json", redis.port()));
        std::fs::write(&keys, issuer.jwks_bytes()).expect("a temporary file");
        let (file, url) = (keys.to_str().expect("a UTF-8 path"), redis.url());
        let common = ["--issuer", ISSUER, "--jwks", file, "--resource", RESOURCE, "--redis", &url];
        let arguments = [&common[..], arguments].concat();
        let start = || Server::start_with(&arguments, &[("NONCE_SECRET", SECRET)]);
        let key = SigningKey::generate(Algorithm::ES256);
        let token = issuer.token().bound_to(&key).expires_in(Duration::from_secs(3600)).build();
        let http = Client::builder(TokioExecutor::new()).build_http();
        Some(Arc::new(Self { servers: [start()?, start()?], keys, http, key, token }))
    }

    fn proof_at(&self, time: i64) -> String {
        self.key.proof("GET", URI).token(&self.token).at(time).build()
    }

    async fn send(
        &self,
        node: usize,
        request: Request<Empty<&'static [u8]>>,
    ) -> Response<hyper::body::Incoming> {
        let (mut head, body) = request.into_parts();
        let uri = format!("{}/whoami", self.servers[node].base);
        head.uri = uri.parse().expect("a URI");
        let sent = self.http.request(Request::from_parts(head, body));
        timeout(PATIENCE, sent).await.expect("no hang").expect("the server runs")
    }

    async fn say(&self, node: usize, proof: &str) -> Said {
        let request = Request::get("/")
            .header("authorization", format!("DPoP {}", self.token))
            .header("dpop", proof);
        said(&self.send(node, request.body(Empty::new()).expect("a request")).await)
    }

    /// Sends copies of a proof to both at once, and says what both said.
    async fn both(&self, proof: &str) -> [Said; 2] {
        let (here, there) = tokio::join!(self.say(0, proof), self.say(1, proof));
        let accepted = [here, there].iter().filter(|said| **said == Said::Accepted).count();
        assert!(accepted <= 1, "both accepted one proof");
        [here, there]
    }

    /// Sends one proof after the other until the store could tell about one; gives all it sent.
    ///
    /// A machine with too much to do makes the store time out, which is no fault.
    async fn accepted_once(&self, ahead: i64) -> Vec<String> {
        let mut sent = Vec::new();
        for _ in 0..100 {
            let proof = self.proof_at(now() + ahead);
            let mut both = self.both(&proof).await;
            both.sort_by_key(|said| *said as u8);
            sent.push(proof);
            if both[1] != Said::Unavailable {
                assert_eq!(both, [Said::Accepted, Said::Refused]);
                return sent;
            }
        }
        panic!("the store does not answer in time");
    }

    /// That many proofs, some at a time, each accepted exactly once.
    async fn each_once(self: &Arc<Self>, proofs: usize, ahead: i64) -> Vec<String> {
        let (mut tasks, places) = (JoinSet::new(), Arc::new(Semaphore::new(AT_ONCE)));
        for _ in 0..proofs {
            let (this, places) = (Arc::clone(self), Arc::clone(&places));
            tasks.spawn(async move {
                let _place = places.acquire().await.expect("it stays open");
                this.accepted_once(ahead).await
            });
        }
        tasks.join_all().await.into_iter().flatten().collect()
    }

    /// Used proofs again, to both; none is accepted.
    async fn none_again(self: &Arc<Self>, proofs: &[String]) {
        let (mut tasks, places) = (JoinSet::new(), Arc::new(Semaphore::new(AT_ONCE)));
        for proof in proofs {
            let (this, places, proof) = (Arc::clone(self), Arc::clone(&places), proof.clone());
            tasks.spawn(async move {
                let _place = places.acquire().await.expect("it stays open");
                this.both(&proof).await
            });
        }
        for both in tasks.join_all().await {
            assert!(!both.contains(&Said::Accepted), "{both:?}");
        }
    }

    /// Traffic during which Redis is killed and comes back with nothing.
    ///
    /// The second of what it gives is the time of the loss.
    async fn through_a_loss(self: &Arc<Self>, redis: &mut RedisServer) -> (Vec<String>, i64) {
        let (mut tasks, places) = (JoinSet::new(), Arc::new(Semaphore::new(AT_ONCE)));
        for _ in 0..300 {
            let (this, places) = (Arc::clone(self), Arc::clone(&places));
            tasks.spawn(async move {
                let _place = places.acquire().await.expect("it stays open");
                let proof = this.proof_at(now());
                (this.both(&proof).await, proof)
            });
        }
        let (mut proofs, mut unavailable, mut lost_at) = (Vec::new(), 0, 0);
        while let Some(done) = tasks.join_next().await {
            let (both, proof) = done.expect("no panic");
            unavailable += usize::from(both.contains(&Said::Unavailable));
            proofs.push(proof);
            match proofs.len() {
                100 => {
                    lost_at = now();
                    redis.kill();
                }
                200 => redis.run().await,
                _ => {}
            }
        }
        assert!(unavailable >= 100 - AT_ONCE, "without Redis nothing is known: {unavailable}");
        (proofs, lost_at)
    }

    /// Goes on until a proof is accepted that cannot have been used before the loss.
    async fn recover(&self) {
        for _ in 0..3000 {
            let both = self.both(&self.proof_at(now() + AHEAD)).await;
            if both.contains(&Said::Accepted) && both.contains(&Said::Refused) {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("the store does not come back");
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.keys);
    }
}

/// What an answer says, which is to have the form that the crate documents for it.
fn said<B>(answer: &Response<B>) -> Said {
    let (status, headers) = (answer.status(), answer.headers());
    let challenges = challenges(headers);
    let uncached = headers.get("cache-control").is_some_and(|value| value == "no-store");
    match status {
        StatusCode::OK => Said::Accepted,
        StatusCode::UNAUTHORIZED => {
            let dpop = challenges.iter().find(|challenge| challenge.starts_with("DPoP "));
            let dpop = dpop.unwrap_or_else(|| panic!("{challenges:?}"));
            assert!(dpop.contains("error=\"invalid_dpop_proof\"") && uncached, "{dpop}");
            Said::Refused
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            assert!(headers.contains_key("retry-after") && uncached, "{headers:?}");
            assert!(challenges.is_empty(), "{challenges:?}");
            Said::Unavailable
        }
        other => panic!("{other} {challenges:?}"),
    }
}

fn challenges(headers: &HeaderMap) -> Vec<&str> {
    let values = headers.get_all("www-authenticate").iter();
    values.map(|value| value.to_str().expect("ASCII")).collect()
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("before the year 292 277 026 596")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_accept_a_proof_once_and_none_twice_through_a_loss() {
    let Some(mut redis) = RedisServer::start().await.filter(|_| has_backend()) else { return };
    let Some(nodes) = Nodes::start(&redis, &[]) else { return };
    let mut used = nodes.each_once(1000, 0).await;
    nodes.none_again(&used[..100]).await;

    let (during, lost_at) = nodes.through_a_loss(&mut redis).await;
    used.extend(during);
    // Never used, but they could have been before the loss: the documented answer.
    for node in [0, 1] {
        let proof = nodes.proof_at(lost_at);
        assert_eq!(nodes.say(node, &proof).await, Said::Unavailable);
    }
    nodes.none_again(&used).await;

    nodes.recover().await;
    nodes.each_once(50, AHEAD).await;
    nodes.none_again(&used[..200]).await;
}

/// With a secret that they share, a nonce of one does for the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_share_nonces_and_records() {
    let Some(redis) = RedisServer::start().await.filter(|_| has_backend()) else { return };
    let Some(nodes) = Nodes::start(&redis, &["--nonce"]) else { return };
    let mut client = DpopClient::new(nodes.key.clone(), nodes.token.as_str());
    let request = || Request::get(URI).body(Empty::new()).expect("a request");
    let asked = nodes.send(0, client.authorize(request())).await;
    assert!(DpopClient::is_nonce_challenge(&asked), "{:?}", asked.headers());
    client.learn(&asked);

    for _ in 0..100 {
        let proof = client.proof(&request()).build();
        let there = nodes.say(1, &proof).await;
        let here = nodes.say(0, &proof).await;
        if ![here, there].contains(&Said::Unavailable) {
            assert_eq!([there, here], [Said::Accepted, Said::Refused]);
            return;
        }
        assert_ne!([here, there], [Said::Accepted; 2]);
    }
    panic!("the store does not answer in time");
}
