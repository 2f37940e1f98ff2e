//! The ways a proof can be wrong.

/// Declares the flaws once, so that none is left out of `ALL`.
macro_rules! flaws {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// One thing wrong with a DPoP proof that is otherwise valid (RFC 9449 §4.3).
        ///
        /// A resource server refuses every one of them as `invalid_dpop_proof`, with one exception:
        /// where servers ask for nonces, a wrong nonce comes before a wrong time, and a server may
        /// be set to take the time from the nonce, so that `iat` may be an hour off.
        ///
        /// Not among them, since the answer is another: a proof without the nonce asked for
        /// (`use_dpop_nonce`), and a sound one made with a key that the token is not bound to
        /// (`invalid_token`). A proof used before is sound as well; it is built twice.
        ///
        /// Flaws of `htm`, `htu` and `ath` change what the builder was given; without a token, those
        /// of `ath` change the hash of an empty one. Flaws of RSA keys bring their key along and
        /// have the `alg` `RS256`: a server that takes no RSA proofs looks no further than that.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum ProofFlaw {
            $($(#[doc = $doc])+ $name,)+
        }

        impl ProofFlaw {
            /// Every flaw.
            pub const ALL: [Self; [$(Self::$name),+].len()] = [$(Self::$name),+];
        }
    };
}

