//! The floor of a path that verifies: its signatures, and nothing else.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use jsonwebtoken::crypto::JwtVerifier;
use serde_json::Value;
use tower_resource_server::CryptoBackend;
use tower_resource_server::testing::SigningKey;

use super::BATCH;
use super::beside::{Beside, Comparison};
use crate::support::measure::batch_of;
use crate::support::{decoding_key, taken_apart, verifier};

/// What verifies the signatures of one key, made beforehand.
enum Verifier {
    /// That of jsonwebtoken for the backend. With aws-lc-rs, it parses the key each time.
    Backend(Box<dyn JwtVerifier>),
    #[cfg(feature = "aws-lc-rs")]
    ParsedKey(Box<aws_lc_rs::signature::ParsedPublicKey>),
}

impl Verifier {
    fn verifies(&self, message: &[u8], signature: &Vec<u8>) -> bool {
        match self {
            Self::Backend(verifier) => verifier.verify(message, signature).is_ok(),
            #[cfg(feature = "aws-lc-rs")]
            Self::ParsedKey(key) => key.verify_sig(message, signature).is_ok(),
        }
    }
}

/// A signed text, and the public key to verify it with.
#[derive(Clone)]
pub(crate) struct Signed {
    text: String,
    key: Value,
}

impl Signed {
    pub(crate) fn new(text: &str, key: &SigningKey) -> Self {
        Self { text: text.to_owned(), key: key.public_jwk() }
    }
}

type Kind = fn(CryptoBackend, &Value) -> Verifier;

fn of_backend(backend: CryptoBackend, key: &Value) -> Verifier {
    let (algorithm, key) = decoding_key(key);
    Verifier::Backend(verifier(backend, algorithm, &key))
}

#[cfg(feature = "aws-lc-rs")]
fn with_parsed_key(_: CryptoBackend, key: &Value) -> Verifier {
    Verifier::ParsedKey(Box::new(crate::support::parsed_key(key)))
}

/// The floors of a path: of each backend its own verifier, of aws-lc-rs also the signature alone,
/// with the key parsed beforehand. Each request needs so many of the texts, which follow each other.
pub(crate) fn floors(
    backend: CryptoBackend,
    texts: &[Signed],
    each: usize,
    at_most: Option<f64>,
) -> Vec<Beside> {
    let floor = |name: &str, kind: Kind| {
        let name = if each == 1 { name.to_owned() } else { format!("{each} × {name}") };
        let time = timed(taken(texts, |key| kind(backend, key)), each);
        Beside { name, comparison: Comparison::Ratio(at_most), time: Box::new(time) }
    };
    let mut floors = vec![floor("verifier", of_backend)];
    #[cfg(feature = "aws-lc-rs")]
    if backend == CryptoBackend::AwsLcRs {
        floors.push(floor("parsed key", with_parsed_key));
    }
    floors
}

/// A text as its verifier takes it.
#[derive(Clone)]
struct Taken {
    verifier: Rc<Verifier>,
    message: Vec<u8>,
    signature: Vec<u8>,
}

fn taken(texts: &[Signed], verifier: impl Fn(&Value) -> Verifier) -> Vec<Taken> {
    let mut verifiers = HashMap::new();
    let taken = |Signed { text, key }: &Signed| {
        let verifier = verifiers.entry(key.to_string()).or_insert_with(|| Rc::new(verifier(key)));
        let (message, signature) = taken_apart(text);
        Taken { verifier: Rc::clone(verifier), message: message.into(), signature }
    };
    texts.iter().map(taken).collect()
}

/// Verifies a batch of the texts, each time the next. They are copied before, as requests are.
fn timed(texts: Vec<Taken>, each: usize) -> impl FnMut() -> Duration {
    let count = BATCH * each;
    let mut next = 0;
    move || {
        let batch: Vec<_> = texts.iter().cycle().skip(next).take(count).cloned().collect();
        next = (next + count) % texts.len();
        let one = batch_of(&batch, |one| {
            assert!(one.verifier.verifies(&one.message, &one.signature), "they are all good");
        });
        one * u32::try_from(each).expect("one or two")
    }
}
