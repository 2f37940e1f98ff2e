//! DPoP proofs as a client makes them (RFC 9449 §4.2): a JWT for one request, signed with a key
//! that never leaves the client.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::rand_core::{OsRng, RngCore as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A key on the curve P-256, for the algorithm ES256.
pub(crate) struct ProofKey(SigningKey);

/// What a proof is for.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) uri: &'a str,
    /// The access token that goes with it. There is none yet where one is asked for.
    pub(crate) token: Option<&'a str>,
    /// The newest nonce of that server, once it has given one (RFC 9449 §8, §9).
    pub(crate) nonce: Option<&'a str>,
}

impl ProofKey {
    pub(crate) fn generate() -> Self {
        Self(SigningKey::random(&mut OsRng))
    }

    /// A new proof for that request, with an id of its own.
    pub(crate) fn proof(&self, request: &Request<'_>) -> String {
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.public_jwk() });
        let input = format!("{}.{}", encode(header.to_string()), encode(claims(request)));
        // r and s side by side, as JWS has it (RFC 7518 §3.4).
        let signature: Signature = self.0.sign(input.as_bytes());
        format!("{input}.{}", encode(signature.to_bytes()))
    }

    /// Nothing but the members that make the key (RFC 7518 §6.2.1); never `d`.
    fn public_jwk(&self) -> Value {
        let point = self.0.verifying_key().to_encoded_point(false);
        let coordinate = |bytes: Option<_>| bytes.map(|bytes: &p256::FieldBytes| encode(bytes));
        let (x, y) = (coordinate(point.x()), coordinate(point.y()));
        json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y })
    }
}

fn claims(request: &Request<'_>) -> String {
    // 128 random bits; 96 are asked for (RFC 9449 §4.2).
    let mut id = [0; 16];
    OsRng.fill_bytes(&mut id);
    let mut claims = json!({
        "jti": encode(id),
        "htm": request.method,
        "htu": without_query(request.uri),
        "iat": now(),
    });
    if let Some(token) = request.token {
        claims["ath"] = json!(encode(Sha256::digest(token)));
    }
    if let Some(nonce) = request.nonce {
        claims["nonce"] = json!(nonce);
    }
    claims.to_string()
}

/// `htu` is the URI without query and fragment.
fn without_query(uri: &str) -> &str {
    uri.split(['?', '#']).next().unwrap_or(uri)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
