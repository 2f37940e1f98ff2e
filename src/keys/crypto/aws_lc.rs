//! Keys as aws-lc-rs verifies with them.

use std::sync::OnceLock;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519, ParsedPublicKey,
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

    /// A key that is made ready now, since it will be used often; `None` where it is no key.
    pub(super) fn lasting(self) -> Option<Self> {
        self.ready().is_some().then_some(self)
    }

    fn ready(&self) -> Option<&ParsedPublicKey> {
        self.ready.get_or_init(|| parse(self.algorithm, &self.material)).as_ref()
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let Some(key) = self.ready() else { return false };
        let Some(half) = half_of(self.algorithm) else {
            return key.verify_sig(message, signature).is_ok();
        };
        let signature = Ecdsa::of(signature, half);
        signature.is_some_and(|signature| key.verify_sig(message, signature.der()).is_ok())
    }
}

/// The octets of one of the two numbers that a signature of ECDSA is (RFC 7518 §3.4).
const fn half_of(algorithm: Algorithm) -> Option<usize> {
    match algorithm {
        Algorithm::ES256 => Some(32),
        Algorithm::ES384 => Some(LONGEST),
        _ => None,
    }
}

const LONGEST: usize = 48;

/// A signature of ECDSA as aws-lc takes it, in DER (RFC 3279 §2.2.3).
///
/// aws-lc-rs also takes the form that JWS has, and makes this of it by way of two big numbers: that
/// costs a hundredth of the check.
struct Ecdsa {
    der: [u8; 2 + 2 * (3 + LONGEST)],
    length: usize,
}

impl Ecdsa {
    /// `None` unless it is two numbers of that many octets, at most the [`LONGEST`].
    fn of(signature: &[u8], half: usize) -> Option<Self> {
        if signature.len() != 2 * half || half > LONGEST {
            return None;
        }
        let (r, s) = signature.split_at(half);
        // A SEQUENCE, whose length fits into seven bits.
        let mut ecdsa = Self { der: [0; 2 + 2 * (3 + LONGEST)], length: 2 };
        ecdsa.integer(r)?;
        ecdsa.integer(s)?;
        let content = u8::try_from(ecdsa.length - 2).ok()?;
        ecdsa.der.get_mut(..2)?.copy_from_slice(&[0x30, content]);
        Some(ecdsa)
    }

    /// An INTEGER is as short as can be, and negative if its first bit is set.
    fn integer(&mut self, number: &[u8]) -> Option<()> {
        let zeros = number.iter().take_while(|octet| **octet == 0).count();
        let number = number.get(zeros..)?;
        let padded = number.first().is_none_or(|first| *first >= 0x80);
        let length = number.len() + usize::from(padded);
        let (head, body) = self.der.get_mut(self.length..)?.split_at_mut_checked(2)?;
        head.copy_from_slice(&[2, u8::try_from(length).ok()?]);
        body.get_mut(usize::from(padded)..length)?.copy_from_slice(number);
        self.length += 2 + length;
        Some(())
    }

    fn der(&self) -> &[u8] {
        self.der.get(..self.length).unwrap_or_default()
    }
}

/// `None` where it is no key, such as a point beside its curve.
fn parse(algorithm: Algorithm, material: &Material) -> Option<ParsedPublicKey> {
    match material {
        Material::Rsa { n, e } => {
            RsaPublicKeyComponents { n, e }.to_parsed_public_key(rsa(algorithm)?).ok()
        }
        Material::Ec(point) => ParsedPublicKey::new(curve(algorithm)?, point).ok(),
        Material::Ed25519(x) => match algorithm {
            Algorithm::EdDSA | Algorithm::Ed25519 => ParsedPublicKey::new(&ED25519, x).ok(),
            _ => None,
        },
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
        Algorithm::ES256 => Some(&ECDSA_P256_SHA256_ASN1),
        Algorithm::ES384 => Some(&ECDSA_P384_SHA384_ASN1),
        _ => None,
    }
}

#[cfg(test)]
#[path = "aws_lc_tests.rs"]
mod tests;
