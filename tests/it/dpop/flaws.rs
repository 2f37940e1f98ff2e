//! Every flaw of a proof, under every kind of key and with each backend.

use tower_resource_server::testing::{ProofFlaw, SigningKey};
use tower_resource_server::{Algorithm, CryptoBackend, Dpop, RejectionKind};

use crate::dpop::DpopBed;

/// Why a proof with that flaw is refused, by a server that asks for no nonce.
pub(crate) fn reason(flaw: ProofFlaw) -> RejectionKind {
    use ProofFlaw as F;
    match flaw {
        F::AlgorithmNone
        | F::AlgorithmLowerCase
        | F::AlgorithmMissing
        | F::HmacWithPublicKey
        | F::HmacWithEmbeddedKey => RejectionKind::UnacceptableProofAlgorithm,
        F::BadSignature
        | F::EmptySignature
        | F::ZeroSignature
        | F::DerSignature
        | F::TruncatedSignature
        | F::WrongKey
        | F::KeyOffCurve => RejectionKind::BadProofSignature,
        F::WrongType | F::AccessTokenType | F::MissingType => RejectionKind::WrongProofType,
        F::UnknownCritical | F::EmptyCritical | F::UnencodedPayload => {
            RejectionKind::UnsupportedProofCritical
        }
        F::AlgorithmMismatch
        | F::KeyMissing
        | F::KeyString
        | F::KeyPrivate
        | F::KeySymmetricMember
        | F::KeySymmetric
        | F::KeyIncomplete
        | F::KeyTypeMismatch
        | F::KeyForEncryption
        | F::KeyOperations
        | F::KeyAlgorithm
        | F::RsaKeyShort
        | F::RsaKeyLong
        | F::RsaExponentOne
        | F::RsaExponentEven => RejectionKind::UnusableProofKey,
        _ => reason_of_claims(flaw),
    }
}

fn reason_of_claims(flaw: ProofFlaw) -> RejectionKind {
    use ProofFlaw as F;
    match flaw {
        F::JtiMissing | F::HtmMissing | F::HtuMissing | F::IatMissing | F::AthMissing => {
            RejectionKind::MissingProofClaim
        }
        F::HtmOtherCase | F::HtmOther => RejectionKind::ProofMethodMismatch,
        F::HtuOtherScheme
        | F::HtuOtherHost
        | F::HtuOtherPort
        | F::HtuOtherPathCase
        | F::HtuTrailingSlash
        | F::HtuEncodedSlash
        | F::HtuRelative
        | F::HtuUserinfo
        | F::HtuBadEscape
        | F::HtuSpace
        | F::HtuNonAscii => RejectionKind::ProofUriMismatch,
        F::AthPadded | F::AthHex | F::AthNonCanonical | F::AthOfOtherToken => {
            RejectionKind::ProofTokenMismatch
        }
        F::IatOld | F::IatNegative => RejectionKind::ExpiredProof,
        F::IatAhead => RejectionKind::ProofNotYetValid,
        F::DuplicateHeader
        | F::DuplicateClaim
        | F::PayloadArray
        | F::PayloadTrailing
        | F::PayloadUtf16
        | F::PayloadBom
        | F::Empty
        | F::Padded
        | F::NonCanonicalBase64
        | F::FourParts
        | F::TwoParts
        | F::JweShape
        | F::JsonSerialization
        | F::TwoProofs => RejectionKind::MalformedProof,
        // Empty, null, a number, of a length or a date that nobody means.
        _ => RejectionKind::InvalidProofClaim,
    }
}

/// Room for a `jti` of any flaw, which would be too long for the field by default.
pub(crate) fn roomy() -> Dpop {
    Dpop::new().max_proof_bytes(64 * 1024)
}

async fn assert_every_flaw_is_refused(algorithm: Algorithm) {
    let key = SigningKey::generate(algorithm);
    let bed = |backend| DpopBed::recording_by(key.clone(), roomy(), |b| b.crypto_backend(backend));
    let beds: Vec<_> = CryptoBackend::ALL.iter().copied().map(bed).collect();
    let mut asked = 0;
    // The second time the server knows the token and the header of its proofs. Those of RSA keys
    // are too long to be remembered, and take long to sign.
    let times = if key.bare_jwk()["kty"] == "RSA" { 1 } else { 2 };
    for _ in 0..times {
        for flaw in ProofFlaw::ALL {
            for bed in &beds {
                let answer = bed.prove(&bed.proof().flaw(flaw)).await;
                assert_eq!(answer.kind(), Some(reason(flaw)), "{algorithm} {flaw:?}");
                answer.assert_p401_of(reason(flaw));
                assert_eq!(bed.ledger().asked(), asked, "{algorithm} {flaw:?}");
            }
        }
        asked += 1;
        for bed in &beds {
            bed.prove(&bed.proof()).await.assert_ok();
            assert_eq!(bed.ledger().recorded(), asked);
        }
    }
}

#[tokio::test]
async fn every_flaw_of_an_es256_proof_is_refused() {
    assert_every_flaw_is_refused(Algorithm::ES256).await;
}

#[tokio::test]
async fn every_flaw_of_an_es384_proof_is_refused() {
    assert_every_flaw_is_refused(Algorithm::ES384).await;
}

#[tokio::test]
async fn every_flaw_of_an_eddsa_proof_is_refused() {
    assert_every_flaw_is_refused(Algorithm::EdDSA).await;
}

#[tokio::test]
async fn every_flaw_of_an_ed25519_proof_is_refused() {
    assert_every_flaw_is_refused(Algorithm::Ed25519).await;
}

#[tokio::test]
async fn every_flaw_of_a_ps256_proof_is_refused() {
    assert_every_flaw_is_refused(Algorithm::PS256).await;
}

#[tokio::test]
async fn every_flaw_of_an_rs256_proof_is_refused() {
    assert_every_flaw_is_refused(Algorithm::RS256).await;
}
