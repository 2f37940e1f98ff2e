//! Issuers that are found while the server runs.

use std::fmt::{self, Debug};
use std::pin::Pin;

use super::{Fault, Issuer};
use crate::uri::Web;

/// Which issuers an [`IssuerResolver`] may be asked about.
///
/// A token names its issuer itself, and until that issuer is known nothing of the token can be
/// believed. So nobody is asked about a name that is not allowed here; such a token is refused as
/// `untrusted-issuer`, without any look-up.
///
/// ```
/// use tower_resource_server::AllowedIssuers;
///
/// let allowed = AllowedIssuers::exact(["https://as.example.com"])
///     .and_below("https://login.example.com/realms/"); // one more segment, such as `blue`
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[must_use]
pub struct AllowedIssuers {
    exact: Vec<String>,
    below: Vec<(String, String)>,
}

/// The longest last segment of an identifier, in bytes.
const LONGEST_SEGMENT: usize = 128;

impl AllowedIssuers {
    /// These identifiers, compared byte for byte. The metadata document lists them.
    pub fn exact<S: Into<String>>(identifiers: impl IntoIterator<Item = S>) -> Self {
        Self { exact: identifiers.into_iter().map(Into::into).collect(), below: Vec::new() }
    }

    /// Every identifier that is `prefix` and one more path segment: a realm, a tenant.
    pub fn below(prefix: impl Into<String>) -> Self {
        Self::default().and_below(prefix)
    }

    /// Also every identifier that is `prefix` and one more path segment.
    ///
    /// The prefix is an https URL that ends with a slash after the host. The segment has letters,
    /// digits, `-`, `.`, `_` and `~`, 128 at most, and is neither `.` nor `..`.
    pub fn and_below(self, prefix: impl Into<String>) -> Self {
        self.and_between(prefix, "")
    }

    /// Also every identifier that is `prefix`, one path segment and `suffix`, as in
    /// `https://login.example.com/{tenant}/v2.0`. The suffix is empty or begins with a slash.
    pub fn and_between(mut self, prefix: impl Into<String>, suffix: impl Into<String>) -> Self {
        self.below.push((prefix.into(), suffix.into()));
        self
    }

    pub(crate) fn allows(&self, identifier: &str) -> bool {
        self.exact.iter().any(|exact| exact == identifier)
            || self.below.iter().any(|(prefix, suffix)| {
                let rest = identifier.strip_prefix(prefix.as_str());
                rest.and_then(|rest| rest.strip_suffix(suffix.as_str())).is_some_and(is_segment)
            })
    }

    /// The identifiers that are named whole.
    pub(crate) fn named(&self) -> &[String] {
        &self.exact
    }

    pub(super) fn check(&self, faults: &mut Vec<Fault>) {
        if self.exact.is_empty() && self.below.is_empty() {
            let mend = "name identifiers, or a prefix with AllowedIssuers::below";
            faults.push(Fault::new("resolve_issuers", "no issuer is allowed", mend));
        }
        for (prefix, suffix) in &self.below {
            let whole = Web::parse(prefix).is_some_and(|uri| {
                uri.is_protected() && !uri.fragment && !uri.has_query() && uri.rest.ends_with('/')
            });
            if !whole {
                let problem = format!("{prefix:?} is not an https URL that ends with a slash");
                let mend = "use all of the identifier up to the part that differs";
                faults.push(Fault::new("resolve_issuers", problem, mend));
            }
            let tail = suffix.is_empty() || suffix.starts_with('/') && !suffix.contains(['?', '#']);
            if !tail {
                let problem = format!("{suffix:?} does not begin with a slash");
                let mend = "use all of the identifier after the part that differs";
                faults.push(Fault::new("resolve_issuers", problem, mend));
            }
        }
    }
}

fn is_segment(text: &str) -> bool {
    (1..=LONGEST_SEGMENT).contains(&text.len())
        && !matches!(text, "." | "..")
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// It cannot be said whether an issuer is to be trusted. The fault is not the client's, so the
/// answer is a 503.
///
/// The text of its source goes into the log, so it should hold no secrets.
#[derive(Debug)]
pub struct ResolveError(Box<dyn std::error::Error + Send + Sync>);

impl ResolveError {
    /// A failure and what caused it.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it cannot be said whether the issuer is to be trusted")
    }
}

