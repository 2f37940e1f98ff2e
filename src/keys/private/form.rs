//! The forms private keys come in: PEM (RFC 7468) around PKCS#8, PKCS#1 and SEC 1; and JWK.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::der::{self, Reader};
use crate::base64url;
use crate::json::Object;
use crate::keys::jwk::Family;

/// A key as the backends read it: PKCS#1 for RSA, PKCS#8 for all others.
pub(super) struct Encoded {
    pub(super) family: Family,
    pub(super) der: Vec<u8>,
}

/// `rsaEncryption` (RFC 8017 A.1), without tag and length as all of these.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// `id-ecPublicKey` (RFC 5480 §2.1.1).
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// `secp256r1` and `secp384r1` (RFC 5480 §2.1.1.1).
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
/// `id-Ed25519` (RFC 8410 §3).
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// The first private key of the text. What else stands in it, such as certificates or the
/// parameters of a curve, is passed over.
pub(super) fn from_pem(text: &str) -> Option<Encoded> {
    text.split("-----BEGIN ").skip(1).find_map(|block| {
        let (label, rest) = block.split_once("-----")?;
        let (body, _) = rest.split_once("-----END ")?;
        let body: String = body.split_ascii_whitespace().collect();
        let der = STANDARD.decode(body).ok()?;
        match label {
            "PRIVATE KEY" => pkcs8(der),
            "RSA PRIVATE KEY" => Some(Encoded { family: Family::Rsa, der }),
            "EC PRIVATE KEY" => sec1(&der),
            _ => None,
        }
    })
}

/// RFC 5208 §5.
fn pkcs8(der: Vec<u8>) -> Option<Encoded> {
    let mut info = Reader::new(Reader::new(&der).take(der::SEQUENCE)?);
    info.take(der::INTEGER)?;
    let mut algorithm = Reader::new(info.take(der::SEQUENCE)?);
    let key = info.take(der::OCTETS)?;
    let family = match algorithm.take(der::OID)? {
        RSA => return Some(Encoded { family: Family::Rsa, der: key.to_vec() }),
        EC => curve(algorithm.take(der::OID)?)?,
        ED25519 => Family::Ed25519,
        _ => return None,
    };
    Some(Encoded { family, der })
}

fn curve(oid: &[u8]) -> Option<Family> {
    match oid {
        P256 => Some(Family::P256),
        P384 => Some(Family::P384),
        _ => None,
    }
}

/// RFC 5915 §3: the curve stands inside.
fn sec1(der: &[u8]) -> Option<Encoded> {
    let [parameters, _] = der::CONTEXT;
    let mut key = Reader::new(Reader::new(der).take(der::SEQUENCE)?);
    key.take(der::INTEGER)?;
    key.take(der::OCTETS)?;
    let oid = Reader::new(key.take(parameters)?).take(der::OID)?;
    Some(Encoded { family: curve(oid)?, der: wrapped(&[EC, oid], der) })
}

/// PKCS#8 around a key of that algorithm.
fn wrapped(algorithm: &[&[u8]], key: &[u8]) -> Vec<u8> {
    let oids: Vec<_> = algorithm.iter().map(|oid| der::value(der::OID, oid)).collect();
    let algorithm = der::value(der::SEQUENCE, &oids.concat());
    der::sequence(&[&der::integer(&[0]), &algorithm, &der::value(der::OCTETS, key)])
}

/// RFC 7517 §4, RFC 7518 §6, RFC 8037 §2.
pub(super) fn from_jwk(members: &Object<'_>) -> Option<Encoded> {
    let kty = members.string("kty").ok()??;
    let crv = members.string("crv").ok()?;
    match (&*kty, crv.as_deref()) {
        ("RSA", _) => rsa(members),
        ("EC", Some("P-256")) => ec(members, Family::P256, P256, 32),
        ("EC", Some("P-384")) => ec(members, Family::P384, P384, 48),
        ("OKP", Some("Ed25519")) => {
            let d = octets(members, "d").filter(|d| d.len() == 32)?;
            let der = wrapped(&[ED25519], &der::value(der::OCTETS, &d));
            Some(Encoded { family: Family::Ed25519, der })
        }
        _ => None,
    }
}

fn octets(members: &Object<'_>, name: &str) -> Option<Vec<u8>> {
    base64url::decode(&members.string(name).ok()??)
}

/// `RSAPrivateKey` (RFC 8017 A.1.2), of two primes.
fn rsa(members: &Object<'_>) -> Option<Encoded> {
    let mut numbers = der::integer(&[0]);
    for name in ["n", "e", "d", "p", "q", "dp", "dq", "qi"] {
        numbers.extend(der::integer(&octets(members, name)?));
    }
    let plain = !members.contains("oth");
    plain.then(|| Encoded { family: Family::Rsa, der: der::value(der::SEQUENCE, &numbers) })
}

/// `ECPrivateKey` (RFC 5915 §3) in PKCS#8, with the public key.
fn ec(members: &Object<'_>, family: Family, oid: &[u8], length: usize) -> Option<Encoded> {
    let [d, x, y] =
        ["d", "x", "y"].map(|name| octets(members, name).filter(|octets| octets.len() == length));
    // A bit string begins with the number of bits it does not use, a point with its form.
    let point = [&[0, 4][..], &x?, &y?].concat();
    let [_, public] = der::CONTEXT;
    let key = der::sequence(&[
        &der::integer(&[1]),
        &der::value(der::OCTETS, &d?),
        &der::value(public, &der::value(der::BIT_STRING, &point)),
    ]);
    Some(Encoded { family, der: wrapped(&[EC, oid], &key) })
}
