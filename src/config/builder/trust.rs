//! Whom the server trusts, and what it fetches from them.

use std::sync::Arc;
use std::time::Duration;

use super::Builder;
use crate::clock::Clock;
use crate::config::{AllowedIssuers, Issuer, IssuerResolver};
use crate::fetch::Fetch;
use crate::keys::CryptoBackend;
use crate::revocation::Revocation;

impl Builder {
    /// Trusts an issuer; may be called several times. A token is judged by its own issuer's keys.
    ///
    /// At least one is needed, and each identifier may stand once. It is compared with `iss` byte
    /// for byte (RFC 9068 §4).
    pub fn issuer(mut self, issuer: Issuer) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// Also trusts issuers that `resolver` finds while the server runs, if they are `allowed`.
    ///
    /// Those given with [`issuer`](Self::issuer) are not asked about; there need not be any. What
    /// the resolver answers is held to the same checks as they are, and a fault is logged. The
    /// metadata document lists the identifiers that are allowed by name. The
    /// [guide](crate::guide::several_issuers) has an example.
    pub fn resolve_issuers(
        mut self,
        allowed: AllowedIssuers,
        resolver: impl IssuerResolver,
    ) -> Self {
        self.resolver = Some((allowed, Arc::new(resolver)));
        self
    }

    /// Accepts this audience, an absolute URI without fragment (RFC 8707 §2), in place of the
    /// resource identifier; may be called several times. Compared exactly.
    ///
    /// The resource identifier is then no audience any more, unless it is named here as well.
    /// Needed, for example, where an authorization server knows the API by another name than its
    /// clients do. Where only one of several does, name it at that
    /// [`Issuer`](Issuer::audience).
    ///
    /// ```
    /// use tower_resource_server::ResourceServer;
    ///
    /// let builder = ResourceServer::builder("https://api.example.com/v2")
    ///     .audience("https://api.example.com/v2")
    ///     .audience("https://api.example.com"); // tokens issued before the move
    /// ```
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.add_uri(audience.into());
        self
    }

    /// Accepts this audience, which is not a URI: some authorization servers name audiences by
    /// client ids or plain words. May be called several times. Compared exactly.
    ///
    /// The names count besides those of [`audience`](Self::audience), and like them take the place
    /// of the resource identifier. Such a name is only as unique as the issuer makes it.
    pub fn audience_name(mut self, audience: impl Into<String>) -> Self {
        self.audiences.add_name(audience.into());
        self
    }

    /// Refuses tokens that have other audiences besides this server's (RFC 8707 §2.2).
    ///
    /// A token for several services can be used by any of them at the others. The refusal is
    /// `wrong-audience`. Off by default.
    pub fn single_audience_only(mut self) -> Self {
        self.single_audience_only = true;
        self
    }

    /// How far the clocks of others may be off; at most 300 s.
    ///
    /// Default 60 s. It is added to `exp`, and granted to `nbf` and `iat` that lie ahead (RFC 7519
    /// §4.1.4); it also counts for [`StepUp::within`](crate::StepUp::within). It is meant for
    /// clocks: a longer one only keeps expired tokens in use.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = Some(leeway);
        self
    }

    /// Asks `source` of every token whether it was revoked.
    ///
    /// Without it a JWT is good until it expires. [`DenyList`](crate::DenyList) is such a source, in
    /// memory. While it cannot say, requests are answered 503, kind `revocation-unavailable`, and an
    /// observer is told why ([`Event::RevocationUnknown`](crate::Event::RevocationUnknown)). An
    /// `authenticate` layer around another one of the same server asks too: each of them asks once a
    /// request.
    pub fn revocation(mut self, source: impl Revocation) -> Self {
        self.revocation = Some(Arc::new(source));
        self
    }

    /// The library that verifies signatures, where several are compiled in.
    pub fn crypto_backend(mut self, backend: CryptoBackend) -> Self {
        self.backend = Some(backend);
        self
    }

    /// The client that fetches metadata and keys, and asks about tokens, in place of the embedded one.
    ///
    /// One client serves all issuers. The address rules of the embedded client do not apply to it;
    /// see [`TowerFetch`](crate::fetch::TowerFetch).
    pub fn fetch(mut self, fetch: impl Fetch) -> Self {
        self.fetch = Some(Arc::new(fetch));
        self
    }

    /// The longest a fetch may take; at most 60 s.
    ///
    /// Default 5 s; zero is a fault. The first requests after a cold start wait about this long at
    /// most, and twice as long where the issuer's metadata is looked up first. A call for
    /// [introspection](crate::Introspection), the answer of a [resolver](Self::resolve_issuers) and
    /// that of a [source of revoked tokens](Self::revocation) may each take as long.
    pub fn fetch_timeout(mut self, timeout: Duration) -> Self {
        self.limits.timeout = timeout;
        self
    }

    /// Lets the embedded client reach loopback addresses, over http too. For development.
    ///
    /// A key set URL of plain http is accepted only with this, or with a client given to
    /// [`fetch`](Self::fetch), and then only for loopback hosts. So is an introspection endpoint, and
    /// an issuer of plain http whose metadata is looked up.
    pub fn allow_loopback(mut self) -> Self {
        self.allow_loopback = true;
        self
    }

    /// Lets the embedded client connect to these hosts at private addresses: those of RFC 1918, the
    /// shared space of RFC 6598 and unique local IPv6. May be called several times.
    ///
    /// For authorization servers inside a private network. A host is a name or an address, and stands
    /// for itself alone: not for names below it, nor for another host to which metadata points. Each
    /// host of a URL that is fetched from needs its entry, so that of `jwks_uri` too.
    ///
    /// Without an entry, a host that resolves to a private address is refused: whoever controls a
    /// name could otherwise make this server talk to the network behind it. Link-local addresses,
    /// such as the metadata services of clouds, are refused with an entry too, and so is plain http.
    /// An entry holds for the URLs of every issuer, those in the metadata of others included. It has
    /// no effect on a client given to [`fetch`](Self::fetch).
    ///
    /// ```
    /// use tower_resource_server::{Issuer, ResourceServer};
    ///
    /// let builder = ResourceServer::builder("https://api.example.com")
    ///     .issuer(Issuer::discover("https://keycloak.internal/realms/main"))
    ///     .allow_private_hosts(["keycloak.internal"]);
    /// ```
    pub fn allow_private_hosts(
        mut self,
        hosts: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.private_hosts.extend(hosts.into_iter().map(Into::into));
        self
    }

    /// The source of time.
    ///
    /// Default [`SystemClock`](crate::SystemClock). It judges tokens, proofs, nonces and the age of
    /// keys; fetches are timed by Tokio.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}
