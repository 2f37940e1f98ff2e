//! An authorization server to trust.
//!
//! The identifier does two things at once: it is the `iss` that tokens must have, and it is listed
//! in the metadata document for clients to go to. So it has to be a URL by the rules of RFC 8414
//! §2, even where nothing is fetched from it.

use std::fmt;
use std::time::Duration;

use super::audiences::Audiences;
use super::introspection::{Endpoint, Introspection};
use crate::algorithm::Algorithm;
use crate::keys::{Family, JwkSet};
use crate::token::{ClaimMapper, Profile};

/// An authorization server whose tokens are accepted.
///
/// # Defaults
///
/// - algorithms: every asymmetric one the crate verifies, [`Algorithm::ALL`];
/// - profile: [`Profile::Rfc9068`];
/// - audiences: those of the server.
///
/// ```
/// use tower_resource_server::{Algorithm, Issuer};
///
/// let issuer = Issuer::discover("https://as.example.com").algorithms([Algorithm::ES256]);
/// # let _ = issuer;
/// ```
///
/// # Checked when the server is built
///
/// - The identifier is https, or http on loopback, without query and fragment (RFC 8414 §2).
/// - So is a key set URL, which may have a query and no fragment. To fetch from plain http on loopback
///   also needs [`allow_loopback`](crate::Builder::allow_loopback) or a client of your own.
/// - A static set has at least one key usable with the accepted algorithms.
/// - At least one algorithm is accepted.
/// - Audiences are absolute URIs without fragment, or names that are not empty. There are some
///   where the profile reads them from another claim than `aud`.
/// - The mapper of claims can accept a token: see [`ClaimMapper`].
///
/// # Not checked
///
/// That the issuer exists, that its metadata names the same key set where a URL is given for it, and
/// that it issues tokens for this server at all. [`ready`](crate::ResourceServer::ready) finds a wrong
/// identifier or key set URL.
///
/// # Several issuers
///
/// Each token is judged by the keys, the algorithms, the profile and the audiences of its own issuer
/// (RFC 8725 §3.8). A subject is unique only within one: see
/// [`Grant::principal`](crate::Grant::principal) and the
/// [guide](crate::guide::several_issuers).
///
/// ```
/// use tower_resource_server::{Issuer, Profile, ResourceServer};
///
/// let builder = ResourceServer::builder("https://api.example.com")
///     .issuer(Issuer::discover("https://as.example.com"))
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
    pub(super) chose_algorithms: bool,
    pub(super) mapper: ClaimMapper,
    pub(super) audiences: Audiences,
    pub(super) introspection: Option<Introspection>,
}

#[derive(Clone, PartialEq)]
pub(super) enum Keys {
    /// Its tokens are not verified by their signature.
    None,
    Fixed(JwkSet),
    Remote(String),
    /// Where the issuer's metadata says.
    Discovered,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Fixed(set) => f.debug_tuple("Fixed").field(&set.len()).finish(),
            Self::Remote(uri) => f.debug_tuple("Remote").field(uri).finish(),
            Self::Discovered => f.write_str("Discovered"),
        }
    }
}

impl Issuer {
    /// An issuer whose keys are where its own metadata says (RFC 8414, OpenID Connect Discovery).
    ///
    /// The document is looked up under `identifier`, first when a token of the issuer asks for keys
    /// or [`ready`](crate::ResourceServer::ready) does, at these places, until one has it:
    ///
    /// 1. `/.well-known/oauth-authorization-server` between host and path of the identifier,
    /// 2. `/.well-known/openid-configuration` likewise,
    /// 3. `/.well-known/openid-configuration` after the path.
    ///
    /// It counts only if its `issuer` is `identifier`, byte for byte (RFC 8414 §3.3): a slash more or
    /// less is another issuer. Used of it is `jwks_uri`, which has to be https, and, for
    /// [`Introspection::discovered`], the introspection endpoint. It is looked up again before it ages
    /// or when the keys are not there any more. *Not* used is what it says of algorithms: see
    /// [`algorithms`](Self::algorithms). The [guide](crate::guide::keys_and_outages#discovery) has the
    /// details.
    ///
    /// ```
    /// use tower_resource_server::{Issuer, ResourceServer};
    ///
    /// let builder = ResourceServer::builder("https://api.example.com")
    ///     .issuer(Issuer::discover("https://as.example.com/realms/main"));
    /// ```
    pub fn discover(identifier: impl Into<String>) -> Self {
        Self::new(identifier.into(), Keys::Discovered)
    }

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
    /// For issuers that publish no metadata, or whose key set is reached another way from here. Where
    /// there is metadata, [`discover`](Self::discover) follows a `jwks_uri` that moves. When exactly
    /// fetches happen is told in the [guide](crate::guide::keys_and_outages#when-keys-are-fetched).
    pub fn jwks_uri(identifier: impl Into<String>, uri: impl Into<String>) -> Self {
        Self::new(identifier.into(), Keys::Remote(uri.into()))
    }

