//! Which addresses the embedded client may connect to, and the resolver that holds it to them.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec;

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower_service::Service;

use super::{FetchError, FetchErrorKind};

/// Which addresses besides the public ones may be connected to.
///
/// Link-local addresses (the metadata services of clouds), unspecified, multicast, reserved and
/// documentation ranges are refused under every policy.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct AddressPolicy {
    /// 127.0.0.0/8 and ::1.
    pub(crate) allow_loopback: bool,
    /// RFC 1918, the shared space of RFC 6598 and unique local IPv6.
    pub(crate) allow_private: bool,
}

impl AddressPolicy {
    /// Whether `address` may be connected to.
    pub(crate) fn allows(self, address: IpAddr) -> bool {
        match Reach::of(address) {
            Reach::Public => true,
            Reach::Loopback => self.allow_loopback,
            Reach::Private => self.allow_private,
            Reach::Never => false,
        }
    }

    /// The allowed addresses among those `host` resolved to. A localhost name keeps loopback alone.
    fn keep(
        self,
        host: &str,
        found: impl IntoIterator<Item = SocketAddr>,
    ) -> Result<Vec<SocketAddr>, FetchError> {
        let local = is_localhost(host);
        let (kept, dropped): (Vec<_>, Vec<_>) = found.into_iter().partition(|address| {
            self.allows(address.ip()) && (!local || is_loopback(address.ip()))
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

/// Whether `host` is a name that RFC 6761 reserves for loopback.
pub(crate) fn is_localhost(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// Whether `address` is loopback, as IPv4 mapped into IPv6 too.
pub(crate) fn is_loopback(address: IpAddr) -> bool {
    Reach::of(address) == Reach::Loopback
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reach {
    Public,
    Loopback,
    Private,
    Never,
}

impl Reach {
    fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        match address.octets() {
            [127, ..] => Self::Loopback,
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Self::Private,
            special if is_special(special) => Self::Never,
            _ => Self::Public,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        match address.segments() {
            [0, 0, 0, 0, 0, 0, 0, 1] => Self::Loopback,
            [0, 0, 0, 0, 0, 0xffff, high, low] => Self::of_v4(embedded(high, low)),
            [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
                Self::of_translated(embedded(high, low))
            }
            [0xfc00..=0xfdff, ..] => Self::Private,
            // Protocol assignments (Teredo among them) and documentation.
            [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Self::Never,
            [0x2000..=0x3fff, ..] => Self::Public,
            // Outside the global unicast space.
            _ => Self::Never,
        }
    }

    /// A translator reached by NAT64 or 6to4 is to carry public addresses alone.
    fn of_translated(address: Ipv4Addr) -> Self {
        match Self::of_v4(address) {
            Self::Public => Self::Public,
            Self::Loopback | Self::Private | Self::Never => Self::Never,
        }
    }
}

/// In this order: this network, link-local, protocol assignments, the retired 6to4 relays;
/// documentation; benchmarks; multicast, reserved, broadcast.
fn is_special(octets: [u8; 4]) -> bool {
    matches!(
        octets,
        [0, ..]
            | [169, 254, ..]
            | [192, 0, 0, _]
            | [192, 88, 99, _]
            | [192, 0, 2, _]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
            | [198, 18..=19, ..]
            | [224..=255, ..]
    )
}

fn embedded(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

/// The system's resolver, less the addresses its policy refuses.
///
/// Answers with the very addresses that are connected to, so a name bound anew between check and
/// use gains nothing. A connector asks no resolver about a host that is an IP literal: whoever uses
/// this checks literals with [`AddressPolicy::allows`].
#[derive(Clone, Debug)]
pub(crate) struct PublicResolver {
    system: GaiResolver,
    policy: AddressPolicy,
}

impl PublicResolver {
    /// Resolves to what `policy` allows.
    pub(crate) fn new(policy: AddressPolicy) -> Self {
        Self { system: GaiResolver::new(), policy }
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
        let policy = self.policy;
        let found = self.system.call(name.clone());
        Box::pin(async move { Ok(policy.keep(name.as_str(), found.await?)?.into_iter()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: AddressPolicy = AddressPolicy { allow_loopback: false, allow_private: false };
    const LOOPBACK: AddressPolicy = AddressPolicy { allow_loopback: true, allow_private: false };
    const PRIVATE: AddressPolicy = AddressPolicy { allow_loopback: false, allow_private: true };
    const ALL: AddressPolicy = AddressPolicy { allow_loopback: true, allow_private: true };

    const PUBLIC_ADDRESSES: &str = "1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 \
        126.255.255.255 128.0.0.0 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 \
        192.0.1.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255 \
        2001:200:: 2606:4700::1111 2a00:1450::1 3ffe::1 \
        ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1";
    const LOOPBACK_ADDRESSES: &str = "127.0.0.0 127.0.0.1 127.255.255.255 ::1 ::ffff:127.0.0.1";
    const PRIVATE_ADDRESSES: &str = "10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 \
        172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255 fc00:: \
        fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ::ffff:10.0.0.1 ::ffff:192.168.1.1";
    const NEVER_ADDRESSES: &str = "0.0.0.0 0.255.255.255 169.254.0.0 169.254.169.254 192.0.0.1 \
        192.0.2.1 192.88.99.1 198.18.0.0 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 \
        239.255.255.255 240.0.0.1 255.255.255.255 :: ::2 ::127.0.0.1 ::8.8.8.8 fe80::1 \
        febf::1 fec0::1 ff02::1 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 \
        2001:1ff::1 2001:db8::1 3fff::1 3fff:fff::1 4000::1 5f00::1 64:ff9b:1::8.8.8.8 \
        ::ffff:0:8.8.8.8 ::ffff:0.0.0.0 ::ffff:169.254.169.254 64:ff9b::127.0.0.1 \
        64:ff9b::10.0.0.1 64:ff9b::169.254.169.254 2002:7f00:1::1 2002:a00:1::1 \
        2002:c0a8:101::1 2002:a9fe:a9fe::1";

    fn allowed(policy: AddressPolicy, addresses: &str) -> Vec<bool> {
        let each = addresses.split_whitespace();
        let mut verdicts: Vec<_> =
            each.map(|text| policy.allows(text.parse().expect(text))).collect();
        verdicts.dedup();
        verdicts
    }

    #[test]
    fn each_class_obeys_its_switch_alone() {
        for (addresses, expected) in [
            (PUBLIC_ADDRESSES, [true; 4]),
            (LOOPBACK_ADDRESSES, [false, true, false, true]),
            (PRIVATE_ADDRESSES, [false, false, true, true]),
            (NEVER_ADDRESSES, [false; 4]),
        ] {
            for (policy, expected) in [STRICT, LOOPBACK, PRIVATE, ALL].into_iter().zip(expected) {
                assert_eq!(allowed(policy, addresses), [expected], "{policy:?} on {addresses}");
            }
        }
    }

    fn sockets(addresses: &[&str]) -> Vec<SocketAddr> {
        addresses.iter().map(|text| SocketAddr::new(text.parse().expect(text), 0)).collect()
    }

    #[test]
    fn only_allowed_addresses_are_kept() {
        let found = sockets(&["10.0.0.1", "1.1.1.1", "::1", "2606:4700::1111"]);
        let kept = STRICT.keep("as.example", found).expect("two public addresses");
        assert_eq!(kept, sockets(&["1.1.1.1", "2606:4700::1111"]));
    }

    #[test]
    fn none_allowed_is_forbidden() {
        let refused = STRICT.keep("as.example", sockets(&["169.254.169.254", "127.0.0.1"]));
        let error = refused.expect_err("no public address");
        // R8725BIS-3.10-1: a name that resolves to loopback or link-local addresses is blocked.
        assert_eq!(error.kind(), FetchErrorKind::ForbiddenAddress);
        let source = error.source().map(ToString::to_string);
        assert_eq!(source.as_deref(), Some("as.example is 169.254.169.254"));
    }

    #[test]
    fn localhost_is_loopback_or_nothing() {
        assert!(["localhost", "LocalHost.", "as.localhost"].into_iter().all(is_localhost));
        assert!(!["localhost.example", "mylocalhost", ""].into_iter().any(is_localhost));
        let found = sockets(&["1.1.1.1", "127.0.0.1"]);
        let kept = LOOPBACK.keep("localhost", found.clone()).expect("one loopback address");
        assert_eq!(kept, sockets(&["127.0.0.1"]));
        let refused = STRICT.keep("localhost", found).expect_err("loopback is not allowed");
        assert_eq!(refused.kind(), FetchErrorKind::ForbiddenAddress);
    }
}
