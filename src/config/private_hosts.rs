//! Hosts that may be at private addresses.

use std::collections::HashSet;

use super::{Builder, Fault};
use crate::fetch::{Reach, canonical_host, ip_literal, is_localhost};

impl Builder {
    /// The hosts in their canonical form.
    pub(super) fn checked_private_hosts(&self, faults: &mut Vec<Fault>) -> HashSet<String> {
        for host in &self.private_hosts {
            if let Err((problem, mend)) = check(host) {
                faults.push(Fault::new("allow_private_hosts", format!("{host:?} {problem}"), mend));
            }
        }
        self.private_hosts.iter().map(|host| canonical_host(host)).collect()
    }
}

fn check(host: &str) -> Result<(), (&'static str, &'static str)> {
    let loopback = ("is loopback", "call allow_loopback(), in development only");
    match ip_literal(host).map(Reach::of) {
        Some(Reach::Private) => Ok(()),
        Some(Reach::Loopback) => Err(loopback),
        Some(Reach::Public) => Err(("is a public address", "leave it out: it needs no leave")),
        Some(Reach::Never) => Err((
            "is a link-local or reserved address",
            "leave it out: the embedded client never connects to one",
        )),
        None if is_localhost(host) => Err(loopback),
        None if is_name(host) => Ok(()),
        None => Err((
            "is not a host",
            "give the name or address alone: no scheme, port, path or wildcard",
        )),
    }
}

/// Labels of letters, digits, hyphens and underscores. An address that is misspelt, such as
/// `10.0.0`, is none: a name does not end in a label of digits alone (RFC 1123 §2.1).
fn is_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    host.len() <= 253
        && host.split('.').all(label)
        && !last.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_a_private_address() {
        for host in
            ["keycloak", "AS.internal.", "as-1.svc_x.cluster.local", "10.0.0.1", "[fd00::1]"]
        {
            assert_eq!(check(host), Ok(()), "{host}");
        }
        for host in [
            "",
            ".",
            "a..b",
            "*.internal",
            "https://as.internal",
            "as.internal:8443",
            "as.internal/path",
            "10.0.0",
            "10.0.0.0/8",
            "10.0.0.1:443",
            "as internal",
            "[as]",
        ] {
            assert_eq!(check(host).map_err(|(problem, _)| problem), Err("is not a host"), "{host}");
        }
        for (host, problem) in [
            ("localhost", "is loopback"),
            ("127.0.0.1", "is loopback"),
            ("::1", "is loopback"),
            ("8.8.8.8", "is a public address"),
            ("169.254.169.254", "is a link-local or reserved address"),
            ("fe80::1", "is a link-local or reserved address"),
        ] {
            assert_eq!(check(host).map_err(|(problem, _)| problem), Err(problem), "{host}");
        }
    }
}
