//! Flaws of the key that a proof carries.

use serde_json::{Value, json};

use super::base64url;
use super::draft::Draft;
use super::key::SigningKey;
use super::private::random;
use super::proof_damage::unfit;
use super::proof_flaw::ProofFlaw;

/// A secret everybody has.
pub(super) const SYMMETRIC: &[u8] = &[0x2a; 32];
/// 16,384 bits.
pub(super) const LONG_MODULUS: usize = 2048;
/// No point of edwards25519 has this y.
const NO_POINT: u8 = 2;

impl ProofFlaw {
    pub(super) fn edit_key(self, draft: &mut Draft) {
        match self {
            Self::KeyMissing => drop(draft.header.remove("jwk")),
            Self::KeySymmetric | Self::HmacWithEmbeddedKey => {
                draft.set_header("jwk", json!({ "kty": "oct", "k": base64url(SYMMETRIC) }));
            }
            Self::KeyString => draft.set_header("jwk", draft.key.bare_jwk().to_string()),
            Self::RsaKeyShort => embed(draft, SigningKey::short_rsa(), []),
            Self::RsaKeyLong => {
                embed(draft, SigningKey::first_rsa(), [("n", base64url(long_modulus()))]);
            }
            Self::RsaExponentOne => embed_exponent(draft, &[1]),
            Self::RsaExponentEven => embed_exponent(draft, &[1, 0, 0]),
            _ => self.edit_members(draft),
        }
    }

    fn edit_members(self, draft: &mut Draft) {
        let mut jwk = draft.key.bare_jwk();
        match self {
            Self::KeyPrivate => {
                let (name, value) = draft.key.private_member();
                jwk[name] = json!(value);
            }
            Self::KeySymmetricMember => jwk["k"] = json!(base64url(SYMMETRIC)),
            Self::KeyOffCurve => leave_curve(&mut jwk),
            Self::KeyIncomplete => remove_number(&mut jwk),
            Self::KeyTypeMismatch => {
                jwk["kty"] = json!(if jwk["kty"] == "OKP" { "EC" } else { "OKP" });
            }
            Self::KeyForEncryption => jwk["use"] = json!("enc"),
            Self::KeyOperations => jwk["key_ops"] = json!(["encrypt"]),
            Self::KeyAlgorithm => jwk["alg"] = json!(unfit(draft.key.algorithm()).name()),
            _ => return,
        }
        draft.set_header("jwk", jwk);
    }
}

/// Has `key` sign, and stand in the header with these members changed.
fn embed<const N: usize>(draft: &mut Draft, key: SigningKey, changes: [(&str, String); N]) {
    let mut jwk = key.bare_jwk();
    for (name, value) in changes {
        jwk[name] = json!(value);
    }
    draft.set_header("alg", key.algorithm().name());
    draft.set_header("jwk", jwk);
    draft.signer = key;
}

fn embed_exponent(draft: &mut Draft, exponent: &[u8]) {
    embed(draft, SigningKey::first_rsa(), [("e", base64url(exponent))]);
}

/// Odd, and of full length.
fn long_modulus() -> [u8; LONG_MODULUS] {
    let mut modulus = random();
    modulus[0] |= 0x80;
    modulus[LONG_MODULUS - 1] |= 1;
    modulus
}

fn leave_curve(jwk: &mut Value) {
    match jwk["kty"].as_str() {
        // As good as no point has equal coordinates.
        Some("EC") => jwk["y"] = jwk["x"].clone(),
        Some("OKP") => {
            let mut y = [0; 32];
            y[0] = NO_POINT;
            jwk["x"] = json!(base64url(y));
        }
        _ => {
            let decoded = jwk["n"].as_str().and_then(crate::base64url::decode);
            let mut modulus = decoded.expect("the kit wrote it");
            modulus.push(0);
            jwk["n"] = json!(base64url(modulus));
        }
    }
}

fn remove_number(jwk: &mut Value) {
    if let Some(members) = jwk.as_object_mut() {
        members.remove("x");
        members.remove("n");
    }
}
