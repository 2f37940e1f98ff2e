//! What the topics share: the test bed of the matrix and a reader of challenges.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower::{Layer, Service, ServiceExt};
use tower_resource_server::testing::{
    FixedClock, Hold, ScriptedFetch, SigningKey, TestIssuer, TokenBuilder,
};
use tower_resource_server::{
    Algorithm, Builder, Clock, Grant, Issuer, JwkSet, Predicate, Rejection, RejectionKind,
    ResourceServer, Scopes, StepUp,
};

pub(crate) const NOW: u64 = 1_700_000_000;
pub(crate) const ISSUER: &str = "https://as.example.com";
pub(crate) const RESOURCE: &str = "https://api.example.com";

/// The schemes of the challenges in [`refusals`], in their order: both schemes where the client may
/// go on with either (N401, R400, T401), and the one it tried where it has to ask for more (S403
/// twice, U401).
pub(crate) const CHALLENGED: [&str; 9] =
    ["Bearer", "DPoP", "Bearer", "DPoP", "Bearer", "DPoP", "Bearer", "Bearer", "Bearer"];

/// An issuer, a clock that both hold to, and a server that trusts the issuer.
pub(crate) struct Bed {
    pub(crate) issuer: TestIssuer,
    pub(crate) clock: FixedClock,
    pub(crate) server: ResourceServer,
}

impl Bed {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// A bed whose server has more settings.
    pub(crate) fn with(change: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = FixedClock::at(NOW);
        let issuer = TestIssuer::new(ISSUER).clock(clock.clone());
        let builder = issuer.resource_server(RESOURCE).clock(clock.clone());
        let server = change(builder).build().expect("the test bed is configured right");
        Self { issuer, clock, server }
    }

    /// A valid token with scope `read`.
    pub(crate) fn token(&self) -> String {
        self.issuer.token().scope("read").build()
    }

    /// Sends a request with that token through the required layer.
    pub(crate) async fn bearer(&self, token: &str) -> Answer {
        send(self.server.authenticate(), bearer(token)).await
    }
}

/// A key of that algorithm and id.
pub(crate) fn key(algorithm: Algorithm, kid: &str) -> SigningKey {
    SigningKey::generate(algorithm).with_kid(kid)
}

/// A valid token of [`ISSUER`] with scope `read`, signed with that key.
pub(crate) fn token_by(key: &SigningKey) -> TokenBuilder {
    let issuer = TestIssuer::with_key(ISSUER, key.clone()).clock(FixedClock::at(NOW));
    issuer.token().scope("read")
}

/// The claims of a valid token as JSON text, with `more` as its first members.
pub(crate) fn payload(more: &str) -> String {
    let (exp, iat) = (NOW + 300, NOW);
    format!(
        "{{{more}\"sub\":\"user-1\",\"client_id\":\"client-1\",\"jti\":\"1\",\"iat\":{iat},\
         \"exp\":{exp},\"iss\":\"{ISSUER}\",\"aud\":\"{RESOURCE}\"}}"
    )
}

/// [`ISSUER`], trusted with these JWKs.
pub(crate) fn publishing(keys: impl IntoIterator<Item = Value>) -> Issuer {
    let set = serde_json::json!({ "keys": keys.into_iter().collect::<Vec<_>>() });
    let set = JwkSet::from_json(set.to_string().as_bytes()).expect("a key set");
    Issuer::jwks(ISSUER, set)
}

/// A server that trusts that issuer, at [`NOW`].
pub(crate) fn trusting(issuer: Issuer) -> Builder {
    ResourceServer::builder(RESOURCE).issuer(issuer).clock(FixedClock::at(NOW))
}

/// A server that trusts [`ISSUER`] with these JWKs, at [`NOW`].
pub(crate) fn server_of(keys: impl IntoIterator<Item = Value>) -> ResourceServer {
    trusting(publishing(keys)).build().expect("a valid configuration")
}

/// The answer of that server to a request with that token.
pub(crate) async fn present(server: &ResourceServer, token: &str) -> Answer {
    send(server.authenticate(), bearer(token)).await
}

/// The grant that a handler gets for that token.
pub(crate) async fn grant(server: &ResourceServer, token: &str) -> Grant {
    grant_of(server, bearer(token)).await
}

