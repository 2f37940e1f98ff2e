//! Why a request was refused: the kinds, and the one table that maps each to the wire.

use std::fmt;

use http::StatusCode;

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
    /// The signature does not verify with the key the token names.
    BadSignature,
    /// `exp` has passed, leeway included (RFC 9068 §4).
    ExpiredToken,
    /// The user authenticated too weakly or too long ago (RFC 9470 §3).
    InsufficientAuthentication,
    /// The token lacks a scope the route needs (RFC 6750 §3.1).
    InsufficientScope,
    /// TLS is required and nothing shows that the request came over it (RFC 6750 §5.2).
    InsecureTransport,
    /// A claim has a value of the wrong type (RFC 9068 §2.2).
    InvalidClaim,
    /// A route's requirement is not usable as configured; the fault is the server's.
    InvalidRequirement,
    /// No keys could be loaded, so no token can be judged; the fault is not the client's.
    KeysUnavailable,
    /// The Authorization field breaks its grammar (RFC 9110 §11.4).
    MalformedAuthorization,
    /// The token is not a compact JWS of two JSON objects (RFC 7519 §7.2).
    MalformedToken,
    /// A requirement was reached without an `authenticate` layer around it; the fault is the
    /// server's.
    MissingAuthentication,
    /// A claim the profile demands is absent (RFC 9068 §2.2).
    MissingClaim,
    /// The request carries no access token.
    MissingCredentials,
    /// The request carries more than one credential (RFC 9110 §11.6.2, RFC 6750 §2).
    MultipleCredentials,
    /// A claim predicate of the route does not hold.
    RequirementNotMet,
    /// An access token stands in the query and the server is strict about it (OAuth 2.1 §5.1).
    TokenInQuery,
    /// `nbf` or `iat` lies ahead, leeway included (RFC 7519 §4.1.5).
    TokenNotYetValid,
    /// The token is longer than the server reads.
    TokenTooLarge,
    /// The token's `alg` is not on the issuer's allow-list (RFC 8725 §3.1).
    UnacceptableAlgorithm,
    /// No key of the issuer fits the token's `kid` and `alg`.
    UnknownKey,
    /// `cnf` binds the token in a way the server does not verify (RFC 7800 §3.1).
    UnsupportedConfirmation,
    /// The header lists a critical extension, or asks for an unencoded payload (RFC 7515 §4.1.11).
    UnsupportedCritical,
    /// The scheme of the Authorization field is not accepted (RFC 6750 §3.1).
    UnsupportedScheme,
    /// `iss` is not a trusted issuer (RFC 9068 §4).
    UntrustedIssuer,
    /// `aud` does not name this server (RFC 9068 §4).
    WrongAudience,
    /// `typ` is not that of an access token (RFC 9068 §4).
    WrongTokenType,
}

/// What the kind becomes on the wire.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) status: StatusCode,
    pub(crate) code: Option<&'static str>,
    pub(crate) text: &'static str,
    pub(crate) grpc: u8,
}

const fn row(name: &'static str, error: Class, text: &'static str) -> Row {
    let (status, code, grpc) = error.wire();
    Row { name, status, code, text, grpc }
}

/// The forms that kinds share on the wire.
#[derive(Clone, Copy)]
enum Class {
    None,
    Request,
    Token,
    Authentication,
    Scope,
    Outage,
    Internal,
}

impl Class {
    const fn wire(self) -> (StatusCode, Option<&'static str>, u8) {
        match self {
            Self::None => (StatusCode::UNAUTHORIZED, None, 16),
            Self::Request => (StatusCode::BAD_REQUEST, Some("invalid_request"), 16),
            Self::Token => (StatusCode::UNAUTHORIZED, Some("invalid_token"), 16),
            Self::Authentication => {
                (StatusCode::UNAUTHORIZED, Some("insufficient_user_authentication"), 16)
            }
            Self::Scope => (StatusCode::FORBIDDEN, Some("insufficient_scope"), 7),
            Self::Outage => (StatusCode::SERVICE_UNAVAILABLE, None, 14),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, None, 13),
        }
    }
}

