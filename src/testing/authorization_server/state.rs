//! What an authorization server is at a moment, and what it answers then.

use bytes::Bytes;
use http::header::HeaderMap;
use http::{Method, Request, Response};
use serde_json::{Map, Value, json};

use super::condition::Conditions;
use super::endpoint::{self, Endpoint, MetadataLocation};
use super::introspection::Introspection;
use crate::testing::draft::unix_seconds;
use crate::testing::fetch::answer;
use crate::testing::hold::Gate;
use crate::testing::{SigningKey, TestIssuer};

pub(super) struct State {
    pub(super) issuer: TestIssuer,
    /// In the order they came.
    pub(super) published: Vec<SigningKey>,
    pub(super) locations: Vec<MetadataLocation>,
    /// What stands in the document instead of, or besides, what is so; null for what is left out.
    pub(super) members: Map<String, Value>,
    pub(super) introspection: Introspection,
    pub(super) headers: HeaderMap,
    pub(super) conditions: Conditions,
    pub(super) gate: Option<Gate>,
}

impl State {
    pub(super) fn new(issuer: TestIssuer) -> Self {
        Self {
            published: vec![issuer.key().clone()],
            issuer,
            locations: MetadataLocation::ALL.to_vec(),
            members: Map::new(),
            introspection: Introspection::default(),
            headers: HeaderMap::new(),
            conditions: Conditions::default(),
            gate: None,
        }
    }

    /// The right answer.
    pub(super) fn answer(&self, endpoint: Endpoint, request: &Request<Bytes>) -> Response<Bytes> {
        let allowed = match endpoint {
            Endpoint::Introspection => Method::POST,
            _ => Method::GET,
        };
        let mut answer = match endpoint {
            Endpoint::Other => not_found(),
            _ if request.method() != allowed => answer(405, "text/plain", Bytes::new()),
            Endpoint::Introspection => self.introspection.answer(request, self.now()),
            Endpoint::Jwks => json_answer("application/jwk-set+json", &self.key_set()),
            Endpoint::Metadata => self.metadata(request),
        };
        answer.headers_mut().extend(self.headers.clone());
        answer
    }

    fn now(&self) -> i64 {
        unix_seconds(self.issuer.clock.now())
    }

    fn key_set(&self) -> Value {
        let keys: Vec<_> = self.published.iter().map(SigningKey::public_jwk).collect();
        json!({ "keys": keys })
    }

    fn metadata(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let identifier = self.issuer.issuer();
        if self.locations.iter().any(|location| location.is(identifier, request.uri())) {
            json_answer("application/json", &self.document())
        } else {
            not_found()
        }
    }

    /// RFC 8414 §2, with what OpenID Connect Discovery 1.0 §3 requires.
    fn document(&self) -> Value {
        let identifier = self.issuer.issuer();
        let mut document = json!({
            "issuer": identifier,
            "jwks_uri": endpoint::jwks(identifier),
            "token_endpoint": endpoint::token(identifier),
            "introspection_endpoint": endpoint::introspection(identifier),
            "introspection_endpoint_auth_methods_supported":
                ["client_secret_basic", "client_secret_post"],
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        });
        for (name, value) in &self.members {
            document[name] = value.clone();
        }
        if let Value::Object(members) = &mut document {
            members.retain(|_, value| !value.is_null());
        }
        document
    }
}

pub(super) fn json_answer(content_type: &str, body: &Value) -> Response<Bytes> {
    answer(200, content_type, body.to_string().into())
}

/// RFC 6749 §5.2.
pub(super) fn refusal(status: u16, error: &str) -> Response<Bytes> {
    answer(status, "application/json", json!({ "error": error }).to_string().into())
}

fn not_found() -> Response<Bytes> {
    answer(404, "text/plain", Bytes::new())
}
