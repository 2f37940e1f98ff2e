//! What a token or a proof is made of before it is one.

use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::base64url;
use super::key::SigningKey;
use super::private::random;
use crate::clock::Timestamp;

/// Header, claims and keys of a JWT in the making.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) now: i64,
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
    /// Stands for `header` as it is.
    pub(super) raw_header: Option<Vec<u8>>,
    /// Stands for `claims` as it is.
    pub(super) raw_payload: Option<Vec<u8>>,
    /// The issuer's, or the client's for a proof.
    pub(super) key: SigningKey,
    /// The one that signs.
    pub(super) signer: SigningKey,
}

impl Draft {
    /// A valid RFC 9068 access token.
    pub(super) fn token(issuer: &str, key: &SigningKey, now: i64) -> Self {
        let mut header =
            members([("typ", json!("at+jwt")), ("alg", json!(key.algorithm().name()))]);
        if let Some(kid) = key.kid() {
            header.insert("kid".to_owned(), json!(kid));
        }
        let claims = members([
            ("iss", json!(issuer)),
            ("sub", json!("user-1")),
            ("client_id", json!("client-1")),
            ("aud", json!("https://api.example.com")),
            ("iat", json!(now)),
            ("exp", json!(now.saturating_add(300))),
            ("jti", json!(base64url(random::<16>()))),
        ]);
        Self::new(key, now, header, claims)
    }

    /// A valid RFC 9449 proof without `ath` and `nonce`.
    pub(super) fn proof(method: &str, uri: &str, key: &SigningKey, now: i64) -> Self {
        let header = members([
            ("typ", json!("dpop+jwt")),
            ("alg", json!(key.algorithm().name())),
            ("jwk", key.bare_jwk()),
        ]);
        let claims = members([
            ("jti", json!(base64url(random::<16>()))),
            ("htm", json!(method)),
            ("htu", json!(uri)),
            ("iat", json!(now)),
        ]);
        Self::new(key, now, header, claims)
    }

    fn new(
        key: &SigningKey,
        now: i64,
        header: Map<String, Value>,
        claims: Map<String, Value>,
    ) -> Self {
        Self {
            now,
            header,
            claims,
            raw_header: None,
            raw_payload: None,
            key: key.clone(),
            signer: key.clone(),
        }
    }

    pub(super) fn set_header(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.header.insert(name.into(), value.into());
    }

    pub(super) fn set_claim(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.claims.insert(name.into(), value.into());
    }

    /// Has the JWT made at another time.
    pub(super) fn made_at(&mut self, now: i64) {
        self.now = now;
        self.set_claim("iat", now);
    }

    /// The time that many seconds after now.
    pub(super) const fn shifted(&self, seconds: i64) -> i64 {
        self.now.saturating_add(seconds)
    }
}

/// Whole seconds since the Unix epoch, rounded down.
pub(super) fn unix_seconds(time: SystemTime) -> i64 {
    Timestamp::from(time).millis().div_euclid(1000)
}

fn members<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
