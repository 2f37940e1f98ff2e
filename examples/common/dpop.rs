//! DPoP proofs as a token endpoint checks them (RFC 9449 §4.3, §5). ES256 alone.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::EncodedPoint;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// How far `iat` may lie from the clock, in seconds.
const WINDOW: u64 = 120;

#[derive(Deserialize)]
struct Header {
    typ: String,
    alg: String,
    jwk: Jwk,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: String,
    /// It would be the private key.
    d: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: u64,
}

/// The thumbprint of the key that made the proof (RFC 7638), or what is wrong with it.
///
/// Resource servers do more than this: see the crate.
pub(crate) fn thumbprint(
    proof: &str,
    method: &str,
    uri: &str,
    now: SystemTime,
) -> Result<String, &'static str> {
    let (input, signature) = proof.rsplit_once('.').ok_or("it is no JWS")?;
    let (header, claims) = input.split_once('.').ok_or("it is no JWS")?;
    let header: Header = parse(header).ok_or("its header is not that of a proof")?;
    let claims: Claims = parse(claims).ok_or("its claims are not those of a proof")?;
    if header.typ != "dpop+jwt" || header.alg != "ES256" {
        return Err("typ is dpop+jwt and alg ES256");
    }
    let point = point(&header.jwk).ok_or("jwk is a public key on P-256")?;
    verify(&point, input, signature).ok_or("the signature is not of that key")?;
    if claims.jti.is_empty() || claims.htm != method || claims.htu != uri {
        return Err("it was made for another request");
    }
    if seconds(now).abs_diff(claims.iat) > WINDOW {
        return Err("it was made at another time");
    }
    thumbprint_of(&point).ok_or("jwk is a public key on P-256")
}

fn point(jwk: &Jwk) -> Option<EncodedPoint> {
    let public = jwk.kty == "EC" && jwk.crv == "P-256" && jwk.d.is_none();
    let x: [u8; 32] = decode(&jwk.x)?.try_into().ok()?;
    let y: [u8; 32] = decode(&jwk.y)?.try_into().ok()?;
    public.then(|| EncodedPoint::from_affine_coordinates(&x.into(), &y.into(), false))
}

fn verify(point: &EncodedPoint, input: &str, signature: &str) -> Option<()> {
    let key = VerifyingKey::from_encoded_point(point).ok()?;
    let signature = Signature::from_slice(&decode(signature)?).ok()?;
    key.verify(input.as_bytes(), &signature).ok()
}

/// The required members in lexical order, without spaces (RFC 7638 §3).
fn thumbprint_of(point: &EncodedPoint) -> Option<String> {
    let (x, y) = (encode(point.x()?), encode(point.y()?));
    let jwk = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    Some(encode(Sha256::digest(jwk)))
}

fn parse<T: serde::de::DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&decode(part)?).ok()
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
