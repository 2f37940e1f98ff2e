//! What verifies a signature and does nothing else: the floors of the paths that need one.

use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::JwtVerifier;
use serde_json::Value;
use tower_resource_server::CryptoBackend;

/// The backend's own verifier, built beforehand.
pub(crate) fn verifier(
    backend: CryptoBackend,
    algorithm: jsonwebtoken::Algorithm,
    key: &DecodingKey,
) -> Box<dyn JwtVerifier> {
    let provider = match backend {
        #[cfg(feature = "aws-lc-rs")]
        CryptoBackend::AwsLcRs => &jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER,
        #[cfg(feature = "rust-crypto")]
        CryptoBackend::RustCrypto => &jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER,
        _ => unreachable!("one of those compiled in"),
    };
    (provider.verifier_factory)(&algorithm, key).expect("a verifier")
}

fn member<'k>(jwk: &'k Value, name: &str) -> &'k str {
    jwk[name].as_str().expect("a key member")
}

/// The key as jsonwebtoken takes it, with the algorithm it is for: ES256, RS256 or EdDSA.
pub(crate) fn decoding_key(jwk: &Value) -> (jsonwebtoken::Algorithm, DecodingKey) {
    use jsonwebtoken::Algorithm::{ES256, EdDSA, RS256};
    let part = |name| member(jwk, name);
    let (algorithm, key) = match part("kty") {
        "EC" => (ES256, DecodingKey::from_ec_components(part("x"), part("y"))),
        "RSA" => (RS256, DecodingKey::from_rsa_components(part("n"), part("e"))),
        _ => (EdDSA, DecodingKey::from_ed_components(part("x"))),
    };
    (algorithm, key.expect("a good key"))
}

/// The key as aws-lc-rs uses it, parsed beforehand, which leaves the signature alone to do.
#[cfg(feature = "aws-lc-rs")]
pub(crate) fn parsed_key(jwk: &Value) -> aws_lc_rs::signature::ParsedPublicKey {
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
        RsaPublicKeyComponents,
    };
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let part = |name| URL_SAFE_NO_PAD.decode(member(jwk, name)).expect("base64url");
    let key = match member(jwk, "kty") {
        "EC" => {
            let point = [&[4], &*part("x"), &*part("y")].concat();
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        }
        "RSA" => RsaPublicKeyComponents { n: part("n"), e: part("e") }
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256),
        _ => ParsedPublicKey::new(&ED25519, part("x")),
    };
    key.expect("a good key")
}
