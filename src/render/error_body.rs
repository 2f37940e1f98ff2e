//! What a body can be made of, and what it is written to.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use serde_json::{Map, Value};

use super::plan::Plan;
use crate::error::json_rpc;
use crate::rejection::Rejection;

/// The response under construction: body, content type and further headers are a hook's to set.
///
/// Its body is [`Bytes`], whatever the body type of the application is. Its status is set already,
/// and so are the headers of the hooks that ran before.
pub type ErrorResponse = Response<Bytes>;

/// What a refusal says, for the body.
///
/// `error` and its companions equal those of the challenge. They are absent where RFC 6750 §3.1
/// wants no error information, and on 5xx; the kind and its explanation are there always.
///
/// None of its texts holds anything that the client sent: they are fixed for the kind, or come from
/// the configuration, or are the reason of a [`Predicate`](crate::Predicate). The
/// [`members`](Self::members) may.
#[derive(Clone, Copy, Debug)]
pub struct ErrorBody<'a> {
    rejection: &'a Rejection,
    error: Option<&'static str>,
}

impl<'a> ErrorBody<'a> {
    pub(super) fn new(plan: &Plan<'a>) -> Self {
        Self { rejection: plan.rejection, error: plan.error() }
    }

    /// The OAuth error code.
    ///
    /// `invalid_request`, `invalid_token`, `insufficient_scope` (RFC 6750 §3.1),
    /// `invalid_dpop_proof`, `use_dpop_nonce` (RFC 9449 §7.1, §9) or
    /// `insufficient_user_authentication` (RFC 9470 §3). `None` on a 401 without credentials or of a
    /// scheme that is not accepted, on 5xx, and for a concealed route.
    #[must_use]
    pub const fn error(&self) -> Option<&'static str> {
        self.error
    }

    /// The text beside the error code.
    ///
    /// Printable ASCII without quotes and backslashes (RFC 6750 §3). For a failed predicate it is
    /// the predicate's reason.
    #[must_use]
    pub fn error_description(&self) -> Option<&'a str> {
        self.error.map(|_| self.rejection.description())
    }

    /// The configured `error_uri`, beside an error code.
    ///
    /// It is the same for every kind: see [`Builder::error_uri`](crate::Builder::error_uri). For a
    /// page on this very kind there is [`documentation_url`](Self::documentation_url).
    #[must_use]
    pub fn error_uri(&self) -> Option<&'a str> {
        let challenge = &self.rejection.details().settings.challenge;
        self.error.and(challenge.error_uri.as_deref())
    }

    /// The scopes the operation needs, space-separated, when they are what is missing.
    ///
    /// All of them, not only those that the token lacks. `None` beside `invalid_token`, even where
    /// the challenge names scopes to ask for.
    #[must_use]
    pub fn scope(&self) -> Option<&'a str> {
        let missing = self.error == Some("insufficient_scope")
            || self.error.is_some() && self.rejection.details().shortfall.scope;
        self.rejection.scope().filter(|_| missing)
    }

    /// The authentication context classes that will do, space-separated: `acr_values` of the
    /// challenge, beside `insufficient_user_authentication` (RFC 9470 §3).
    #[must_use]
    pub fn acr_values(&self) -> Option<&'a str> {
        self.rejection.acr_values()
    }

    /// How long ago the user may have authenticated: `max_age` of the challenge, which counts whole
    /// seconds. It stands beside `insufficient_user_authentication` (RFC 9470 §3).
    #[must_use]
    pub fn max_age(&self) -> Option<Duration> {
        self.rejection.max_age()
    }

    /// The stable name of the kind; of a concealed route, `not-found`.
    ///
    /// Names do not change between versions, so clients and dashboards may rely on them. The
    /// [error catalogue](crate::guide::error_catalogue) lists them all.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        if self.rejection.is_concealed() { "not-found" } else { self.rejection.kind().name() }
    }

    /// A text for developers, whether or not there is an error code.
    #[must_use]
    pub fn detail(&self) -> &'a str {
        if self.rejection.is_concealed() { "Not found" } else { self.rejection.description() }
    }

    /// Where the kind is explained. None for a concealed route.
    #[must_use]
    pub fn documentation_url(&self) -> Option<String> {
        (!self.rejection.is_concealed()).then(|| self.rejection.documentation_url())
    }

    /// The code of a JSON-RPC error object.
    ///
    /// That of the [kind](crate::RejectionKind::json_rpc_code), with two exceptions: −32601, *Method
    /// not found*, for a concealed route; and −32600 for the codes of MCP 2026-07-28 where the server
    /// speaks no such version.
    #[must_use]
    pub fn json_rpc_code(&self) -> i32 {
        let code = self.rejection.kind().json_rpc_code();
        if self.rejection.is_concealed() {
            json_rpc::METHOD_NOT_FOUND
        } else if self.rejection.details().settings.is_legacy {
            json_rpc::before_2026(code)
        } else {
            code
        }
    }

    /// What there is to say besides, for kinds that need more than a text: `data` of a JSON-RPC
    /// error, extension members of problem details (RFC 9457 §3.2).
    ///
    /// For `unsupported-protocol-version`, `supported` is the list of versions and `requested` the
    /// one that the client has sent: at most 32 characters of visible ASCII, and still the client's
    /// words. `None` for most kinds, and for a concealed route.
    #[must_use]
    pub fn members(&self) -> Option<&'a Map<String, Value>> {
        let members = self.rejection.details().members.as_ref();
        members.filter(|_| !self.rejection.is_concealed())
    }

    /// The refusal itself.
    ///
    /// Its [`kind`](Rejection::kind) is the true one even of a concealed route. An envelope that
    /// writes it out reveals what was to be hidden.
    #[must_use]
    pub const fn rejection(&self) -> &'a Rejection {
        self.rejection
    }
}
