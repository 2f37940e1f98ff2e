//! The URI of a proof taken apart, so that one part of it can be wrong.

/// An `htu`: absolute, without query and fragment (RFC 9449 §4.2).
pub(super) struct Target<'a> {
    scheme: &'a str,
    authority: &'a str,
    /// With its slash; `/` where the URI ends after the authority.
    path: &'a str,
}

impl<'a> Target<'a> {
    /// What is missing becomes that of `https://api.example.com/`.
    pub(super) fn parse(uri: &'a str) -> Self {
        let (scheme, rest) = uri.split_once("://").unwrap_or(("https", uri));
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let authority = if authority.is_empty() { "api.example.com" } else { authority };
        Self { scheme, authority, path: if path.is_empty() { "/" } else { path } }
    }

    pub(super) fn other_scheme(&self) -> String {
        let scheme = if self.scheme == "http" { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority, self.path)
    }

    pub(super) fn other_host(&self) -> String {
        self.with_authority("attacker.example")
    }

    pub(super) fn other_port(&self) -> String {
        let (host, port) = match self.authority.rsplit_once(':') {
            // A colon within brackets is part of the host.
            Some((host, port)) if !port.contains(']') => (host, port),
            _ => (self.authority, ""),
        };
        let port = if port == "8443" { "9443" } else { "8443" };
        self.with_authority(&format!("{host}:{port}"))
    }

    pub(super) fn userinfo(&self) -> String {
        self.with_authority(&format!("user@{}", self.authority))
    }

    /// One letter of the path in its other case, or one more where the path has none.
    pub(super) fn other_path_case(&self) -> String {
        let Some(at) = last_letter(self.path) else { return self.followed_by("x") };
        let mut path = self.path.as_bytes().to_vec();
        path[at] ^= 0x20;
        self.with_path(&String::from_utf8_lossy(&path))
    }

    pub(super) fn followed_by(&self, text: &str) -> String {
        self.with_path(&format!("{}{text}", self.path))
    }

    pub(super) fn relative(&self) -> String {
        self.path.to_owned()
    }

    fn with_authority(&self, authority: &str) -> String {
        format!("{}://{authority}{}", self.scheme, self.path)
    }

    fn with_path(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.authority)
    }
}

/// The URI up to its query and fragment.
pub(super) fn without_query(uri: &str) -> &str {
    uri.split(['?', '#']).next().unwrap_or_default()
}

/// Where the last ASCII letter is that does not belong to a percent-escape, whose case means
/// nothing (RFC 3986 §6.2.2.1).
fn last_letter(path: &str) -> Option<usize> {
    let bytes = path.as_bytes();
    let escaped = |at: usize| bytes[at.saturating_sub(2)..at].contains(&b'%');
    (0..bytes.len()).rev().find(|&at| bytes[at].is_ascii_alphabetic() && !escaped(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_part_changes() {
        let target = Target::parse("https://api.example.com/r");
        assert_eq!(target.other_scheme(), "http://api.example.com/r");
        assert_eq!(target.other_host(), "https://attacker.example/r");
        assert_eq!(target.other_port(), "https://api.example.com:8443/r");
        assert_eq!(target.userinfo(), "https://user@api.example.com/r");
        assert_eq!(target.other_path_case(), "https://api.example.com/R");
        assert_eq!(target.followed_by("/"), "https://api.example.com/r/");
        assert_eq!(target.relative(), "/r");
    }

    #[test]
    fn the_root_has_a_path() {
        for root in ["https://api.example.com", "https://api.example.com/"] {
            // One slash alone would be the root again, by normalization.
            assert_eq!(Target::parse(root).followed_by("/"), "https://api.example.com//");
            assert_eq!(Target::parse(root).other_path_case(), "https://api.example.com/x");
            assert_eq!(Target::parse(root).relative(), "/");
        }
        assert_eq!(Target::parse("").other_port(), "https://api.example.com:8443/");
    }

    #[test]
    fn ports_and_schemes_differ_from_what_they_were() {
        let other = |uri| (Target::parse(uri).other_port(), Target::parse(uri).other_scheme());
        assert_eq!(other("http://h:8443/"), ("http://h:9443/".into(), "https://h:8443/".into()));
        assert_eq!(other("http://[::1]/"), ("http://[::1]:8443/".into(), "https://[::1]/".into()));
        assert_eq!(other("http://[::1]:1/").0, "http://[::1]:8443/");
    }

    #[test]
    fn the_case_of_escapes_is_left() {
        assert_eq!(Target::parse("https://h/r%c3%a9").other_path_case(), "https://h/R%c3%a9");
        assert_eq!(Target::parse("https://h/%aa").other_path_case(), "https://h/%aax");
        assert_eq!(Target::parse("https://h/é").other_path_case(), "https://h/éx");
    }

    #[test]
    fn query_and_fragment_go() {
        assert_eq!(without_query("https://h/r?q=1#f"), "https://h/r");
        assert_eq!(without_query("https://h/r#f?q"), "https://h/r");
    }
}
