//! Signature verification, delegated to one chosen backend.
//!
//! To take a key apart and check it costs a part of each signature check: about an eighth of one
//! with RSA. So a key is made ready once. aws-lc-rs has a type for such keys; what verifies with
//! RustCrypto comes from jsonwebtoken.

#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
#[cfg(feature = "rust-crypto")]
mod rust_crypto;

use std::fmt;

use jsonwebtoken::crypto::CryptoProvider;
use jsonwebtoken::{Algorithm as JwtAlgorithm, EncodingKey};

use crate::algorithm::Algorithm;

/// The library that verifies signatures.
///
/// Its value is handed to each verification; the process-wide default of jsonwebtoken is neither
/// read nor set, so both backends may be in one program.
///
/// It verifies signatures and nothing else: TLS of the embedded client is chosen by features alone.
/// Its variants exist only with their features, so code that names one should enable that feature.
///
/// ```
/// use tower_resource_server::{CryptoBackend, ResourceServer};
///
/// let mut builder = ResourceServer::builder("https://api.example.com");
/// if let Some(backend) = CryptoBackend::preferred() {
///     builder = builder.crypto_backend(backend); // what happens anyway
/// }
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CryptoBackend {
    /// aws-lc-rs, the faster one (feature `aws-lc-rs`).
    #[cfg(feature = "aws-lc-rs")]
    AwsLcRs,
    /// The RustCrypto crates, in Rust throughout (feature `rust-crypto`). RSA keys over 4096 bits
    /// are passed over.
    #[cfg(feature = "rust-crypto")]
    RustCrypto,
}

impl CryptoBackend {
    /// The backends that are compiled in, the preferred one first.
    pub const ALL: &'static [Self] = &[
        #[cfg(feature = "aws-lc-rs")]
        Self::AwsLcRs,
        #[cfg(feature = "rust-crypto")]
        Self::RustCrypto,
    ];

    /// aws-lc-rs where it is compiled in, else RustCrypto, else none.
    ///
    /// `None` means that [`build`](crate::Builder::build) will fail.
    #[must_use]
    pub const fn preferred() -> Option<Self> {
        Self::ALL.first().copied()
    }

    /// `None` when the backend does not take the key.
    pub(crate) fn sign(
        self,
        algorithm: Algorithm,
        key: &EncodingKey,
        message: &[u8],
    ) -> Option<Vec<u8>> {
        let signer = (self.provider().signer_factory)(&translate(algorithm), key).ok()?;
        signer.try_sign(message).ok()
    }

    fn provider(self) -> &'static CryptoProvider {
        match self {
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLcRs => &jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER,
            #[cfg(feature = "rust-crypto")]
            Self::RustCrypto => &jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER,
        }
    }
}

/// Public key material, checked for shape: sizes, exponent, lengths.
#[derive(Clone, PartialEq)]
pub(crate) enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed SEC 1 point of P-256 or P-384.
    Ec(Vec<u8>),
    Ed25519([u8; 32]),
}

/// One key under one algorithm.
pub(crate) struct VerificationKey {
    algorithm: Algorithm,
    key: Key,
}

enum Key {
    #[cfg(feature = "aws-lc-rs")]
    AwsLcRs(aws_lc::Key),
    #[cfg(feature = "rust-crypto")]
    RustCrypto(rust_crypto::Key),
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerificationKey")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl VerificationKey {
    /// `None` when the backend does not take the key. What it finds out only by computing, such as
    /// a point that is not on its curve, it says at the first verification.
    pub(crate) fn new(
        algorithm: Algorithm,
        material: &Material,
        backend: CryptoBackend,
    ) -> Option<Self> {
        let _ = (algorithm, material); // read by a backend only
        match backend {
            #[cfg(feature = "aws-lc-rs")]
            CryptoBackend::AwsLcRs => {
                let key = aws_lc::Key::new(algorithm, material.clone());
                Some(Self { algorithm, key: Key::AwsLcRs(key) })
            }
            #[cfg(feature = "rust-crypto")]
            CryptoBackend::RustCrypto => {
                let key = rust_crypto::Key::new(translate(algorithm), material)?;
                Some(Self { algorithm, key: Key::RustCrypto(key) })
            }
        }
    }

