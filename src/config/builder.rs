//! The builder of a resource server.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};

use super::audiences::Audiences;
use super::{AllowedIssuers, Danger, Dpop, Fapi2, Issuer, IssuerResolver};
use crate::clock::{Clock, SystemClock};
use crate::credentials::CredentialSource;
use crate::fetch::{Fetch, FetchLimits};
use crate::keys::CryptoBackend;
use crate::metadata::ResourceMetadata;
use crate::observe::Observer;
use crate::proof::proxy::TrustedProxies;
use crate::proof::{UnrecordedProof, UnverifiableConfirmation};
use crate::render::{ChallengeOrder, Challenges, Envelope, ErrorBody, ErrorResponse, Hooks};
use crate::revocation::{Revocation, UnknownStatus};
use crate::scheme::SenderConstraint;

/// What to do when a handler lets shared caches keep the response to an authenticated request
/// (`public`, `s-maxage` or `must-revalidate`, without `private` or `no-store`; RFC 9111 §3.5).
///
/// It concerns accepted responses alone; refusals always say `no-store`. A handler that lets them
/// pass deliberately, since every caller gets the same, can leave the default and ignore the
/// warning (target `tower_resource_server::caching`).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum SharedCaching {
    /// Send it as it is and log a warning.
    #[default]
    Warn,
    /// Send `Cache-Control: private` in its place.
    Rewrite,
}

/// Collects the settings of a [`ResourceServer`](crate::ResourceServer) and checks them all at
/// once.
///
/// # Defaults
///
/// | setting | default |
/// |---|---|
/// | audience | the resource identifier |
/// | leeway | 60 s for `exp`, `nbf` and `iat` |
/// | longest token | 16 KiB |
/// | verified tokens remembered | about 16 MiB |
/// | sender constraint | any: bound tokens with what they are bound to, others without |
/// | proofs | those of [`Dpop`] |
/// | source of revoked tokens | none |
/// | base URL of the API, for `htu` | scheme, host and port of the resource identifier |
/// | proxies whose word is taken | none, neither for the URL nor for client certificates |
/// | order of challenges | Bearer before DPoP, each in a line of its own; first the scheme that was tried |
/// | realm, error_uri | none |
/// | resource_metadata | in every challenge |
/// | envelope | [`OAuthJson`](crate::render::OAuthJson) |
/// | fetches | embedded client, 5 s, 512 KiB, public addresses only |
/// | hosts at private addresses | none |
/// | Retry-After on 503 | 5 s |
/// | CORS preflight | passes without a token |
/// | `Access-Control-Expose-Headers` | left to the application |
///
/// # Checks
///
/// Nothing is checked before [`build`](Self::build), which reports every fault at once. Settings
/// may be made in any order. Where a setting is given twice the last one counts, unless it says
/// that it may be called several times.
#[must_use]
pub struct Builder {
    pub(super) resource: String,
    pub(super) issuers: Vec<Issuer>,
    pub(super) resolver: Option<(AllowedIssuers, Arc<dyn IssuerResolver>)>,
    pub(super) audiences: Audiences,
    pub(super) single_audience_only: bool,
    pub(super) any_audience: bool,
    pub(super) unverifiable: UnverifiableConfirmation,
    pub(super) unrecorded: UnrecordedProof,
    pub(super) revocation: Option<Arc<dyn Revocation>>,
    pub(super) unknown_status: UnknownStatus,
    pub(super) constraint: Option<SenderConstraint>,
    pub(super) dpop: Dpop,
    pub(super) base_url: Option<String>,
    pub(super) proxies: Option<TrustedProxies>,
    pub(super) client_cert_proxies: Option<Vec<String>>,
    pub(super) leeway: Option<Duration>,
    pub(super) max_token_bytes: usize,
    pub(super) lenient_charset: bool,
    pub(super) strict_query: bool,
    pub(super) require_https: bool,
    pub(super) preflight_passes: bool,
    pub(super) expose_headers: bool,
    pub(super) source: Option<Arc<dyn CredentialSource>>,
    pub(super) cache_bytes: u64,
    pub(super) hierarchy: Vec<(String, String)>,
    pub(super) realm: Option<String>,
    pub(super) error_uri: Option<String>,
    pub(super) advertise_metadata: bool,
    pub(super) extra: Vec<(String, String)>,
    pub(super) order: ChallengeOrder,
    pub(super) hooks: Hooks,
    pub(super) documentation: Option<String>,
    pub(super) retry_after: Duration,
    pub(super) metadata: ResourceMetadata,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) observer: Option<Arc<dyn Observer>>,
    pub(super) fetch: Option<Arc<dyn Fetch>>,
    pub(super) limits: FetchLimits,
    pub(super) allow_loopback: bool,
    pub(super) private_hosts: Vec<String>,
    pub(super) backend: Option<CryptoBackend>,
    pub(super) fapi2: Option<Fapi2>,
    pub(super) shared_caching: SharedCaching,
    pub(super) default_no_store: bool,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("resource", &self.resource).finish_non_exhaustive()
    }
}

