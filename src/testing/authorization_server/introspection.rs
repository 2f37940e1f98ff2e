//! Token introspection as an authorization server does it (RFC 7662).

use std::collections::HashMap;

use bytes::Bytes;
use http::header::{HeaderValue, WWW_AUTHENTICATE};
use http::{Request, Response};
use serde_json::{Map, Value, json};

use super::client::{Client, Unauthenticated};
use super::form::Form;
use super::state::{json_answer, refusal};
use crate::credentials::is_form;

/// The tokens the endpoint knows, and who may ask about them.
#[derive(Default)]
pub(super) struct Introspection {
    pub(super) client: Option<Client>,
    tokens: HashMap<String, Map<String, Value>>,
}

impl Introspection {
    pub(super) fn register(&mut self, token: String, mut members: Map<String, Value>) {
        members.entry("active").or_insert(Value::Bool(true));
        self.tokens.insert(token, members);
    }

    pub(super) fn revoke(&mut self, token: &str) {
        self.tokens.remove(token);
    }

    pub(super) fn answer(&self, request: &Request<Bytes>, now: i64) -> Response<Bytes> {
        let form = Form::parse(request.body());
        let form = form.filter(|_| is_form(request.method(), request.headers()));
        let Some(form) = form else { return refusal(400, "invalid_request") };
        let client = self.client.as_ref();
        match client.map_or(Ok(()), |client| client.check(request.headers(), &form)) {
            Ok(()) => match form.get("token") {
                Some(token) => json_answer("application/json", &self.verdict(token, now)),
                None => refusal(400, "invalid_request"),
            },
            Err(Unauthenticated::InvalidClient) => unauthenticated(),
            Err(Unauthenticated::InvalidRequest) => refusal(400, "invalid_request"),
        }
    }

    /// Unknown, revoked and expired tokens get the same answer and no reason (§2.2).
    fn verdict(&self, token: &str, now: i64) -> Value {
        let known = self.tokens.get(token);
        let current = known.filter(|members| {
            members.get("exp").and_then(Value::as_i64).is_none_or(|expiry| now < expiry)
        });
        match current {
            Some(members) => Value::Object(members.clone()),
            None => json!({ "active": false }),
        }
    }
}

/// §2.3, RFC 6749 §5.2.
fn unauthenticated() -> Response<Bytes> {
    let mut refusal = refusal(401, "invalid_client");
    let challenge = HeaderValue::from_static("Basic realm=\"introspection\"");
    refusal.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    refusal
}

/// What an opaque token stands for: the claims of a JWT, and its type (§2.2, RFC 9449 §6.2).
pub(super) fn members_of(claims: &Map<String, Value>) -> Map<String, Value> {
    let mut members = claims.clone();
    let bound = claims.get("cnf").is_some_and(|cnf| cnf.get("jkt").is_some());
    members.entry("token_type").or_insert(json!(if bound { "DPoP" } else { "Bearer" }));
    members
}
