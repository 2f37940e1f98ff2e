//! Proof Key for Code Exchange (RFC 7636): whoever redeems a code knows what only the client that
//! asked for it knows. `S256` alone, as `plain` shows the secret to all who see the request.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::random::is_same;

pub(super) const METHOD: &str = "S256";

/// Whether it is a SHA-256 in base64url, as challenges and thumbprints of keys are.
pub(super) fn is_digest(text: &str) -> bool {
    URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

/// §4.6. The verifier has 43 to 128 characters, none of which needs encoding (§4.1).
pub(super) fn verifies(verifier: &str, challenge: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let good = (43..=128).contains(&verifier.len()) && verifier.bytes().all(unreserved);
    good && is_same(challenge, &URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)))
}
