//! Why a request was refused: the kinds, and the one table that maps each to the wire.

mod class;
pub(crate) mod json_rpc;

use std::fmt;

use http::StatusCode;

use self::class::Class;

/// What the kind becomes on the wire.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) status: StatusCode,
    pub(crate) code: Option<&'static str>,
    pub(crate) text: &'static str,
    pub(crate) grpc: u8,
    pub(crate) json_rpc: i32,
}

const fn row(name: &'static str, error: Class, text: &'static str) -> Row {
    let (status, code, grpc) = error.wire();
    Row { name, status, code, text, grpc, json_rpc: error.json_rpc() }
}

/// Declares the kinds, their rows and the list of all, so that each stands in one place.
///
/// No text holds a quote, a backslash or `name=`: several clients search challenges as plain text.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $class:ident, $text:literal;)*) => {
        /// Why a request was refused.
        ///
        /// Each kind has one row in the [error catalogue](crate::guide::error_catalogue), which says what
        /// the sender did, and what mends it.
        ///
        /// More kinds may be added; the names and meanings of these stay. Code that acts on them should
        /// look at the [`status`](Self::status) or the [`error_code`](Self::error_code) for those it does
        /// not know.
        ///
        /// ```
        /// use tower_resource_server::RejectionKind;
        ///
        /// let kind = RejectionKind::InsufficientScope;
        /// assert_eq!(kind.name(), "insufficient-scope");
        /// assert_eq!(kind.status(), 403);
        /// assert_eq!(kind.error_code(), Some("insufficient_scope"));
        /// assert_eq!(kind.grpc_code(), 7); // PERMISSION_DENIED
        ///
        /// // No token was sent: a challenge, and no error (RFC 6750 §3.1).
        /// assert_eq!(RejectionKind::MissingCredentials.error_code(), None);
        /// // An outage is not the client's fault, so it must not cost the client its token.
        /// assert!(!RejectionKind::KeysUnavailable.is_client_fault());
        /// ```
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum RejectionKind {
            $($(#[$doc])* $kind,)*
        }

        static TABLE: [Row; RejectionKind::COUNT] = [$(row($name, Class::$class, $text),)*];

        impl RejectionKind {
            /// Every kind, in the order of the catalogue.
            ///
            /// Of use to register a metric for each beforehand.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];
        }
    };
}

