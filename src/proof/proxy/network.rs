//! Addresses and networks (RFC 4632 §3.1).

use std::net::IpAddr;

/// The addresses that share the first `length` bits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Network {
    /// Never IPv4 written as IPv6.
    address: IpAddr,
    length: u32,
}

type Problem = (&'static str, &'static str);

const UNREADABLE: Problem = ("is no address", "write it like 10.0.0.7, ::1 or 10.0.0.0/8");
const TOO_LONG: Problem =
    ("has no such prefix length", "use 0 to 32 for IPv4, 0 to 128 for IPv6, in digits");
const BITS_BEYOND: Problem = (
    "has bits set beyond its prefix length",
    "write the first address of the network, such as 10.0.0.0/8, or one address alone",
);

impl Network {
    /// One address, or a network as `address/length`. The error is a problem and its mend.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let (written, length) = match text.split_once('/') {
            Some((written, length)) => (written, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = written.parse().map_err(|_| UNREADABLE)?;
        let length = match length {
            Some(length) => parse_length(length, width(address)).ok_or(TOO_LONG)?,
            None => width(address),
        };
        Self::new(address, length)
    }

    fn new(address: IpAddr, length: u32) -> Result<Self, Problem> {
        // A shift by the whole width leaves no bits.
        let free = 128 - width(address) + length;
        if bits(address).checked_shl(free).unwrap_or(0) != 0 {
            return Err(BITS_BEYOND);
        }
        let canonical = address.to_canonical();
        // No bits beyond means that a mapped address is told by 96 bits at least.
        let length = length.saturating_sub(width(address) - width(canonical));
        Ok(Self { address: canonical, length })
    }

    /// IPv4 written as IPv6 counts as IPv4.
    pub(super) fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        let differing = bits(ip) ^ bits(self.address);
        let beyond = width(self.address) - self.length;
        width(ip) == width(self.address) && differing.checked_shr(beyond).unwrap_or(0) == 0
    }
}

fn parse_length(text: &str, most: u32) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|length| digits && *length <= most)
}

const fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, ip: &str) -> bool {
        let network = Network::parse(network).expect("a network");
        network.contains(ip.parse().expect("an address"))
    }

    #[test]
    fn networks_contain_what_shares_their_first_bits() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.1.2", "11.0.0.0"),
            ("10.0.0.7", "10.0.0.7", "10.0.0.6"),
            ("192.0.2.128/25", "192.0.2.200", "192.0.2.127"),
            ("0.0.0.0/0", "203.0.113.9", "::1"),
            ("::/0", "2001:db8::1", "127.0.0.1"),
            ("fd00::/8", "fd12::1", "fe00::1"),
            ("::1", "::1", "::2"),
            ("2001:db8::/127", "2001:db8::1", "2001:db8::2"),
        ] {
            assert!(contains(network, inside), "{network} {inside}");
            assert!(!contains(network, outside), "{network} {outside}");
        }
    }

    #[test]
    fn ipv4_written_as_ipv6_is_ipv4_on_both_sides() {
        assert!(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(contains("::ffff:10.0.0.7", "10.0.0.7"));
        assert!(contains("::ffff:10.0.0.0/104", "10.1.2.3"));
        assert!(contains("::ffff:0:0/96", "198.51.100.1"));
        assert!(!contains("::ffff:10.0.0.0/104", "11.1.2.3"));
        assert!(!contains("::/0", "::ffff:10.1.2.3"));
    }

    #[test]
    fn what_is_no_network_says_why() {
        for (text, problem) in [
            ("", UNREADABLE),
            ("localhost", UNREADABLE),
            ("10.0.0", UNREADABLE),
            ("10.0.0.1:80", UNREADABLE),
            ("[::1]", UNREADABLE),
            (" 10.0.0.1", UNREADABLE),
            ("fe80::1%eth0", UNREADABLE),
            ("10.0.0.0/", TOO_LONG),
            ("10.0.0.0/+8", TOO_LONG),
            ("10.0.0.0/33", TOO_LONG),
            ("10.0.0.0/8/8", TOO_LONG),
            ("::/129", TOO_LONG),
            ("::/99999999999", TOO_LONG),
            ("10.0.0.1/8", BITS_BEYOND),
            ("10.0.0.0/0", BITS_BEYOND),
            ("::ffff:0:0/90", BITS_BEYOND),
        ] {
            assert_eq!(Network::parse(text), Err(problem), "{text:?}");
        }
    }
}