    /// A key that verifies often: one of an issuer. `None` also for what only computing shows.
    pub(crate) fn lasting(
        algorithm: Algorithm,
        material: &Material,
        backend: CryptoBackend,
    ) -> Option<Self> {
        let key = Self::new(algorithm, material, backend)?;
        match key.key {
            #[cfg(feature = "aws-lc-rs")]
            Key::AwsLcRs(own) => Some(Self { key: Key::AwsLcRs(own.lasting()?), ..key }),
            #[cfg(feature = "rust-crypto")]
            Key::RustCrypto(own) => Some(Self { key: Key::RustCrypto(own.lasting()?), ..key }),
        }
    }

    // The signature is a `Vec` because jsonwebtoken's trait is written over one.
    pub(crate) fn verify(&self, message: &[u8], signature: &Vec<u8>) -> bool {
        let _ = (message, signature); // read by a backend only
        match self.key {
            #[cfg(feature = "aws-lc-rs")]
            Key::AwsLcRs(ref key) => key.verify(message, signature),
            #[cfg(feature = "rust-crypto")]
            Key::RustCrypto(ref key) => key.verify(message, signature),
        }
    }
}

const fn translate(algorithm: Algorithm) -> JwtAlgorithm {
    match algorithm {
        Algorithm::RS256 => JwtAlgorithm::RS256,
        Algorithm::RS384 => JwtAlgorithm::RS384,
        Algorithm::RS512 => JwtAlgorithm::RS512,
        Algorithm::PS256 => JwtAlgorithm::PS256,
        Algorithm::PS384 => JwtAlgorithm::PS384,
        Algorithm::PS512 => JwtAlgorithm::PS512,
        Algorithm::ES256 => JwtAlgorithm::ES256,
        Algorithm::ES384 => JwtAlgorithm::ES384,
        Algorithm::EdDSA | Algorithm::Ed25519 => JwtAlgorithm::EdDSA,
    }
}

#[cfg(test)]
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod tests {
    use super::*;
    use crate::base64url;

    /// The header, payload and signature of RFC 7515 A.3, and its key.
    const ES256: (&str, &str) = (
        "eyJhbGciOiJFUzI1NiJ9.\
         eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
         DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        // The octet 4 of an uncompressed point, x, y.
        "BH_Nzidw9sRdQYPL7m_bS3tYBzM1e-nvE7rPbjx70VRFx_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    );
    /// The same of RFC 8037 A.4.
    const EDDSA: (&str, &str) = (
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
         hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    );

    fn verifies(
        (jws, key): (&str, &str),
        algorithm: Algorithm,
        change: impl Fn(&mut Vec<u8>),
    ) -> Vec<bool> {
        let key = base64url::decode(key).expect("base64url");
        let material = match <[u8; 32]>::try_from(key) {
            Ok(x) => Material::Ed25519(x),
            Err(point) => Material::Ec(point),
        };
        let (message, signature) = jws.rsplit_once('.').expect("a JWS");
        let mut signature = base64url::decode(signature).expect("base64url");
        change(&mut signature);
        let verify = |backend| {
            let key = VerificationKey::lasting(algorithm, &material, backend).expect("a sound key");
            key.verify(message.as_bytes(), &signature)
        };
        let mut verdicts: Vec<_> = CryptoBackend::ALL.iter().copied().map(verify).collect();
        verdicts.dedup();
        verdicts
    }

    #[test]
    fn published_signatures_verify() {
        // R7515-A.3-1: the vector of RFC 7515 A.3, with every backend.
        assert_eq!(verifies(ES256, Algorithm::ES256, |_| {}), [true]);
        assert_eq!(verifies(EDDSA, Algorithm::EdDSA, |_| {}), [true]);
        assert_eq!(verifies(EDDSA, Algorithm::Ed25519, |_| {}), [true]);
    }

    #[test]
    fn published_signatures_that_were_changed_do_not() {
        for (published, algorithm) in [(ES256, Algorithm::ES256), (EDDSA, Algorithm::EdDSA)] {
            assert_eq!(verifies(published, algorithm, |signature| signature[0] ^= 1), [false]);
            assert_eq!(verifies(published, algorithm, |signature| signature.push(0)), [false]);
            assert_eq!(verifies(published, algorithm, |signature| signature.truncate(63)), [false]);
            assert_eq!(verifies(published, algorithm, Vec::clear), [false]);
        }
    }
}
