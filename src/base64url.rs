//! base64url without padding, canonical only (RFC 7515 §2).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Encodes, without padding.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes; refuses padding, other alphabets, whitespace and non-zero trailing bits.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Decodes as [`decode`] does, to the beginning of `place`, which is at least as long as `text`.
pub(crate) fn decode_into(text: &str, place: &mut [u8]) -> Option<usize> {
    URL_SAFE_NO_PAD.decode_slice(text, place).ok()
}
