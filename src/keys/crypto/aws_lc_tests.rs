use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair,
};

use super::*;

/// Numbers of 32 octets that end in these.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let mut signature = [0; 64];
    signature[32 - r.len()..32].copy_from_slice(r);
    signature[64 - s.len()..].copy_from_slice(s);
    Ecdsa::of(&signature, 32).expect("two numbers").der().to_vec()
}

#[test]
fn integers_are_as_short_as_can_be_and_not_negative() {
    assert_eq!(der(&[1], &[0x7f]), [0x30, 6, 2, 1, 1, 2, 1, 0x7f]);
    assert_eq!(der(&[0x80], &[1, 0]), [0x30, 8, 2, 2, 0, 0x80, 2, 2, 1, 0]);
    assert_eq!(der(&[], &[0xff, 0]), [0x30, 8, 2, 1, 0, 2, 3, 0, 0xff, 0]);
}

#[test]
fn the_longest_numbers_fit() {
    let ecdsa = Ecdsa::of(&[0xff; 96], 48).expect("two numbers");
    let der = ecdsa.der();
    assert_eq!((der.len(), &der[..5]), (104, &[0x30, 102, 2, 49, 0][..]));
    assert_eq!(&der[52..56], [0xff, 2, 49, 0]);
}

#[test]
fn anything_but_two_numbers_of_the_length_is_refused() {
    for length in [0, 63, 65, 70, 96, 128] {
        assert!(Ecdsa::of(&vec![1; length], 32).is_none(), "{length}");
    }
    assert!(Ecdsa::of(&[1; 98], 49).is_none());
}

#[test]
fn what_aws_lc_signs_verifies_and_nothing_else() {
    for (algorithm, signing) in [
        (Algorithm::ES256, &ECDSA_P256_SHA256_FIXED_SIGNING),
        (Algorithm::ES384, &ECDSA_P384_SHA384_FIXED_SIGNING),
    ] {
        let pair = EcdsaKeyPair::generate(signing).expect("a key");
        let key = Key::new(algorithm, Material::Ec(pair.public_key().as_ref().to_vec()));
        // Enough for numbers that begin with a zero octet.
        for message in 0..1_000_u32 {
            let message = message.to_le_bytes();
            let signature = pair.sign(&SystemRandom::new(), &message).expect("a signature");
            assert!(key.verify(&message, signature.as_ref()), "{message:?}");
            assert!(!key.verify(b"another", signature.as_ref()));
        }
    }
}

#[test]
fn a_key_verifies_under_no_algorithm_of_another_type() {
    let pair = Ed25519KeyPair::generate().expect("a key");
    let x: [u8; 32] = pair.public_key().as_ref().try_into().expect("32 octets");
    let signature = pair.sign(b"message");
    for (algorithm, right) in [(Algorithm::EdDSA, true), (Algorithm::RS256, false)] {
        let key = Key::new(algorithm, Material::Ed25519(x));
        assert_eq!(key.verify(b"message", signature.as_ref()), right, "{algorithm}");
    }
}

#[test]
fn a_point_beside_the_curve_verifies_nothing() {
    let key = Key::new(Algorithm::ES256, Material::Ec([&[4], &[1; 64][..]].concat()));
    assert!(!key.verify(b"message", &[1; 64]));
}
