//! The published RSA keys and what is signed with them.

use std::sync::LazyLock;

use rsa::pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPublicKey as _};
use rsa::pkcs8::{AssociatedOid, EncodePublicKey as _};
use rsa::rand_core::OsRng;
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use rsa::{Pkcs1v15Sign, Pss, RsaPrivateKey};
use serde_json::{Value, json};
use sha2_signing::digest::DynDigest;
use sha2_signing::{Digest, Sha256, Sha384, Sha512};

use super::base64url;
use crate::algorithm::Algorithm;

static ONE: LazyLock<RsaPrivateKey> =
    LazyLock::new(|| parse(include_bytes!("keys/rsa-2048-one.der")));
static TWO: LazyLock<RsaPrivateKey> =
    LazyLock::new(|| parse(include_bytes!("keys/rsa-2048-two.der")));

static SHORT: LazyLock<RsaPrivateKey> =
    LazyLock::new(|| parse(include_bytes!("keys/rsa-1024.der")));

fn parse(der: &[u8]) -> RsaPrivateKey {
    RsaPrivateKey::from_pkcs1_der(der).expect("the embedded keys are well-formed")
}

/// One of the published keys.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum RsaKey {
    One,
    Two,
    /// 1024 bits, which no server may accept (RFC 7518 §3.3).
    Short,
}

impl RsaKey {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::One => Self::Two,
            Self::Two | Self::Short => Self::One,
        }
    }

    fn private(self) -> &'static RsaPrivateKey {
        match self {
            Self::One => &ONE,
            Self::Two => &TWO,
            Self::Short => &SHORT,
        }
    }

    pub(super) fn sign(self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        match algorithm {
            Algorithm::RS256 => self.pkcs1::<Sha256>(message),
            Algorithm::RS384 => self.pkcs1::<Sha384>(message),
            Algorithm::RS512 => self.pkcs1::<Sha512>(message),
            Algorithm::PS256 => self.pss::<Sha256>(message),
            Algorithm::PS384 => self.pss::<Sha384>(message),
            Algorithm::PS512 => self.pss::<Sha512>(message),
            Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA | Algorithm::Ed25519 => {
                unreachable!("RSA keys are made for RSA algorithms only")
            }
        }
    }

    fn pkcs1<D: Digest + AssociatedOid>(self, message: &[u8]) -> Vec<u8> {
        let scheme = Pkcs1v15Sign::new::<D>();
        self.private().sign(scheme, &D::digest(message)).expect("1024 bits hold any SHA-2")
    }

    fn pss<D: Digest + DynDigest + Send + Sync + 'static>(self, message: &[u8]) -> Vec<u8> {
        self.private().sign_with_rng(&mut OsRng, Pss::new::<D>(), &D::digest(message)).expect(
            "2048 bits hold any SHA-2 and a salt as long, and the short key signs by PKCS#1",
        )
    }

    pub(super) fn public_members(self) -> Value {
        let key = self.private();
        let [n, e] = [key.n(), key.e()].map(|number| base64url(number.to_bytes_be()));
        json!({ "kty": "RSA", "n": n, "e": e })
    }

    /// One of the two primes.
    pub(super) fn prime(self) -> Vec<u8> {
        self.private().primes().first().map(|prime| prime.to_bytes_be()).unwrap_or_default()
    }

    /// What an RS256 signature of a 2048 bit key is before the private exponent is applied to it
    /// (RFC 8017 §9.2).
    pub(super) fn encoded_message(message: &[u8]) -> Vec<u8> {
        let info = Pkcs1v15Sign::new::<Sha256>().prefix;
        let digest = Sha256::digest(message);
        let padding = vec![0xff; 256 - 3 - info.len() - digest.len()];
        [&[0, 1], &padding[..], &[0], &info[..], &digest[..]].concat()
    }

    /// The public key as PKCS#1 `RSAPublicKey`.
    pub(super) fn public_bytes(self) -> Vec<u8> {
        let key = self.private().to_public_key();
        key.to_pkcs1_der().expect("a public key encodes").into_vec()
    }

    /// The public key as `SubjectPublicKeyInfo`.
    pub(super) fn public_der(self) -> Vec<u8> {
        let key = self.private().to_public_key();
        key.to_public_key_der().expect("a public key encodes").into_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pkcs1_verifies<D: Digest + AssociatedOid>(algorithm: Algorithm) {
        let key = ONE.to_public_key();
        let signature = RsaKey::One.sign(algorithm, b"message");
        key.verify(Pkcs1v15Sign::new::<D>(), &D::digest(b"message"), &signature).unwrap();
        key.verify(Pkcs1v15Sign::new::<D>(), &D::digest(b"massage"), &signature).unwrap_err();
    }

    fn pss_verifies<D: Digest + DynDigest + Send + Sync + 'static>(algorithm: Algorithm) {
        let key = ONE.to_public_key();
        let signature = RsaKey::One.sign(algorithm, b"message");
        key.verify(Pss::new::<D>(), &D::digest(b"message"), &signature).unwrap();
        key.verify(Pss::new::<D>(), &D::digest(b"massage"), &signature).unwrap_err();
    }

    #[test]
    fn signatures_verify() {
        pkcs1_verifies::<Sha256>(Algorithm::RS256);
        pkcs1_verifies::<Sha384>(Algorithm::RS384);
        pkcs1_verifies::<Sha512>(Algorithm::RS512);
        pss_verifies::<Sha256>(Algorithm::PS256);
        pss_verifies::<Sha384>(Algorithm::PS384);
        pss_verifies::<Sha512>(Algorithm::PS512);
    }

    #[test]
    fn the_encoded_message_is_what_the_signature_becomes() {
        let exponent = ONE.e();
        let signature = RsaKey::One.sign(Algorithm::RS256, b"message");
        let opened = rsa::BigUint::from_bytes_be(&signature).modpow(exponent, ONE.n());
        let encoded = RsaKey::encoded_message(b"message");
        assert_eq!(encoded.len(), 256);
        assert_eq!(rsa::BigUint::from_bytes_be(&encoded), opened);
    }

    #[test]
    fn the_prime_divides_the_modulus() {
        let prime = rsa::BigUint::from_bytes_be(&RsaKey::Two.prime());
        assert_eq!(TWO.n() % &prime, rsa::BigUint::from(0u8));
        assert!(prime.bits() > 1000);
    }

    #[test]
    fn the_two_keys_differ_and_are_long_enough() {
        assert_ne!(ONE.n(), TWO.n());
        assert_eq!((ONE.size(), TWO.size(), SHORT.size()), (256, 256, 128));
        assert_eq!(RsaKey::One.public_members()["e"], "AQAB");
    }
}
