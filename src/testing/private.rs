//! Private keys of every family the crate verifies.

use ed25519_dalek::Signer as _;
use p256::elliptic_curve::rand_core::{OsRng, RngCore as _};
use p256::pkcs8::EncodePublicKey as _;
use serde_json::{Value, json};

use super::base64url;
use super::rsa::RsaKey;
use crate::algorithm::Algorithm;

/// What precedes the 32 bytes of an Ed25519 key in its `SubjectPublicKeyInfo` (RFC 8410 §4).
const ED25519_INFO: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// No `Debug`: only [`SigningKey`](super::SigningKey) shows itself, without the secret.
#[derive(Clone)]
pub(super) enum Private {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
    Rsa(RsaKey),
}

impl Private {
    /// A random key, or the first published one for RSA.
    pub(super) fn generate(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::ES256 => Self::P256(p256::ecdsa::SigningKey::random(&mut OsRng)),
            Algorithm::ES384 => Self::P384(p384::ecdsa::SigningKey::random(&mut OsRng)),
            Algorithm::EdDSA | Algorithm::Ed25519 => {
                Self::Ed25519(ed25519_dalek::SigningKey::from_bytes(&random()))
            }
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512 => Self::Rsa(RsaKey::One),
        }
    }

    pub(super) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        match self {
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_vec()
            }
            Self::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign(message);
                signature.to_vec()
            }
            Self::Ed25519(key) => key.sign(message).to_vec(),
            Self::Rsa(key) => key.sign(algorithm, message),
        }
    }

    /// The signature as ASN.1, which only ECDSA has.
    pub(super) fn sign_der(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::P256(key) => {
                let signature: p256::ecdsa::DerSignature = key.sign(message);
                Some(signature.as_bytes().to_vec())
            }
            Self::P384(key) => {
                let signature: p384::ecdsa::DerSignature = key.sign(message);
                Some(signature.as_bytes().to_vec())
            }
            Self::Ed25519(_) | Self::Rsa(_) => None,
        }
    }

    /// The members of the public JWK that make the key.
    pub(super) fn public_members(&self) -> Value {
        match self {
            Self::P256(_) => point("P-256", &self.public_bytes()),
            Self::P384(_) => point("P-384", &self.public_bytes()),
            Self::Ed25519(_) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(self.public_bytes()) })
            }
            Self::Rsa(key) => key.public_members(),
        }
    }

    /// A member that only the private JWK has: the secret itself, or a prime of it for RSA.
    pub(super) fn private_member(&self) -> (&'static str, Vec<u8>) {
        match self {
            Self::P256(key) => ("d", key.to_bytes().to_vec()),
            Self::P384(key) => ("d", key.to_bytes().to_vec()),
            Self::Ed25519(key) => ("d", key.to_bytes().to_vec()),
            Self::Rsa(key) => ("p", key.prime()),
        }
    }

    /// The public key with the least framing: x and y, x, or PKCS#1 for RSA.
    pub(super) fn public_bytes(&self) -> Vec<u8> {
        match self {
            Self::P256(key) => key.verifying_key().to_encoded_point(false).as_bytes()[1..].to_vec(),
            Self::P384(key) => key.verifying_key().to_encoded_point(false).as_bytes()[1..].to_vec(),
            Self::Ed25519(key) => key.verifying_key().to_bytes().to_vec(),
            Self::Rsa(key) => key.public_bytes(),
        }
    }

    /// The public key as `SubjectPublicKeyInfo`.
    pub(super) fn public_der(&self) -> Vec<u8> {
        let info = match self {
            Self::P256(key) => p256::PublicKey::from(key.verifying_key()).to_public_key_der(),
            Self::P384(key) => p384::PublicKey::from(key.verifying_key()).to_public_key_der(),
            Self::Ed25519(_) => return [&ED25519_INFO[..], &self.public_bytes()].concat(),
            Self::Rsa(key) => return key.public_der(),
        };
        info.expect("a public key encodes").into_vec()
    }
}

fn point(curve: &str, xy: &[u8]) -> Value {
    let (x, y) = xy.split_at(xy.len() / 2);
    json!({ "kty": "EC", "crv": curve, "x": base64url(x), "y": base64url(y) })
}

/// Bytes nobody can guess.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsRng.fill_bytes(&mut bytes);
    bytes
}
