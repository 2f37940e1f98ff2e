//! JWS signature algorithms (RFC 7518 §3.1, RFC 8037, RFC 9864).
//!
//! The list is closed on purpose. HMAC would make every resource server able to issue tokens, and a
//! key set that is published cannot hold a secret; `none` is no signature at all (RFC 8725 §3.1,
//! §3.2).

use std::fmt;
use std::str::FromStr;

/// An asymmetric JWS signature algorithm.
///
/// There is no `none` and no HMAC here: neither can be configured.
///
/// Names are those of the `alg` header, case-sensitive. P-521, secp256k1 and Ed448 are not
/// supported.
///
/// ```
/// use tower_resource_server::Algorithm;
///
/// assert_eq!("ES256".parse(), Ok(Algorithm::ES256));
/// assert_eq!(Algorithm::PS256.to_string(), "PS256");
/// for refused in ["none", "HS256", "es256", "ES512"] {
///     assert!(refused.parse::<Algorithm>().is_err());
/// }
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// The older, polymorphic name; accepted here for Ed25519 keys only.
    EdDSA,
    /// EdDSA on edwards25519 under its fully specified name (RFC 9864).
    Ed25519,
}

impl Algorithm {
    /// Every algorithm the crate verifies, in the order of preference for keys that name none.
    ///
    /// It is the default of [`Issuer::algorithms`](crate::Issuer::algorithms). The order decides
    /// only for keys without `alg`: an RSA key of that kind verifies RS256 and nothing else.
    pub const ALL: &'static [Self] = &[
        Self::RS256,
        Self::ES256,
        Self::EdDSA,
        Self::Ed25519,
        Self::PS256,
        Self::ES384,
        Self::RS384,
        Self::RS512,
        Self::PS384,
        Self::PS512,
    ];

    /// The registered name, as `alg` carries it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::EdDSA => "EdDSA",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// The algorithm of that name; compared case-sensitively (RFC 7515 §4.1.1).
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|algorithm| algorithm.name() == name)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name given is not an algorithm this crate verifies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct UnknownAlgorithm;

impl fmt::Display for UnknownAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a supported asymmetric JWS algorithm")
    }
}

impl std::error::Error for UnknownAlgorithm {}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::from_name(name).ok_or(UnknownAlgorithm)
    }
}
