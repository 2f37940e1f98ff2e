//! The ways a token can be wrong.

/// One thing wrong with a token that is otherwise valid.
///
/// A resource server refuses every one of them as `invalid_token`, save that
/// [`JsonSerialization`](Self::JsonSerialization) is no bearer token by its characters already.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Flaw {
    /// `alg` is `none` and the signature empty.
    AlgorithmNone,
    /// `alg` is in lower case.
    AlgorithmLowerCase,
    /// No `alg`.
    AlgorithmMissing,
    /// `alg` is `HS256`, keyed with the bytes of the public key.
    ///
    /// They are x and y for EC keys, x for Ed25519, and the PKCS#1 structure for RSA.
    HmacWithPublicKey,
    /// `alg` is `HS256`, keyed with the public key as a PEM file.
    HmacWithPublicKeyPem,
    /// One bit of the signature's last byte is flipped.
    BadSignature,
    /// The signature is empty, under the issuer's `alg`.
    EmptySignature,
    /// The signature has its length and is all zeros (CVE-2022-21449).
    ZeroSignature,
    /// The signature is ASN.1 DER; for keys other than EC the same as [`Self::BadSignature`].
    DerSignature,
    /// The signature lacks its last byte.
    TruncatedSignature,
    /// Signed by a key that is not the issuer's, under the issuer's `kid`.
    WrongKey,
    /// `kid` names no key of the issuer.
    UnknownKeyId,
    /// Signed by a stranger whose public key is in the header as `jwk`.
    EmbeddedKey,
    /// Signed by a stranger whose key set the header points to as `jku`.
    KeyUrl,
    /// `crit` lists a parameter nobody knows.
    UnknownCritical,
    /// `crit` is an empty array.
    EmptyCritical,
    /// `b64` is false and critical (RFC 7797), which JWTs must not use.
    ///
    /// The signature holds for readers who know the parameter and for readers who do not.
    UnencodedPayload,
    /// `alg` stands in the header twice, with the same value.
    DuplicateHeader,
    /// `aud` stands in the claims twice, with the same value.
    DuplicateClaim,
    /// The payload is an array that holds the claims.
    PayloadArray,
    /// A byte follows the payload's JSON.
    PayloadTrailing,
    /// The payload is UTF-16 with a byte order mark.
    PayloadUtf16,
    /// The payload is UTF-8 with a byte order mark.
    PayloadBom,
    /// `=` follows the signature, even where its length needs no padding.
    Padded,
    /// The signature's last character has bits set that no byte takes up.
    ///
    /// ES384 signatures leave no such bits; they get one character too many.
    NonCanonicalBase64,
    /// A fourth segment follows the signature.
    FourParts,
    /// The signature and its dot are missing.
    TwoParts,
    /// Five segments with the header of an encrypted token.
    JweShape,
    /// The flattened JSON serialization; it cannot be told as a bearer token.
    JsonSerialization,
    /// `typ` is `JWT`, as in ID Tokens.
    WrongType,
    /// No `typ`.
    MissingType,
    /// Expired an hour ago.
    Expired,
    /// Valid from an hour ahead.
    NotYetValid,
    /// `aud` is another resource server.
    WrongAudience,
    /// `iss` is another authorization server.
    WrongIssuer,
}

impl Flaw {
    /// Every flaw.
    pub const ALL: [Self; 35] = [
        Self::AlgorithmNone,
        Self::AlgorithmLowerCase,
        Self::AlgorithmMissing,
        Self::HmacWithPublicKey,
        Self::HmacWithPublicKeyPem,
        Self::BadSignature,
        Self::EmptySignature,
        Self::ZeroSignature,
        Self::DerSignature,
        Self::TruncatedSignature,
        Self::WrongKey,
        Self::UnknownKeyId,
        Self::EmbeddedKey,
        Self::KeyUrl,
        Self::UnknownCritical,
        Self::EmptyCritical,
        Self::UnencodedPayload,
        Self::DuplicateHeader,
        Self::DuplicateClaim,
        Self::PayloadArray,
        Self::PayloadTrailing,
        Self::PayloadUtf16,
        Self::PayloadBom,
        Self::Padded,
        Self::NonCanonicalBase64,
        Self::FourParts,
        Self::TwoParts,
        Self::JweShape,
        Self::JsonSerialization,
        Self::WrongType,
        Self::MissingType,
        Self::Expired,
        Self::NotYetValid,
        Self::WrongAudience,
        Self::WrongIssuer,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_holds_every_flaw_once() {
        for (index, flaw) in Flaw::ALL.into_iter().enumerate() {
            assert_eq!(flaw as usize, index);
        }
        assert_eq!(Flaw::WrongIssuer as usize + 1, Flaw::ALL.len(), "the last one declared");
    }
}
