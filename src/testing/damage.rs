//! How each flaw comes into a token: into its members, its JSON, its signature or its shape.

use serde_json::json;

use super::draft::Draft;
use super::flaw::Flaw;
use super::forgery::{flipped, hs256, jwe_shape, non_canonical, padded, repeat, segments, utf16};
use super::jws::Damage;

const UNKNOWN: &str = "urn:example:unknown";

impl Damage for Flaw {
    fn edit(self, draft: &mut Draft) {
        match self {
            Self::WrongKey => draft.signer = draft.key.stranger(),
            Self::EmbeddedKey => {
                draft.signer = draft.key.stranger();
                draft.set_header("jwk", draft.signer.public_jwk());
            }
            Self::KeyUrl => {
                draft.signer = draft.key.stranger();
                draft.set_header("jku", "https://attacker.example/jwks");
            }
            _ => {
                self.edit_header(draft);
                self.edit_claims(draft);
            }
        }
    }

    fn rewrite_header(self, draft: &Draft, json: Vec<u8>) -> Vec<u8> {
        match self {
            Self::DuplicateHeader => repeat("alg", &draft.header, &json),
            _ => json,
        }
    }

    fn rewrite_payload(self, draft: &Draft, json: Vec<u8>) -> Vec<u8> {
        match self {
            Self::DuplicateClaim => repeat("aud", &draft.claims, &json),
            Self::PayloadArray => [b"[", &json[..], b"]"].concat(),
            Self::PayloadTrailing => [&json[..], b"x"].concat(),
            Self::PayloadUtf16 => utf16(&json),
            Self::PayloadBom => [b"\xef\xbb\xbf", &json[..]].concat(),
            _ => json,
        }
    }

    fn forge(self, draft: &Draft, input: &[u8]) -> Option<Vec<u8>> {
        let sign = || draft.signer.sign(input);
        match self {
            Self::AlgorithmNone | Self::EmptySignature => Some(Vec::new()),
            Self::HmacWithPublicKey => Some(hs256(&draft.key.public_bytes(), input)),
            Self::HmacWithPublicKeyPem => Some(hs256(draft.key.public_pem().as_bytes(), input)),
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

    fn reshape(self, token: String) -> String {
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

impl Flaw {
    fn edit_header(self, draft: &mut Draft) {
        match self {
            Self::AlgorithmNone => draft.set_header("alg", "none"),
            Self::AlgorithmLowerCase => {
                let name = draft.key.algorithm().name();
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
}

#[cfg(test)]
#[path = "damage_tests.rs"]
mod tests;
