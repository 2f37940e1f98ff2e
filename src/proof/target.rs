//! The URI that a request was sent to, as its sender wrote it (RFC 9449 §4.3, check 9).
//!
//! It is put together from what the server is configured to be called and from the path of the
//! request. Neither `Host` nor `:authority` has a part in it: a client can write there what it
//! likes, such as the name of a server for which it, or a thief, holds proofs. Forwarding fields
//! count only when a trusted proxy sent them.

use std::borrow::Cow;

use super::htu;
use super::proxy::{Proxies, Report};
use crate::credentials::RequestHead;

/// What clients call the server.
#[derive(Debug)]
pub(crate) struct PublicUrl {
    scheme: String,
    authority: String,
    origin: String,
    prefix: String,
    proxies: Option<Proxies>,
}

impl PublicUrl {
    /// `base` is an absolute http(s) URI. What path it has stands before that of every request,
    /// as with a proxy that takes it off; a slash at its end is dropped.
    ///
    /// `None` for anything else, and for a query or fragment.
    pub(crate) fn new(base: &str, proxies: Option<Proxies>) -> Option<Self> {
        let normal = htu::normalize(base)?;
        let (scheme, authority, path) = htu::split(&normal)?;
        let prefix = path.strip_suffix('/').unwrap_or(path);
        Some(Self {
            scheme: scheme.to_owned(),
            authority: authority.to_owned(),
            origin: format!("{scheme}://{authority}"),
            prefix: prefix.to_owned(),
            proxies,
        })
    }

    /// The target of a request. `path` is that of the request line, from before any router took a
    /// prefix off.
    pub(crate) fn target<'a>(&'a self, head: &RequestHead<'a>, path: &'a str) -> Target<'a> {
        let report = match &self.proxies {
            Some(proxies) => proxies.report(head),
            None => Some(Report::default()),
        };
        Target(report.and_then(|report| self.called(&report, path)))
    }

    fn called<'a>(&'a self, report: &Report<'a>, path: &'a str) -> Option<Called<'a>> {
        // RFC 9110 §7.1: the asterisk stands for no path at all.
        let path = if path == "*" { "" } else { path };
        let is_path = path.is_empty() || path.starts_with('/');
        let prefix = report.prefix.unwrap_or(&self.prefix);
        is_path.then_some(Called { origin: self.origin(report)?, prefix, path })
    }

    fn origin<'a>(&'a self, report: &Report<'a>) -> Option<Cow<'a, str>> {
        let scheme = report.scheme.as_deref().unwrap_or(&self.scheme);
        let authority = report.authority.as_deref().unwrap_or(&self.authority);
        if scheme == self.scheme && authority == self.authority {
            return Some(Cow::Borrowed(&self.origin));
        }
        htu::origin(scheme, authority).map(Cow::Owned)
    }
}

/// The URI that was called, without its query.
#[derive(Debug)]
pub(crate) struct Target<'a>(Option<Called<'a>>);

#[derive(Debug)]
struct Called<'a> {
    /// In normal form.
    origin: Cow<'a, str>,
    prefix: &'a str,
    path: &'a str,
}

impl Target<'_> {
    /// The normal form of `htu`, without query and fragment, if it is this URI.
    ///
    /// `None` when it is another, or no absolute http(s) URI at all; and always when the URI that
    /// was called is not known, because its path is broken or a trusted proxy sent what cannot be
    /// read.
    pub(crate) fn matches<'h>(&self, htu: &'h str) -> Option<Cow<'h, str>> {
        let called = self.0.as_ref()?;
        let (uri, rest) = htu::split_query(htu);
        if !htu::is_sound(rest) {
            return None;
        }
        if called.is_written(uri) {
            return Some(Cow::Borrowed(uri));
        }
        let normal = htu::normalize(uri)?;
        (normal == called.normal()?).then_some(Cow::Owned(normal))
    }
}

impl Called<'_> {
    /// Whether it is `uri` byte for byte, and that is the normal form: no need to allocate.
    fn is_written(&self, uri: &str) -> bool {
        let path = uri.strip_prefix(&*self.origin);
        path.is_some_and(|path| {
            path.starts_with('/')
                && path.strip_prefix(self.prefix) == Some(self.path)
                && htu::is_plain(path)
        })
    }

    /// Dot segments of the path lead no higher than the prefix: above it are other services.
    fn normal(&self) -> Option<String> {
        let path = if self.path.is_empty() { String::new() } else { htu::path(self.path)? };
        let path = htu::path(&[self.prefix, &path].concat())?;
        Some([&*self.origin, &path].concat())
    }
}

#[cfg(test)]
#[path = "target_tests.rs"]
mod tests;
