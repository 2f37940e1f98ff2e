//! How each flaw comes into a proof.
//!
//! What access tokens suffer too is done by their flaws. Claims and keys have files of their own.

use super::draft::Draft;
use super::flaw::Flaw;
use super::forgery::{hs256, repeat};
use super::jws::Damage;
use super::private::random;
use super::proof_flaw::ProofFlaw;
use super::proof_key::{LONG_MODULUS, SYMMETRIC};
use super::rsa::RsaKey;
use crate::algorithm::Algorithm;

impl Damage for ProofFlaw {
    fn edit(self, draft: &mut Draft) {
        if let Some(flaw) = self.common() {
            return flaw.edit(draft);
        }
        self.edit_header(draft);
        self.edit_key(draft);
        self.edit_claims(draft);
    }

    fn rewrite_header(self, draft: &Draft, json: Vec<u8>) -> Vec<u8> {
        match self.common() {
            Some(flaw) => flaw.rewrite_header(draft, json),
            None => json,
        }
    }

    fn rewrite_payload(self, draft: &Draft, json: Vec<u8>) -> Vec<u8> {
        match (self, self.common()) {
            (Self::DuplicateClaim, _) => repeat("jti", &draft.claims, &json),
            (_, Some(flaw)) => flaw.rewrite_payload(draft, json),
            (_, None) => json,
        }
    }

    fn forge(self, draft: &Draft, input: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::HmacWithEmbeddedKey => Some(hs256(SYMMETRIC, input)),
            // To the power of one it stays what it is.
            Self::RsaExponentOne => Some(RsaKey::encoded_message(input)),
            Self::RsaKeyLong => {
                let mut signature = random::<LONG_MODULUS>();
                signature[0] = 0; // less than the modulus
                Some(signature.to_vec())
            }
            _ => self.common()?.forge(draft, input),
        }
    }

    fn reshape(self, proof: String) -> String {
        match (self, self.common()) {
            (Self::Empty, _) => String::new(),
            (Self::TwoProofs, _) => format!("{proof},{proof}"),
            (_, Some(flaw)) => flaw.reshape(proof),
            (_, None) => proof,
        }
    }
}

impl ProofFlaw {
    /// The flaw of access tokens that is the same.
    const fn common(self) -> Option<Flaw> {
        Some(match self {
            Self::AlgorithmNone => Flaw::AlgorithmNone,
            Self::AlgorithmLowerCase => Flaw::AlgorithmLowerCase,
            Self::AlgorithmMissing => Flaw::AlgorithmMissing,
            Self::HmacWithPublicKey => Flaw::HmacWithPublicKey,
            Self::BadSignature => Flaw::BadSignature,
            Self::EmptySignature => Flaw::EmptySignature,
            Self::ZeroSignature => Flaw::ZeroSignature,
            Self::DerSignature => Flaw::DerSignature,
            Self::TruncatedSignature => Flaw::TruncatedSignature,
            Self::WrongKey => Flaw::WrongKey,
            Self::WrongType => Flaw::WrongType,
            Self::MissingType => Flaw::MissingType,
            Self::UnknownCritical => Flaw::UnknownCritical,
            Self::EmptyCritical => Flaw::EmptyCritical,
            Self::UnencodedPayload => Flaw::UnencodedPayload,
            Self::DuplicateHeader => Flaw::DuplicateHeader,
            Self::PayloadArray => Flaw::PayloadArray,
            Self::PayloadTrailing => Flaw::PayloadTrailing,
            Self::PayloadUtf16 => Flaw::PayloadUtf16,
            Self::PayloadBom => Flaw::PayloadBom,
            Self::Padded => Flaw::Padded,
            Self::NonCanonicalBase64 => Flaw::NonCanonicalBase64,
            Self::FourParts => Flaw::FourParts,
            Self::TwoParts => Flaw::TwoParts,
            Self::JweShape => Flaw::JweShape,
            Self::JsonSerialization => Flaw::JsonSerialization,
            _ => return None,
        })
    }

    fn edit_header(self, draft: &mut Draft) {
        match self {
            Self::AlgorithmMismatch => {
                draft.set_header("alg", unfit(draft.key.algorithm()).name());
            }
            Self::HmacWithEmbeddedKey => draft.set_header("alg", "HS256"),
            Self::AccessTokenType => draft.set_header("typ", "at+jwt"),
            _ => {}
        }
    }
}

/// An algorithm for another kind of key.
pub(super) const fn unfit(algorithm: Algorithm) -> Algorithm {
    match algorithm {
        Algorithm::EdDSA | Algorithm::Ed25519 => Algorithm::ES256,
        _ => Algorithm::EdDSA,
    }
}

#[cfg(test)]
#[path = "proof_damage_tests.rs"]
mod tests;