impl Builder {
    pub(crate) fn new(resource: String) -> Self {
        Self {
            resource,
            issuers: Vec::new(),
            resolver: None,
            audiences: Audiences::default(),
            single_audience_only: false,
            any_audience: false,
            unverifiable: UnverifiableConfirmation::default(),
            unrecorded: UnrecordedProof::default(),
            revocation: None,
            unknown_status: UnknownStatus::default(),
            constraint: None,
            dpop: Dpop::default(),
            base_url: None,
            proxies: None,
            client_cert_proxies: None,
            leeway: None,
            max_token_bytes: 16 * 1024,
            lenient_charset: false,
            strict_query: false,
            require_https: false,
            preflight_passes: true,
            expose_headers: false,
            source: None,
            cache_bytes: 16 * 1024 * 1024,
            hierarchy: Vec::new(),
            realm: None,
            error_uri: None,
            advertise_metadata: true,
            extra: Vec::new(),
            order: ChallengeOrder::default(),
            hooks: Hooks::default(),
            documentation: None,
            retry_after: Duration::from_secs(5),
            metadata: ResourceMetadata::default(),
            clock: Arc::new(SystemClock),
            observer: None,
            fetch: None,
            limits: FetchLimits::default(),
            allow_loopback: false,
            private_hosts: Vec::new(),
            backend: CryptoBackend::preferred(),
            fapi2: None,
            shared_caching: SharedCaching::default(),
            default_no_store: false,
        }
    }

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

    /// The longest token read, in bytes, from 256 to 1 MiB. Longer ones are refused unread.
    ///
    /// Default 16384. The refusal is `token-too-large`, a 400. The HTTP server in front has a limit
    /// of its own for header fields, which may be lower. Proofs have a limit of theirs:
    /// [`Dpop::max_proof_bytes`].
    pub fn max_token_bytes(mut self, bytes: usize) -> Self {
        self.max_token_bytes = bytes;
        self
    }

    /// About how much memory verified tokens may be remembered in, in bytes; 0 remembers none.
    ///
    /// Default 16 MiB, some 12,000 tokens of common size. An entry counts 512 bytes and twice the
    /// size of the claims. Remembered tokens are spared the signature check, and nothing else:
    /// times and requirements are judged for each request.
    pub fn token_cache_bytes(mut self, bytes: u64) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// Accepts tokens of any visible ASCII but the comma, as RFC 6749 A.12 allows opaque tokens,
    /// where RFC 6750 §2.1 takes only token68.
    ///
    /// A JWT has no such characters, so none becomes valid by this. What changes is the refusal: a
    /// stray character then makes it a bad token, a 401, rather than bad syntax, a 400. An opaque
    /// token with such characters is [asked about](crate::guide::opaque_tokens) then.
    pub fn lenient_token_charset(mut self) -> Self {
        self.lenient_charset = true;
        self
    }

    /// Refuses requests with `access_token` in the query, which are ignored otherwise.
    ///
    /// The refusal is `token-in-query`, a 400 (OAuth 2.1 §5.1). It tells the developer of a client
    /// early that the token just went into every log on the way. The name is compared after
    /// decoding.
    pub fn refuse_query_tokens(mut self) -> Self {
        self.strict_query = true;
        self
    }

    /// Refuses requests unless their target is https or the server has marked the connection
    /// with [`SecureTransport`](crate::SecureTransport) (RFC 6750 §5.2).
    ///
    /// The refusal is `insecure-transport`, a 400. This finds mistakes of set-up and of honest
    /// clients. It does not stop a client that lies: in HTTP/2, and in the absolute form of
    /// HTTP/1.1, the scheme of the target is what the client wrote. An insecure listener should not
    /// reach this service at all.
    pub fn require_https(mut self) -> Self {
        self.require_https = true;
        self
    }

