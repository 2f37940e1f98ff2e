//! How each flaw comes into a token: into its members, its JSON, its signature or its shape.

use hmac_signing::{Hmac, Mac as _};
use serde_json::{Map, Value, json};
use sha2_signing::Sha256;

use super::base64url;
use super::draft::Draft;
use super::flaw::Flaw;

const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const UNKNOWN: &str = "urn:example:unknown";

impl Flaw {
    /// Changes header parameters, claims or the key that signs.
    pub(super) fn edit(self, draft: &mut Draft) {
        match self {
            Self::WrongKey => draft.signer = draft.issuer_key.stranger(),
            Self::EmbeddedKey => {
                draft.signer = draft.issuer_key.stranger();
                draft.set_header("jwk", draft.signer.public_jwk());
            }
            Self::KeyUrl => {
                draft.signer = draft.issuer_key.stranger();
                draft.set_header("jku", "https://attacker.example/jwks");
            }
            _ => {
                self.edit_header(draft);
                self.edit_claims(draft);
            }
        }
    }

    fn edit_header(self, draft: &mut Draft) {
        match self {
            Self::AlgorithmNone => draft.set_header("alg", "none"),
            Self::AlgorithmLowerCase => {
                let name = draft.issuer_key.algorithm().name();
                draft.set_header("alg", name.to_ascii_lowercase());
            }
            Self::AlgorithmMissing => drop(draft.header.remove("alg")),
            Self::HmacWithPublicKey | Self::HmacWithPublicKeyPem => {
                draft.set_header("alg", "HS256");
            }
            Self::UnknownKeyId => draft.set_header("kid", "unknown"),
            Self::UnknownCritical => {
                draft.set_header("crit", json!([UNKNOWN]));
                draft.set_header(UNKNOWN, true);
            }
            Self::EmptyCritical => draft.set_header("crit", json!([])),
            Self::UnencodedPayload => {
                draft.set_header("crit", json!(["b64"]));
                draft.set_header("b64", false);
            }
            Self::WrongType => draft.set_header("typ", "JWT"),
            Self::MissingType => drop(draft.header.remove("typ")),
            _ => {}
        }
    }

    /// Other times move along, so that the one that is wrong is alone.
    fn edit_claims(self, draft: &mut Draft) {
        match self {
            Self::Expired => {
                draft.set_claim("iat", draft.shifted(-3900));
                draft.set_claim("exp", draft.shifted(-3600));
            }
            Self::NotYetValid => {
                draft.set_claim("nbf", draft.shifted(3600));
                draft.set_claim("exp", draft.shifted(7200));
            }
            Self::WrongAudience => draft.set_claim("aud", "https://other-api.example.com"),
            Self::WrongIssuer => draft.set_claim("iss", "https://other-as.example.com"),
            _ => {}
        }
    }

    pub(super) fn rewrite_header(self, draft: &Draft, json: Vec<u8>) -> Vec<u8> {
        match self {
            Self::DuplicateHeader => repeat("alg", &draft.header, &json),
            _ => json,
        }
    }

    pub(super) fn rewrite_payload(self, draft: &Draft, json: Vec<u8>) -> Vec<u8> {
        match self {
            Self::DuplicateClaim => repeat("aud", &draft.claims, &json),
            Self::PayloadArray => [b"[", &json[..], b"]"].concat(),
            Self::PayloadTrailing => [&json[..], b"x"].concat(),
            Self::PayloadUtf16 => utf16(&json),
            Self::PayloadBom => [b"\xef\xbb\xbf", &json[..]].concat(),
            _ => json,
        }
    }

    /// The signature, if this flaw makes it.
    pub(super) fn forge(self, draft: &Draft, input: &[u8]) -> Option<Vec<u8>> {
        let sign = || draft.signer.sign(input);
        match self {
            Self::AlgorithmNone | Self::EmptySignature => Some(Vec::new()),
            Self::HmacWithPublicKey => Some(hs256(&draft.issuer_key.public_bytes(), input)),
            Self::HmacWithPublicKeyPem => {
                Some(hs256(draft.issuer_key.public_pem().as_bytes(), input))
            }
            Self::BadSignature => Some(flipped(sign())),
            Self::ZeroSignature => Some(vec![0; sign().len()]),
            Self::DerSignature => {
                let der = draft.signer.sign_der(input);
                der.or_else(|| Some(flipped(sign())))
            }
            Self::TruncatedSignature => {
                let mut signature = sign();
                signature.pop();
                Some(signature)
            }
            _ => None,
        }
    }

    /// Changes the finished token as text.
    pub(super) fn reshape(self, token: String) -> String {
        match self {
            Self::Padded => padded(token),
            Self::NonCanonicalBase64 => non_canonical(token),
            Self::FourParts => token + ".AAAA",
            Self::TwoParts => segments(&token)[..2].join("."),
            Self::JweShape => jwe_shape(),
            Self::JsonSerialization => {
                let [header, payload, signature] = segments(&token);
                json!({ "protected": header, "payload": payload, "signature": signature })
                    .to_string()
            }
            _ => token,
        }
    }
}

/// Puts the member `name` in front of those that are there.
fn repeat(name: &str, members: &Map<String, Value>, json: &[u8]) -> Vec<u8> {
    let value = members.get(name).unwrap_or(&Value::Null);
    let member = format!("{{\"{name}\":{value},");
    [member.as_bytes(), json.strip_prefix(b"{").unwrap_or(json)].concat()
}

fn utf16(json: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(json);
    let units = text.encode_utf16().flat_map(u16::to_le_bytes);
    [0xff, 0xfe].into_iter().chain(units).collect()
}

fn hs256(key: &[u8], input: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(input);
    mac.finalize().into_bytes().to_vec()
}

fn flipped(mut signature: Vec<u8>) -> Vec<u8> {
    if let Some(last) = signature.last_mut() {
        *last ^= 1;
    }
    signature
}

/// Header, payload and signature; empty where another flaw has taken them away.
fn segments(token: &str) -> [&str; 3] {
    let mut segments = token.splitn(3, '.');
    std::array::from_fn(|_| segments.next().unwrap_or_default())
}

fn padded(token: String) -> String {
    let padding = match segments(&token)[2].len() % 4 {
        2 => "==",
        _ => "=",
    };
    token + padding
}

fn non_canonical(mut token: String) -> String {
    // Two or three characters at the end carry one or two bytes, and spare bits.
    if segments(&token)[2].len() % 4 < 2 {
        return token + "A";
    }
    let last = token.pop().expect("the signature has characters");
    let index = URL_SAFE.iter().position(|&symbol| char::from(symbol) == last);
    token.push(char::from(URL_SAFE[index.expect("base64url made it") | 1]));
    token
}

/// The five segments of RFC 7516 §3.1, of the lengths `dir` with `A128GCM` has.
fn jwe_shape() -> String {
    let header = json!({ "alg": "dir", "enc": "A128GCM", "typ": "at+jwt", "cty": "JWT" });
    let [iv, ciphertext, tag] = [12, 256, 16].map(|length| base64url(vec![0; length]));
    format!("{}..{iv}.{ciphertext}.{tag}", base64url(header.to_string()))
}

#[cfg(test)]
#[path = "damage_tests.rs"]
mod tests;