/// The grant that a handler gets for that request.
pub(crate) async fn grant_of(server: &ResourceServer, request: Request<Full<Bytes>>) -> Grant {
    let handler = tower::service_fn(|request: Request<Full<Bytes>>| async move {
        let mut response = Response::new(Full::<Bytes>::default());
        response.extensions_mut().extend(request.extensions().clone());
        Ok::<_, Infallible>(response)
    });
    let service = server.authenticate().layer(handler);
    let response = service.oneshot(request).await.expect("infallible");
    response.extensions().get::<Grant>().cloned().expect("the token is accepted")
}

/// A published or generated entry of the vectors; `member` is that of its text.
fn vector_text(list: &str, field: &str, name: &str, member: &str) -> String {
    let vectors = vectors();
    let entries = vectors.pointer(list).and_then(Value::as_array).expect("a list");
    let entry = entries.iter().find(|entry| entry[field] == name).expect(name);
    entry[member].as_str().expect(member).to_owned()
}

fn vectors() -> &'static Value {
    static VECTORS: LazyLock<Value> = LazyLock::new(|| {
        serde_json::from_str(include_str!("../vectors.json")).expect("the vectors are JSON")
    });
    &VECTORS
}

/// The compact JWS of a published vector.
pub(crate) fn published_jws(id: &str) -> String {
    vector_text("/published", "id", id, "jws")
}

/// A member of a published vector.
pub(crate) fn published(id: &str, member: &str) -> String {
    vector_text("/published", "id", id, member)
}

/// The access token of that name among the generated vectors.
pub(crate) fn vector_token(name: &str) -> String {
    vector_text("/generated/access_tokens", "name", name, "token")
}

/// The key of a published vector.
pub(crate) fn published_jwk(id: &str) -> Value {
    let list = vectors()["published"].as_array().expect("a list");
    list.iter().find(|entry| entry["id"] == id).expect(id)["jwk"].clone()
}

/// The proof of that name among the generated vectors, with the request it is for.
pub(crate) fn proof_vector(name: &str) -> Value {
    let list = vectors()["generated"]["dpop_proofs"].as_array().expect("a list");
    list.iter().find(|entry| entry["name"] == name).expect(name).clone()
}

/// A server as the vectors suppose it, without leeway.
pub(crate) fn vector_server() -> ResourceServer {
    vector_builder().build().expect("a valid configuration")
}

pub(crate) fn vector_builder() -> Builder {
    let keys = vectors()["config"]["as_jwks"]["keys"].as_array().expect("keys").clone();
    trusting(publishing(keys)).leeway(Duration::ZERO)
}

/// The settings at fault in a configuration that does not build.
pub(crate) fn faults(change: impl FnOnce(Builder) -> Builder) -> Vec<&'static str> {
    let built = change(TestIssuer::new(ISSUER).resource_server(RESOURCE)).build();
    let error = built.expect_err("a faulty configuration");
    error.faults().iter().map(|fault| fault.setting()).collect()
}

/// What is logged on this thread until the guard goes.
#[derive(Clone, Default)]
pub(crate) struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    pub(crate) fn capture() -> (Self, tracing::subscriber::DefaultGuard) {
        // While there is only one dispatcher, tracing asks that of the thread which happens to
        // come by an event first, and remembers its lack of interest for all threads.
        static SECOND: OnceLock<tracing::Dispatch> = OnceLock::new();
        SECOND.get_or_init(|| tracing::Dispatch::new(tracing_subscriber::registry()));
        let logs = Self::default();
        let writer = logs.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (logs, tracing::subscriber::set_default(subscriber))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic").clone()).expect("UTF-8")
    }
}

impl std::io::Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// `GET /r` with `Authorization: Bearer <token>`.
pub(crate) fn bearer(token: &str) -> Request<Full<Bytes>> {
    get(&[("authorization", &format!("Bearer {token}"))])
}

/// `GET /r` with these header lines.
pub(crate) fn get(lines: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let mut request = Request::builder().uri("/r");
    for (name, value) in lines {
        request = request.header(*name, value.as_bytes());
    }
    request.body(Full::default()).expect("a test request is well formed")
}

