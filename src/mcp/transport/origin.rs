//! Which web pages may call.
//!
//! A page of any site can have its visitor's browser call a server in the visitor's network, or on
//! the visitor's own machine under a name of the site's (DNS rebinding). The browser says in `Origin`
//! whose page it is, and pages cannot change that.

use std::collections::HashSet;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri, header};
use http_body::Body;
use tower_service::Service;

use crate::authorize::Demand;
use crate::config::Settings;
use crate::error::RejectionKind;
use crate::field::{self, Repeated};
use crate::layer::{RequireFuture, ResponseBody, fault};
use crate::rejection::Rejection;
use crate::uri::Web;

/// Scheme, host and port in the one form of RFC 6454 §6.2: lower case, no default port.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct WebOrigin(String);

/// A port (RFC 3986 §3.2.3).
fn number(port: &str) -> Option<u16> {
    port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse().ok()).flatten()
}

impl WebOrigin {
    /// `None` for `null`, and for what has a user, a path or a port that is none.
    fn parse(text: &str) -> Option<Self> {
        let (_, authority) = text.split_once("://")?;
        if authority.contains(['/', '?', '#', '@', '\\']) {
            return None;
        }
        // The http crate checks the syntax of scheme and host; but it lets text stand between a
        // bracket and a port, and a sign before digits.
        let uri: Uri = text.parse().ok()?;
        let (scheme, host) = (uri.scheme_str()?.to_ascii_lowercase(), uri.host()?);
        let port = match authority.get(host.len()..)? {
            "" => None,
            port => Some(number(port.strip_prefix(':')?)?),
        };
        let host = host.to_ascii_lowercase();
        Some(Self(match (scheme.as_str(), port) {
            (_, None) | ("http", Some(80)) | ("https", Some(443)) => format!("{scheme}://{host}"),
            (_, Some(port)) => format!("{scheme}://{host}:{port}"),
        }))
    }

    fn is_loopback(&self) -> bool {
        Web::parse(&self.0).is_some_and(|web| web.is_loopback())
    }
}

/// The pages that may call.
#[derive(Debug)]
pub(crate) struct Origins {
    allowed: HashSet<WebOrigin>,
    /// Also those of this very machine.
    loopback: bool,
}

impl Origins {
    /// Those of the server itself.
    pub(crate) fn of(resource: &str) -> Self {
        let own = WebOrigin::parse(resource);
        let loopback = own.as_ref().is_some_and(WebOrigin::is_loopback);
        Self { allowed: own.into_iter().collect(), loopback }
    }

    /// `false` where the text is no origin.
    #[must_use]
    pub(crate) fn allow(&mut self, origin: &str) -> bool {
        let origin = WebOrigin::parse(origin);
        let is_one = origin.is_some();
        self.allowed.extend(origin);
        is_one
    }

    /// A request without the field comes from no page.
    fn accept(&self, headers: &HeaderMap) -> bool {
        match field::single(headers, &header::ORIGIN) {
            Ok(None) => true,
            Ok(Some(origin)) => {
                let origin = origin.to_str().ok().and_then(WebOrigin::parse);
                origin.is_some_and(|origin| self.know(&origin))
            }
            Err(Repeated) => false,
        }
    }

    fn know(&self, origin: &WebOrigin) -> bool {
        self.allowed.contains(origin) || self.loopback && origin.is_loopback()
    }
}

/// Calls the inner service for requests that come from no web page, or from one that may call;
/// answers the others 403, whatever token they carry.
#[derive(Clone, Debug)]
pub struct OriginCheck<S> {
    inner: S,
    settings: Arc<Settings>,
    demand: Arc<Demand>,
}

impl<S> OriginCheck<S> {
    pub(super) fn new(inner: S, settings: &Arc<Settings>) -> Self {
        let demand = Arc::new(Demand::default().kept());
        Self { inner, settings: Arc::clone(settings), demand }
    }

    fn check<B>(&self, request: &Request<B>) -> Result<(), Rejection> {
        let kind = match &self.settings.mcp {
            None => RejectionKind::InvalidRequirement,
            Some(transport) if transport.origins.accept(request.headers()) => return Ok(()),
            Some(_) => RejectionKind::InvalidOrigin,
        };
        Err(fault(kind, &self.settings, &self.demand, request))
    }
}

impl<S, B, R> Service<Request<B>> for OriginCheck<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: Body<Data = Bytes>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = RequireFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        RequireFuture::start(self.check(&request), &mut self.inner, request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Option<String> {
        WebOrigin::parse(text).map(|origin| origin.0)
    }

    #[test]
    fn an_origin_has_one_form() {
        for text in ["https://a.example", "HTTPS://A.Example", "https://a.example:443"] {
            assert_eq!(form(text).as_deref(), Some("https://a.example"), "{text}");
        }
        for text in ["http://a.example:8080", "http://[::1]:3000", "chrome-extension://abc"] {
            assert_eq!(form(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_no_origin() {
        let texts = [
            "",
            "null",
            "a.example",
            "https://",
            "https://a/",
            "https://a?",
            "https://a#",
            "https://u@a",
            "https://u:p@a",
            "https://a:",
            "https://a:0x1",
            "https://a:99999",
            "https://a b",
            "https:///",
            "https://a\\b",
            "https://é.example",
            "https://a,https://b",
            " https://a",
            "https://a ",
            "//a",
            "https://[::1",
            "https://a:1:2",
            "http://[::1]evil",
            "http://[::1]evil:80",
            "http://[::1].evil.example:80",
            "http://[::1]:80evil",
            "http://localhost:+80",
        ];
        for text in texts {
            assert_eq!(form(text), None, "{text}");
        }
    }
}
