//! One JWK of a set (RFC 7517 §4), reduced to what verifies a signature.

use std::borrow::Cow;
use std::fmt;

use super::crypto::Material;
use crate::algorithm::Algorithm;
use crate::base64url;
use crate::json::Object;

/// A usable public key.
#[derive(Clone, PartialEq)]
pub(crate) struct Jwk {
    pub(crate) kid: Option<Box<str>>,
    /// `alg`, where the key names one.
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) family: Family,
    pub(crate) material: Material,
}

impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwk").field("family", &self.family).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Family {
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl Family {
    pub(crate) const fn fits(self, algorithm: Algorithm) -> bool {
        use Algorithm::{ES256, ES384, Ed25519, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
        match self {
            Self::Rsa => matches!(algorithm, RS256 | RS384 | RS512 | PS256 | PS384 | PS512),
            Self::P256 => matches!(algorithm, ES256),
            Self::P384 => matches!(algorithm, ES384),
            Self::Ed25519 => matches!(algorithm, EdDSA | Ed25519),
        }
    }
}

/// Why a key of a set is passed over. The rest of the set stays in use.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum SkippedKey {
    /// Its algorithm, or those of its type, are not accepted from this issuer.
    NotAccepted,
    /// It is no key, such as a point that is not on its curve.
    Unsound,
    /// Not a JSON object, or a member repeated or of the wrong type.
    Malformed,
    /// `alg` names an algorithm that is not supported, or not one of the key's type.
    Algorithm,
    /// `kty` or `crv` is absent or not supported.
    KeyType,
    /// Lengths, modulus or exponent are out of range.
    OutOfRange,
    /// The entry holds private or symmetric key material.
    Private,
    /// `use` or `key_ops` does not allow verification.
    Use,
}

/// Members that only private or symmetric keys have (RFC 7518 §6).
pub(crate) const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A key of a set: one that is to verify.
pub(crate) fn parse(text: &str) -> Result<Jwk, SkippedKey> {
    let members = Object::parse(text).map_err(|_| SkippedKey::Malformed)?;
    parse_members(&members, &["verify"], Coordinates::Padded)
}

/// What is taken for the coordinates of a point on a curve.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Coordinates {
    /// All octets, as RFC 7518 §6.2.1.2 has it.
    Whole,
    /// Also what some issuers publish: a number without its leading zeros.
    Padded,
}

/// A key with one of these operations, where it lists any.
pub(crate) fn parse_members(
    members: &Object<'_>,
    operations: &[&str],
    coordinates: Coordinates,
) -> Result<Jwk, SkippedKey> {
    if PRIVATE_MEMBERS.iter().any(|name| members.contains(name)) {
        return Err(SkippedKey::Private);
    }
    check_use(members, operations)?;
    let (family, material) = material(members, coordinates)?;
    let algorithm = algorithm(members, family)?;
    let kid = text_member(members, "kid")?.map(|kid| kid.into_owned().into_boxed_str());
    Ok(Jwk { kid, algorithm, family, material })
}

fn text_member<'a>(members: &Object<'a>, name: &str) -> Result<Option<Cow<'a, str>>, SkippedKey> {
    members.string(name).map_err(|_| SkippedKey::Malformed)
}

/// RFC 7517 §4.2 and §4.3: a key for other purposes verifies nothing.
fn check_use(members: &Object<'_>, operations: &[&str]) -> Result<(), SkippedKey> {
    if text_member(members, "use")?.is_some_and(|purpose| purpose != "sig") {
        return Err(SkippedKey::Use);
    }
    let Some(raw) = members.raw("key_ops") else { return Ok(()) };
    let listed: Vec<String> = serde_json::from_str(raw).map_err(|_| SkippedKey::Malformed)?;
    let fits = listed.iter().any(|name| operations.contains(&name.as_str()));
    if fits { Ok(()) } else { Err(SkippedKey::Use) }
}

