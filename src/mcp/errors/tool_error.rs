//! All errors in one type, for tools to return.

use std::error::Error;
use std::fmt;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::Value;

use super::answer::Answer;
use super::authorization_required::AuthorizationRequired;
use super::call::Call;
use super::client::{MissingClientCapability, UnsupportedClientVersion};
use super::configuration::ConfigurationError;
use super::elicitation::UrlElicitationRequired;
use super::form::Describe;
use super::internal::InternalError;
use super::refused::Unauthorized;
use super::session::SessionMissing;
use crate::mcp::Revision;
use crate::rejection::Rejection;
use crate::render;

/// Declares the variants, and for each its conversion and its place in what all have in common.
macro_rules! errors {
    ($($(#[$doc:meta])* $variant:ident($type:ty);)*) => {
        /// What keeps a tool from doing its work, as far as authorization goes.
        ///
        /// Everything here converts into it, so that a tool can use `?` on all of it. Once it is
        /// known whom to answer, [`answer`](Self::answer) has the form that goes into the JSON-RPC
        /// response; as long as no byte of the HTTP response was sent,
        /// [`response`](Self::response) has an HTTP status and, where the token of the request is
        /// at fault, the challenge from which clients find their way:
        ///
        /// | error | HTTP | challenge | JSON-RPC |
        /// |---|---|---|---|
        /// | [`Rejection`], [`Unauthorized`] | as the layer answers | yes | tool result, challenge in `_meta` |
        /// | [`AuthorizationRequired`], [`UrlElicitationRequired`] | 403 | no | elicitation, or tool result |
        /// | [`SessionMissing`] | 400, 404 | no | error −32600 |
        /// | [`UnsupportedClientVersion`] | 400 | no | error −32022 |
        /// | [`MissingClientCapability`] | 400 | no | error −32021 |
        /// | [`ConfigurationError`], [`InternalError`] | 500 | no | error −32603 |
        ///
        /// No form holds a token, and none an inner detail of a fault of the server.
        ///
        /// ```
        /// use tower_resource_server::mcp::{Answer, AuthorizationRequired, Call, Revision, ToolError};
        /// use tower_resource_server::{Grant, Scopes};
        ///
        /// fn post(grant: &Grant, has_consent: bool) -> Result<&'static str, ToolError> {
        ///     grant.require(Scopes::all(["messages/write"]))?; // this server's token
        ///     if !has_consent {
        ///         let url = "https://mcp.example.com/connect/slack".parse()?;
        ///         Err(AuthorizationRequired::stateful("slack", "slack:post").link(url))?; // a third party
        ///     }
        ///     Ok("posted")
        /// }
        ///
        /// # let error = ToolError::from(AuthorizationRequired::stateless("slack", "slack:post"));
        /// let call = Call::new(Revision::V2025_11_25).id(1);
        /// let message = error.answer(&call).into_message(&call);
        /// assert_eq!(message["result"]["isError"], true);
        /// ```
        #[derive(Debug)]
        #[non_exhaustive]
        pub enum ToolError {
            $($(#[$doc])* $variant(Box<$type>),)*
        }

        impl ToolError {
            fn describe(&self) -> &dyn Describe {
                match self {
                    $(Self::$variant(error) => &**error,)*
                }
            }

            fn inner(&self) -> &(dyn Error + 'static) {
                match self {
                    $(Self::$variant(error) => &**error,)*
                }
            }
        }

        $(impl From<$type> for ToolError {
            fn from(error: $type) -> Self {
                Self::$variant(Box::new(error))
            }
        })*
    };
}

errors! {
    /// A third party's consent is missing.
    AuthorizationRequired(AuthorizationRequired);
    /// The server is set up wrongly.
    Configuration(ConfigurationError);
    /// The tool failed.
    Internal(InternalError);
    /// The client cannot do what the call needs.
    MissingClientCapability(MissingClientCapability);
    /// The token of the request does not suffice.
    Rejected(Rejection);
    /// There is no session.
    SessionMissing(SessionMissing);
    /// The caller has to authenticate.
    Unauthorized(Unauthorized);
    /// The client speaks a revision that the server does not.
    UnsupportedClientVersion(UnsupportedClientVersion);
    /// URLs have to be visited.
    UrlElicitationRequired(UrlElicitationRequired);
}

impl ToolError {
    /// Its name in capitals, such as `AUTHORIZATION_REQUIRED`: `code` of `_meta`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.describe().code()
    }

    /// The HTTP status of [`response`](Self::response).
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.describe().status()
    }

    /// What the client is told in words, with links in lines of their own.
    #[must_use]
    pub fn text(&self) -> String {
        self.describe().text()
    }

    /// The form that the revision has for it, if the client can take it.
    ///
    /// A refusal of the token is logged and counted here, and by the forms below: take one of them
    /// for each answer that is sent.
    #[must_use]
    pub fn answer(&self, call: &Call) -> Answer {
        self.report();
        self.describe().answer(call)
    }

    /// A tool result, whatever the error: `content` with the text, `isError`, and `_meta` with what
    /// a program needs. From 2026-07-28 on it has `resultType`.
    #[must_use]
    pub fn tool_result(&self, revision: Revision) -> Value {
        self.report();
        self.describe().tool_result(revision)
    }

    /// An error object, whatever the error: `code`, `message`, and `data`.
    ///
    /// Codes: −32603 where the server is at fault, −32601 for a concealed refusal. Otherwise, up to
    /// 2025-11-25, −32001 for 401 and −32003 for 403, as in [`JsonRpc`](crate::render::JsonRpc); from
    /// 2026-07-28 on, where new servers are not to use these, −32600. Never −32042: that is for
    /// [`answer`](Self::answer), which knows whether the client shows URLs.
    #[must_use]
    pub fn error(&self, revision: Revision) -> Value {
        self.report();
        self.describe().error(revision)
    }

    /// An HTTP response, `no-store`, with a JSON body.
    ///
    /// A refusal of the token looks as the layer's own, through the envelope of the server. The
    /// other responses have no challenge. Those of 403 have what is needed as their body, the rest
    /// a JSON-RPC error.
    #[must_use]
    pub fn response(&self, call: &Call) -> Response<Bytes> {
        self.describe().response(call)
    }

    /// A refusal leaves its trace in whichever form it is sent.
    fn report(&self) {
        match self {
            Self::Rejected(rejection) => render::report(rejection),
            Self::Unauthorized(unauthorized) => render::report(unauthorized.rejection()),
            _ => {}
        }
    }
}

/// An id or a URL of the server's own making that is not usable is a fault of the server.
impl From<super::FlowIdError> for ToolError {
    fn from(error: super::FlowIdError) -> Self {
        InternalError::caused_by(error).into()
    }
}

impl From<super::ElicitationUrlError> for ToolError {
    fn from(error: super::ElicitationUrlError) -> Self {
        InternalError::caused_by(error).into()
    }
}

impl From<crate::ConfigError> for ToolError {
    fn from(error: crate::ConfigError) -> Self {
        ConfigurationError::from(error).into()
    }
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.inner(), f)
    }
}

impl Error for ToolError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.inner().source()
    }
}
