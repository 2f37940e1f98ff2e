//! What becomes of the inner service's response: nothing, unless caches could misuse it.
//!
//! RFC 9111 §3.5 forbids shared caches to store the answer to a request with an `Authorization`
//! field, unless the answer says `public`, `s-maxage` or `must-revalidate`. A handler that was
//! written before there was any authentication may well say so; then one caller's data is served to
//! another. Whether that is a mistake cannot be told from here, hence a warning by default and a
//! rewrite on demand.

use http::header::{CACHE_CONTROL, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use http_body::Body;

use super::ResponseBody;
use super::expiry::Expiry;
use crate::cache_control;
use crate::config::{CachePolicy, SharedCaching};
use crate::cors::{self, DPOP_NONCE};

/// How the response to an accepted request is treated.
#[derive(Debug)]
pub(super) struct Reshape {
    pub(super) caching: CachePolicy,
    /// The request's token was checked, or would have been if there had been one.
    pub(super) varies: bool,
    /// The scheme DPoP is accepted.
    pub(super) accepts_proofs: bool,
    pub(super) authenticated: bool,
    /// The request came from a web page that may read our header fields, and these.
    pub(super) exposes: Option<&'static [HeaderName]>,
    /// The nonce for the client's next proofs.
    pub(super) nonce: Option<HeaderValue>,
    /// When a stream ends that is not to outlive its token.
    pub(super) expiry: Option<Box<Expiry>>,
}

impl Reshape {
    pub(super) fn apply<R: Body>(&mut self, response: Response<R>) -> Response<ResponseBody<R>> {
        let mut response = response.map(|body| self.body(body));
        let headers = response.headers_mut();
        if self.varies {
            vary_by(headers, "authorization");
        }
        if self.varies && self.accepts_proofs {
            vary_by(headers, "dpop");
        }
        if self.authenticated {
            self.guard_caching(headers);
        }
        settle_nonce(headers, self.nonce.take());
        if let Some(more) = self.exposes {
            cors::expose(headers, more);
        }
        response
    }

    /// Only what streams may last: a body of a known size is on its way already.
    fn body<R: Body>(&mut self, body: R) -> ResponseBody<R> {
        match self.expiry.take() {
            Some(expiry) if body.size_hint().exact().is_none() => {
                ResponseBody::expiring(body, expiry)
            }
            _ => ResponseBody::inner(body),
        }
    }

    /// RFC 9111 §3.5: a shared cache keeps such a response only if the handler allows it.
    fn guard_caching(&self, headers: &mut HeaderMap) {
        if !headers.contains_key(CACHE_CONTROL) {
            if self.caching.default_no_store {
                headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            }
            return;
        }
        if allows_shared_caching(headers) {
            match self.caching.shared {
                SharedCaching::Warn => warn(),
                SharedCaching::Rewrite => {
                    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private"));
                }
            }
        }
    }
}

/// The directives of RFC 9111 §3.5, unless others forbid what they allow.
fn allows_shared_caching(headers: &HeaderMap) -> bool {
    let has = |name| cache_control::has(headers, name);
    let has_s_maxage = || {
        let mut names = cache_control::directives(headers).filter_map(|d| d.split('=').next());
        names.any(|name| name.trim().eq_ignore_ascii_case("s-maxage"))
    };
    let forbidden = has("private") || has("no-store");
    let revalidated = || has("must-revalidate") && !has("no-cache");
    !forbidden && (has("public") || has_s_maxage() || revalidated())
}

fn warn() {
    tracing::warn!(
        target: "tower_resource_server::caching",
        "a handler lets shared caches keep the response to an authenticated request"
    );
}

/// Merged with what the handler set; `*` says as much already (RFC 9110 §12.5.5).
fn vary_by(headers: &mut HeaderMap, field: &'static str) {
    let lines = headers.get_all(VARY).iter().filter_map(|line| line.to_str().ok());
    let named = lines.flat_map(|line| line.split(',')).any(|name| {
        let name = name.trim();
        name == "*" || name.eq_ignore_ascii_case(field)
    });
    if !named {
        headers.append(VARY, HeaderValue::from_static(field));
    }
}

/// One nonce at most (RFC 9449 §8): ours, else the first of the handler's. A response that brings
/// one is not to be stored at all (§8.2), whatever the handler said; `private` would not do, since
/// the client's own cache must not keep it either.
fn settle_nonce(headers: &mut HeaderMap, ours: Option<HeaderValue>) {
    if let Some(nonce) = ours.or_else(|| headers.get(DPOP_NONCE).cloned()) {
        headers.insert(DPOP_NONCE, nonce);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