flaws! {
    /// `alg` is `none` and the signature empty.
    AlgorithmNone,
    /// `alg` is in lower case.
    AlgorithmLowerCase,
    /// No `alg`.
    AlgorithmMissing,
    /// `alg` is of another kind of key than `jwk`.
    AlgorithmMismatch,
    /// `alg` is `HS256`, keyed with the bytes of the public key.
    HmacWithPublicKey,
    /// `alg` is `HS256`, keyed with the symmetric key that `jwk` is.
    HmacWithEmbeddedKey,
    /// One bit of the signature's last byte is flipped.
    BadSignature,
    /// The signature is empty.
    EmptySignature,
    /// The signature has its length and is all zeros (CVE-2022-21449).
    ZeroSignature,
    /// The signature is ASN.1 DER; for keys other than EC the same as [`Self::BadSignature`].
    DerSignature,
    /// The signature lacks its last byte.
    TruncatedSignature,
    /// Signed by another key than the one in `jwk`.
    WrongKey,
    /// `typ` is `JWT`.
    WrongType,
    /// `typ` is `at+jwt`, as in access tokens.
    AccessTokenType,
    /// No `typ`.
    MissingType,
    /// No `jwk`.
    KeyMissing,
    /// `jwk` is a string that holds the key's JSON.
    KeyString,
    /// `jwk` has a member of the private key: `d`, or `p` alone for RSA.
    KeyPrivate,
    /// `jwk` has, beside the public key, the member `k` of symmetric keys.
    KeySymmetricMember,
    /// `jwk` is a symmetric key.
    KeySymmetric,
    /// The point of `jwk` is not on its curve; for RSA the modulus is even.
    KeyOffCurve,
    /// `jwk` lacks `x`, or `n` for RSA.
    KeyIncomplete,
    /// `kty` of `jwk` is another.
    KeyTypeMismatch,
    /// `use` of `jwk` is `enc`.
    KeyForEncryption,
    /// `key_ops` of `jwk` allows encryption only.
    KeyOperations,
    /// `alg` of `jwk` is another than that of the header.
    KeyAlgorithm,
    /// Made and rightly signed with an RSA key of 1024 bits.
    RsaKeyShort,
    /// `jwk` is an RSA key of 16,384 bits, which takes long to calculate with.
    RsaKeyLong,
    /// `jwk` is an RSA key of exponent 1, so that everybody can make signatures that verify.
    RsaExponentOne,
    /// `jwk` is an RSA key of exponent 65536.
    RsaExponentEven,
    /// `crit` lists a parameter nobody knows.
    UnknownCritical,
    /// `crit` is an empty array.
    EmptyCritical,
    /// `b64` is false and critical (RFC 7797), which JWTs must not use.
    UnencodedPayload,
    /// `alg` stands in the header twice, with the same value.
    DuplicateHeader,
    /// `jti` stands in the claims twice, with the same value.
    DuplicateClaim,
    /// The payload is an array that holds the claims.
    PayloadArray,
    /// A byte follows the payload's JSON.
    PayloadTrailing,
    /// The payload is UTF-16 with a byte order mark.
    PayloadUtf16,
    /// The payload is UTF-8 with a byte order mark.
    PayloadBom,
    /// Nothing at all.
    Empty,
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
    /// The flattened JSON serialization.
    JsonSerialization,
    /// The proof twice, joined by a comma as a list of field values is.
    TwoProofs,
    /// No `jti`.
    JtiMissing,
    /// `jti` is an empty string.
    JtiEmpty,
    /// `jti` is null.
    JtiNull,
    /// `jti` is a number.
    JtiNumber,
    /// `jti` has 10,240 characters.
    JtiHuge,
    /// No `htm`.
    HtmMissing,
    /// `htm` is an empty string.
    HtmEmpty,
    /// `htm` is null.
    HtmNull,
    /// `htm` is a number.
    HtmNumber,
    /// `htm` is in lower case, or in upper case where the method is in lower.
    HtmOtherCase,
    /// `htm` is another method.
    HtmOther,
    /// No `htu`.
    HtuMissing,
    /// `htu` is an empty string.
    HtuEmpty,
    /// `htu` is null.
    HtuNull,
    /// `htu` is a number.
    HtuNumber,
    /// The scheme of `htu` is `http`, or `https` where it was `http`.
    HtuOtherScheme,
    /// The host of `htu` is another.
    HtuOtherHost,
    /// The port of `htu` is another.
    HtuOtherPort,
    /// A letter in the path of `htu` is of the other case; a path without letters is longer by one.
    HtuOtherPathCase,
    /// A slash follows `htu`.
    HtuTrailingSlash,
    /// `%2F` follows `htu`, which is not the same as a slash.
    HtuEncodedSlash,
    /// `htu` is the path alone.
    HtuRelative,
    /// `htu` names a user before the host.
    HtuUserinfo,
    /// `%zz` follows `htu`.
    HtuBadEscape,
    /// A space follows `htu`.
    HtuSpace,
    /// A letter that is not ASCII follows `htu`.
    HtuNonAscii,
    /// No `iat`.
    IatMissing,
    /// `iat` is null.
    IatNull,
    /// `iat` is a string of digits.
    IatString,
    /// `iat` is an hour ago.
    IatOld,
    /// `iat` is an hour ahead.
    IatAhead,
    /// `iat` is -1.
    IatNegative,
    /// `iat` is the least integer of 64 bits.
    IatMinimum,
    /// `iat` is 1e308.
    IatHuge,
    /// No `ath`.
    AthMissing,
    /// `ath` is an empty string.
    AthEmpty,
    /// `ath` is null.
    AthNull,
    /// `ath` is a number.
    AthNumber,
    /// `=` follows `ath`.
    AthPadded,
    /// `ath` is the hash in hexadecimal digits.
    AthHex,
    /// The last character of `ath` has bits set that no byte takes up.
    AthNonCanonical,
    /// `ath` is the hash of another token.
    AthOfOtherToken,
    /// `nonce` is an empty string.
    NonceEmpty,
    /// `nonce` is null.
    NonceNull,
    /// `nonce` is a number.
    NonceNumber,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_holds_every_flaw_once() {
        for (index, flaw) in ProofFlaw::ALL.into_iter().enumerate() {
            assert_eq!(flaw as usize, index);
        }
        assert_eq!(ProofFlaw::NonceNumber as usize + 1, ProofFlaw::ALL.len());
    }
}