fn algorithm(members: &Object<'_>, family: Family) -> Result<Option<Algorithm>, SkippedKey> {
    let Some(name) = text_member(members, "alg")? else { return Ok(None) };
    match Algorithm::from_name(&name) {
        Some(algorithm) if family.fits(algorithm) => Ok(Some(algorithm)),
        _ => Err(SkippedKey::Algorithm),
    }
}

fn material(
    members: &Object<'_>,
    coordinates: Coordinates,
) -> Result<(Family, Material), SkippedKey> {
    let kty = text_member(members, "kty")?;
    let crv = text_member(members, "crv")?;
    match (kty.as_deref(), crv.as_deref()) {
        (Some("RSA"), _) => Ok((Family::Rsa, rsa(members)?)),
        (Some("EC"), Some("P-256")) => Ok((Family::P256, ec(members, 32, coordinates)?)),
        (Some("EC"), Some("P-384")) => Ok((Family::P384, ec(members, 48, coordinates)?)),
        (Some("OKP"), Some("Ed25519")) => {
            let mut x = [0; 32];
            coordinate(members, "x", &mut x, Coordinates::Whole)?;
            Ok((Family::Ed25519, Material::Ed25519(x)))
        }
        _ => Err(SkippedKey::KeyType),
    }
}

fn bytes(members: &Object<'_>, name: &str) -> Result<Vec<u8>, SkippedKey> {
    let text = text_member(members, name)?.ok_or(SkippedKey::OutOfRange)?;
    base64url::decode(&text).ok_or(SkippedKey::OutOfRange)
}

/// Fills `place`.
fn coordinate(
    members: &Object<'_>,
    name: &str,
    place: &mut [u8],
    coordinates: Coordinates,
) -> Result<(), SkippedKey> {
    let text = text_member(members, name)?.ok_or(SkippedKey::OutOfRange)?;
    let mut room = [0; LONGEST_COORDINATE];
    let short = text.len() <= room.len();
    let length = short.then(|| base64url::decode_into(&text, &mut room)).flatten();
    let bytes = length.and_then(|length| room.get(..length)).unwrap_or_default();
    let missing = place.len().checked_sub(bytes.len()).ok_or(SkippedKey::OutOfRange)?;
    if bytes.is_empty() || missing > 0 && coordinates == Coordinates::Whole {
        return Err(SkippedKey::OutOfRange);
    }
    let (zeros, rest) = place.split_at_mut(missing);
    zeros.fill(0);
    rest.copy_from_slice(bytes);
    Ok(())
}

/// In base64url: one of P-384 has 64 characters.
const LONGEST_COORDINATE: usize = 64;

fn ec(
    members: &Object<'_>,
    length: usize,
    coordinates: Coordinates,
) -> Result<Material, SkippedKey> {
    let mut point = vec![4; 1 + 2 * length];
    let (x, y) = point.split_at_mut(1 + length);
    coordinate(members, "x", x.get_mut(1..).unwrap_or_default(), coordinates)?;
    coordinate(members, "y", y, coordinates)?;
    Ok(Material::Ec(point))
}

/// RFC 7518 §3.3 asks for 2048 bits; more than 8192 costs too much to verify. A leading zero
/// octet in `n`, which §6.3.1.1 forbids, is dropped.
fn rsa(members: &Object<'_>) -> Result<Material, SkippedKey> {
    let n = without_leading_zeros(bytes(members, "n")?);
    let e = without_leading_zeros(bytes(members, "e")?);
    let sized = (2048..=8192).contains(&bits(&n));
    // Odd, at least 3, at most 32 bits: what both backends compute with.
    let sane = e.last().is_some_and(|last| last % 2 == 1) && e.as_slice() != [1] && e.len() <= 4;
    if sized && sane { Ok(Material::Rsa { n, e }) } else { Err(SkippedKey::OutOfRange) }
}

fn without_leading_zeros(bytes: Vec<u8>) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    if zeros == 0 { bytes } else { bytes.get(zeros..).unwrap_or_default().to_vec() }
}

fn bits(number: &[u8]) -> usize {
    let first = number.first().map_or(0, |byte| byte.leading_zeros() as usize);
    number.len() * 8 - first
}
