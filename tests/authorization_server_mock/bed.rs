//! A running mock, a browser that follows no redirect, and a client of both.

use std::sync::Arc;

use axum::extract::Query;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_resource_server::testing::FixedClock;

use crate::authorization_server_mock::options::SharedClock;
use crate::authorization_server_mock::{self, Options, RunningMock};

pub(crate) const REDIRECT: &str = "http://127.0.0.1:4000/cb";
pub(crate) const RESOURCE: &str = "https://mcp.example.com/mcp";
/// RFC 7636 Appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(crate) struct Bed {
    pub(crate) mock: RunningMock,
    /// Where it is; not what it is called.
    pub(crate) base: String,
    pub(crate) clock: FixedClock,
    http: Client<HttpConnector, Full<Bytes>>,
}

impl Bed {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let clock = FixedClock::at(1_800_000_000);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let base = format!("http://{}", listener.local_addr().expect("bound"));
        let mut options = Options { clock: SharedClock(Arc::new(clock.clone())), ..<_>::default() };
        options.resources = vec![RESOURCE.to_owned()];
        change(&mut options);
        let mock = authorization_server_mock::start(listener, options).await.expect("it starts");
        let http = Client::builder(TokioExecutor::new()).build_http();
        Self { mock, base, clock, http }
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let (head, body) = self.http.request(request).await.expect("an answer").into_parts();
        let body = body.collect().await.expect("whole").to_bytes();
        Answer { status: head.status, headers: head.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).body(Full::default()).expect("valid")).await
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> http::request::Builder {
        Request::builder().method(method).uri(format!("{}{path}", self.base))
    }

    /// A form with these parameters, and these fields besides.
    pub(crate) async fn post(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        form: &[(&str, &str)],
    ) -> Answer {
        let request = self
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = fields.iter().fold(request, |it, (name, value)| it.header(*name, *value));
        self.send(request.body(Full::from(query(form))).expect("valid")).await
    }

    pub(crate) async fn register(&self, metadata: Value) -> Answer {
        let request = self
            .request(Method::POST, "/register")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(metadata.to_string()));
        self.send(request.expect("valid")).await
    }

    /// The identifier of a public client that may have refresh tokens.
    pub(crate) async fn public(&self) -> String {
        self.client_with(json!({})).await.0
    }

    /// Identifier and secret of a client with all grants.
    pub(crate) async fn confidential(&self) -> (String, String) {
        let change = json!({
            "token_endpoint_auth_method": "client_secret_basic",
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        });
        self.client_with(change).await
    }

    /// With these members in place of, or besides, those of a public client.
    pub(crate) async fn client_with(&self, change: Value) -> (String, String) {
        let mut metadata = json!({
            "redirect_uris": [REDIRECT],
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
        });
        for (name, value) in change.as_object().expect("an object") {
            metadata[name] = value.clone();
        }
        let answer = self.register(metadata).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        let text = |name: &str| answer.json()[name].as_str().unwrap_or_default().to_owned();
        (text("client_id"), text("client_secret"))
    }

    /// An authorization request that is right but for `change`; an empty value leaves one out.
    pub(crate) async fn authorize(&self, client: &str, change: &[(&str, &str)]) -> Answer {
        self.browse(client, change, None).await
    }

    /// With a cookie.
    pub(crate) async fn browse(
        &self,
        client: &str,
        change: &[(&str, &str)],
        cookie: Option<&str>,
    ) -> Answer {
        let path = format!("/authorize?{}", query(&parameters(client, change)));
        let request = self.request(Method::GET, &path);
        let request = cookie.into_iter().fold(request, |it, cookie| it.header("cookie", cookie));
        self.send(request.body(Full::default()).expect("valid")).await
    }

    pub(crate) async fn code(&self, client: &str, change: &[(&str, &str)]) -> String {
        let answer = self.authorize(client, change).await;
        answer.returned("code").unwrap_or_else(|| panic!("a code: {answer:?}"))
    }

    /// Redeems a code of a public client.
    pub(crate) async fn redeem(&self, client: &str, code: &str, more: &[(&str, &str)]) -> Answer {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        self.post("/token", &[], &changed(&form, more)).await
    }

    /// The tokens of a public client, from a code.
    pub(crate) async fn tokens(&self, client: &str, change: &[(&str, &str)]) -> Value {
        let code = self.code(client, change).await;
        let answer = self.redeem(client, &code, &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()
    }

    /// What introspection says of a token.
    pub(crate) async fn introspect(&self, token: &Value) -> Value {
        let token = token.as_str().expect("a token");
        let basic = basic("example-api", "example-secret");
        let field = [("authorization", basic.as_str())];
        let answer = self.post("/introspect", &field, &[("token", token)]).await;
        assert_eq!(answer.status, StatusCode::OK);
        answer.json()
    }
}

