//! Signature verification, delegated to jsonwebtoken's verifiers of one chosen backend.

use std::cell::RefCell;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier};
use jsonwebtoken::{Algorithm as JwtAlgorithm, DecodingKey, EncodingKey};

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

    /// What a backend finds out only when it verifies.
    const fn takes(self, material: &Material) -> bool {
        let _ = material; // read by one of them only
        match self {
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLcRs => true,
            #[cfg(feature = "rust-crypto")]
            Self::RustCrypto => !matches!(material, Material::Rsa { n, .. } if n.len() > 512),
        }
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

impl Material {
    fn decoding_key(&self) -> DecodingKey {
        match self {
            Self::Rsa { n, e } => DecodingKey::from_rsa_raw_components(n, e),
            Self::Ec(point) => DecodingKey::from_ec_der(point),
            Self::Ed25519(x) => DecodingKey::from_ed_der(x),
        }
    }
}

/// One key under one algorithm.
pub(crate) struct VerificationKey {
    algorithm: JwtAlgorithm,
    key: DecodingKey,
    backend: CryptoBackend,
}

impl VerificationKey {
    /// `None` when the backend does not take the key. What it finds out only by computing, such as
    /// a point that is not on its curve, it says at the first verification.
    pub(crate) fn new(
        algorithm: Algorithm,
        material: &Material,
        backend: CryptoBackend,
    ) -> Option<Self> {
        let (algorithm, key) = (translate(algorithm), material.decoding_key());
        backend.takes(material).then_some(Self { algorithm, key, backend })
    }

    /// With a verifier built for this one signature.
    pub(crate) fn verify(&self, message: &[u8], signature: &Vec<u8>) -> bool {
        self.build().is_some_and(|built| built.verify(message, signature).is_ok())
    }

    fn build(&self) -> Option<Box<dyn JwtVerifier>> {
        (self.backend.provider().verifier_factory)(&self.algorithm, &self.key).ok()
    }
}

/// A key that verifies often, so that its verifiers are worth keeping.
pub(crate) struct Verifier {
    id: u64,
    key: VerificationKey,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("algorithm", &self.key.algorithm).finish_non_exhaustive()
    }
}

impl Verifier {
    /// `None` when the backend does not take the key.
    pub(crate) fn new(
        algorithm: Algorithm,
        material: &Material,
        backend: CryptoBackend,
    ) -> Option<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let key = VerificationKey::new(algorithm, material, backend)?;
        key.build()?;
        Some(Self { id: NEXT.fetch_add(1, Ordering::Relaxed), key })
    }

    // The signature is a `Vec` because jsonwebtoken's trait is written over one.
    pub(crate) fn verify(&self, message: &[u8], signature: &Vec<u8>) -> bool {
        let cached = BUILT.try_with(|built| match built.try_borrow_mut() {
            Ok(mut built) => {
                built.get(self).map(|verifier| verifier.verify(message, signature).is_ok())
            }
            Err(_) => None,
        });
        match cached {
            Ok(Some(verdict)) => verdict,
            // The thread is ending and its verifiers are gone.
            _ => self.key.verify(message, signature),
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

// jsonwebtoken's verifiers are boxed without `Send`, so they cannot live beside the key they
// belong to, which every thread shares. Each thread builds its own once and keeps the latest few.
thread_local! {
    static BUILT: RefCell<Built> = const { RefCell::new(Built(Vec::new())) };
}

/// As many as some dozens of issuers have. To build one anew costs about a third of a check (ES256).
const KEPT_PER_THREAD: usize = 256;

struct Built(Vec<(u64, Box<dyn JwtVerifier>)>);

impl Built {
    fn get(&mut self, wanted: &Verifier) -> Option<&dyn JwtVerifier> {
        let found = self.0.iter().position(|(id, _)| *id == wanted.id);
        let at = match found {
            Some(0) => 0,
            Some(at) => {
                // One step forward a use keeps busy keys in front.
                self.0.swap(at, at - 1);
                at - 1
            }
            None => {
                self.0.truncate(KEPT_PER_THREAD - 1);
                self.0.push((wanted.id, wanted.key.build()?));
                self.0.len() - 1
            }
        };
        self.0.get(at).map(|(_, verifier)| verifier.as_ref())
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
            let verifier = Verifier::new(algorithm, &material, backend).expect("a sound key");
            verifier.verify(message.as_bytes(), &signature)
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
