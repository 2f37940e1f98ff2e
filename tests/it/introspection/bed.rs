//! An issuer of opaque tokens, and a server that asks it.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tower_resource_server::fetch::Fetch;
use tower_resource_server::testing::{
    Endpoint, FixedClock, ScriptedFetch, TestAuthorizationServer, TestIssuer,
};
use tower_resource_server::{
    Builder, ClientAuthentication, Event, Introspection, IntrospectionError, Issuer, Observer,
    ResourceServer, Scopes,
};

use crate::observability::{Capture, Logged};
use crate::support::{Answer, ISSUER, NOW, RESOURCE, bearer, present, send};

/// Where [`ISSUER`] is asked in these tests.
pub(crate) const ENDPOINT: &str = "https://as.example.com/introspect";
/// The token of RFC 6749 §1.5.
pub(crate) const TOKEN: &str = "2YotnFZFEjr1zCsicMWpAA";

/// Remembers why introspection failed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Failures(Arc<Mutex<Vec<IntrospectionError>>>);

impl Observer for Failures {
    fn observe(&self, event: &Event<'_>) {
        if let Event::IntrospectionFailed { issuer, error, .. } = *event {
            assert_eq!(issuer, ISSUER);
            self.0.lock().expect("no panic").push(error);
        }
    }
}

impl Failures {
    /// Those since the last time.
    pub(crate) fn take(&self) -> Vec<IntrospectionError> {
        std::mem::take(&mut self.0.lock().expect("no panic"))
    }
}

/// What the log tells of calls that failed.
pub(crate) fn told(log: &Capture) -> Vec<Logged> {
    log.of("tower_resource_server::introspection")
}

/// One line of the log, for that reason.
pub(crate) fn assert_told(log: &Capture, error: IntrospectionError, cause: &str) {
    let lines = told(log);
    let [line] = &lines[..] else { panic!("one line: {lines:?}") };
    assert_eq!(line.get("message"), Some("introspection failed"));
    assert_eq!(line.get("error"), Some(error.to_string().as_str()));
    assert_eq!(line.get("cause"), Some(cause), "{error}");
    assert_eq!(line.get("issuer"), Some(ISSUER));
    assert!(line.get("endpoint").is_some_and(|url| url.starts_with(ISSUER)), "{line:?}");
}

/// An authorization server of opaque tokens, and a server that asks it about them.
pub(crate) struct Asked {
    pub(crate) authorization_server: TestAuthorizationServer,
    pub(crate) clock: FixedClock,
    pub(crate) failures: Failures,
    pub(crate) server: ResourceServer,
}

impl Asked {
    pub(crate) fn new() -> Self {
        Self::with(|introspection| introspection)
    }

    /// The server asks in another way.
    pub(crate) fn with(change: impl FnOnce(Introspection) -> Introspection) -> Self {
        Self::having(change, |builder| builder)
    }

    /// The server has other settings besides.
    pub(crate) fn having(
        change: impl FnOnce(Introspection) -> Introspection,
        settings: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let clock = FixedClock::at(NOW);
        let issuer = TestIssuer::new(ISSUER).clock(clock.clone());
        let authorization_server = TestAuthorizationServer::of(issuer);
        let url = authorization_server.url(Endpoint::Introspection);
        let introspection = change(Introspection::at(url, basic()));
        let failures = Failures::default();
        let builder = asking(introspection, authorization_server.clone(), &clock);
        let server = settings(builder.observer(failures.clone())).build().expect("valid");
        Self { authorization_server, clock, failures, server }
    }

    /// An opaque token of scope `read`.
    pub(crate) fn token(&self) -> String {
        self.authorization_server.opaque(&self.authorization_server.token().scope("read"))
    }

    /// The answer to a request for [`TOKEN`], of which the issuer says this besides `active`.
    pub(crate) async fn about(&self, members: Value) -> Answer {
        self.authorization_server.register(TOKEN, members);
        self.present(TOKEN).await
    }

    pub(crate) async fn present(&self, token: &str) -> Answer {
        present(&self.server, token).await
    }

    /// The answer of a route that demands the scope `read`.
    pub(crate) async fn read_with(&self, token: &str) -> Answer {
        let layer = self.server.authenticate().require(Scopes::all(["read"]));
        send(layer, bearer(token)).await
    }

    /// A good token is accepted.
    pub(crate) async fn serves(&self) {
        self.present(&self.token()).await.assert_ok();
    }

    /// How often the issuer was asked about a token.
    pub(crate) fn calls(&self) -> usize {
        self.authorization_server.count(Endpoint::Introspection)
    }

    pub(crate) fn requests(&self) -> Vec<Request<Bytes>> {
        self.authorization_server.requests(Endpoint::Introspection)
    }
}

/// What an active answer says of a token that is right in everything.
pub(crate) fn right() -> Value {
    json!({
        "sub": "user-1",
        "client_id": "client-1",
        "scope": "read",
        "aud": RESOURCE,
        "iss": ISSUER,
        "exp": NOW + 300,
        "iat": NOW,
    })
}

/// The same with another member, or without it where that is null.
pub(crate) fn right_but(name: &str, value: Value) -> Value {
    let mut members = right();
    match value {
        Value::Null => drop(members.as_object_mut().expect("an object").remove(name)),
        value => members[name] = value,
    }
    members
}

pub(crate) fn basic() -> ClientAuthentication {
    ClientAuthentication::client_secret_basic("api-1", "s3cr3t")
}

/// A server that asks [`ISSUER`] about all its tokens.
pub(crate) fn asking(
    introspection: Introspection,
    fetch: impl Fetch,
    clock: &FixedClock,
) -> Builder {
    ResourceServer::builder(RESOURCE)
        .issuer(Issuer::introspection(ISSUER, introspection))
        .clock(clock.clone())
        .fetch(fetch)
}

/// A server that asks [`ENDPOINT`], which answers by a script.
pub(crate) fn scripted(
    fetch: &ScriptedFetch,
    change: impl FnOnce(Introspection) -> Introspection,
) -> (ResourceServer, Failures) {
    let failures = Failures::default();
    let introspection = change(Introspection::at(ENDPOINT, basic()));
    let builder = asking(introspection, fetch.clone(), &FixedClock::at(NOW));
    (builder.observer(failures.clone()).build().expect("valid"), failures)
}

/// The fields of a form, decoded.
pub(crate) fn fields(body: &[u8]) -> Vec<(String, String)> {
    let text = std::str::from_utf8(body).expect("ASCII");
    let pairs = text.split('&').map(|pair| pair.split_once('=').expect("a pair"));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next().expect("a digit"), bytes.next().expect("a digit")];
                let digits = std::str::from_utf8(&digits).expect("ASCII");
                u8::from_str_radix(digits, 16).expect("two digits")
            }
            byte => byte,
        });
    }
    String::from_utf8(plain).expect("UTF-8")
}
