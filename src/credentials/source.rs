//! The seams of stage 1: what it reads, and where else a token may stand.

use std::borrow::Cow;
use std::fmt::{self, Debug};

use http::uri;
use http::{Extensions, HeaderMap, Method, Request, Uri};

use super::form;
use crate::error::RejectionKind;
use crate::scheme::Scheme;

/// The head of a request: everything but its body.
///
/// A source sees this and never the body, which is not read yet. Its `Debug` output shows method
/// and path alone, since fields and query may hold tokens.
///
/// ```
/// use http::Request;
/// use tower_resource_server::RequestHead;
///
/// let request = Request::get("https://api.example.com/notes?page=2").body(())?;
/// let head = RequestHead::of(&request);
/// assert_eq!(head.uri().path(), "/notes");
/// assert!(!format!("{head:?}").contains("page"));
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct RequestHead<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
}

impl Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Header fields and query may hold tokens.
        f.debug_struct("RequestHead")
            .field("method", self.method)
            .field("path", &self.uri.path())
            .finish_non_exhaustive()
    }
}

impl<'a> RequestHead<'a> {
    /// The head of that request.
    pub fn of<B>(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }

    /// The request method.
    #[must_use]
    pub const fn method(&self) -> &'a Method {
        self.method
    }

    /// The request target as the layer sees it.
    ///
    /// Within a nested axum router it lacks the prefix.
    #[must_use]
    pub const fn uri(&self) -> &'a Uri {
        self.uri
    }

    /// The header fields.
    #[must_use]
    pub const fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// The extensions that outer layers and the server left.
    #[must_use]
    pub const fn extensions(&self) -> &'a Extensions {
        self.extensions
    }

    /// Whether the request target or the server's own marker says that TLS is used; never a header.
    pub(crate) fn is_secure(&self) -> bool {
        self.uri.scheme() == Some(&uri::Scheme::HTTPS)
            || self.extensions.get::<SecureTransport>().is_some()
    }

    pub(crate) fn query_has(&self, name: &str) -> bool {
        let query = self.uri.query().unwrap_or_default();
        query.split('&').any(|pair| {
            let written = pair.split('=').next().unwrap_or_default();
            form::decode(written.as_bytes()).as_deref() == Some(name.as_bytes())
        })
    }
}

/// A request extension by which a server says that the connection is protected by TLS.
///
/// Insert it where connections are accepted. A builder with `require_https` looks for it when the
/// request target does not say https itself, as under HTTP/1.1. No header can take its place. (A
/// client that writes an https target over a cleartext connection is believed: it deceives no one
/// but itself.)
///
/// Whoever terminates TLS knows; nobody else does. A proxy that terminates TLS in front cannot
/// insert it: there, put it where the listener accepts connections from that proxy alone.
///
/// ```
/// use axum::{Extension, Router, body::Body};
/// use http::{Request, StatusCode};
/// use tower::ServiceExt;
/// use tower_resource_server::{SecureTransport, testing::TestIssuer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # if tower_resource_server::CryptoBackend::preferred().is_none() { return Ok(()) }
/// # let issuer = TestIssuer::new("https://as.example.com");
/// let server = issuer.resource_server("https://api.example.com").require_https().build()?;
/// let app = Router::new().fallback(|| async {}).layer(server.authenticate());
/// let request = || issuer.token().authorize(Request::new(Body::empty()));
/// assert_eq!(app.clone().oneshot(request()).await?.status(), StatusCode::BAD_REQUEST);
///
/// // On the TLS listener only:
/// let behind_tls = app.layer(Extension(SecureTransport::new()));
/// assert_eq!(behind_tls.oneshot(request()).await?.status(), StatusCode::OK);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SecureTransport;

impl SecureTransport {
    /// The marker.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

/// An access token found by a [`CredentialSource`], and how it is presented.
#[derive(Clone)]
pub struct Credential<'a> {
    token: Cow<'a, str>,
    scheme: Scheme,
}

impl<'a> Credential<'a> {
    /// A token presented as with the scheme `Bearer`.
    pub fn bearer(token: impl Into<Cow<'a, str>>) -> Self {
        Self { token: token.into(), scheme: Scheme::Bearer }
    }

    /// A token presented as with the scheme `DPoP`. Its proof is looked for in the `DPoP` field.
    pub fn dpop(token: impl Into<Cow<'a, str>>) -> Self {
        Self { token: token.into(), scheme: Scheme::Dpop }
    }

    pub(super) fn into_parts(self) -> (Scheme, Cow<'a, str>) {
        (self.scheme, self.token)
    }
}

impl Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").finish_non_exhaustive()
    }
}

/// A place other than the Authorization field where a token may stand.
///
/// A token found here and another in the Authorization field are two methods in one request,
/// which is refused (RFC 6750 §2). What is found goes through the very same checks.
///
/// ```
/// use tower_resource_server::{Credential, CredentialSource, RejectionKind, RequestHead};
///
/// #[derive(Debug)]
/// struct Forwarded;
///
/// impl CredentialSource for Forwarded {
///     fn find<'a>(
///         &self,
///         head: &RequestHead<'a>,
///     ) -> Result<Option<Credential<'a>>, RejectionKind> {
///         let mut fields = head.headers().get_all("x-forwarded-access-token").into_iter();
///         match (fields.next(), fields.next()) {
///             (None, _) => Ok(None),
///             (Some(field), None) => {
///                 let token = field.to_str().map_err(|_| RejectionKind::MalformedAuthorization)?;
///                 Ok(Some(Credential::bearer(token)))
///             }
///             (Some(_), Some(_)) => Err(RejectionKind::MultipleCredentials),
///         }
///     }
/// }
/// ```
///
/// The example reads a field that a proxy sets. Such a proxy has to remove the field from what
/// clients send. A source that reads a cookie makes the server open to cross-site request forgery,
/// for browsers send cookies unasked; it needs a defence of its own.
pub trait CredentialSource: Debug + Send + Sync + 'static {
    /// The token, `None` when there is none here.
    ///
    /// # Errors
    ///
    /// The kind to refuse the request with, when what stands here is unusable.
    ///
    /// It is called after the `Authorization` field and a form have been looked at, and not if one
    /// of those was refused or the request is a CORS preflight that passes. It runs on the request
    /// path and must not block.
    fn find<'a>(&self, head: &RequestHead<'a>) -> Result<Option<Credential<'a>>, RejectionKind>;
}
