//! Trusted proxies, and what they say about the URI that was called (RFC 9700 §4.13).

mod forwarded;
mod network;
mod peer;
mod peers;
mod x_forwarded;

use std::borrow::Cow;

pub use self::peer::PeerAddress;
pub(crate) use self::peers::TrustedPeers;
use crate::config::Fault;
use crate::credentials::RequestHead;

/// The proxies whose word is taken for the scheme, host and path prefix that clients call.
///
/// A proof of possession names the URI it is made for (`htu`, RFC 9449 §4.2). The server compares
/// that with its own configured URL, and needs no proxy to tell. Only a server that is called by
/// several names, or below a prefix that changes, has to be told.
///
/// The fields of one family are read, and only when the [`PeerAddress`] of the request is in the
/// list. Without one, as behind a Unix socket, nothing is trusted.
///
/// Addresses are single ones (`10.0.0.7`, `::1`) or networks (`10.0.0.0/8`, `fd00::/8`). IPv4
/// addresses that are written as IPv6 (`::ffff:10.0.0.7`) count as IPv4. An address that cannot be
/// read makes [`build`](crate::Builder::build) fail, and so does an empty list.
///
/// ```
/// use tower_resource_server::TrustedProxies;
///
/// let ingress = TrustedProxies::forwarded(["10.0.0.0/8", "::1"]);
/// let legacy = TrustedProxies::x_forwarded(["192.0.2.10"]);
/// ```
///
/// # What is not checked
///
/// Whether a proxy tells the truth. It must set the fields, or remove what clients send; one that
/// passes them on lets every client choose the server's name. Fields that cannot be read, or say
/// something else than `http` or `https`, make every proof fail: they are not taken for absent. So
/// does `http` where [`require_https`](crate::Builder::require_https) is set.
#[derive(Clone, Debug)]
pub struct TrustedProxies {
    family: Family,
    addresses: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
enum Family {
    Forwarded,
    XForwarded,
}

impl TrustedProxies {
    /// Proxies that send `Forwarded` (RFC 7239).
    ///
    /// Each proxy on the way adds an element at the end. The last is by the peer itself; the one
    /// before counts as long as the `for` after it is a trusted address. `proto` and `host` are
    /// those of the first element reached in that way, and where one is missing, the configured
    /// URL's. An element without `for`, or with a hidden one, is the last to be read.
    ///
    /// Ports and IPv6 addresses make quotes necessary: `host="api.example.com:8443"`. More than 32
    /// elements are refused.
    #[must_use]
    pub fn forwarded<I>(addresses: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        Self::new(Family::Forwarded, addresses)
    }

    /// Proxies that send `X-Forwarded-Proto`, `X-Forwarded-Host` and `X-Forwarded-Prefix`.
    ///
    /// The value of the nearest proxy counts: of several fields the last, of several values the
    /// last. Where a field is missing, that part of the configured URL is taken. So the proxy must
    /// set or remove **all three**.
    ///
    /// The prefix starts with a slash and takes the place of the configured URL's path. The port
    /// stands in `X-Forwarded-Host`; `X-Forwarded-Port` is not read.
    #[must_use]
    pub fn x_forwarded<I>(addresses: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        Self::new(Family::XForwarded, addresses)
    }

    fn new<I>(family: Family, addresses: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        Self { family, addresses: addresses.into_iter().map(Into::into).collect() }
    }

    /// The addresses read; each that cannot be is a fault. With `https_alone`, no other scheme may be
    /// reported.
    pub(crate) fn compile(&self, https_alone: bool, faults: &mut Vec<Fault>) -> Proxies {
        let peers = TrustedPeers::compile(&self.addresses, "trusted_proxies", faults);
        Proxies { family: self.family, peers, https_alone }
    }
}

/// [`TrustedProxies`] as they are used.
#[derive(Debug)]
pub(crate) struct Proxies {
    family: Family,
    peers: TrustedPeers,
    https_alone: bool,
}

/// What trusted proxies report; what they do not is as configured.
#[derive(Debug, Default)]
pub(super) struct Report<'a> {
    pub(super) scheme: Option<Cow<'a, str>>,
    /// Host and port.
    pub(super) authority: Option<Cow<'a, str>>,
    /// Without a slash at its end.
    pub(super) prefix: Option<&'a str>,
}

impl Report<'_> {
    /// As far as it says; the configured URL is.
    fn is_https(&self) -> bool {
        self.scheme.as_deref().is_none_or(|scheme| scheme.eq_ignore_ascii_case("https"))
    }
}

impl Proxies {
    /// Nothing is reported by a peer that is not trusted. `None` when a trusted peer's fields
    /// cannot be read, or say that the client came without the TLS that is required.
    pub(super) fn report<'a>(&self, head: &RequestHead<'a>) -> Option<Report<'a>> {
        if !self.peers.sent(head.extensions()) {
            return Some(Report::default());
        }
        let report = match self.family {
            Family::Forwarded => forwarded::read(head.headers(), |ip| self.peers.contains(ip)),
            Family::XForwarded => x_forwarded::read(head.headers()),
        };
        report.filter(|report| !self.https_alone || report.is_https())
    }
}

#[cfg(test)]
#[path = "proxy_tests.rs"]
mod tests;
