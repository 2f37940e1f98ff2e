//! The FAPI 2.0 Security Profile as one setting.

/// Holds a server to the FAPI 2.0 Security Profile, for [`Builder::fapi2`](crate::Builder::fapi2).
///
/// # What it changes
///
/// | | with the profile | otherwise |
/// |---|---|---|
/// | [`require_https`](crate::Builder::require_https) | on | off |
/// | URLs of the server and of issuers | https | also http on loopback |
/// | [`sender_constraint`](crate::Builder::sender_constraint) | bound tokens alone: [`Dpop`](crate::SenderConstraint::Dpop) unless said otherwise | any |
/// | algorithms of tokens and proofs | PS256, ES256, and EdDSA with Ed25519 under both its names (§5.4) | more, RS256 among them |
/// | [`leeway`](crate::Builder::leeway) | 30 s, from 10 s to less than 60 s | 60 s, at most 300 s |
/// | proofs [dated ahead](crate::Dpop::max_ahead) | 30 s, from 10 s to less than 60 s | 30 s, at most 300 s |
/// | tokens in forms | ignored, as those in the query always are | read by a [`FormTokenLayer`](crate::layer::FormTokenLayer) |
/// | revocation | has to be settled, see below | optional |
///
/// RSA keys below 2048 bits are refused with and without it, and so are proofs used twice.
///
/// Settings may be made in any order. One that was made explicitly and contradicts the profile is a
/// fault of [`build`](crate::Builder::build), which says why; it is never overruled in silence.
/// That includes every setting of [`danger`](crate::Builder::danger) but
/// [`accept_unrecorded_proofs`](crate::Danger::accept_unrecorded_proofs) where proofs need nonces. A
/// layer that asks for less than bound tokens refuses every request, with 500.
///
/// # Revocation
///
/// A server has to know whether a token was revoked (§5.3.4). So `build` demands one of these:
///
/// - a source of revoked tokens: [`Builder::revocation`](crate::Builder::revocation);
/// - that each issuer is [asked](crate::Issuer::introspection) about its tokens, signed ones included
///   ([`every_token`](crate::Introspection::every_token)), and that its answers are remembered for 60 s
///   at most ([`cache_for`](crate::Introspection::cache_for));
/// - [`short_lived_tokens`](Self::short_lived_tokens), by which you say that waiting for their
///   expiry is enough.
///
/// ```
/// use tower_resource_server::{DenyList, Fapi2, Issuer, ResourceServer};
///
/// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
/// # let fetch = tower_resource_server::testing::ScriptedFetch::new();
/// let revoked = DenyList::default();
/// let server = ResourceServer::builder("https://bank.example.com")
///     .issuer(Issuer::jwks_uri("https://as.example.com", "https://as.example.com/jwks.json"))
///     .fapi2(Fapi2::new().echo_interaction_id())
///     .revocation(revoked)
/// #   .fetch(fetch)
///     .build()?;
/// # Ok::<(), tower_resource_server::ConfigError>(())
/// ```
///
/// # What it does not do
///
/// It concerns this server alone. That the authorization server and its clients keep to the profile
/// is theirs to see to, and the version and ciphers of TLS are for whoever terminates it to set. The
/// [guide](crate::guide::fapi2) goes through the profile clause by clause.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct Fapi2 {
    pub(super) short_lived_tokens: bool,
    pub(super) echo_interaction_id: bool,
}

impl Fapi2 {
    /// The profile as it stands.
    pub const fn new() -> Self {
        Self { short_lived_tokens: false, echo_interaction_id: false }
    }

    /// Says that the tokens live so shortly that their expiry takes the place of revocation.
    ///
    /// How short that is, is yours to judge, and nothing here checks it: FAPI 2.0 §5.3.4 demands
    /// that the revocation status be verified. Common is ten minutes or less.
    pub const fn short_lived_tokens(mut self) -> Self {
        self.short_lived_tokens = true;
        self
    }

    /// Sends the `x-fapi-interaction-id` of a request back with its response, accepted or refused,
    /// by which client and server find one call in both their logs.
    ///
    /// Only a UUID is sent back, and only where the request has one such field; nothing is made up
    /// where it has none. The field has moved from the profile to its implementation advice, hence
    /// it is off by default. It is done by the `authenticate` layer, so what layers outside answer
    /// does not have it.
    pub const fn echo_interaction_id(mut self) -> Self {
        self.echo_interaction_id = true;
        self
    }
}
