//! The JOSE header of a proof (RFC 9449 §4.2).

use super::policy::ProofPolicy;
use crate::algorithm::Algorithm;
use crate::error::RejectionKind;
use crate::json::Object;
use crate::jws;
use crate::keys::ProofKey;

/// Reads an encoded header: checks 4 to 7 of RFC 9449 §4.3, save the signature itself.
pub(super) fn read(encoded: &str, policy: &ProofPolicy) -> Result<ProofKey, RejectionKind> {
    let text = jws::decode_text(encoded).ok_or(RejectionKind::MalformedProof)?;
    let members = Object::parse(&text).map_err(|_| RejectionKind::MalformedProof)?;
    check_type(&members)?;
    if jws::needs_extension(&members) {
        return Err(RejectionKind::UnsupportedProofCritical);
    }
    let algorithm = algorithm(&members, policy)?;
    key(&members, algorithm, policy)
}

/// RFC 9449 §4.3 check 4.
fn check_type(members: &Object<'_>) -> Result<(), RejectionKind> {
    let typ = members.string("typ").map_err(|_| RejectionKind::WrongProofType)?;
    let right = typ.is_some_and(|typ| jws::is_type(&typ, "dpop+jwt"));
    if right { Ok(()) } else { Err(RejectionKind::WrongProofType) }
}

/// RFC 9449 §4.3 check 5. The type of `alg` knows no `none` and nothing symmetric.
fn algorithm(members: &Object<'_>, policy: &ProofPolicy) -> Result<Algorithm, RejectionKind> {
    let name = members.string("alg").ok().flatten();
    let known = name.and_then(|name| Algorithm::from_name(&name));
    let accepted = known.filter(|algorithm| policy.algorithms.contains(algorithm));
    accepted.ok_or(RejectionKind::UnacceptableProofAlgorithm)
}

/// RFC 9449 §4.3 checks 6 and 7: a public key that fits, and nothing private in it.
fn key(
    members: &Object<'_>,
    algorithm: Algorithm,
    policy: &ProofPolicy,
) -> Result<ProofKey, RejectionKind> {
    let jwk = members.raw("jwk").ok_or(RejectionKind::UnusableProofKey)?;
    ProofKey::parse(jwk, algorithm, policy.backend).ok_or(RejectionKind::UnusableProofKey)
}