    /// An issuer that is asked about each of its tokens (RFC 7662): they are opaque, or are not to
    /// be verified here.
    ///
    /// ```
    /// use tower_resource_server::{ClientAuthentication, Introspection, Issuer};
    ///
    /// let credentials = ClientAuthentication::client_secret_basic("api-1", "s3cr3t");
    /// let introspection = Introspection::at("https://as.example.com/introspect", credentials);
    /// let issuer = Issuer::introspection("https://as.example.com", introspection);
    /// ```
    ///
    /// Algorithms and profile concern signed tokens and mean nothing here.
    pub fn introspection(identifier: impl Into<String>, introspection: Introspection) -> Self {
        Self::new(identifier.into(), Keys::None).introspect(introspection)
    }

    fn new(identifier: String, keys: Keys) -> Self {
        let algorithms = Algorithm::ALL.to_vec();
        let (chose_algorithms, mapper) = (false, Profile::default().into());
        let (audiences, introspection) = (Audiences::default(), None);
        Self { identifier, keys, algorithms, chose_algorithms, mapper, audiences, introspection }
    }

    /// Asks the issuer about its opaque tokens (RFC 7662), and goes on verifying signed ones.
    ///
    /// What is not a compact JWS of three parts is asked about; see
    /// [`every_token`](Introspection::every_token) for the signed ones too.
    ///
    /// ```
    /// use tower_resource_server::{ClientAuthentication, Introspection, Issuer};
    ///
    /// let credentials = ClientAuthentication::client_secret_basic("api-1", "s3cr3t");
    /// let issuer = Issuer::jwks_uri("https://as.example.com", "https://as.example.com/jwks.json")
    ///     .introspect(Introspection::at("https://as.example.com/introspect", credentials));
    /// ```
    #[must_use]
    pub fn introspect(mut self, introspection: Introspection) -> Self {
        self.introspection = Some(introspection);
        self
    }

    /// What its keys may verify: tokens, and after those signed answers.
    pub(super) fn key_algorithms(&self) -> Vec<Algorithm> {
        let mut algorithms = self.algorithms.clone();
        let signed = self.introspection.iter().filter_map(|given| given.signed.as_ref());
        algorithms.extend(signed.flatten().filter(|named| !self.algorithms.contains(named)));
        algorithms
    }

    /// Whether both have their keys from one place, and verify the same with each.
    pub(crate) fn has_the_keys_of(&self, other: &Self) -> bool {
        self.keys == other.keys && self.key_algorithms() == other.key_algorithms()
    }

    /// Whether its metadata is looked up.
    pub(super) fn is_discovered(&self) -> bool {
        let endpoint = self.introspection.as_ref().map(|given| &given.endpoint);
        matches!(self.keys, Keys::Discovered) || endpoint == Some(&Endpoint::Discovered)
    }

    pub(super) const fn has_no_keys(&self) -> bool {
        matches!(self.keys, Keys::None)
    }

    pub(crate) fn identifier(&self) -> &str {
        &self.identifier
    }

    /// Whether no token of it counts but by its answer.
    pub(super) fn is_asked_about_every_token(&self) -> bool {
        let every = |given: &Introspection| given.every_token || self.has_no_keys();
        self.introspection.as_ref().is_some_and(every)
    }

    /// How long an answer that a token is active may be remembered.
    pub(super) fn answers_last(&self) -> Duration {
        self.introspection.as_ref().map_or(Duration::ZERO, |given| given.active_for)
    }

    /// Every URL that was given for it, and as what.
    pub(super) fn urls(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let jwks_uri = match &self.keys {
            Keys::None | Keys::Fixed(_) | Keys::Discovered => None,
            Keys::Remote(uri) => Some(("jwks_uri", uri.as_str())),
        };
        let endpoint = match self.introspection.as_ref().map(|given| &given.endpoint) {
            Some(Endpoint::At(url)) => Some(("introspection", url.as_str())),
            Some(Endpoint::Discovered) | None => None,
        };
        [("issuer", self.identifier.as_str())].into_iter().chain(jwks_uri).chain(endpoint)
    }

