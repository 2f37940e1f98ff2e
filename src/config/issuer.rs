//! An authorization server to trust.

use std::fmt;

use crate::algorithm::Algorithm;
use crate::keys::JwkSet;
use crate::token::Profile;

/// An authorization server whose tokens are accepted.
///
/// # Defaults
///
/// - algorithms: every asymmetric one the crate verifies, [`Algorithm::ALL`];
/// - profile: [`Profile::Rfc9068`].
///
/// ```
/// use tower_resource_server::{Algorithm, Issuer};
///
/// let issuer = Issuer::jwks_uri("https://as.example.com", "https://as.example.com/jwks.json")
///     .algorithms([Algorithm::ES256]);
/// # let _ = issuer;
/// ```
#[derive(Clone, Debug)]
pub struct Issuer {
    pub(super) identifier: String,
    pub(super) keys: Keys,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) profile: Profile,
}

#[derive(Clone)]
pub(super) enum Keys {
    Fixed(JwkSet),
    Remote(String),
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(set) => f.debug_tuple("Fixed").field(&set.len()).finish(),
            Self::Remote(uri) => f.debug_tuple("Remote").field(uri).finish(),
        }
    }
}

impl Issuer {
    /// An issuer whose keys do not change while the server runs.
    pub fn jwks(identifier: impl Into<String>, keys: JwkSet) -> Self {
        Self::new(identifier.into(), Keys::Fixed(keys))
    }

    /// An issuer whose keys are fetched from `uri`, first when a token of its asks for them or
    /// [`ready`](crate::ResourceServer::ready) does, and again before they age.
    pub fn jwks_uri(identifier: impl Into<String>, uri: impl Into<String>) -> Self {
        Self::new(identifier.into(), Keys::Remote(uri.into()))
    }

    fn new(identifier: String, keys: Keys) -> Self {
        let algorithms = Algorithm::ALL.to_vec();
        Self { identifier, keys, algorithms, profile: Profile::default() }
    }

    pub(crate) fn identifier(&self) -> &str {
        &self.identifier
    }

    /// The only algorithms accepted from this issuer (RFC 8725 §3.1). A key that names no
    /// algorithm verifies under the first of them that its type allows.
    #[must_use]
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Which claims its tokens must have.
    #[must_use]
    pub const fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }
}