/// The service inside: counts its calls and answers with the subject.
#[derive(Clone, Default)]
pub(crate) struct Handler {
    calls: Arc<AtomicUsize>,
    status: StatusCode,
    headers: HeaderMap,
}

impl Handler {
    /// One that answers with that status and these header lines.
    pub(crate) fn answering(status: u16, lines: &[(&'static str, &'static str)]) -> Self {
        let status = StatusCode::from_u16(status).expect("a status");
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        Self { status, headers, ..Self::default() }
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

impl<B> Service<Request<B>> for Handler {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let grant = request.extensions().get::<Grant>();
        let subject = grant.and_then(Grant::subject).unwrap_or("anonymous");
        let mut response = Response::new(Full::from(subject.to_owned()));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        ready(Ok(response))
    }
}

/// A response, read to its end, and whether the handler ran.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) handled: bool,
    pub(crate) rejection: Option<Rejection>,
}

/// Sends one request through `layer` around a fresh [`Handler`].
pub(crate) async fn send<L, S>(layer: L, request: Request<Full<Bytes>>) -> Answer
where
    L: Layer<Handler, Service = S>,
    S: Service<Request<Full<Bytes>>, Error = Infallible>,
    S: SendsResponse,
    S: Service<Request<Full<Bytes>>, Response = Response<<S as SendsResponse>::Body>>,
{
    send_around(layer, Handler::default(), request).await
}

/// Sends one request through `layer` around `handler`.
pub(crate) async fn send_around<L, S>(
    layer: L,
    handler: Handler,
    request: Request<Full<Bytes>>,
) -> Answer
where
    L: Layer<Handler, Service = S>,
    S: Service<Request<Full<Bytes>>, Error = Infallible>,
    S: SendsResponse,
    S: Service<Request<Full<Bytes>>, Response = Response<<S as SendsResponse>::Body>>,
{
    let service = layer.layer(handler.clone());
    let response = service.oneshot(request).await.expect("infallible");
    read(response, handler.calls() > 0).await
}

/// Names the body of a service's responses, which `Service` itself cannot.
pub(crate) trait SendsResponse {
    type Body: Body<Data = Bytes, Error = Infallible>;
}

impl<S, B> SendsResponse for S
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>>,
    B: Body<Data = Bytes, Error = Infallible>,
{
    type Body = B;
}

/// A refusal of every class of the error map, by a server with these settings: N401, R400, T401,
/// S403 for a scope and for a predicate, U401, a concealed 404, X503 and 500.
pub(crate) async fn refusals(change: impl FnOnce(Builder) -> Builder) -> Vec<Answer> {
    refusals_of(change, |request| request).await
}

/// The same, for requests that are edited first.
pub(crate) async fn refusals_of(
    change: impl FnOnce(Builder) -> Builder,
    edit: impl Fn(Request<Full<Bytes>>) -> Request<Full<Bytes>>,
) -> Vec<Answer> {
    let down = TestIssuer::new("https://down.example.com").clock(FixedClock::at(NOW));
    let keys = Issuer::jwks_uri(down.issuer(), "https://down.example.com/jwks.json");
    let bed = Bed::with(|builder| change(builder).issuer(keys).fetch(ScriptedFetch::new()));
    let guard = bed.server.authenticate();
    let token = bed.token();
    let write = || Scopes::all(["write"]);
    let step_up = StepUp::acr(["urn:mfa"]).max_age(Duration::from_secs(300));
    let never = Predicate::new("The moon is not full", |_| false);
    let concealed = (guard.clone(), bed.server.require(write()).conceal());
    let valid = || edit(bearer(&token));
    vec![
        send(guard.clone(), edit(get(&[]))).await,
        send(guard.clone(), edit(bearer("a b"))).await,
        send(guard.clone(), edit(bearer("abc"))).await,
        send(guard.clone().require(write()), valid()).await,
        send(guard.clone().require(never), valid()).await,
        send(guard.clone().require(step_up), valid()).await,
        send(concealed, valid()).await,
        send(guard, edit(bearer(&down.token().build()))).await,
        send(bed.server.require(write()), valid()).await,
    ]
}