impl std::error::Error for ResolveError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

/// What an [`IssuerResolver`] resolves to: the issuer to trust, or none.
pub type ResolveFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Option<Issuer>, ResolveError>> + Send + 'a>>;

/// Finds issuers while the server runs: tenants in a database, realms that come and go.
///
/// Given to a server with [`Builder::resolve_issuers`](crate::Builder::resolve_issuers), together
/// with the [`AllowedIssuers`] it may be asked about.
///
/// # When it is asked
///
/// When a token names an issuer that is allowed and not known, or one that was looked up ten minutes
/// ago. Whoever comes meanwhile waits for the same answer; a known issuer goes on being used while
/// it is looked up again. It is asked about ten names a second at most, since the names come from
/// strangers, and for as long as a fetch may take; about known issuers, as often besides, and about
/// each of those once a second.
///
/// # What its answers mean
///
/// - An [`Issuer`] of that very identifier: it is trusted, with the keys, algorithms, audiences and
///   profile it says. If it was known and has not changed, its keys stay as they are.
/// - `None`: it is not trusted. That holds for a minute. Tokens of it that were verified before count
///   no longer.
/// - An error: 503 for tokens of an unknown issuer. A known one stays trusted for a day.
///
/// A thousand issuers are kept at most; of more, those used least recently are looked up again.
/// Introspection is for issuers of the configuration alone.
///
/// ```
/// use tower_resource_server::{Issuer, IssuerResolver, ResolveFuture};
///
/// /// Realms of one host, each with a key set of its own.
/// #[derive(Debug)]
/// struct Realms(std::collections::HashSet<String>);
///
/// impl IssuerResolver for Realms {
///     fn resolve<'a>(&'a self, identifier: &'a str) -> ResolveFuture<'a> {
///         Box::pin(async move {
///             // Most often a look into a database.
///             let known = self.0.contains(identifier);
///             Ok(known.then(|| Issuer::jwks_uri(identifier, format!("{identifier}/keys"))))
///         })
///     }
/// }
/// ```
pub trait IssuerResolver: Debug + Send + Sync + 'static {
    /// Looks an issuer up by its identifier, which is one of those allowed.
    fn resolve<'a>(&'a self, identifier: &'a str) -> ResolveFuture<'a>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_segment_and_no_more_is_allowed_below_a_prefix() {
        let allowed = AllowedIssuers::exact(["https://as.example.com/"])
            .and_below("https://kc.example.com/realms/")
            .and_between("https://login.example.com/", "/v2.0");
        for identifier in [
            "https://as.example.com/",
            "https://kc.example.com/realms/blue",
            "https://kc.example.com/realms/Blue-1.0_~",
            "https://login.example.com/0b1e/v2.0",
        ] {
            assert!(allowed.allows(identifier), "{identifier}");
        }
        for identifier in [
            "https://as.example.com",
            "https://kc.example.com/realms/",
            "https://kc.example.com/realms/..",
            "https://kc.example.com/realms/a/b",
            "https://kc.example.com/realms/a?b",
            "https://kc.example.com/realms/a%2fb",
            "https://kc.example.com/realms/a@evil.example",
            "https://kc.example.com.evil.example/realms/blue",
            "https://login.example.com//v2.0",
            "https://login.example.com/a/b/v2.0",
            "https://login.example.com/a/v2.0/",
            &format!("https://kc.example.com/realms/{}", "a".repeat(129)),
        ] {
            assert!(!allowed.allows(identifier), "{identifier}");
        }
    }

    #[test]
    fn prefixes_that_could_end_within_a_host_are_faults() {
        for (prefix, suffix, expected) in [
            ("https://as.example.com/", "", 0),
            ("https://as.example.com/realms/", "/v2.0", 0),
            ("https://as.example.com", "", 1),
            ("https://as.example.com/realms", "", 1),
            ("http://as.example.com/", "", 1),
            ("https://", "v2.0", 2),
            ("https://as.example.com/?x=/", "/a?b", 2),
        ] {
            let mut faults = Vec::new();
            AllowedIssuers::default().and_between(prefix, suffix).check(&mut faults);
            assert_eq!(faults.len(), expected, "{prefix} {suffix}");
        }
    }
}
