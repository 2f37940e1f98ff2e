//! A JWK Set as it is published (RFC 7517 §5).

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde_json::value::RawValue;

use super::jwk::{self, Jwk, SkippedKey};
use crate::json::Object;

/// A parsed JWK Set: the keys that can verify signatures.
///
/// Keys that are unknown, malformed, private, symmetric or meant for other purposes are passed
/// over and never spoil the rest (RFC 7517 §5). Checked are sizes, exponents and lengths; whether
/// an elliptic-curve point lies on its curve is checked by the backend, when a server takes the set
/// into use.
///
/// ```
/// use tower_resource_server::JwkSet;
///
/// let set = JwkSet::from_json(br#"{"keys":[
///     {"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
///     {"kty":"AKP","kid":"from-the-future"}
/// ]}"#)?;
/// assert_eq!((set.len(), set.skipped()), (1, 1));
/// # Ok::<(), tower_resource_server::JwkSetError>(())
/// ```
///
/// Used are RSA keys of 2048 to 8192 bits (RFC 7518 §3.3), EC keys on P-256 and P-384, and Ed25519
/// keys, unless `use` or `key_ops` say that they are for something else (RFC 7517 §4.2, §4.3). An
/// entry with private material is passed over as a whole: it should not have been published, and
/// its public half is no safer than the rest.
///
/// Whether the issuer's accepted algorithms fit is judged later, by
/// [`build`](crate::Builder::build).
#[derive(Clone, Debug, PartialEq)]
pub struct JwkSet {
    keys: Vec<Jwk>,
    skipped: Vec<SkippedKey>,
}

impl JwkSet {
    /// Parses a JWK Set document.
    ///
    /// # Errors
    ///
    /// [`JwkSetError`] when the text is not a JSON object with an array `keys`.
    ///
    /// Entries that cannot be used are no error: see [`skipped`](Self::skipped). A repeated name
    /// among the members of the set, or anything after it, is one.
    pub fn from_json(json: &[u8]) -> Result<Self, JwkSetError> {
        let text = std::str::from_utf8(json).map_err(|_| JwkSetError::malformed())?;
        let document = Object::parse_outer(text).map_err(|_| JwkSetError::malformed())?;
        let keys = document.raw("keys").ok_or_else(JwkSetError::malformed)?;
        let entries: Vec<&RawValue> =
            serde_json::from_str(keys).map_err(|_| JwkSetError::malformed())?;
        let mut set = Self { keys: Vec::new(), skipped: Vec::new() };
        for entry in entries {
            match jwk::parse(entry.get()) {
                Ok(key) => set.keys.push(key),
                Err(reason) => set.skipped.push(reason),
            }
        }
        Ok(set)
    }

    /// Reads and parses a file. It is read once; a server does not watch it.
    ///
    /// # Errors
    ///
    /// [`JwkSetError`] when the file cannot be read or is not a JWK Set.
    ///
    /// ```no_run
    /// use tower_resource_server::{Issuer, JwkSet};
    ///
    /// let keys = JwkSet::from_file("jwks.json")?;
    /// if keys.skipped() > 0 {
    ///     eprintln!("{} keys of the file are not used", keys.skipped());
    /// }
    /// let issuer = Issuer::jwks("https://as.example.com", keys);
    /// # Ok::<(), tower_resource_server::JwkSetError>(())
    /// ```
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, JwkSetError> {
        let json = std::fs::read(path).map_err(|error| JwkSetError { source: Some(error) })?;
        Self::from_json(&json)
    }

    /// How many keys are usable.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no key is usable.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many keys of the document were passed over.
    #[must_use]
    pub fn skipped(&self) -> usize {
        self.skipped.len()
    }

    /// How many keys were passed over for each reason.
    pub(crate) fn skipped_by_reason(&self) -> BTreeMap<SkippedKey, usize> {
        let mut counts = BTreeMap::new();
        for reason in &self.skipped {
            *counts.entry(*reason).or_default() += 1;
        }
        counts
    }

    pub(crate) fn keys(&self) -> &[Jwk] {
        &self.keys
    }
}

/// A document is not a JWK Set, or its file could not be read.
///
/// The two are told apart by `source()`: it is the I/O error of the file, or absent.
#[derive(Debug)]
pub struct JwkSetError {
    source: Option<std::io::Error>,
}

impl JwkSetError {
    const fn malformed() -> Self {
        Self { source: None }
    }
}

impl fmt::Display for JwkSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.source {
            Some(_) => "the JWK Set file cannot be read",
            None => "not a JWK Set: a JSON object with an array named keys is expected",
        })
    }
}

impl std::error::Error for JwkSetError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|error| error as _)
    }
}
