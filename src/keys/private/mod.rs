//! A private key of this server, for what it signs itself.

mod der;
mod form;

use std::error::Error;
use std::fmt;

use jsonwebtoken::EncodingKey;

use self::form::Encoded;
use super::crypto::CryptoBackend;
use super::jwk::Family;
use crate::algorithm::Algorithm;
use crate::json::Object;

/// A private key of this server, to authenticate it to an authorization server.
///
/// It signs with one algorithm: the `alg` of a JWK, else RS256 for an RSA key, ES256 or ES384 for
/// one on P-256 or P-384, EdDSA for an Ed25519 key. [`algorithm`](Self::algorithm) chooses another
/// that the key can serve, such as PS256.
///
/// The key id is that of the JWK, or is set with [`kid`](Self::kid). An authorization server that
/// knows several keys of a client needs it.
///
/// Its `Debug` output shows neither the key nor its id.
///
/// ```
/// use tower_resource_server::{Algorithm, PrivateKey};
///
/// // The private key of RFC 8037 A.1.
/// let key = PrivateKey::from_jwk(br#"{"kty":"OKP","crv":"Ed25519","kid":"api-1",
///     "d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
///     "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#)?;
/// # let _ = key;
/// assert!(PrivateKey::from_pem("-----BEGIN ENCRYPTED PRIVATE KEY-----").is_err());
/// # Ok::<(), tower_resource_server::PrivateKeyError>(())
/// ```
///
/// Whether the backend can sign with it is tried when the server is
/// [built](crate::Builder::build). *Not* checked: whether the authorization server knows the key.
#[derive(Clone)]
#[must_use]
pub struct PrivateKey {
    algorithm: Algorithm,
    family: Family,
    kid: Option<String>,
    key: EncodingKey,
}

impl PrivateKey {
    /// The first private key of a PEM text: `PRIVATE KEY` (PKCS#8), `RSA PRIVATE KEY` (PKCS#1) or
    /// `EC PRIVATE KEY` (SEC 1).
    ///
    /// # Errors
    ///
    /// [`PrivateKeyError`] when there is none that is RSA, on P-256 or P-384, or Ed25519. A key
    /// under a password has to be decrypted before.
    pub fn from_pem(pem: &str) -> Result<Self, PrivateKeyError> {
        form::from_pem(pem).map(Self::new).ok_or(PrivateKeyError)
    }

    /// A private key as a JWK (RFC 7517): RSA with both primes and what belongs to them, EC on
    /// P-256 or P-384, or Ed25519.
    ///
    /// # Errors
    ///
    /// [`PrivateKeyError`] for any other key, and where `alg` is not one that the key can serve.
    pub fn from_jwk(json: &[u8]) -> Result<Self, PrivateKeyError> {
        let text = std::str::from_utf8(json).map_err(|_| PrivateKeyError)?;
        let members = Object::parse(text).map_err(|_| PrivateKeyError)?;
        let text = |name| members.string(name).map_err(|_| PrivateKeyError);
        let mut key = form::from_jwk(&members).map(Self::new).ok_or(PrivateKeyError)?;
        key.kid = text("kid")?.map(Into::into);
        if let Some(name) = text("alg")? {
            let named = Algorithm::from_name(&name).filter(|named| key.family.fits(*named));
            key.algorithm = named.ok_or(PrivateKeyError)?;
        }
        Ok(key)
    }

    fn new(encoded: Encoded) -> Self {
        let Encoded { family, der } = encoded;
        let (algorithm, key) = match family {
            // RFC 7523 §5 has every authorization server take this one.
            Family::Rsa => (Algorithm::RS256, EncodingKey::from_rsa_der(&der)),
            Family::P256 => (Algorithm::ES256, EncodingKey::from_ec_der(&der)),
            Family::P384 => (Algorithm::ES384, EncodingKey::from_ec_der(&der)),
            Family::Ed25519 => (Algorithm::EdDSA, EncodingKey::from_ed_der(&der)),
        };
        Self { algorithm, family, kid: None, key }
    }

    /// Signs with that algorithm. One that the key cannot serve is a fault when the server is
    /// built.
    pub const fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// The id under which the authorization server knows the key.
    pub fn kid(mut self, kid: impl Into<String>) -> Self {
        self.kid = Some(kid.into());
        self
    }

    pub(crate) const fn signing_algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(crate) fn id(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// `None` when the key does not fit its algorithm, or not the backend.
    pub(crate) fn sign(&self, message: &[u8], backend: CryptoBackend) -> Option<Vec<u8>> {
        self.family.fits(self.algorithm).then_some(())?;
        backend.sign(self.algorithm, &self.key, message)
    }
}

impl PartialEq for PrivateKey {
    fn eq(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm
            && self.kid == other.kid
            && self.key.as_bytes() == other.key.as_bytes()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// The text is not a private key that can be used here.
///
/// It does not say why: the reason would tell of the key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PrivateKeyError;

impl fmt::Display for PrivateKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an unencrypted private key of RSA, P-256, P-384 or Ed25519")
    }
}

impl Error for PrivateKeyError {}

#[cfg(test)]
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
#[path = "private_tests.rs"]
mod tests;