/// A table of the vectors.
pub(crate) fn table(name: &str) -> Vec<Value> {
    vectors()["tables"][name].as_array().expect("a table").clone()
}

/// The answer to an access token of the vectors, by the server they are made for.
pub(crate) async fn send_vector(name: &str) -> Answer {
    present(&vector_server(), &vector_token(name)).await
}

/// The order of P-256, big-endian (SEC 2 §2.4.2).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The other signature of the same message: (r, n − s), which needs no key to make.
pub(crate) fn twin(jws: &str) -> String {
    let (signed, signature) = jws.rsplit_once('.').expect("three parts");
    let mut signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let mut borrow = 0;
    for (digit, order) in signature[32..].iter_mut().zip(ORDER).rev() {
        let difference = i16::from(order) - i16::from(*digit) - borrow;
        borrow = i16::from(difference < 0);
        *digit = u8::try_from(difference.rem_euclid(256)).expect("a byte");
    }
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Reads a response to its end.
pub(crate) async fn read<B>(response: Response<B>, handled: bool) -> Answer
where
    B: Body<Data = Bytes>,
    B::Error: std::fmt::Debug,
{
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("test bodies do not fail").to_bytes();
    let rejection = parts.extensions.get::<Rejection>().cloned();
    Answer { status: parts.status, headers: parts.headers, body, handled, rejection }
}

impl Answer {
    pub(crate) fn kind(&self) -> Option<RejectionKind> {
        self.rejection.as_ref().map(Rejection::kind)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    /// Everything the client sees, as one text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.body).into_owned();
        for (name, value) in &self.headers {
            text.push_str(&format!("\n{name}: {}", String::from_utf8_lossy(value.as_bytes())));
        }
        text
    }

    /// All field values of that name.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let values = self.headers.get_all(name).iter();
        values.map(|value| value.to_str().expect("visible ASCII")).collect()
    }

    /// The challenges, read by a strict parser.
    pub(crate) fn challenges(&self) -> Vec<Challenge> {
        self.all("www-authenticate").into_iter().map(Challenge::parse).collect()
    }

    /// The challenge that counts: the first, which carries the error if any does. Others may name
    /// schemes that are accepted too.
    pub(crate) fn challenge(&self) -> Challenge {
        let mut challenges = self.challenges();
        assert!(!challenges.is_empty(), "no challenge");
        let others = challenges.split_off(1);
        if self.status != StatusCode::BAD_REQUEST {
            assert!(others.iter().all(|other| other.get("error").is_none()), "two errors");
        }
        challenges.remove(0)
    }

    /// The schemes of the challenges, in their order.
    pub(crate) fn schemes(&self) -> Vec<String> {
        self.challenges().into_iter().map(|challenge| challenge.scheme).collect()
    }

    /// The challenge of that scheme.
    pub(crate) fn challenge_of(&self, scheme: &str) -> Challenge {
        let mut challenges = self.challenges();
        challenges.retain(|challenge| challenge.scheme == scheme);
        assert_eq!(challenges.len(), 1, "one {scheme} challenge");
        challenges.remove(0)
    }

    /// OK of the matrix: the handler ran, and there is no challenge.
    pub(crate) fn assert_ok(&self) {
        assert_eq!(self.status, StatusCode::OK, "{self:?}");
        assert!(self.handled);
        assert!(self.all("www-authenticate").is_empty());
    }

    /// N401: a challenge without any error information.
    pub(crate) fn assert_n401(&self) {
        self.assert_refused(StatusCode::UNAUTHORIZED, None);
        let challenge = self.challenge();
        for name in ["error", "error_description", "error_uri"] {
            assert_eq!(challenge.get(name), None, "{name}");
        }
        assert!(!String::from_utf8_lossy(&self.body).contains("\"error\":\"in"));
    }

    /// T401: `invalid_token`.
    pub(crate) fn assert_t401(&self) {
        self.assert_refused(StatusCode::UNAUTHORIZED, Some("invalid_token"));
    }

    /// P401: `invalid_dpop_proof`, with `algs`.
    pub(crate) fn assert_p401(&self) {
        self.assert_refused(StatusCode::UNAUTHORIZED, Some("invalid_dpop_proof"));
        let challenge = self.challenge();
        assert_eq!(challenge.scheme, "DPoP");
        assert!(challenge.get("algs").is_some_and(|algs| !algs.is_empty()));
    }

    /// R400: `invalid_request`.
    pub(crate) fn assert_r400(&self) {
        self.assert_refused(StatusCode::BAD_REQUEST, Some("invalid_request"));
    }

    /// S403: `insufficient_scope` with that scope.
    pub(crate) fn assert_s403(&self, scope: &str) {
        self.assert_refused(StatusCode::FORBIDDEN, Some("insufficient_scope"));
        let named: std::collections::BTreeSet<_> = scope.split(' ').collect();
        let challenge = self.challenge();
        let found = challenge.get("scope").expect("a scope").split(' ').collect();
        assert_eq!(named, found);
        assert!(challenge.get("resource_metadata").is_some());
    }

    /// X503: an outage of ours, with nothing for the client to hold against its token.
    pub(crate) fn assert_x503(&self) {
        assert_eq!(self.status, StatusCode::SERVICE_UNAVAILABLE, "{self:?}");
        assert!(!self.handled);
        assert!(self.all("www-authenticate").is_empty());
        assert_eq!(self.all("retry-after").len(), 1);
        assert_eq!(self.all("cache-control"), ["no-store"]);
        assert!(!String::from_utf8_lossy(&self.body).contains("\"error\":\"invalid"));
    }

    fn assert_refused(&self, status: StatusCode, error: Option<&str>) {
        assert_eq!(self.status, status, "{self:?}");
        assert!(!self.handled, "the handler ran");
        assert_eq!(self.all("cache-control"), ["no-store"]);
        assert!(self.rejection.is_some(), "no Rejection in the extensions");
        assert_eq!(self.challenge().get("error"), error);
    }
}