pub(crate) fn parameters<'a>(
    client: &'a str,
    change: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let right = [
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", REDIRECT),
        ("scope", "tools/read"),
        ("state", "xyz"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    changed(&right, change)
}

fn changed<'a>(
    right: &[(&'a str, &'a str)],
    change: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let kept = right.iter().filter(|(name, _)| change.iter().all(|(other, _)| other != name));
    kept.chain(change.iter().filter(|(_, value)| !value.is_empty())).copied().collect()
}

pub(crate) fn query(parameters: &[(&str, &str)]) -> String {
    let pairs = parameters.iter().map(|(name, value)| format!("{}={}", all(name), all(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Encodes more than it has to.
fn all(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02x}"),
    };
    text.bytes().map(byte).collect()
}

pub(crate) fn basic(id: &str, secret: &str) -> String {
    use base64::Engine as _;
    let joined = format!("{}:{}", all(id), all(secret));
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(joined))
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        Some(self.headers.get(name)?.to_str().expect("ASCII"))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("JSON: {self:?}"))
    }

    pub(crate) fn location(&self) -> &str {
        self.field("location").unwrap_or_else(|| panic!("a redirect: {self:?}"))
    }

    /// The parameters of the redirect, as a client's own decoder reads them.
    pub(crate) fn returned_all(&self) -> Vec<(String, String)> {
        let uri: Uri = self.location().parse().expect("a URI");
        let Query(pairs) = Query::try_from_uri(&uri).expect("a query");
        pairs
    }

    /// The parameter of the redirect, which is there once at most.
    pub(crate) fn returned(&self, name: &str) -> Option<String> {
        let pairs = self.returned_all();
        let mut values = pairs.into_iter().filter(|(other, _)| other == name);
        let value = values.next();
        assert!(values.next().is_none(), "{name} is there once");
        value.map(|(_, value)| value)
    }

    /// The cookie to send back.
    pub(crate) fn cookie(&self) -> String {
        let cookie = self.field("set-cookie").unwrap_or_else(|| panic!("a cookie: {self:?}"));
        cookie.split(';').next().expect("a pair").to_owned()
    }

    /// An error of the token endpoint, of that code.
    #[track_caller]
    pub(crate) fn is_refused(&self, status: u16, error: &str) {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.field("content-type"), Some("application/json"));
        assert_eq!(self.field("cache-control"), Some("no-store"));
        assert_eq!(self.json()["error"], error, "{self:?}");
    }

    /// An error that goes to the client by redirect.
    #[track_caller]
    pub(crate) fn is_returned(&self, error: &str) {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{self:?}");
        assert_eq!(self.returned("error").as_deref(), Some(error), "{self:?}");
        assert_eq!(self.returned("code"), None);
        assert_eq!(self.field("cache-control"), Some("no-store"));
    }

    /// A page, and no redirect.
    #[track_caller]
    pub(crate) fn is_page(&self, status: u16) {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.field("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(self.field("location"), None);
        assert_eq!(self.field("cache-control"), Some("no-store"));
    }
}
