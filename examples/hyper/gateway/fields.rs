//! Header fields that stop here, and those that say which way a request came.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{Uri, Version};
use tower_resource_server::PeerAddress;

use crate::common::start::Failure;

/// Fields for one connection alone (RFC 9110 §7.6.1, §11.7), whether `Connection` names them or not.
/// `Upgrade` is one, so no connection is ever turned into something else.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let values = headers.get_all(header::CONNECTION).iter();
    let options = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let named = options.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok());
    for name in named.chain(HOP_BY_HOP).collect::<Vec<_>>() {
        headers.remove(name);
    }
}

/// Fields in which the server behind is told things, or a credential: none that a client wrote may
/// get there. `Expect` is answered here; `Host` becomes that of the server behind.
pub(crate) fn remove_claims(headers: &mut HeaderMap) {
    let claims: Vec<_> = headers.keys().filter(|name| is_claim(name)).cloned().collect();
    for name in claims {
        headers.remove(name);
    }
}

/// Many servers take `_` for `-` in names, as CGI does.
fn is_claim(name: &HeaderName) -> bool {
    const NAMES: [&str; 9] = [
        "authorization",
        "client-cert",
        "client-cert-chain",
        "dpop",
        "expect",
        "forwarded",
        "host",
        "x-granted-scope",
        "x-real-ip",
    ];
    let name = name.as_str().replace('_', "-");
    let prefixes = ["x-authenticated-", "x-forwarded-"];
    NAMES.contains(&&*name) || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// What the gateway is called: by its configuration, never by what a request says.
pub(crate) struct Names {
    /// Where it listens, for `Via`.
    here: String,
    host: HeaderValue,
    proto: HeaderValue,
}

impl Names {
    pub(crate) fn new(base: &str, resource: &str) -> Result<Self, Failure> {
        let (base, public): (Uri, Uri) = (base.parse()?, resource.parse()?);
        let authority = |uri: &Uri| uri.authority().map_or("", Authority::as_str).to_owned();
        Ok(Self {
            here: authority(&base),
            host: HeaderValue::try_from(authority(&public))?,
            proto: HeaderValue::from_str(public.scheme().map_or("http", Scheme::as_str))?,
        })
    }

    /// A request that has been here before would come again and again.
    pub(crate) fn has_forwarded(&self, headers: &HeaderMap) -> bool {
        let values = headers.get_all(header::VIA).iter();
        let mut hops =
            values.filter_map(|value| value.to_str().ok()).flat_map(|via| via.split(','));
        hops.any(|hop| hop.split_whitespace().nth(1) == Some(&*self.here))
    }

    /// RFC 9110 §7.6.3, and the fields that are usual for the rest.
    pub(crate) fn tell_way(&self, head: &mut Parts) {
        let version = match head.version {
            Version::HTTP_2 => "2",
            Version::HTTP_10 => "1.0",
            _ => "1.1",
        };
        let peer = head.extensions.get::<PeerAddress>().map(|peer| peer.ip().to_string());
        let via = HeaderValue::try_from(format!("{version} {}", self.here));
        if let Ok(via) = via {
            head.headers.append(header::VIA, via);
        }
        if let Some(peer) = peer.and_then(|peer| HeaderValue::try_from(peer).ok()) {
            head.headers.insert("x-forwarded-for", peer);
        }
        head.headers.insert("x-forwarded-host", self.host.clone());
        head.headers.insert("x-forwarded-proto", self.proto.clone());
    }
}
