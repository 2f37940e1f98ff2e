//! Which addresses the embedded client may connect to, and the resolver that holds it to them.

use std::collections::HashSet;
use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::vec;

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower_service::Service;

use super::lookups::Lookups;
use super::reach::{Reach, canonical_host, is_localhost};
use super::{FetchError, FetchErrorKind};

/// Which addresses besides the public ones may be connected to.
///
/// Link-local addresses (the metadata services of clouds), unspecified, multicast, reserved and
/// documentation ranges are refused under every policy.
#[derive(Clone, Debug, Default)]
pub(crate) struct AddressPolicy {
    /// 127.0.0.0/8 and ::1.
    pub(crate) allow_loopback: bool,
    /// The hosts that may be at private addresses, in their canonical form.
    pub(crate) private_hosts: Arc<HashSet<String>>,
}

impl AddressPolicy {
    /// Whether `host` may be connected to at `address`.
    pub(crate) fn allows(&self, host: &str, address: IpAddr) -> bool {
        match Reach::of(address) {
            Reach::Public => true,
            Reach::Loopback => self.allow_loopback,
            Reach::Private => self.private_hosts.contains(&canonical_host(host)),
            Reach::Never => false,
        }
    }

    /// The allowed addresses among those `host` resolved to. A localhost name keeps loopback alone.
    fn keep(
        &self,
        host: &str,
        found: impl IntoIterator<Item = SocketAddr>,
    ) -> Result<Vec<SocketAddr>, FetchError> {
        let local = is_localhost(host);
        let (kept, dropped): (Vec<_>, Vec<_>) = found.into_iter().partition(|address| {
            self.allows(host, address.ip()) && (!local || is_loopback(address.ip()))
        });
        match dropped.first() {
            Some(address) if kept.is_empty() => Err(forbidden(host, address.ip())),
            _ => Ok(kept),
        }
    }
}

/// The refusal of `host` for its `address`.
pub(crate) fn forbidden(host: &str, address: IpAddr) -> FetchError {
    let what = format!("{host} is {address}");
    FetchError::with_source(FetchErrorKind::ForbiddenAddress, what)
}

/// Whether `address` is loopback, as IPv4 mapped into IPv6 too.
pub(crate) fn is_loopback(address: IpAddr) -> bool {
    Reach::of(address) == Reach::Loopback
}

/// The system's resolver, less the addresses its policy refuses.
///
/// Answers with the very addresses that are connected to, so a name bound anew between check and
/// use gains nothing. A connector asks no resolver about a host that is an IP literal: whoever uses
/// this checks literals with [`AddressPolicy::allows`].
#[derive(Clone)]
pub(crate) struct PublicResolver {
    system: GaiResolver,
    lookups: Lookups,
    policy: AddressPolicy,
}

impl PublicResolver {
    /// Resolves to what `policy` allows. `longest` is how long a fetch may take.
    pub(crate) fn new(policy: AddressPolicy, longest: Duration) -> Self {
        Self { system: GaiResolver::new(), lookups: Lookups::new(longest), policy }
    }
}

type Resolution = Result<vec::IntoIter<SocketAddr>, Box<dyn Error + Send + Sync>>;

impl Service<Name> for PublicResolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Resolution> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.system.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let Self { mut system, lookups, policy } = self.clone();
        Box::pin(async move {
            let host = name.as_str();
            let found = lookups.find(host, || system.call(name.clone())).await?;
            Ok(policy.keep(host, found.iter().copied())?.into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(allow_loopback: bool, private_hosts: &[&str]) -> AddressPolicy {
        let private_hosts = private_hosts.iter().copied().map(canonical_host).collect();
        AddressPolicy { allow_loopback, private_hosts: Arc::new(private_hosts) }
    }

    fn sockets(addresses: &[&str]) -> Vec<SocketAddr> {
        addresses.iter().map(|text| SocketAddr::new(text.parse().expect(text), 0)).collect()
    }

    #[test]
    fn each_class_obeys_its_switch_alone() {
        let policies = [
            policy(false, &[]),
            policy(true, &[]),
            policy(false, &["as.internal"]),
            policy(true, &["as.internal"]),
        ];
        for (address, expected) in [
            ("1.1.1.1", [true; 4]),
            ("127.0.0.1", [false, true, false, true]),
            ("10.0.0.1", [false, false, true, true]),
            ("fd00::1", [false, false, true, true]),
            ("169.254.169.254", [false; 4]),
            ("fe80::1", [false; 4]),
        ] {
            let address: IpAddr = address.parse().expect(address);
            for (policy, expected) in policies.iter().zip(expected) {
                assert_eq!(policy.allows("as.internal", address), expected, "{policy:?} {address}");
            }
        }
    }

    #[test]
    fn private_addresses_are_for_the_hosts_named_alone() {
        let policy = policy(false, &["AS.internal.", "10.0.0.1", "[fd00::1]"]);
        let found = || sockets(&["10.9.9.9"]);
        for host in ["as.internal", "As.Internal", "as.internal."] {
            assert_eq!(policy.keep(host, found()).expect(host), found());
        }
        for host in ["x.as.internal", "internal", "as.internal.evil.example", "10.0.0.1.example"] {
            let refused = policy.keep(host, found()).expect_err(host);
            assert_eq!(refused.kind(), FetchErrorKind::ForbiddenAddress);
        }
        for (host, address) in [("10.0.0.1", "10.0.0.1"), ("[fd00:0::1]", "fd00::1")] {
            assert!(policy.allows(host, address.parse().expect(address)), "{host}");
        }
        // R8725BIS-3.10-1: a host that may be private may still not be link-local.
        let refused = policy.keep("as.internal", sockets(&["169.254.169.254"]));
        assert_eq!(refused.expect_err("link-local").kind(), FetchErrorKind::ForbiddenAddress);
    }

    #[test]
    fn only_allowed_addresses_are_kept() {
        let found = sockets(&["10.0.0.1", "1.1.1.1", "::1", "2606:4700::1111"]);
        let kept = policy(false, &[]).keep("as.example", found).expect("two public addresses");
        assert_eq!(kept, sockets(&["1.1.1.1", "2606:4700::1111"]));
    }

    #[test]
    fn none_allowed_is_forbidden() {
        let found = sockets(&["169.254.169.254", "127.0.0.1"]);
        let error = policy(false, &[]).keep("as.example", found).expect_err("no public address");
        // R8725BIS-3.10-1: a name that resolves to loopback or link-local addresses is blocked.
        assert_eq!(error.kind(), FetchErrorKind::ForbiddenAddress);
        let source = error.source().map(ToString::to_string);
        assert_eq!(source.as_deref(), Some("as.example is 169.254.169.254"));
    }

    #[test]
    fn localhost_is_loopback_or_nothing() {
        let found = sockets(&["1.1.1.1", "127.0.0.1"]);
        let kept = policy(true, &[]).keep("localhost", found.clone()).expect("one is loopback");
        assert_eq!(kept, sockets(&["127.0.0.1"]));
        let refused = policy(false, &[]).keep("localhost", found).expect_err("not allowed");
        assert_eq!(refused.kind(), FetchErrorKind::ForbiddenAddress);
    }
}
