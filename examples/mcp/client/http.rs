//! Requests over plain HTTP, each printed with its answer.

use std::error::Error;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::shown;

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

pub(crate) struct Http(Client<HttpConnector, Full<Bytes>>);

/// A whole answer: nothing here streams for longer than one call.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Http {
    pub(crate) fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }

    pub(crate) async fn get(&self, uri: &str) -> Result<Answer, Failure> {
        self.send(Request::get(uri).body(Full::default())?).await
    }

    /// Follows no redirect: where one leads is for the caller to judge.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answer, Failure> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        shown::request(&head, &body);
        let uri = head.uri.clone();
        let request = Request::from_parts(head, Full::from(body));
        let response = self.0.request(request).await.map_err(|error| unreachable(&uri, &error))?;
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        let answer = Answer { status: head.status, headers: head.headers, body };
        shown::answer(&answer);
        Ok(answer)
    }
}

fn unreachable(uri: &Uri, error: &dyn Error) -> String {
    let server = uri.authority().map_or("", |authority| authority.as_str());
    format!("nobody answers at {server}: {error}")
}

impl Answer {
    pub(crate) fn field(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The values of `WWW-Authenticate`, each one or more challenges.
    pub(crate) fn challenges(&self) -> impl Iterator<Item = &str> {
        let values = self.headers.get_all(header::WWW_AUTHENTICATE).iter();
        values.filter_map(|value| value.to_str().ok())
    }

    /// The JSON document it carries; null where it carries none.
    ///
    /// MCP servers may send their message as the last event of a stream.
    pub(crate) fn json(&self) -> Value {
        let is_stream = self.field(header::CONTENT_TYPE) == Some("text/event-stream");
        if !is_stream {
            return serde_json::from_slice(&self.body).unwrap_or_default();
        }
        let text = String::from_utf8_lossy(&self.body);
        let events = text.lines().filter_map(|line| line.strip_prefix("data:"));
        let mut messages = events.filter_map(|data| serde_json::from_str(data.trim()).ok());
        messages.next_back().unwrap_or_default()
    }
}
