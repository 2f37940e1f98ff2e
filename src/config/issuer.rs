//! An authorization server to trust.
//!
//! The identifier does two things at once: it is the `iss` that tokens must have, and it is listed
//! in the metadata document for clients to go to. So it has to be a URL by the rules of RFC 8414
//! §2, even though nothing is fetched from it in this version.

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
///
/// # Checked when the server is built
///
/// - The identifier is https, or http on loopback, without query and fragment (RFC 8414 §2).
/// - So is a key set URL, which may have a query and no fragment. Plain http on loopback also needs
///   [`allow_loopback`](crate::Builder::allow_loopback) or a client of your own.
/// - A static set has at least one key usable with the accepted algorithms.
/// - At least one algorithm is accepted.
///
/// # Not checked
///
/// That the issuer exists, that its metadata names the same key set, and that it issues tokens for
/// this server at all. [`ready`](crate::ResourceServer::ready) finds a wrong key set URL.
///
/// # Several issuers
///
/// Each token is judged by the keys, the algorithms and the profile of its own issuer (RFC 8725
/// §3.8). A subject is unique only within one: see [`Grant::principal`](crate::Grant::principal).
///
/// ```
/// use tower_resource_server::{Issuer, Profile, ResourceServer};
///
/// let builder = ResourceServer::builder("https://api.example.com")
///     .issuer(Issuer::jwks_uri("https://as.example.com", "https://as.example.com/jwks.json"))
///     .issuer(
///         Issuer::jwks_uri("https://partner.example", "https://keys.partner.example/set")
///             .profile(Profile::Lenient), // its tokens have no client_id
///     );
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Issuer {
    pub(super) identifier: String,
    pub(super) keys: Keys,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) profile: Profile,
}

#[derive(Clone, PartialEq)]
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
    ///
    /// Nothing is ever fetched for it, and there are no outages; in return, a new key needs a new
    /// server.
    ///
    /// ```
    /// use tower_resource_server::{Issuer, JwkSet};
    ///
    /// let keys = JwkSet::from_json(br#"{"keys":[
    ///     {"kty":"OKP","crv":"Ed25519","kid":"a",
    ///      "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    /// ]}"#)?;
    /// let issuer = Issuer::jwks("https://as.example.com", keys);
    /// # Ok::<(), tower_resource_server::JwkSetError>(())
    /// ```
    pub fn jwks(identifier: impl Into<String>, keys: JwkSet) -> Self {
        Self::new(identifier.into(), Keys::Fixed(keys))
    }

    /// An issuer whose keys are fetched from `uri`, first when a token of its asks for them or
    /// [`ready`](crate::ResourceServer::ready) does, and again before they age.
    ///
    /// The URL is the `jwks_uri` of the issuer's own metadata, which this version does not look up.
    /// When exactly fetches happen is told in the
    /// [guide](crate::guide::keys_and_outages#key-set-urls).
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
    ///
    /// Their order matters for such keys alone. An issuer that signs with PS256 and publishes RSA
    /// keys without `alg` needs `[Algorithm::PS256]`, since RS256 comes first in the default. A
    /// token of another algorithm is refused as `unacceptable-algorithm`, before its signature is
    /// looked at.
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