// No text holds a quote, a backslash or `name=`: several clients search challenges as plain text.
static TABLE: [Row; RejectionKind::COUNT] = {
    use Class::{Authentication, Internal, None, Outage, Request, Scope, Token};
    [
        row("bad-signature", Token, "The signature of the access token is not valid"),
        row("expired-token", Token, "The access token expired"),
        row(
            "insufficient-authentication",
            Authentication,
            "A stronger or more recent authentication is required",
        ),
        row("insufficient-scope", Scope, "The access token lacks a scope that this request needs"),
        row("insecure-transport", Request, "The request did not come over TLS"),
        row("invalid-claim", Token, "A claim of the access token has the wrong type"),
        row("invalid-requirement", Internal, "The server is not configured for this request"),
        row("keys-unavailable", Outage, "The keys that verify access tokens are unavailable"),
        row("malformed-authorization", Request, "The Authorization field is malformed"),
        row("malformed-token", Token, "The access token is malformed"),
        row("missing-authentication", Internal, "The server is not configured for this request"),
        row("missing-claim", Token, "The access token lacks a required claim"),
        row("missing-credentials", None, "The request carries no access token"),
        row("multiple-credentials", Request, "The request carries more than one credential"),
        row(
            "requirement-not-met",
            Scope,
            "The access token does not meet a requirement of this request",
        ),
        row("token-in-query", Request, "An access token in the query is not accepted"),
        row("token-not-yet-valid", Token, "The access token is not valid yet"),
        row("token-too-large", Request, "The access token is larger than this server reads"),
        row(
            "unacceptable-algorithm",
            Token,
            "The access token is signed with an algorithm that is not accepted",
        ),
        row("unknown-key", Token, "The access token is signed with a key that is not known"),
        row(
            "unsupported-confirmation",
            Token,
            "The access token is bound to a key in a way that is not accepted here",
        ),
        row(
            "unsupported-critical",
            Token,
            "The access token needs an extension that is not supported",
        ),
        row("unsupported-scheme", None, "The authentication scheme is not accepted"),
        row("untrusted-issuer", Token, "The access token comes from an issuer that is not trusted"),
        row("wrong-audience", Token, "The access token is meant for another resource"),
        row("wrong-token-type", Token, "The token is not an access token"),
    ]
};

impl RejectionKind {
    pub(crate) const COUNT: usize = Self::ALL.len();

    /// Every kind, in the order of the catalogue.
    ///
    /// Of use to register a metric for each beforehand.
    pub const ALL: &'static [Self] = &[
        Self::BadSignature,
        Self::ExpiredToken,
        Self::InsufficientAuthentication,
        Self::InsufficientScope,
        Self::InsecureTransport,
        Self::InvalidClaim,
        Self::InvalidRequirement,
        Self::KeysUnavailable,
        Self::MalformedAuthorization,
        Self::MalformedToken,
        Self::MissingAuthentication,
        Self::MissingClaim,
        Self::MissingCredentials,
        Self::MultipleCredentials,
        Self::RequirementNotMet,
        Self::TokenInQuery,
        Self::TokenNotYetValid,
        Self::TokenTooLarge,
        Self::UnacceptableAlgorithm,
        Self::UnknownKey,
        Self::UnsupportedConfirmation,
        Self::UnsupportedCritical,
        Self::UnsupportedScheme,
        Self::UntrustedIssuer,
        Self::WrongAudience,
        Self::WrongTokenType,
    ];

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

    /// The OAuth error code. None where RFC 6750 §3.1 wants no error information, and on 5xx.
    #[must_use]
    pub fn error_code(self) -> Option<&'static str> {
        self.row().code
    }

    /// A fixed text for developers; it never holds anything the client sent.
    #[must_use]
    pub fn description(self) -> &'static str {
        self.row().text
    }

    /// The gRPC status code.
    ///
    /// Nothing in this crate sends it. It is there for layers that translate refusals for gRPC
    /// clients: 16 for `UNAUTHENTICATED`, 7 for `PERMISSION_DENIED`, 14 for `UNAVAILABLE`, 13 for
    /// `INTERNAL`.
    #[must_use]
    pub fn grpc_code(self) -> u8 {
        self.row().grpc
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
