//! The keys of one issuer, each under the one algorithm it may verify.
//!
//! Which algorithm a key verifies is settled here, when the set is loaded, and not by the token
//! that asks: otherwise a forger could choose among the algorithms of a key type (RFC 8725 §3.1).
//! Keys are told apart by what they are, not by their id, so that new material under an old `kid`
//! does not inherit the tokens that the old one verified.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest, Sha256};

use super::crypto::{CryptoBackend, Material, VerificationKey};
use super::jwk::{Family, Jwk, SkippedKey};
use super::look::Unverified;
use super::set::JwkSet;
use crate::algorithm::Algorithm;

/// How many keys are tried for a token whose `kid` does not single one out.
const MAX_TRIED: usize = 4;

/// Identity of a key by what it is: the same `kid` with new material is another key.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct KeyId([u8; 32]);

#[derive(Debug)]
pub(crate) struct Key {
    id: KeyId,
    algorithm: Algorithm,
    family: Family,
    names_algorithm: bool,
    key: VerificationKey,
}

impl Key {
    pub(crate) const fn id(&self) -> KeyId {
        self.id
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &Vec<u8>) -> bool {
        self.key.verify(message, signature)
    }

    /// RFC 8725 §3.1: one algorithm a key. The two names of Ed25519 are one algorithm, so a key
    /// that names neither verifies under both.
    fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithm == algorithm
            || (self.family == Family::Ed25519
                && !self.names_algorithm
                && self.family.fits(algorithm))
    }
}

/// An issuer's usable keys.
#[derive(Debug, Default)]
pub(crate) struct KeySet {
    keys: Vec<Key>,
    by_kid: HashMap<Box<str>, Vec<usize>>,
    /// The keys of an algorithm, where they are few enough to try each.
    by_algorithm: Vec<(Algorithm, Vec<usize>)>,
    ids: std::collections::HashSet<KeyId>,
    /// How many keys are not used, for each reason.
    passed_over: BTreeMap<SkippedKey, usize>,
}

impl KeySet {
    /// Keeps the keys that fit the allow-list. A key without `alg` gets the first algorithm of
    /// the list that its type allows.
    pub(crate) fn new(set: &JwkSet, allowed: &[Algorithm], backend: CryptoBackend) -> Self {
        let mut keys = Self { passed_over: set.skipped_by_reason(), ..Self::default() };
        for jwk in set.keys() {
            match resolve(jwk, allowed, backend) {
                Ok(key) => keys.add(jwk.kid.as_deref(), key),
                Err(reason) => *keys.passed_over.entry(reason).or_default() += 1,
            }
        }
        let few = Algorithm::ALL.iter().filter_map(|algorithm| keys.few(*algorithm)).collect();
        Self { by_algorithm: few, ..keys }
    }

    fn few(&self, algorithm: Algorithm) -> Option<(Algorithm, Vec<usize>)> {
        let keys = self.keys.iter().enumerate();
        let fitting = keys.filter(|(_, key)| key.fits(algorithm)).map(|(at, _)| at);
        let fitting: Vec<_> = fitting.take(MAX_TRIED + 1).collect();
        (fitting.len() <= MAX_TRIED).then_some((algorithm, fitting))
    }

    fn add(&mut self, kid: Option<&str>, key: Key) {
        if let Some(kid) = kid {
            self.by_kid.entry(kid.into()).or_default().push(self.keys.len());
        }
        self.ids.insert(key.id);
        self.keys.push(key);
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// How many keys of the set are not among these, for each reason.
    pub(super) const fn passed_over(&self) -> &BTreeMap<SkippedKey, usize> {
        &self.passed_over
    }

    pub(crate) fn contains(&self, id: KeyId) -> bool {
        self.ids.contains(&id)
    }

    /// The key of the set that made the signature.
    pub(crate) fn signer(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        message: &[u8],
        signature: &Vec<u8>,
    ) -> Result<KeyId, Unverified> {
        let mut candidates = self.candidates(kid, algorithm).peekable();
        if candidates.peek().is_none() {
            return Err(Unverified::UnknownKey);
        }
        let verified = candidates.find(|key| key.verify(message, signature));
        verified.map(Key::id).ok_or(Unverified::BadSignature)
    }

    /// The keys a token may have been signed with: few enough to try each.
    ///
    /// With a `kid`, those of that very name (RFC 7515 §4.1.4); several may share it. Without
    /// one, every key of the algorithm, unless that is more than a few (RFC 7517 §4.5).
    fn candidates(&self, kid: Option<&str>, algorithm: Algorithm) -> impl Iterator<Item = &Key> {
        let places = match kid {
            Some(kid) => self.by_kid.get(kid),
            None => self.by_algorithm.iter().find(|(own, _)| *own == algorithm).map(|(_, few)| few),
        };
        let keys = places.into_iter().flatten().filter_map(|at| self.keys.get(*at));
        keys.filter(move |key| key.fits(algorithm)).take(MAX_TRIED)
    }
}

fn resolve(jwk: &Jwk, allowed: &[Algorithm], backend: CryptoBackend) -> Result<Key, SkippedKey> {
    let mut accepted = allowed.iter().copied();
    let algorithm = match jwk.algorithm {
        Some(named) => accepted.find(|algorithm| *algorithm == named),
        None => accepted.find(|algorithm| jwk.family.fits(*algorithm)),
    };
    let algorithm = algorithm.ok_or(SkippedKey::NotAccepted)?;
    let key = VerificationKey::lasting(algorithm, &jwk.material, backend);
    Ok(Key {
        id: identity(jwk, algorithm),
        algorithm,
        family: jwk.family,
        names_algorithm: jwk.algorithm.is_some(),
        key: key.ok_or(SkippedKey::Unsound)?,
    })
}

fn identity(jwk: &Jwk, algorithm: Algorithm) -> KeyId {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update(bytes.len().to_be_bytes());
        hash.update(bytes);
    };
    part(algorithm.name().as_bytes());
    part(jwk.kid.as_deref().unwrap_or_default().as_bytes());
    match &jwk.material {
        Material::Rsa { n, e } => {
            part(n);
            part(e);
        }
        Material::Ec(point) => part(point),
        Material::Ed25519(x) => part(x),
    }
    KeyId(hash.finalize().into())
}
