//! What many kinds have in common on the wire.

use http::StatusCode;

use super::json_rpc;

/// The forms that kinds share on the wire.
#[derive(Clone, Copy)]
pub(super) enum Class {
    None,
    Request,
    Token,
    Proof,
    Nonce,
    Authentication,
    Scope,
    Forbidden,
    Outage,
    Internal,
    /// The rules of a protocol above HTTP (MCP).
    Protocol,
    /// Its header fields (MCP 2026-07-28).
    Field,
    /// Its version (MCP 2026-07-28).
    Version,
    Session,
    Method,
    /// Its messages, and how they come (MCP).
    Syntax,
    Size,
    Time,
    MediaType,
}

impl Class {
    pub(super) const fn wire(self) -> (StatusCode, Option<&'static str>, u8) {
        match self {
            Self::None => (StatusCode::UNAUTHORIZED, None, 16),
            Self::Request => (StatusCode::BAD_REQUEST, Some("invalid_request"), 16),
            Self::Token => (StatusCode::UNAUTHORIZED, Some("invalid_token"), 16),
            Self::Proof => (StatusCode::UNAUTHORIZED, Some("invalid_dpop_proof"), 16),
            Self::Nonce => (StatusCode::UNAUTHORIZED, Some("use_dpop_nonce"), 16),
            Self::Authentication => {
                (StatusCode::UNAUTHORIZED, Some("insufficient_user_authentication"), 16)
            }
            Self::Scope => (StatusCode::FORBIDDEN, Some("insufficient_scope"), 7),
            Self::Forbidden => (StatusCode::FORBIDDEN, None, 7),
            Self::Outage => (StatusCode::SERVICE_UNAVAILABLE, None, 14),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, None, 13),
            Self::Protocol | Self::Field | Self::Version | Self::Syntax => {
                (StatusCode::BAD_REQUEST, None, 3)
            }
            Self::Session => (StatusCode::NOT_FOUND, None, 5),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, None, 12),
            Self::Time => (StatusCode::REQUEST_TIMEOUT, None, 4),
            Self::Size => (StatusCode::PAYLOAD_TOO_LARGE, None, 8),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, None, 3),
        }
    }

    pub(super) const fn json_rpc(self) -> i32 {
        match self {
            Self::Field => json_rpc::HEADER_MISMATCH,
            Self::Version => json_rpc::UNSUPPORTED_PROTOCOL_VERSION,
            Self::Syntax => json_rpc::PARSE_ERROR,
            _ => json_rpc::of_status(self.wire().0),
        }
    }
}
