use super::*;
use crate::base64url;
use crate::keys::crypto::{Material, VerificationKey};

/// Keys made by OpenSSL for these tests, each with its public half.
const P256: (&str, &str) = (
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/MtttC4sOCxhXIrd/UI2OtmRNf9aq4e8ONFx1Eze\
     yY2hRANCAAT7g8dnXCRPnAqw6VMYU7NA6GhiWPHDjUNtnDZYbqD7L0S8kl/LL9lI8y40tBo9Jv6ckYvO8nEVQQi3\
     h+PC9xw1",
    "BPuDx2dcJE-cCrDpUxhTs0DoaGJY8cONQ22cNlhuoPsvRLySX8sv2UjzLjS0Gj0m_pyRi87ycRVBCLeH48L3HDU",
);
const P256_SEC1: &str = "MHcCAQEEIPzLbbQuLDgsYVyK3f1CNjrZkTX/WquHvDjRcdRM3smNoAoGCCqGSM49AwEHoUQDQgAE+4PHZ1wkT5wK\
     sOlTGFOzQOhoYljxw41DbZw2WG6g+y9EvJJfyy/ZSPMuNLQaPSb+nJGLzvJxFUEIt4fjwvccNQ==";
const P384: (&str, &str) = (
    "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDDti1evR3XDvCtTOdzwwFuCoNsX/a8bvo9Q0Co2+RGa\
     zkJ/rgOH9LikzfCYiCe3oU2hZANiAARvK0N+FTnyyFwBwscMhqvKkItXSV+HXwYphaYovXO3Sx0450M0duDTVkdh\
     /3aHMeZ1f47e9Si/tC4wIMICA8eMCI7Fx8FcqrUdkG/3jDsarjmDPkgcymSmB/8nWxPebJs=",
    "BG8rQ34VOfLIXAHCxwyGq8qQi1dJX4dfBimFpii9c7dLHTjnQzR24NNWR2H_docx5nV_jt71KL-0LjAgwgIDx4wI\
     jsXHwVyqtR2Qb_eMOxquOYM-SBzKZKYH_ydbE95smw",
);
const P384_SEC1: &str = "MIGkAgEBBDDti1evR3XDvCtTOdzwwFuCoNsX/a8bvo9Q0Co2+RGazkJ/rgOH9LikzfCYiCe3oU2gBwYFK4EEACKh\
     ZANiAARvK0N+FTnyyFwBwscMhqvKkItXSV+HXwYphaYovXO3Sx0450M0duDTVkdh/3aHMeZ1f47e9Si/tC4wIMIC\
     A8eMCI7Fx8FcqrUdkG/3jDsarjmDPkgcymSmB/8nWxPebJs=";
const ED25519: (&str, &str) = (
    "MC4CAQAwBQYDK2VwBCIEIMsJjJXIIx0yapsjNyhAZMhLMO4r+oJXyhqYbFuXJSUE",
    "GQimrRzYuVFRcgdDSMm5S-S2uxiKOCb8cScqYKhQrxY",
);
const RSA: &[u8] = include_bytes!("../../testing/keys/rsa-2048-one.der");
const RSA_N: &str = "vFVS5dfUaFWwPnzPfrBhsFKkSq5OnOtfT6T2gKqnsrsVEBHnxzvnNFZJaUG_f7ym8h1oHT9yueM5EURoQthQ\
    YejLr5E_pQPQt7a-XCfKXxgC68gO5toZ9HzVQEezy0w9CWsUNwqnmEgwuwPTfgilSeEkzOKTe4XXckwNT6QbFqrQQwRLet3Y\
    Sd7YafEduVkt7-cY0inWjYWndp8pBPILbP0QEH7Y_bH15ljha51XRHoDpE_KpBwWGujjWDwh1vgPVneRAHsg81NwHHbtMPQI\
    jusAyj5plh4PXR_VOm4Q9BPCcbinDvwfAKrQOQc_v1JclJ6chwGeKoPWuWRatcMOaw";
/// PKCS#8 up to the key itself.
const RSA_PKCS8: [u8; 26] = [
    0x30, 0x82, 0x04, 0xbd, 0x02, 0x01, 0x00, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
    0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x04, 0x82, 0x04, 0xa7,
];

