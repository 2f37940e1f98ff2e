//! Keys as aws-lc-rs verifies with them.

use std::sync::OnceLock;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents, VerificationAlgorithm,
};

use super::Material;
use crate::algorithm::Algorithm;

/// A key that is made ready by its first verification, and stays so. Until then no arithmetic is
/// done with it: most keys that strangers show are refused for something cheaper.
pub(super) struct Key {
    algorithm: Algorithm,
    material: Material,
    ready: OnceLock<Option<ParsedPublicKey>>,
}

impl Key {
    pub(super) const fn new(algorithm: Algorithm, material: Material) -> Self {
        Self { algorithm, material, ready: OnceLock::new() }
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let ready = self.ready.get_or_init(|| parse(self.algorithm, &self.material));
        ready.as_ref().is_some_and(|key| key.verify_sig(message, signature).is_ok())
    }
}

/// `None` where it is no key, such as a point beside its curve.
fn parse(algorithm: Algorithm, material: &Material) -> Option<ParsedPublicKey> {
    match material {
        Material::Rsa { n, e } => {
            RsaPublicKeyComponents { n, e }.to_parsed_public_key(rsa(algorithm)?).ok()
        }
        Material::Ec(point) => ParsedPublicKey::new(curve(algorithm)?, point).ok(),
        Material::Ed25519(x) => ParsedPublicKey::new(&ED25519, x).ok(),
    }
}

const fn rsa(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::RS256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => Some(&RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => Some(&RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => Some(&RSA_PSS_2048_8192_SHA512),
        Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA | Algorithm::Ed25519 => None,
    }
}

fn curve(algorithm: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    match algorithm {
        Algorithm::ES256 => Some(&ECDSA_P256_SHA256_FIXED),
        Algorithm::ES384 => Some(&ECDSA_P384_SHA384_FIXED),
        _ => None,
    }
}