kinds! {
    /// The proof's signature does not verify with the key in its header (RFC 9449 §4.3 check 7).
    BadProofSignature = "bad-proof-signature", Proof, "The signature of the DPoP proof is not valid";
    /// The signature does not verify with the key the token names.
    BadSignature = "bad-signature", Token, "The signature of the access token is not valid";
    /// A token bound to a key by `cnf.jkt` was sent as a bearer token (RFC 9449 §7.2).
    BoundTokenAsBearer = "bound-token-as-bearer", Token, "The access token is bound to a key and needs a DPoP proof";
    /// The token is bound to another certificate than the client showed (RFC 8705 §3).
    CertificateMismatch = "certificate-mismatch", Token, "The access token is bound to another client certificate";
    /// The proof's `iat` lies too far back (RFC 9449 §4.3 check 11).
    ExpiredProof = "expired-proof", Proof, "The DPoP proof is too old";
    /// `exp` has passed, leeway included (RFC 9068 §4).
    ExpiredToken = "expired-token", Token, "The access token expired";
    /// A header field that repeats part of the message is missing, or says something else (MCP
    /// 2026-07-28).
    HeaderMismatch = "header-mismatch", Field, "A header field does not agree with the message";
    /// The issuer says that the token is not active: expired, revoked or unknown (RFC 7662 §2.2).
    InactiveToken = "inactive-token", Token, "The access token is not active";
    /// TLS is required and nothing shows that the request came over it (RFC 6750 §5.2).
    InsecureTransport = "insecure-transport", Request, "The request did not come over TLS";
    /// The user authenticated too weakly or too long ago (RFC 9470 §3).
    InsufficientAuthentication = "insufficient-authentication", Authentication, "A stronger or more recent authentication is required";
    /// The token lacks authorization details the route needs (RFC 9396).
    InsufficientAuthorizationDetails = "insufficient-authorization-details", Scope, "The access token lacks authorization details that this request needs";
    /// The token lacks a scope the route needs (RFC 6750 §3.1).
    InsufficientScope = "insufficient-scope", Scope, "The access token lacks a scope that this request needs";
    /// The issuer could not be asked about the token, or its answer not be believed; the fault is not
    /// the client's (RFC 7662 §2.3).
    IntrospectionUnavailable = "introspection-unavailable", Outage, "The access token cannot be looked up at the moment";
    /// A claim has a value of the wrong type (RFC 9068 §2.2).
    InvalidClaim = "invalid-claim", Token, "A claim of the access token has the wrong type";
    /// The body is JSON, but no message of JSON-RPC 2.0 that can be read in one way only (MCP).
    InvalidMessage = "invalid-message", Protocol, "The body is not a JSON-RPC message";
    /// `Origin` names a page that this MCP server is not called from; whoever sent it and whatever
    /// token it carries does not matter (MCP, Streamable HTTP).
    InvalidOrigin = "invalid-origin", Forbidden, "The request comes from an origin that this server does not accept";
    /// A claim of the proof has the wrong type, is empty or too long (RFC 9449 §4.2).
    InvalidProofClaim = "invalid-proof-claim", Proof, "A claim of the DPoP proof has the wrong type or form";
    /// The proof's nonce was not issued here, or is past its time (RFC 9449 §8, §9).
    InvalidProofNonce = "invalid-proof-nonce", Nonce, "The nonce of the DPoP proof is not one this server accepts";
    /// A route's requirement is not usable as configured; the fault is the server's.
    InvalidRequirement = "invalid-requirement", Internal, "The server is not configured for this request";
    /// It cannot be said whether the token's issuer is trusted; the fault is not the client's.
    IssuerUnavailable = "issuer-unavailable", Outage, "The issuer of the access token cannot be looked up at the moment";
    /// No keys could be loaded, so no token can be judged; the fault is not the client's.
    KeysUnavailable = "keys-unavailable", Outage, "The keys that verify access tokens are unavailable";
    /// The Authorization field breaks its grammar (RFC 9110 §11.4).
    MalformedAuthorization = "malformed-authorization", Request, "The Authorization field is malformed";
    /// The token is bound to a certificate, and a trusted proxy sent a `Client-Cert` field that
    /// cannot be read (RFC 9440 §2.2).
    MalformedCertificate = "malformed-certificate", Token, "The client certificate cannot be read";
    /// The body is not JSON in UTF-8, or could not be read to its end (MCP).
    MalformedMessage = "malformed-message", Syntax, "The body is not JSON";
    /// The DPoP field is not one compact JWS of two JSON objects (RFC 9449 §4.3 check 2).
    MalformedProof = "malformed-proof", Proof, "The DPoP proof is malformed";
    /// `MCP-Protocol-Version` is there more than once, or is not a short word of visible ASCII.
    MalformedProtocolVersion = "malformed-protocol-version", Field, "The MCP-Protocol-Version field is malformed";
    /// The token is not a compact JWS of two JSON objects (RFC 7519 §7.2).
    MalformedToken = "malformed-token", Token, "The access token is malformed";
    /// The body did not arrive in time (MCP).
    MessageTimeout = "message-timeout", Time, "The message did not arrive in time";
    /// The body is longer than the server reads (MCP).
    MessageTooLarge = "message-too-large", Size, "The message is larger than this server reads";
    /// The protocol version that the request names has no such HTTP method (MCP 2026-07-28: POST
    /// alone).
    MethodNotAllowed = "method-not-allowed", Method, "The protocol version of this request knows no method but POST";
    /// A requirement was reached without an `authenticate` layer around it; the fault is the
    /// server's.
    MissingAuthentication = "missing-authentication", Internal, "The server is not configured for this request";
    /// The token is bound to a certificate, and the client showed none (RFC 8705 §3).
    MissingCertificate = "missing-certificate", Token, "The access token is bound to a client certificate and the request came without one";
    /// A claim the profile demands is absent (RFC 9068 §2.2).
    MissingClaim = "missing-claim", Token, "The access token lacks a required claim";
    /// The request carries no access token.
    MissingCredentials = "missing-credentials", None, "The request carries no access token";
    /// The scheme is DPoP and there is no DPoP field (RFC 9449 §7.1).
    MissingProof = "missing-proof", Proof, "The request carries no DPoP proof";
    /// The proof lacks a claim it needs (RFC 9449 §4.3 check 3).
    MissingProofClaim = "missing-proof-claim", Proof, "The DPoP proof lacks a required claim";
    /// The proof carries no nonce and the server requires one (RFC 9449 §9).
    MissingProofNonce = "missing-proof-nonce", Nonce, "This server requires a nonce in DPoP proofs";
    /// The server speaks no version of MCP whose requests may lack `MCP-Protocol-Version`.
    MissingProtocolVersion = "missing-protocol-version", Field, "The request carries no MCP-Protocol-Version field";
    /// The server demands sessions, and the request names none (MCP 2025-11-25 and before).
    MissingSession = "missing-session", Protocol, "The request carries no Mcp-Session-Id field";
    /// The request carries more than one credential (RFC 9110 §11.6.2, RFC 6750 §2).
    MultipleCredentials = "multiple-credentials", Request, "The request carries more than one credential";
    /// There is more than one DPoP field (RFC 9449 §4.3 check 1).
    MultipleProofs = "multiple-proofs", Proof, "The request carries more than one DPoP proof";
    /// The proof is sound, but made with another key than the token is bound to (RFC 9449 §4.3
    /// check 12).
    ProofKeyMismatch = "proof-key-mismatch", Token, "The access token is bound to another key than that of the DPoP proof";
    /// `htm` is not the method of the request (RFC 9449 §4.3 check 8).
    ProofMethodMismatch = "proof-method-mismatch", Proof, "The DPoP proof is made for another method";
    /// The proof's `iat` lies too far ahead (RFC 9449 §4.3 check 11).
    ProofNotYetValid = "proof-not-yet-valid", Proof, "The DPoP proof is dated in the future";
    /// `ath` is not the hash of the access token (RFC 9449 §4.3 check 12).
    ProofTokenMismatch = "proof-token-mismatch", Proof, "The DPoP proof is made for another access token";
    /// The DPoP field is longer than the server reads.
    ProofTooLarge = "proof-too-large", Proof, "The DPoP proof is larger than this server reads";
    /// `htu` is not the URI of the request (RFC 9449 §4.3 check 9).
    ProofUriMismatch = "proof-uri-mismatch", Proof, "The DPoP proof is made for another URI";
    /// There is no room to record that a proof was used; the fault is not the client's.
    ReplayStoreFull = "replay-store-full", Outage, "Used DPoP proofs cannot be recorded at the moment";
    /// The store of used proofs cannot say whether this one was used; the fault is not the
    /// client's.
    ReplayStoreUnavailable = "replay-store-unavailable", Outage, "Used DPoP proofs cannot be looked up at the moment";
    /// The proof was used before (RFC 9449 §11.1).
    ReplayedProof = "replayed-proof", Proof, "The DPoP proof was used before";
    /// A claim predicate of the route does not hold.
    RequirementNotMet = "requirement-not-met", Scope, "The access token does not meet a requirement of this request";
    /// It cannot be said whether the token was revoked; the fault is not the client's.
    RevocationUnavailable = "revocation-unavailable", Outage, "Revoked access tokens cannot be looked up at the moment";
    /// The token was revoked (RFC 6750 §3.1).
    RevokedToken = "revoked-token", Token, "The access token was revoked";
    /// An access token stands in the query and the server is strict about it (OAuth 2.1 §5.1).
    TokenInQuery = "token-in-query", Request, "An access token in the query is not accepted";
    /// `nbf` or `iat` lies ahead, leeway included (RFC 7519 §4.1.5).
    TokenNotYetValid = "token-not-yet-valid", Token, "The access token is not valid yet";
    /// The token is longer than the server reads.
    TokenTooLarge = "token-too-large", Request, "The access token is larger than this server reads";
    /// The token's `alg` is not on the issuer's allow-list (RFC 8725 §3.1).
    UnacceptableAlgorithm = "unacceptable-algorithm", Token, "The access token is signed with an algorithm that is not accepted";
    /// The proof's `alg` is not one the server accepts (RFC 9449 §4.3 check 5).
    UnacceptableProofAlgorithm = "unacceptable-proof-algorithm", Proof, "The DPoP proof is signed with an algorithm that is not accepted";
    /// The token is not bound as it has to be: it was sent with the scheme DPoP and has no `cnf.jkt`
    /// (RFC 9449 §7.1), or the route wants tokens that are bound to a certificate (RFC 8705 §3).
    UnboundToken = "unbound-token", Token, "The access token is not bound to its sender as this request needs";
    /// No key of the issuer fits the token's `kid` and `alg`.
    UnknownKey = "unknown-key", Token, "The access token is signed with a key that is not known";
    /// The session does not exist, has ended, or was begun by somebody else (MCP 2025-11-25 and
    /// before).
    UnknownSession = "unknown-session", Session, "The session is not known";
    /// No rule of a [`Methods`](crate::Methods) table names the gRPC method.
    UnlistedMethod = "unlisted-method", Forbidden, "This server allows nobody to call this method";
    /// No requirement was set for the tool, and none for all others (MCP).
    UnlistedTool = "unlisted-tool", Forbidden, "This server allows nobody to call this tool";
    /// `cnf` binds the token in a way the server does not verify (RFC 7800 §3.1).
    UnsupportedConfirmation = "unsupported-confirmation", Token, "The access token is bound to a key in a way that is not accepted here";
    /// The header lists a critical extension, or asks for an unencoded payload (RFC 7515 §4.1.11).
    UnsupportedCritical = "unsupported-critical", Token, "The access token needs an extension that is not supported";
    /// The body is not `application/json` in UTF-8, or it is compressed (MCP).
    UnsupportedMediaType = "unsupported-media-type", MediaType, "The body is not of type application/json";
    /// The proof's header lists a critical extension, or asks for an unencoded payload (RFC 7515
    /// §4.1.11).
    UnsupportedProofCritical = "unsupported-proof-critical", Proof, "The DPoP proof needs an extension that is not supported";
    /// `MCP-Protocol-Version` names a version that the server does not speak.
    UnsupportedProtocolVersion = "unsupported-protocol-version", Version, "The protocol version is not one that this server speaks";
    /// The scheme of the Authorization field is not accepted (RFC 6750 §3.1).
    UnsupportedScheme = "unsupported-scheme", None, "The authentication scheme is not accepted";
    /// `iss` is not a trusted issuer (RFC 9068 §4).
    UntrustedIssuer = "untrusted-issuer", Token, "The access token comes from an issuer that is not trusted";
    /// The proof's `jwk` is absent, private, out of range, or not for its `alg` (RFC 9449 §4.3
    /// checks 5 to 7).
    UnusableProofKey = "unusable-proof-key", Proof, "The key in the DPoP proof is missing or cannot be used";
    /// `aud` does not name this server (RFC 9068 §4).
    WrongAudience = "wrong-audience", Token, "The access token is meant for another resource";
    /// `typ` is not `dpop+jwt` (RFC 9449 §4.3 check 4).
    WrongProofType = "wrong-proof-type", Proof, "The DPoP proof is not marked as one";
    /// `typ` is not that of an access token (RFC 9068 §4).
    WrongTokenType = "wrong-token-type", Token, "The token is not an access token";
}

