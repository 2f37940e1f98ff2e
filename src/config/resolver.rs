//! Issuers that are found while the server runs.

use std::collections::HashSet;
use std::fmt::{self, Debug};
use std::pin::Pin;

use super::trust::check_identifier;
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
///
/// # Checked when the server is built
///
/// - Something is allowed.
/// - An identifier is https, or http on loopback, without query and fragment (RFC 8414 §2).
/// - A prefix and a suffix are as [`and_below`](Self::and_below) and
///   [`and_between`](Self::and_between) say.
/// - Both bounds are within their limits.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub struct AllowedIssuers {
    exact: Vec<String>,
    /// The same, to be found at once.
    named: HashSet<String>,
    below: Vec<(String, String)>,
    pub(crate) lookups_a_second: u32,
    pub(crate) capacity: usize,
}

/// The longest last segment of an identifier, in bytes.
const LONGEST_SEGMENT: usize = 128;
const MAX_LOOKUPS_A_SECOND: u32 = 1000;
const MAX_CAPACITY: usize = 100_000;

/// How an identifier is allowed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Allowed {
    /// Named whole, so that nobody adds to such names.
    Named,
    /// Below a prefix, where anybody can invent names.
    Below,
}

impl Default for AllowedIssuers {
    fn default() -> Self {
        let (exact, named, below) = (Vec::new(), HashSet::new(), Vec::new());
        Self { exact, named, below, lookups_a_second: 10, capacity: 1000 }
    }
}

impl AllowedIssuers {
    /// These identifiers, compared byte for byte. The metadata document lists them.
    ///
    /// Look-ups of them have a pace of their own, which names that strangers invent below a prefix
    /// cannot take.
    pub fn exact<S: Into<String>>(identifiers: impl IntoIterator<Item = S>) -> Self {
        let exact: Vec<String> = identifiers.into_iter().map(Into::into).collect();
        Self { named: exact.iter().cloned().collect(), exact, ..Self::default() }
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

    /// How many look-ups may be begun in a second that bring no issuer, from 1 to 1,000: of names
    /// that are allowed whole, of names below a prefix, and of known issuers that have aged, so many
    /// each.
    ///
    /// Default 10. A look-up that brings an issuer gives its place back as soon as it ends, unless at
    /// most a hundredth of [`max_issuers`](Self::max_issuers) is still free; so a server that was just
    /// started gets to know all its tenants without delay. Tokens of unknown issuers beyond that are
    /// answered 503, `issuer-unavailable`. Set what the database behind the resolver bears of questions that
    /// strangers ask.
    pub const fn max_lookups_per_second(mut self, lookups: u32) -> Self {
        self.lookups_a_second = lookups;
        self
    }

    /// How many issuers are kept, from 1 to 100,000.
    ///
    /// Default 1,000. Of more, the hundredth part that was used longest ago is forgotten: those are
    /// looked up again when they come back, their keys are fetched again, and their tokens verified
    /// again. So allow for all that are in use at a time.
    pub const fn max_issuers(mut self, issuers: usize) -> Self {
        self.capacity = issuers;
        self
    }

    /// How an identifier is allowed, if it is.
    pub(crate) fn allows(&self, identifier: &str) -> Option<Allowed> {
        if self.named.contains(identifier) {
            return Some(Allowed::Named);
        }
        let mut below = self.below.iter();
        let fits = below.any(|(prefix, suffix)| {
            let rest = identifier.strip_prefix(prefix.as_str());
            rest.and_then(|rest| rest.strip_suffix(suffix.as_str())).is_some_and(is_segment)
        });
        fits.then_some(Allowed::Below)
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
        for identifier in &self.exact {
            check_identifier("resolve_issuers", identifier, faults);
        }
        self.check_prefixes(faults);
        self.check_bounds(faults);
    }

    fn check_bounds(&self, faults: &mut Vec<Fault>) {
        if !(1..=MAX_LOOKUPS_A_SECOND).contains(&self.lookups_a_second) {
            let problem = "look-ups a second not from 1 to 1000";
            faults.push(Fault::new("resolve_issuers", problem, "use 10"));
        }
        if !(1..=MAX_CAPACITY).contains(&self.capacity) {
            let problem = "issuers that are kept not from 1 to 100000";
            faults.push(Fault::new("resolve_issuers", problem, "use 1000"));
        }
    }

    fn check_prefixes(&self, faults: &mut Vec<Fault>) {
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
/// it is looked up again. A look-up takes as long as a fetch may, 16 of a kind run at a time, and
/// since names come from strangers, those that bring no issuer have a
/// [pace](AllowedIssuers::max_lookups_per_second). After one that failed, that name is not asked
/// about for a second.
///
/// # What its answers mean
///
/// - An [`Issuer`] of that very identifier: it is trusted, with the keys, algorithms, audiences and
///   profile it says. If it was known, its keys stay as they are, unless it gets them from elsewhere
///   or accepts other algorithms.
/// - `None`: it is not trusted. That holds for a minute. Tokens of it that were verified before count
///   no longer.
/// - An error: 503 for tokens of an unknown issuer. A known one stays trusted for a day.
///
/// A [number](AllowedIssuers::max_issuers) of issuers is kept; of more, those used least recently are
/// looked up again. Introspection is for issuers of the configuration alone.
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
            assert!(allowed.allows(identifier).is_some(), "{identifier}");
        }
        assert_eq!(allowed.allows("https://as.example.com/"), Some(Allowed::Named));
        assert_eq!(allowed.allows("https://kc.example.com/realms/blue"), Some(Allowed::Below));
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
            assert_eq!(allowed.allows(identifier), None, "{identifier}");
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
