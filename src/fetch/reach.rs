//! What kind of address a host is at.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address that `host` is written as, in brackets or not.
pub(crate) fn ip_literal(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    bare.unwrap_or(host).parse().ok()
}

/// One text for all ways to write a host.
pub(crate) fn canonical_host(host: &str) -> String {
    match ip_literal(host) {
        Some(address) => address.to_string(),
        None => host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase(),
    }
}

/// Whether `host` is a name that RFC 6761 reserves for loopback.
pub(crate) fn is_localhost(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// From where an address can be reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reach {
    Public,
    /// 127.0.0.0/8 and ::1.
    Loopback,
    /// RFC 1918, the shared space of RFC 6598 and unique local IPv6.
    Private,
    /// Link-local, unspecified, multicast, reserved and documentation ranges.
    Never,
}

impl Reach {
    pub(crate) fn of(address: IpAddr) -> Self {
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

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn each_range_is_of_its_class() {
        for (addresses, expected) in [
            (PUBLIC_ADDRESSES, Reach::Public),
            (LOOPBACK_ADDRESSES, Reach::Loopback),
            (PRIVATE_ADDRESSES, Reach::Private),
            (NEVER_ADDRESSES, Reach::Never),
        ] {
            for text in addresses.split_whitespace() {
                assert_eq!(Reach::of(text.parse().expect(text)), expected, "{text}");
            }
        }
    }

    #[test]
    fn names_of_loopback_are_known() {
        assert!(["localhost", "LocalHost.", "as.localhost"].into_iter().all(is_localhost));
        assert!(!["localhost.example", "mylocalhost", ""].into_iter().any(is_localhost));
    }

    #[test]
    fn a_host_has_one_canonical_form() {
        for (host, canonical) in [
            ("AS.Example.", "as.example"),
            ("[FD00:0:0::1]", "fd00::1"),
            ("fd00::1", "fd00::1"),
            ("10.0.0.1", "10.0.0.1"),
        ] {
            assert_eq!(canonical_host(host), canonical);
        }
    }
}