fn pem(label: &str, body: &str) -> String {
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

fn ec(public: &str) -> Material {
    Material::Ec(base64url::decode(public).expect("base64url"))
}

fn rsa() -> Material {
    let n = base64url::decode(RSA_N).expect("base64url");
    Material::Rsa { n, e: vec![1, 0, 1] }
}

fn ed25519(public: &str) -> Material {
    let x = base64url::decode(public).expect("base64url");
    Material::Ed25519(x.try_into().expect("32 bytes"))
}

/// Whether what the key signs verifies with the public half, under every backend.
fn fits(key: &PrivateKey, public: &Material) -> bool {
    CryptoBackend::ALL.iter().copied().all(|backend| {
        let signature = key.sign(b"message", backend).expect("a key that signs");
        let verifier = VerificationKey::new(key.algorithm, public, backend).expect("a public key");
        verifier.verify(b"message", &signature) && !verifier.verify(b"massage", &signature)
    })
}

#[test]
fn keys_in_pem_sign_with_the_algorithm_of_their_type() {
    use base64::Engine as _;
    let base64 = |der: &[u8]| base64::engine::general_purpose::STANDARD.encode(der);
    let rsa_pkcs8 = base64(&[&RSA_PKCS8, RSA].concat());
    let cases = [
        ("PRIVATE KEY", P256.0, ec(P256.1), Algorithm::ES256),
        ("EC PRIVATE KEY", P256_SEC1, ec(P256.1), Algorithm::ES256),
        ("PRIVATE KEY", P384.0, ec(P384.1), Algorithm::ES384),
        ("EC PRIVATE KEY", P384_SEC1, ec(P384.1), Algorithm::ES384),
        ("PRIVATE KEY", ED25519.0, ed25519(ED25519.1), Algorithm::EdDSA),
        ("PRIVATE KEY", &rsa_pkcs8, rsa(), Algorithm::RS256),
        ("RSA PRIVATE KEY", &base64(RSA), rsa(), Algorithm::RS256),
    ];
    for (label, body, public, algorithm) in cases {
        let key = PrivateKey::from_pem(&pem(label, body)).expect("a private key");
        assert_eq!(key.algorithm, algorithm);
        assert!(fits(&key, &public), "{label} {algorithm}");
    }
}

#[test]
fn what_stands_before_the_key_is_passed_over() {
    // As `openssl ecparam -genkey` writes it.
    let text = pem("EC PARAMETERS", "BggqhkjOPQMBBw==") + &pem("EC PRIVATE KEY", P256_SEC1);
    assert!(fits(&PrivateKey::from_pem(&text).expect("a private key"), &ec(P256.1)));
}

#[test]
fn keys_as_jwk_sign_with_the_algorithm_they_name() {
    // The same keys; that of P-256 in the form of RFC 7517 A.2.
    let p256 = br#"{"kty":"EC","crv":"P-256","kid":"1","use":"sig",
        "x":"-4PHZ1wkT5wKsOlTGFOzQOhoYljxw41DbZw2WG6g-y8",
        "y":"RLySX8sv2UjzLjS0Gj0m_pyRi87ycRVBCLeH48L3HDU",
        "d":"_MtttC4sOCxhXIrd_UI2OtmRNf9aq4e8ONFx1EzeyY0"}"#;
    let key = PrivateKey::from_jwk(p256).expect("a private key");
    assert_eq!((key.algorithm, key.id()), (Algorithm::ES256, Some("1")));
    assert!(fits(&key, &ec(P256.1)));
    let ed = br#"{"kty":"OKP","crv":"Ed25519","alg":"Ed25519",
        "x":"GQimrRzYuVFRcgdDSMm5S-S2uxiKOCb8cScqYKhQrxY",
        "d":"ywmMlcgjHTJqmyM3KEBkyEsw7iv6glfKGphsW5clJQQ"}"#;
    let key = PrivateKey::from_jwk(ed).expect("a private key");
    assert_eq!((key.algorithm, key.id()), (Algorithm::Ed25519, None));
    assert!(fits(&key, &ed25519(ED25519.1)));
}

