//! What the server reads of requests, and whose word it takes on them.

use std::sync::Arc;

use super::Builder;
use crate::config::Dpop;
use crate::credentials::CredentialSource;
use crate::proof::proxy::TrustedProxies;
use crate::scheme::SenderConstraint;

impl Builder {
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
    /// size of the claims, and 1,280 bytes more for a bound token. Remembered tokens are spared the
    /// signature check, and nothing else: times and requirements are judged for each request. What
    /// weighs more than 250 KiB is not remembered, which only a raised
    /// [`max_token_bytes`](Self::max_token_bytes) lets in.
    ///
    /// Memory is taken when it is needed. A token is kept for a minute after it has expired; then it
    /// is dropped as new tokens come, so that the memory goes back to the allocator. While no new
    /// token comes, nothing is dropped. See
    /// [what is given back](crate::guide::threat_model#what-is-given-back).
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
    ///
    /// [`trusted_proxies`](Self::trusted_proxies) that report another scheme than https make every proof
    /// fail then.
    pub fn require_https(mut self) -> Self {
        self.require_https = true;
        self
    }

    /// Demands a token of CORS preflights too: OPTIONS with `Origin` and
    /// `Access-Control-Request-Method`, which pass otherwise, since browsers send them without
    /// credentials. Use it where a CORS layer outside answers them, and wherever something inside
    /// looks at the path alone: it would run for a preflight, which anyone can send, without a
    /// grant. What carries credentials or content is never taken for a preflight, and neither is what
    /// a `tonic::transport::Server` is to serve.
    pub fn protect_preflight(mut self) -> Self {
        self.preflight_passes = false;
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
    /// The proxy **must** remove the field, and `Client-Cert-Chain` with it, from what clients send,
    /// also where a client shows no certificate; one that passes it on lets every client choose its
    /// certificate (RFC 9440 §4).
    ///
    /// The field is one line with one byte sequence, `:` base64 of the DER `:`, of 16 KiB at most;
    /// anything else is refused with `malformed-certificate` where the token is bound to a
    /// certificate, and a warning says what is wrong with it; it is not looked at where the token is
    /// bound to none. `Client-Cert-Chain` is not read: the chain is the proxy's to check. By default
    /// the field means nothing, and is left where it is.
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

    /// Says that `wider` includes `narrower`: whoever has the first is granted the second. May be
    /// called several times; inclusion is transitive.
    ///
    /// A circle is a fault. Challenges go on naming the narrow scope. The
    /// [guide](crate::guide::scopes#hierarchy) has an example.
    pub fn scope_includes(mut self, wider: impl Into<String>, narrower: impl Into<String>) -> Self {
        self.hierarchy.push((wider.into(), narrower.into()));
        self
    }
}