    /// Demands a token of CORS preflights too: OPTIONS with `Origin` and
    /// `Access-Control-Request-Method`, which pass otherwise, since browsers send them without
    /// credentials. Use it where a CORS layer outside answers them, and wherever something inside
    /// looks at the path alone: it would run for a preflight, which anyone can send, without a
    /// grant. What carries credentials or content is never taken for a preflight.
    pub fn protect_preflight(mut self) -> Self {
        self.preflight_passes = false;
        self
    }

    /// Which tie between tokens and their senders is demanded.
    ///
    /// Default [`SenderConstraint::Any`]. Single layers may have their own. Where all demand bound
    /// tokens, choose it here: then the metadata document says so too (RFC 9728 §2,
    /// `dpop_bound_access_tokens_required`, `tls_client_certificate_bound_access_tokens`).
    pub fn sender_constraint(mut self, constraint: SenderConstraint) -> Self {
        self.constraint = Some(constraint);
        self
    }

    /// How proofs of possession are judged (RFC 9449): algorithms, age, nonces, and where used ones
    /// are recorded.
    ///
    /// There is no need to call it: proofs are judged by the defaults of [`Dpop`] without it. The
    /// [guide](crate::guide::dpop) says what to choose.
    pub fn dpop(mut self, dpop: Dpop) -> Self {
        self.dpop = dpop;
        self
    }

    /// Asks `source` of every token whether it was revoked.
    ///
    /// Without it a JWT is good until it expires. [`DenyList`](crate::DenyList) is such a source, in
    /// memory. While it cannot say, requests are answered 503, kind `revocation-unavailable`. An
    /// `authenticate` layer around another one of the same server asks too: each of them asks once a
    /// request.
    pub fn revocation(mut self, source: impl Revocation) -> Self {
        self.revocation = Some(Arc::new(source));
        self
    }

