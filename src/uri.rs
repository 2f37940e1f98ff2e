//! The URIs of a configuration.

use http::Uri;

/// An absolute URI with an authority, as written and taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Web<'a> {
    pub(crate) scheme: &'a str,
    /// Host and port.
    pub(crate) authority: &'a str,
    /// Path and query, empty where there are none.
    pub(crate) rest: &'a str,
    pub(crate) fragment: bool,
}

impl<'a> Web<'a> {
    /// `None` unless it is `http` or `https` with a host, in characters a URI may have.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (scheme, after) = text.split_once("://")?;
        if !matches!(scheme, "http" | "https") || !is_uri_text(text) {
            return None;
        }
        let (before_fragment, fragment) = match after.split_once('#') {
            Some((before, _)) => (before, true),
            None => (after, false),
        };
        let end = before_fragment.find(['/', '?']).unwrap_or(before_fragment.len());
        let (authority, rest) = before_fragment.split_at(end);
        let (host, port) = split_port(authority);
        let sane = !host.is_empty() && !host.contains('@') && port.parse::<u16>().is_ok();
        sane.then_some(())?;
        // The http crate checks the syntax of host and path.
        format!("{scheme}://{before_fragment}").parse::<Uri>().ok()?;
        Some(Self { scheme, authority, rest, fragment })
    }

    pub(crate) fn has_query(&self) -> bool {
        self.rest.contains('?')
    }

    /// `localhost`, 127.0.0.0/8 or ::1.
    pub(crate) fn is_loopback(&self) -> bool {
        let (host, _) = split_port(self.authority);
        let address = host.trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost")
            || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// https, or http to this very machine (OAuth 2.1 §1.5).
    pub(crate) fn is_protected(&self) -> bool {
        self.scheme == "https" || self.is_loopback()
    }
}

/// Why a URL is not one to fetch from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unfetchable {
    NotAbsolute,
    PlainHttp,
    PlainLoopback,
    Fragment,
}

impl Unfetchable {
    pub(crate) const fn problem(self) -> &'static str {
        match self {
            Self::NotAbsolute => "is not an absolute https URL",
            Self::PlainHttp => "is plain http to a host that is not loopback",
            Self::PlainLoopback => "is plain http on loopback",
            Self::Fragment => "has a fragment",
        }
    }
}

/// A URL to fetch from: https, or http on loopback where that is allowed, without fragment.
pub(crate) fn fetchable(text: &str, plain_loopback: bool) -> Result<Uri, Unfetchable> {
    let web = Web::parse(text).ok_or(Unfetchable::NotAbsolute)?;
    match web.scheme {
        _ if !web.is_protected() => Err(Unfetchable::PlainHttp),
        "http" if !plain_loopback => Err(Unfetchable::PlainLoopback),
        _ if web.fragment => Err(Unfetchable::Fragment),
        _ => text.parse().map_err(|_| Unfetchable::NotAbsolute),
    }
}

/// Host and port; a port of no digits counts as 0. A colon within brackets is part of the host.
fn split_port(authority: &str) -> (&str, &str) {
    match authority.rsplit_once(':') {
        Some((host, "")) => (host, "0"),
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (authority, "0"),
    }
}

/// An absolute URI of any scheme, `urn:` and such included.
pub(crate) fn is_absolute(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let mut letters = scheme.bytes();
    let starts = letters.next().is_some_and(|byte| byte.is_ascii_alphabetic());
    let goes_on = letters.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    starts && goes_on && !rest.is_empty() && is_uri_text(text)
}

fn is_uri_text(text: &str) -> bool {
    crate::charset::is_uri_text(text) && !text.contains(['<', '>', '^', '`', '{', '|', '}'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_known_in_all_its_forms() {
        for uri in
            ["http://localhost:8080/x", "http://127.9.9.9", "http://[::1]:80/", "http://LOCALHOST"]
        {
            assert!(Web::parse(uri).is_some_and(|uri| uri.is_loopback()), "{uri}");
        }
        for uri in ["http://localhost.example.com", "http://128.0.0.1", "http://[::2]:80/"] {
            assert!(Web::parse(uri).is_some_and(|uri| !uri.is_loopback()), "{uri}");
        }
    }

    #[test]
    fn what_is_no_web_uri_is_refused() {
        for uri in [
            "",
            "https://",
            "https:///x",
            "ftp://h",
            "https://u@h",
            "https://h/a b",
            "/x",
            "https://h:x",
            "https://h:99999",
            "https://:1",
        ] {
            assert!(Web::parse(uri).is_none(), "{uri}");
        }
    }

    #[test]
    fn fetches_are_https_or_allowed_loopback() {
        for (text, alone, allowed) in [
            ("https://h/jwks?x=1", None, None),
            ("https://h/jwks#x", Some(Unfetchable::Fragment), Some(Unfetchable::Fragment)),
            ("http://127.0.0.1:1/", Some(Unfetchable::PlainLoopback), None),
            ("http://10.0.0.1/", Some(Unfetchable::PlainHttp), Some(Unfetchable::PlainHttp)),
            ("/jwks", Some(Unfetchable::NotAbsolute), Some(Unfetchable::NotAbsolute)),
        ] {
            assert_eq!(fetchable(text, false).err(), alone, "{text}");
            assert_eq!(fetchable(text, true).err(), allowed, "{text}");
        }
    }

    #[test]
    fn absolute_uris_need_no_authority() {
        for uri in ["urn:example:api", "api://guid", "https://h"] {
            assert!(is_absolute(uri), "{uri}");
        }
        for uri in ["", "api", "/x", ":x", "1a:x", "urn:", "urn:a b", "urn:a\"b"] {
            assert!(!is_absolute(uri), "{uri}");
        }
    }
}