impl RejectionKind {
    pub(crate) const COUNT: usize = Self::ALL.len();

    pub(crate) fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// The stable name, as logs, metrics and [`ProblemJson`](crate::render::ProblemJson) carry it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The HTTP status.
    ///
    /// That of a concealed route is 404 instead: see
    /// [`Rejection::status`](crate::Rejection::status).
    #[must_use]
    pub fn status(self) -> StatusCode {
        self.row().status
    }

    /// The OAuth error code. None where RFC 6750 §3.1 wants no error information, where no token
    /// would do, and on 5xx.
    #[must_use]
    pub fn error_code(self) -> Option<&'static str> {
        self.row().code
    }

    /// A fixed text for developers; it never holds anything the client sent.
    #[must_use]
    pub fn description(self) -> &'static str {
        self.row().text
    }

    /// The gRPC status code, with which gRPC requests are answered: 16 for `UNAUTHENTICATED`, 7 for
    /// `PERMISSION_DENIED`, 14 for `UNAVAILABLE`, 13 for `INTERNAL`.
    ///
    /// That of a concealed route is 12 instead: see
    /// [`Rejection::grpc_code`](crate::Rejection::grpc_code). The guide on
    /// [tonic](crate::guide::tonic) has the whole form.
    #[must_use]
    pub fn grpc_code(self) -> u8 {
        self.row().grpc
    }

    /// The code of a JSON-RPC error object, as [`JsonRpc`](crate::render::JsonRpc) writes it.
    ///
    /// Servers that speak no version of MCP from 2026-07-28 on write −32600 in place of −32020 and
    /// −32022: to clients those codes say that such a version is spoken.
    #[must_use]
    pub fn json_rpc_code(self) -> i32 {
        self.row().json_rpc
    }

    /// Whether the client is at fault (4xx), rather than this server or one it depends on (5xx).
    ///
    /// The log follows it: INFO for clients, ERROR for servers.
    #[must_use]
    pub fn is_client_fault(self) -> bool {
        self.status().is_client_error()
    }
}

impl fmt::Display for RejectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_each_kind_in_its_place() {
        for (index, kind) in RejectionKind::ALL.iter().copied().enumerate() {
            assert_eq!(kind as usize, index);
            let spelled: String = format!("{kind:?}").to_lowercase();
            assert_eq!(kind.name().replace('-', ""), spelled);
        }
    }

    #[test]
    fn texts_are_safe_for_clients_that_search_challenges() {
        for kind in RejectionKind::ALL.iter().copied() {
            let text = kind.description();
            assert!(text.bytes().all(|byte| matches!(byte, 0x20..=0x7e)), "{text}");
            assert!(!text.contains(['"', '\\', '=']), "{text}");
        }
    }

    #[test]
    fn outages_and_bugs_carry_no_error_code() {
        for kind in RejectionKind::ALL.iter().copied() {
            assert_eq!(kind.status().is_server_error(), !kind.is_client_fault());
            assert!(kind.is_client_fault() || kind.error_code().is_none());
        }
    }
}