    /// The only algorithms accepted from this issuer (RFC 8725 §3.1). A key that names no
    /// algorithm verifies under the first of them that its type allows.
    ///
    /// Only which RSA algorithm comes first matters, and for such keys alone. An issuer that signs
    /// with PS256 and publishes RSA keys without `alg` needs `[Algorithm::PS256]`, since RS256 comes
    /// first in the default. A token of another algorithm is refused as `unacceptable-algorithm`,
    /// before its signature is looked at.
    #[must_use]
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = in_order(&algorithms.into_iter().collect::<Vec<_>>());
        self.chose_algorithms = true;
        self
    }

    /// What its access tokens look like: a [`Profile`] for a known authorization server, or a
    /// [`ClaimMapper`] for one of another shape.
    ///
    /// ```
    /// use tower_resource_server::{Issuer, Profile};
    ///
    /// let issuer = Issuer::discover("https://id.example.com/realms/shop")
    ///     .profile(Profile::Keycloak);
    /// ```
    #[must_use]
    pub fn profile(mut self, profile: impl Into<ClaimMapper>) -> Self {
        self.mapper = profile.into();
        self
    }

    /// Accepts this audience in tokens of this issuer, in place of the server's; may be called
    /// several times. An absolute URI without fragment (RFC 8707 §2), compared exactly.
    ///
    /// The audiences of the server, its resource identifier among them, are then none for this
    /// issuer, and this one is none for others: a name counts only from who gave it.
    ///
    /// ```
    /// use tower_resource_server::{Issuer, Profile, ResourceServer};
    ///
    /// let tenant = "https://login.microsoftonline.com/4ad1d9f4-0000-4000-8000-000000000001";
    /// let builder = ResourceServer::builder("https://api.example.com")
    ///     .issuer(Issuer::discover("https://as.example.com"))
    ///     .issuer(
    ///         Issuer::discover(format!("{tenant}/v2.0"))
    ///             .profile(Profile::Entra)
    ///             .audience_name("9c1f8a52-0000-4000-8000-000000000002"), // the API's own id there
    ///     );
    /// ```
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.add_uri(audience.into());
        self
    }

    /// Accepts this audience in tokens of this issuer, which is not a URI; may be called several
    /// times. It counts besides those of [`audience`](Self::audience), and like them takes the place
    /// of the server's.
    #[must_use]
    pub fn audience_name(mut self, audience: impl Into<String>) -> Self {
        self.audiences.add_name(audience.into());
        self
    }
}

/// One order for all lists that mean the same. Keys that name no algorithm get the first that fits,
/// and of RSA alone there are several to choose from.
fn in_order(named: &[Algorithm]) -> Vec<Algorithm> {
    let first = named.iter().copied().find(|algorithm| Family::Rsa.fits(*algorithm));
    let rest = Algorithm::ALL.iter().copied();
    let rest = rest.filter(|algorithm| named.contains(algorithm) && Some(*algorithm) != first);
    first.into_iter().chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_that_mean_the_same_are_the_same() {
        use Algorithm::{ES256, PS256, RS256};
        let issuer = || Issuer::discover("https://as.example.com");
        assert_eq!(
            issuer().algorithms([ES256, RS256, PS256, ES256]).audience_name("a").audience_name("b"),
            issuer().algorithms([RS256, PS256, ES256]).audience_name("b").audience_name("a"),
        );
        let mapper = ClaimMapper::new().types(["JWT", "at+jwt"]).refuse_claims(["x", "y"]);
        let mapper = mapper.require_claims(["u", "v"]).require_value("kind", ["1", "2"]);
        let other = ClaimMapper::new().types(["at+jwt", "JWT"]).refuse_claims(["y", "x"]);
        let other = other.require_claims(["v", "u"]).require_value("kind", ["2", "1"]);
        assert_eq!(issuer().profile(mapper), issuer().profile(other));
    }

    #[test]
    fn what_differs_by_its_order_is_not_the_same() {
        use Algorithm::{PS256, RS256};
        let issuer = || Issuer::discover("https://as.example.com");
        let rs_first = issuer().algorithms([RS256, PS256]);
        assert_ne!(rs_first, issuer().algorithms([PS256, RS256]));
        assert!(!rs_first.has_the_keys_of(&issuer().algorithms([PS256, RS256])));
        assert_ne!(
            issuer().profile(ClaimMapper::new().subject(["uid", "sub"])),
            issuer().profile(ClaimMapper::new().subject(["sub", "uid"])),
        );
    }

    #[test]
    fn keys_are_the_same_whatever_else_differs() {
        let uri = "https://as.example.com/keys";
        let issuer = |uri| Issuer::jwks_uri("https://as.example.com", uri);
        let other = issuer(uri).audience_name("a").profile(Profile::Okta);
        assert!(issuer(uri).has_the_keys_of(&other));
        assert!(!issuer(uri).has_the_keys_of(&issuer("https://as.example.com/jwks")));
        assert!(!issuer(uri).has_the_keys_of(&Issuer::discover("https://as.example.com")));
        let narrower = issuer(uri).algorithms([Algorithm::ES256]);
        assert!(!issuer(uri).has_the_keys_of(&narrower));
    }
}