/// One challenge: scheme and parameters, in order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Challenge {
    pub(crate) scheme: String,
    pub(crate) params: Vec<(String, String)>,
}

impl Challenge {
    /// RFC 9110 §11.6.1 for a single challenge with quoted parameters; panics on anything else,
    /// repeated names included.
    pub(crate) fn parse(text: &str) -> Self {
        let (scheme, mut rest) = text.split_once(' ').expect("a scheme and parameters");
        let mut params: Vec<(String, String)> = Vec::new();
        loop {
            let (name, after) = rest.split_once("=\"").expect("name=\"");
            assert!(
                name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)),
                "{name}"
            );
            assert!(
                !params.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)),
                "{name} twice"
            );
            let (value, after) = unquote(after);
            params.push((name.to_owned(), value));
            match after.strip_prefix(", ") {
                Some(next) => rest = next,
                None => {
                    assert_eq!(after, "", "text after the last parameter");
                    return Self { scheme: scheme.to_owned(), params };
                }
            }
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.params.iter().map(|(name, _)| name.as_str()).collect()
    }
}

/// The content of a quoted-string whose opening quote is gone, and what follows it.
fn unquote(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.push(chars.next().expect("an escaped character").1),
            _ => value.push(c),
        }
    }
    panic!("no closing quote in {text}");
}

/// Lets the tasks of other requests and fetches run as far as they come.
pub(crate) async fn let_others_run() {
    for _ in 0..300 {
        tokio::task::yield_now().await;
    }
}

/// A body of which nothing ever comes.
pub(crate) struct Silent;

impl Body for Silent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

/// Asserts that requests with these tokens, all at once, wait for what is held, and are then accepted.
pub(crate) async fn assert_accepted_after(
    hold: Hold,
    server: &ResourceServer,
    tokens: impl Iterator<Item = String>,
) {
    let mut requests = JoinSet::new();
    for token in tokens {
        let server = server.clone();
        requests.spawn(async move { present(&server, &token).await });
    }
    let_others_run().await;
    assert!(requests.try_join_next().is_none(), "all of them wait");
    hold.release();
    for answer in requests.join_all().await {
        answer.assert_ok();
    }
}

/// Tokio's time, which stands still until a test lets it pass.
#[derive(Clone, Debug)]
pub(crate) struct TokioClock(Instant);

impl TokioClock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for TokioClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(NOW) + self.0.elapsed()
    }
}
