//! The two published RSA keys and what is signed with them.

use std::sync::LazyLock;

use rsa::pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPublicKey as _};
use rsa::pkcs8::{AssociatedOid, EncodePublicKey as _};
use rsa::rand_core::OsRng;
use rsa::traits::PublicKeyParts as _;
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

fn parse(der: &[u8]) -> RsaPrivateKey {
    RsaPrivateKey::from_pkcs1_der(der).expect("the embedded keys are well-formed")
}

/// One of the two published keys.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum RsaKey {
    One,
    Two,
}

impl RsaKey {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::One => Self::Two,
            Self::Two => Self::One,
        }
    }

    fn private(self) -> &'static RsaPrivateKey {
        match self {
            Self::One => &ONE,
            Self::Two => &TWO,
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
        self.private().sign(scheme, &D::digest(message)).expect("2048 bits hold any SHA-2")
    }

    fn pss<D: Digest + DynDigest + Send + Sync + 'static>(self, message: &[u8]) -> Vec<u8> {
        self.private()
            .sign_with_rng(&mut OsRng, Pss::new::<D>(), &D::digest(message))
            .expect("2048 bits hold any SHA-2 and a salt as long")
    }

    pub(super) fn public_members(self) -> Value {
        let key = self.private();
        let [n, e] = [key.n(), key.e()].map(|number| base64url(number.to_bytes_be()));
        json!({ "kty": "RSA", "n": n, "e": e })
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
    fn the_two_keys_differ_and_are_long_enough() {
        assert_ne!(ONE.n(), TWO.n());
        assert_eq!((ONE.size(), TWO.size()), (256, 256));
        assert_eq!(RsaKey::One.public_members()["e"], "AQAB");
    }
}
