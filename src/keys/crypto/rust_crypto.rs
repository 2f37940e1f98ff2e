//! Keys as the RustCrypto crates verify with them, through jsonwebtoken's verifiers.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use jsonwebtoken::crypto::JwtVerifier;
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey};

use super::Material;

/// The longest modulus, in octets, that the rsa crate verifies with.
const LONGEST_MODULUS: usize = 512;

pub(super) struct Key {
    algorithm: Algorithm,
    key: DecodingKey,
    /// By which its verifiers are kept, if they are.
    id: Option<u64>,
}

impl Key {
    /// `None` when the key is not one for the rsa crate.
    pub(super) fn new(algorithm: Algorithm, material: &Material) -> Option<Self> {
        let key = match material {
            Material::Rsa { n, .. } if n.len() > LONGEST_MODULUS => return None,
            Material::Rsa { n, e } => DecodingKey::from_rsa_raw_components(n, e),
            Material::Ec(point) => DecodingKey::from_ec_der(point),
            Material::Ed25519(x) => DecodingKey::from_ed_der(x),
        };
        Some(Self { algorithm, key, id: None })
    }

    /// One that verifies often, so that its verifiers are worth keeping. `None` when there is none.
    pub(super) fn lasting(self) -> Option<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        self.build()?;
        Some(Self { id: Some(NEXT.fetch_add(1, Ordering::Relaxed)), ..self })
    }

    pub(super) fn verify(&self, message: &[u8], signature: &Vec<u8>) -> bool {
        let kept = self.id.and_then(|id| self.verify_with_kept(id, message, signature));
        kept.unwrap_or_else(|| {
            self.build().is_some_and(|built| built.verify(message, signature).is_ok())
        })
    }

    /// `None` when the thread is ending and its verifiers are gone.
    fn verify_with_kept(&self, id: u64, message: &[u8], signature: &Vec<u8>) -> Option<bool> {
        let verdict = BUILT.try_with(|built| {
            let mut built = built.try_borrow_mut().ok()?;
            Some(built.get(id, self)?.verify(message, signature).is_ok())
        });
        verdict.ok().flatten()
    }

    fn build(&self) -> Option<Box<dyn JwtVerifier>> {
        (DEFAULT_PROVIDER.verifier_factory)(&self.algorithm, &self.key).ok()
    }
}

// jsonwebtoken's verifiers are boxed without `Send`, so they cannot live beside the key they
// belong to, which every thread shares. Each thread builds its own once and keeps the latest few.
thread_local! {
    static BUILT: RefCell<Built> = const { RefCell::new(Built(Vec::new())) };
}

/// As many as some dozens of issuers have. To build one anew costs about a third of a check (ES256).
const KEPT_PER_THREAD: usize = 256;

struct Built(Vec<(u64, Box<dyn JwtVerifier>)>);

impl Built {
    fn get(&mut self, wanted: u64, key: &Key) -> Option<&dyn JwtVerifier> {
        let found = self.0.iter().position(|(id, _)| *id == wanted);
        let at = match found {
            Some(0) => 0,
            Some(at) => {
                // One step forward a use keeps busy keys in front.
                self.0.swap(at, at - 1);
                at - 1
            }
            None => {
                self.0.truncate(KEPT_PER_THREAD - 1);
                self.0.push((wanted, key.build()?));
                self.0.len() - 1
            }
        };
        self.0.get(at).map(|(_, verifier)| verifier.as_ref())
    }
}
