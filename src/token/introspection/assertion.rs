//! A JWT by which this server authenticates (RFC 7523).

use serde_json::json;

use crate::base64url;
use crate::clock::Timestamp;
use crate::keys::{CryptoBackend, PrivateKey};
use crate::random;

/// How long one is good, in seconds: for one call.
const LIFETIME: i64 = 60;

pub(crate) struct Assertion {
    pub(crate) client_id: String,
    pub(crate) audience: String,
    pub(crate) key: PrivateKey,
    pub(crate) backend: CryptoBackend,
}

impl Assertion {
    pub(super) const TYPE: &'static str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    /// A new one, which differs from all others by its `jti` (RFC 7523 §3).
    pub(crate) fn sign(&self, now: Timestamp) -> Option<String> {
        let now = now.millis().div_euclid(1000);
        let mut header = json!({ "alg": self.key.signing_algorithm().name(), "typ": "JWT" });
        if let Some(kid) = self.key.id() {
            header["kid"] = json!(kid);
        }
        let claims = json!({
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience,
            "jti": base64url::encode(random::bytes::<16>()?),
            "iat": now,
            "exp": now.saturating_add(LIFETIME),
        });
        let [header, claims] = [header, claims].map(|part| base64url::encode(part.to_string()));
        let input = format!("{header}.{claims}");
        let signature = self.key.sign(input.as_bytes(), self.backend)?;
        Some(format!("{input}.{}", base64url::encode(signature)))
    }
}