const RSA_JWK: &str = r#"{"kty":"RSA","alg":"PS256","e":"AQAB","n":"N",
    "d":"RHxioOJTg31lkdOhQNizLYNf6yhnvfh5uGSsny1vvjb5-dYJCxJliUq3d2dJVBIuQ20eJ0SjW6WdYwIVR_mRgYk-SKHxGvjANY5muuxdUydQKJ2fjaNSPO4IPk_UueEHcR1XRIzDVUUrM1a42eQa9zrAPyFFsG2DYzT0wjlTAHKLuIVS9LcMO2PQEEyJmmvL3SUyg0UUnFGp23VRU_yVPXkKsuIMLhIdQ-eeOyueFfRgiJ0oVPR0qT-IzyCNn5tnD6mBVqBHfDUbHpTy7Pspk2afsfCW2RhAcpYpFvAoXl8_Av5xPQMFnS1kkmVmTpVqtqAS4QYH2YzizV-KZTYlQQ",
    "p":"_y-mePyi87Mi6A16XPxZJvUML3PWol_G2R58mVjY4fRbYiK0RKnsrwV7FDMdrimxxWg9ttgAmZkW12Z8-jyF7PFWuuKdYffdRTjnqZN3SPdPhmZIZixJjzHPP_NSaxp80TQmKCtuM2SCJgjjLTnBykOMVGt1xvesb_hwcy1DfO8",
    "q":"vO8XO3vNZtcDUE5oNZ7zact-XQgi_uJQJDlhEgV-NU7iuvLlfLGhO_xmKEgedGje3Dccdx2Frzu9DnNoZTeGFebMRAalep2oRlk0KC5k379OnnohDukb-16MArQ7XYIyrzftion255GkemkYNK5YAzES3fdbnyxubZqvwrO3vkU",
    "dp":"Ak0ctDSbB5WS-AK_Gr2P1EEbdgYWZmp0sZqLxxo9AnSgqlbjx0a9AqsK_Bil6N8pYj1ZaR-zia8OvKyI7fzDvGpEvPS0NKD2ltw3gpj412ibh_u-JWW62Ba75ri8Aok_nOdafLw_hykd31fvLIY70CYhytUZP80V-gCEixVaaXM",
    "dq":"u9vP8elrlvH77YHIxGhEB9G6164bfexxW1NiXZTwpPjHILQb0xycARU6TptHDOCpl7WErDvCjTaNCS1fhCTtQiG2wX0KVR0mEKzp23ol-wQxnAo7jKPkmtCrzpR-4r9uviKSIsqDokWCkeSlmNwxzxqgc-xcQazgMEM6uBIShTE",
    "qi":"OOn2qV7w8jA7-8Q9nZkN_L04U2RJ610-QVvN8anDRgg2GMV4CQs-CLiuuFV2AdcILAt9nv4VEFuwyfyprqnP_9ekvi2FiFlomtCSKqfhwtBb--sqXz2K8uVS3_btY4fa-lEbLWPfm37sl3fQVdCbVWGPyflExMGAy46KrzoyuhE"}"#;

#[test]
fn an_rsa_key_as_jwk_needs_all_of_its_numbers() {
    let jwk = RSA_JWK.replace(r#""N""#, &format!("{RSA_N:?}"));
    let key = PrivateKey::from_jwk(jwk.as_bytes()).expect("a private key");
    assert_eq!(key.algorithm, Algorithm::PS256);
    assert!(fits(&key, &rsa()));
    assert!(fits(&key.algorithm(Algorithm::RS256), &rsa()));
    for name in ["n", "d", "p", "q", "dp", "dq", "qi"] {
        let jwk = jwk.replace(&format!("{name:?}:"), r#""other":"#);
        assert!(PrivateKey::from_jwk(jwk.as_bytes()).is_err(), "{name}");
    }
}

#[test]
fn what_is_no_private_key_is_refused() {
    let public = "MCowBQYDK2VwAyEAGQimrRzYuVFRcgdDSMm5S+S2uxiKOCb8cScqYKhQrxY=";
    let texts = [
        String::new(),
        "no PEM".to_owned(),
        pem("PUBLIC KEY", public),
        pem("PRIVATE KEY", public),
        pem("ENCRYPTED PRIVATE KEY", P256.0),
        pem("PRIVATE KEY", "AAAA"),
        pem("PRIVATE KEY", "%"),
        pem("EC PRIVATE KEY", P256.0),
        "-----BEGIN PRIVATE KEY-----".to_owned(),
    ];
    for text in texts {
        assert!(PrivateKey::from_pem(&text).is_err(), "{text}");
    }
    for jwk in [
        "",
        "{}",
        r#"{"kty":"OKP","crv":"Ed25519","x":"GQimrRzYuVFRcgdDSMm5S-S2uxiKOCb8cScqYKhQrxY"}"#,
        r#"{"kty":"OKP","crv":"Ed25519","d":"AQ"}"#,
        r#"{"kty":"OKP","crv":"Ed25519","alg":"ES256","d":"ywmMlcgjHTJqmyM3KEBkyEsw7iv6glfKGphsW5clJQQ"}"#,
        r#"{"kty":"oct","k":"AQ"}"#,
    ] {
        assert!(PrivateKey::from_jwk(jwk.as_bytes()).is_err(), "{jwk}");
    }
}

#[test]
fn a_key_signs_only_what_it_can() {
    let key = PrivateKey::from_pem(&pem("PRIVATE KEY", P256.0)).expect("a private key");
    let wrong = key.algorithm(Algorithm::RS256);
    assert!(CryptoBackend::ALL.iter().all(|backend| wrong.sign(b"message", *backend).is_none()));
}

#[test]
fn debug_shows_nothing_of_the_key() {
    let key = PrivateKey::from_pem(&pem("PRIVATE KEY", P256.0)).expect("a private key").kid("1");
    assert_eq!(format!("{key:?}"), "PrivateKey { algorithm: ES256, .. }");
}