    /// The URL under which clients reach the root of this service, for the `htu` of proofs (RFC
    /// 9449 §4.3).
    ///
    /// Default: scheme, host and port of the resource identifier. The path of the request is added
    /// to it, as it was before any router took a prefix off. So this is needed where a proxy in
    /// front takes a prefix off, or where the API has another host than its identifier:
    ///
    /// ```
    /// use tower_resource_server::ResourceServer;
    ///
    /// // Clients call https://example.com/notes/7, and this service sees /7.
    /// let builder = ResourceServer::builder("https://example.com/notes")
    ///     .base_url("https://example.com/notes");
    /// ```
    ///
    /// Neither `Host` nor any other field of the request is looked at, unless
    /// [`trusted_proxies`](Self::trusted_proxies) are named. The
    /// [guide](crate::guide::proxies_and_htu) has examples, and a table of symptoms.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Proxies whose word on the URL that the client called is taken, for services with several
    /// names.
    ///
    /// It concerns the `htu` of proofs alone. What a proxy leaves out, [`base_url`](Self::base_url)
    /// says.
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.proxies = Some(proxies);
        self
    }

    /// Proxies whose word on the client's certificate is taken: the field `Client-Cert` (RFC 9440),
    /// for tokens that are bound to a certificate (RFC 8705 §3).
    ///
    /// The addresses are written as those of [`TrustedProxies`]: single ones, or networks. Who sent
    /// a request, its [`PeerAddress`](crate::PeerAddress) says. Then,
    ///
    /// | the peer is | the field | the [`ClientCertificate`](crate::ClientCertificate) of the connection |
    /// |---|---|---|
    /// | one of these | counts; without it the client had no certificate | is the proxy's own, and does not count |
    /// | anybody else | does not count, and is taken out of the request | counts |
    ///
    /// The proxy **must** remove the field from what clients send, also where a client shows no
    /// certificate; one that passes it on lets every client choose its certificate (RFC 9440 §4).
    ///
    /// The field is one line with one byte sequence, `:` base64 of the DER `:`, of 16 KiB at most;
    /// anything else is refused with `malformed-certificate` where the token is bound to a
    /// certificate, and not looked at where it is not. `Client-Cert-Chain` is not read: the chain is
    /// the proxy's to check. By default the field means nothing, and is left where it is.
    ///
    /// ```
    /// use tower_resource_server::{ResourceServer, SenderConstraint};
    ///
    /// let builder = ResourceServer::builder("https://api.example.com")
    ///     .client_cert_field(["10.0.0.7", "fd00::/8"])
    ///     .sender_constraint(SenderConstraint::MutualTls);
    /// ```
    pub fn client_cert_field<I>(mut self, addresses: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.client_cert_proxies = Some(addresses.into_iter().map(Into::into).collect());
        self
    }

    /// Lets scripts of other origins read `WWW-Authenticate` and `DPoP-Nonce`: adds both to
    /// `Access-Control-Expose-Headers` of every answer to a request with an `Origin` (RFC 9449
    /// §7.1, §8.2; Fetch §3.2.3).
    ///
    /// Off by default. A list the handler sets is kept and added to. A CORS layer outside that sets
    /// the field itself replaces it, and then has to name the two. Whether the answer may be read
    /// at all is said by `Access-Control-Allow-Origin`, which is the CORS layer's.
    pub fn expose_headers(mut self) -> Self {
        self.expose_headers = true;
        self
    }

    /// Looks for tokens in one more place than the Authorization field.
    ///
    /// There can be one. What it finds is held to the length and the characters of a token, and
    /// beside another token it makes the request one with `multiple-credentials`.
    pub fn credential_source(mut self, source: impl CredentialSource) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Says that `wider` includes `narrower`: whoever has the first is granted the second. May be
    /// called several times; inclusion is transitive.
    ///
    /// A circle is a fault. Challenges go on naming the narrow scope. The
    /// [guide](crate::guide::scopes#hierarchy) has an example.
    pub fn scope_includes(mut self, wider: impl Into<String>, narrower: impl Into<String>) -> Self {
        self.hierarchy.push((wider.into(), narrower.into()));
        self
    }

    /// `realm` of every challenge (RFC 9110 §11.5).
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// `error_uri` of every challenge that has an error: an absolute URI for people.
    pub fn error_uri(mut self, uri: impl Into<String>) -> Self {
        self.error_uri = Some(uri.into());
        self
    }

    /// One more parameter in every challenge.
    ///
    /// The name is a token (RFC 9110 §5.6.2), each given once; the value is sent as a quoted-string
    /// of printable ASCII. Names that the crate writes itself, such as `scope` or `error`, are
    /// faults.
    pub fn challenge_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.extra.push((name.into(), value.into()));
        self
    }

    /// Names the DPoP challenge before the Bearer challenge where no scheme was tried.
    ///
    /// By default Bearer comes first, since several clients read only the first challenge and know
    /// only that scheme. With an error, the scheme that was tried is always the first.
    pub fn dpop_challenge_first(mut self) -> Self {
        self.order.dpop_first = true;
        self
    }

    /// Sends several challenges in one field line, separated by commas.
    ///
    /// By default each has a line of its own: the two mean the same (RFC 9110 §11.6.1), but many
    /// clients cannot take a line of several apart.
    pub fn challenges_in_one_line(mut self) -> Self {
        self.order.one_line = true;
        self
    }

    /// Leaves `resource_metadata` (RFC 9728 §5.1) out of the challenges, for servers that do not
    /// publish the document. Without a realm of yours, the resource identifier becomes the realm,
    /// since a challenge needs a parameter (RFC 6750 §3).
    ///
    /// The document is still served where [`metadata`](crate::ResourceServer::metadata) is mounted.
    pub fn hide_metadata(mut self) -> Self {
        self.advertise_metadata = false;
        self
    }

    /// How refusals look.
    pub fn envelope(mut self, envelope: impl Envelope) -> Self {
        self.hooks.envelope = Arc::new(envelope);
        self
    }

    /// Takes the place of [`Envelope::send_error`].
    pub fn send_error(
        mut self,
        hook: impl Fn(StatusCode, &ErrorBody<'_>, &mut ErrorResponse) + Send + Sync + 'static,
    ) -> Self {
        self.hooks.send_error = Some(Arc::new(hook));
        self
    }

    /// Takes the place of [`Envelope::www_authenticate`].
    pub fn www_authenticate(
        mut self,
        hook: impl Fn(&Challenges, &mut HeaderMap) + Send + Sync + 'static,
    ) -> Self {
        self.hooks.www_authenticate = Some(Arc::new(hook));
        self
    }

    /// Takes the place of [`Envelope::no_store`].
    pub fn no_store(mut self, hook: impl Fn(&mut HeaderMap) + Send + Sync + 'static) -> Self {
        self.hooks.no_store = Some(Arc::new(hook));
        self
    }

    /// Where the error catalogue is hosted: an absolute URI to which `#kind` is added. By default
    /// this crate's own documentation.
    ///
    /// ```
    /// use tower_resource_server::{Builder, render::ProblemJson};
    ///
    /// /// `type` becomes `https://developer.example.com/errors#expired-token` and so on.
    /// fn explained(builder: Builder) -> Builder {
    ///     let errors = "https://developer.example.com/errors";
    ///     builder.envelope(ProblemJson::default()).documentation(errors)
    /// }
    /// ```
    pub fn documentation(mut self, uri: impl Into<String>) -> Self {
        self.documentation = Some(uri.into());
        self
    }

    /// `Retry-After` of 503 answers, in whole seconds, at least one.
    ///
    /// Default 5 s. Fractions of a second are cut off.
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = delay;
        self
    }

    /// The members of the metadata document that are not derived from other settings.
    pub fn metadata(mut self, metadata: ResourceMetadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// The source of time.
    ///
    /// Default [`SystemClock`]. It judges tokens, proofs, nonces and the age of keys; fetches are
    /// timed by Tokio.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Listens to events, for metrics.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// The client that fetches metadata and keys, in place of the embedded one.
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
    /// most, and twice as long where the issuer's metadata is looked up first.
    pub fn fetch_timeout(mut self, timeout: Duration) -> Self {
        self.limits.timeout = timeout;
        self
    }

    /// Lets the embedded client reach loopback addresses, over http too. For development.
    ///
    /// A key set URL of plain http is accepted only with this, or with a client given to
    /// [`fetch`](Self::fetch), and then only for loopback hosts. So is an issuer of plain http whose
    /// metadata is looked up.
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
    /// It has no effect on a client given to [`fetch`](Self::fetch).
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

    /// The library that verifies signatures, where several are compiled in.
    pub fn crypto_backend(mut self, backend: CryptoBackend) -> Self {
        self.backend = Some(backend);
        self
    }

    /// What to do when a handler lets shared caches keep a protected response.
    pub fn shared_caching(mut self, policy: SharedCaching) -> Self {
        self.shared_caching = policy;
        self
    }

    /// Adds `Cache-Control: no-store` to accepted responses that have no Cache-Control.
    ///
    /// Private caches, such as a browser's, may otherwise keep what a handler sends without a word
    /// on caching. Responses to anonymous requests are left alone. Off by default.
    pub fn default_no_store(mut self) -> Self {
        self.default_no_store = true;
        self
    }

    /// Holds the server to the FAPI 2.0 Security Profile: bound tokens, its algorithms, https, and
    /// an answer to the question of revocation.
    ///
    /// [`Fapi2`] lists what follows from it. Settings may be made before and after; those that
    /// contradict the profile are faults. The [guide](crate::guide::fapi2) has the whole profile.
    ///
    /// ```
    /// use tower_resource_server::{Algorithm, Dpop, Fapi2, testing::TestIssuer};
    ///
    /// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
    /// # let issuer = TestIssuer::new("https://as.example.com");
    /// let builder = issuer.resource_server("https://bank.example.com");
    /// let server = builder.fapi2(Fapi2::new().short_lived_tokens()).build()?;
    ///
    /// // Chosen explicitly, and not of the profile.
    /// let builder = issuer.resource_server("https://bank.example.com");
    /// let result = builder
    ///     .dpop(Dpop::new().algorithms([Algorithm::ES256, Algorithm::RS256]))
    ///     .fapi2(Fapi2::new().short_lived_tokens())
    ///     .build();
    /// assert_eq!(result.expect_err("a fault").faults()[0].setting(), "dpop");
    /// # Ok::<(), tower_resource_server::ConfigError>(())
    /// ```
    pub fn fapi2(mut self, fapi2: Fapi2) -> Self {
        self.fapi2 = Some(fapi2);
        self
    }

    /// Settings that give up a protection.
    pub fn danger(self) -> Danger {
        Danger::new(self)
    }
}
