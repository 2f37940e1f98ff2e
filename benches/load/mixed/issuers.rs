//! Two issuers, whose key sets are here to be fetched.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::json;
use tokio::net::TcpListener;
use tower_resource_server::Algorithm;
use tower_resource_server::testing::{SigningKey, TestIssuer};

pub(crate) struct Issuers {
    pub(crate) first: TestIssuer,
    /// The first one after its rotation.
    pub(crate) rotated: TestIssuer,
    pub(crate) second: TestIssuer,
    /// The second one with a key that it never publishes.
    pub(crate) stranger: TestIssuer,
    published: [Published; 2],
}

/// A key set; `None` where no answer comes.
#[derive(Clone)]
struct Published(Arc<Mutex<Option<String>>>);

impl Issuers {
    pub(crate) async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let issuer = |name: &str, kid: &str| {
            let key = SigningKey::generate(Algorithm::ES256).with_kid(kid);
            TestIssuer::with_key(format!("{base}/{name}"), key)
        };
        let (first, rotated) = (issuer("first", "first-1"), issuer("first", "first-2"));
        let (second, stranger) = (issuer("second", "second-1"), issuer("second", "second-2"));
        let published = [&first, &second].map(|issuer| Published::of(&[issuer]));
        let [first_keys, second_keys] = published.clone();
        let app = Router::new()
            .route("/first/keys", get(async move || first_keys.answer().await))
            .route("/second/keys", get(async move || second_keys.answer().await));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self { first, rotated, second, stranger, published })
    }

    pub(crate) fn keys_of(issuer: &str) -> String {
        format!("{issuer}/keys")
    }

    /// The first issuer publishes its new key too.
    pub(crate) fn rotate(&self) {
        self.published[0].set(Some(key_set(&[&self.first, &self.rotated])));
    }

    /// From now on the second issuer answers nobody.
    pub(crate) fn fall_silent(&self) {
        self.published[1].set(None);
    }
}

impl Published {
    fn of(issuers: &[&TestIssuer]) -> Self {
        Self(Arc::new(Mutex::new(Some(key_set(issuers)))))
    }

    fn set(&self, keys: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    async fn answer(&self) -> Response {
        let keys = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match keys {
            Some(keys) => ([(CONTENT_TYPE, "application/jwk-set+json")], keys).into_response(),
            None => std::future::pending().await,
        }
    }
}

fn key_set(issuers: &[&TestIssuer]) -> String {
    let keys: Vec<_> = issuers.iter().map(|issuer| issuer.key().public_jwk()).collect();
    json!({ "keys": keys }).to_string()
}
