//! The public key that a proof carries in its header (RFC 9449 §4.2).

use std::fmt;

use sha2::{Digest, Sha256};

use super::Thumbprint;
use super::crypto::{CryptoBackend, VerificationKey};
use super::jwk::{self, Coordinates, Family};
use crate::algorithm::Algorithm;
use crate::json::Object;

/// A key that a client has shown, under the one algorithm of its proof. It proves nothing by
/// itself: whose key it is, a token has to say.
pub(crate) struct ProofKey {
    key: VerificationKey,
    thumbprint: Thumbprint,
}

impl fmt::Debug for ProofKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofKey").field("thumbprint", &self.thumbprint).finish_non_exhaustive()
    }
}

impl ProofKey {
    /// `None` unless it is a public key of sound size (RFC 9449 §4.3 checks 5 to 7), for that
    /// algorithm and for signatures. No arithmetic is done with it here.
    pub(crate) fn parse(jwk: &str, algorithm: Algorithm, backend: CryptoBackend) -> Option<Self> {
        let members = Object::parse(jwk).ok()?;
        let key = jwk::parse_members(&members, &["verify", "sign"], Coordinates::Whole).ok()?;
        let named = key.algorithm.is_none_or(|named| named == algorithm);
        if !named || !key.family.fits(algorithm) {
            return None;
        }
        let thumbprint = thumbprint(&members, key.family)?;
        let key = VerificationKey::new(algorithm, &key.material, backend)?;
        Some(Self { key, thumbprint })
    }

    // The signature is a `Vec` because jsonwebtoken's trait is written over one.
    pub(crate) fn verify(&self, message: &[u8], signature: &Vec<u8>) -> bool {
        self.key.verify(message, signature)
    }

    pub(crate) const fn thumbprint(&self) -> &Thumbprint {
        &self.thumbprint
    }
}

/// A key by the header it came in. The proofs of a client share their header, byte for byte, for as
/// long as it keeps its key; what the header says depends on its text alone.
pub(crate) struct KnownProofKey {
    encoded: Box<str>,
    pub(crate) key: ProofKey,
}

/// Without the header, which is a part of proofs and holds the key.
impl fmt::Debug for KnownProofKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownProofKey").field("key", &self.key).finish_non_exhaustive()
    }
}

impl KnownProofKey {
    /// The longest header worth remembering. Those with RSA keys are longer, and cheaper to verify.
    pub(crate) const LONGEST: usize = 512;

    pub(crate) fn new(encoded: &str, key: ProofKey) -> Self {
        Self { encoded: encoded.into(), key }
    }

    pub(crate) fn is_of(&self, encoded: &str) -> bool {
        *self.encoded == *encoded
    }
}

/// RFC 7638 §3.2: the required members alone, in lexicographic order, without whitespace. Their
/// values are base64url and names of curves, so nothing in them needs an escape.
fn thumbprint(members: &Object<'_>, family: Family) -> Option<Thumbprint> {
    let names: &[&str] = match family {
        Family::Rsa => &["e", "kty", "n"],
        Family::P256 | Family::P384 => &["crv", "kty", "x", "y"],
        Family::Ed25519 => &["crv", "kty", "x"],
    };
    let mut hash = Sha256::new();
    for (at, name) in names.iter().enumerate() {
        hash.update(if at == 0 { "{\"" } else { ",\"" });
        hash.update(name);
        hash.update("\":\"");
        hash.update(&*members.string(name).ok()??);
        hash.update("\"");
    }
    hash.update("}");
    Some(Thumbprint::new(hash.finalize().into()))
}

#[cfg(test)]
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod tests {
    use super::*;

    fn parsed(jwk: &str, algorithm: Algorithm) -> Option<String> {
        let backend = CryptoBackend::preferred().expect("one is compiled in");
        Some(ProofKey::parse(jwk, algorithm, backend)?.thumbprint().to_string())
    }

    const ED25519: &str =
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    const P256: &str = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#;
    const RSA: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;

    #[test]
    fn published_thumbprints_are_found() {
        // R7638-3.2-1: the vector of RFC 7638 §3.1, whose `alg` and `kid` do not count.
        let rsa = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
        assert_eq!(parsed(RSA, Algorithm::RS256).as_deref(), Some(rsa));
        // R7638-3.3-1: the members of RSA keys; of OKP keys, by RFC 8037 A.3; of EC keys, by the
        // key of RFC 7517 A.2.
        let ed25519 = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
        for algorithm in [Algorithm::EdDSA, Algorithm::Ed25519] {
            assert_eq!(parsed(ED25519, algorithm).as_deref(), Some(ed25519));
        }
        let ec = "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s";
        assert_eq!(parsed(P256, Algorithm::ES256).as_deref(), Some(ec));
    }

    #[test]
    fn a_known_key_prints_its_thumbprint_and_not_its_header() {
        let backend = CryptoBackend::preferred().expect("one is compiled in");
        let key = ProofKey::parse(ED25519, Algorithm::EdDSA, backend).expect("a sound key");
        let shown = format!("{:?}", KnownProofKey::new("header-of-the-proof", key));
        assert!(shown.contains("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"), "{shown}");
        assert!(!shown.contains("header-of-the-proof"), "{shown}");
    }

    #[test]
    fn a_key_fits_the_algorithm_it_names_and_its_type_has() {
        assert_eq!(parsed(ED25519, Algorithm::ES256), None);
        assert_eq!(parsed(RSA, Algorithm::PS256), None, "the key says RS256");
        assert!(parsed(&RSA.replace("\"RS256\"", "\"PS256\""), Algorithm::PS256).is_some());
    }

    #[test]
    fn keys_for_other_purposes_are_refused() {
        let with = |member: &str| format!("{}{member}}}", &ED25519[..ED25519.len() - 1]);
        for member in [r#","use":"enc""#, r#","key_ops":["encrypt"]"#, r#","d":"AA""#, r#","k":1"#]
        {
            assert_eq!(parsed(&with(member), Algorithm::EdDSA), None, "{member}");
        }
        for member in [r#","use":"sig""#, r#","key_ops":["sign"]"#, r#","kid":"a","x-y":{}"#] {
            assert!(parsed(&with(member), Algorithm::EdDSA).is_some(), "{member}");
        }
    }
}
