//! Changes to JSON, signatures and segments that flaws of tokens and of proofs share.

use hmac_signing::{Hmac, Mac as _};
use serde_json::{Map, Value, json};
use sha2_signing::Sha256;

use super::base64url;

const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Puts the member `name` in front of those that are there.
pub(super) fn repeat(name: &str, members: &Map<String, Value>, json: &[u8]) -> Vec<u8> {
    let value = members.get(name).unwrap_or(&Value::Null);
    let member = format!("{{\"{name}\":{value},");
    [member.as_bytes(), json.strip_prefix(b"{").unwrap_or(json)].concat()
}

pub(super) fn utf16(json: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(json);
    let units = text.encode_utf16().flat_map(u16::to_le_bytes);
    [0xff, 0xfe].into_iter().chain(units).collect()
}

pub(super) fn hs256(key: &[u8], input: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(input);
    mac.finalize().into_bytes().to_vec()
}

pub(super) fn flipped(mut signature: Vec<u8>) -> Vec<u8> {
    if let Some(last) = signature.last_mut() {
        *last ^= 1;
    }
    signature
}

/// Header, payload and signature; empty where another flaw has taken them away.
pub(super) fn segments(token: &str) -> [&str; 3] {
    let mut segments = token.splitn(3, '.');
    std::array::from_fn(|_| segments.next().unwrap_or_default())
}

pub(super) fn padded(token: String) -> String {
    let padding = match segments(&token)[2].len() % 4 {
        2 => "==",
        _ => "=",
    };
    token + padding
}

pub(super) fn non_canonical(token: String) -> String {
    let length = segments(&token)[2].len();
    with_spare_bits(token, length)
}

/// Sets a bit that no byte takes up in the base64url of that length at the end of `text`.
pub(super) fn with_spare_bits(mut text: String, length: usize) -> String {
    let last = text.chars().last();
    let index = URL_SAFE.iter().position(|&symbol| Some(char::from(symbol)) == last);
    match index {
        // Two or three characters at the end carry one or two bytes, and spare bits.
        Some(index) if length % 4 >= 2 => {
            text.pop();
            text.push(char::from(URL_SAFE[index | 1]));
            text
        }
        _ => text + "A",
    }
}

/// The five segments of RFC 7516 §3.1, of the lengths `dir` with `A128GCM` has.
pub(super) fn jwe_shape() -> String {
    let header = json!({ "alg": "dir", "enc": "A128GCM", "typ": "at+jwt", "cty": "JWT" });
    let [iv, ciphertext, tag] = [12, 256, 16].map(|length| base64url(vec![0; length]));
    format!("{}..{iv}.{ciphertext}.{tag}", base64url(header.to_string()))
}
