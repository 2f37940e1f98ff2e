//! Header fields that stop here, and those that say which way a request came.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{Uri, Version};
use http_body::Frame;
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

/// A server may take what comes after a body for what stands before it (RFC 9110 §6.5.1).
pub(crate) fn clean_trailers<D>(mut frame: Frame<D>) -> Frame<D> {
    if let Some(trailers) = frame.trailers_mut() {
        remove_hop_by_hop(trailers);
        remove_claims(trailers);
    }
    frame
}

/// Many servers take `_` for `-` in names, as CGI does.
fn is_claim(name: &HeaderName) -> bool {
    const NAMES: [&str; 11] = [
        "authorization",
        "client-cert",
        "client-cert-chain",
        "dpop",
        "expect",
        "forwarded",
        "host",
        "x-granted-scope",
        // Frameworks route by these: what was let through for one path would run at another.
        "x-original-url",
        "x-real-ip",
        "x-rewrite-url",
    ];
    let name = name.as_str().replace('_', "-");
    let prefixes = ["x-authenticated-", "x-forwarded-"];
    NAMES.contains(&&*name) || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// HTTP/2 may send a cookie a line, and HTTP/1.1 has one line for all (RFC 9113 §8.2.3).
pub(crate) fn join_cookies(headers: &mut HeaderMap) {
    let cookies: Vec<_> =
        headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if cookies.len() > 1
        && let Ok(all) = HeaderValue::from_bytes(&cookies.join(&b"; "[..]))
    {
        headers.insert(header::COOKIE, all);
    }
}

/// What the gateway is called: by its configuration, never by what a request says.
pub(crate) struct Names {
    host: String,
    proto: HeaderValue,
}

impl Names {
    pub(crate) fn new(resource: &str) -> Result<Self, Failure> {
        let public: Uri = resource.parse()?;
        Ok(Self {
            host: public.authority().map_or("", Authority::as_str).to_owned(),
            proto: HeaderValue::from_str(public.scheme().map_or("http", Scheme::as_str))?,
        })
    }

    /// A request that has been here before would come again and again.
    pub(crate) fn has_forwarded(&self, headers: &HeaderMap) -> bool {
        let values = headers.get_all(header::VIA).iter();
        let mut hops =
            values.filter_map(|value| value.to_str().ok()).flat_map(|via| via.split(','));
        hops.any(|hop| hop.split_whitespace().nth(1) == Some(&*self.host))
    }

    /// RFC 9110 §7.6.3, and the fields that are usual for the rest.
    pub(crate) fn tell_way(&self, head: &mut Parts) {
        let version = match head.version {
            Version::HTTP_2 => "2",
            Version::HTTP_10 => "1.0",
            _ => "1.1",
        };
        let peer = head.extensions.get::<PeerAddress>().map(|peer| peer.ip().to_string());
        if let Ok(via) = HeaderValue::try_from(format!("{version} {}", self.host)) {
            head.headers.append(header::VIA, via);
        }
        if let Some(peer) = peer.and_then(|peer| HeaderValue::try_from(peer).ok()) {
            head.headers.insert("x-forwarded-for", peer);
        }
        if let Ok(host) = HeaderValue::from_str(&self.host) {
            head.headers.insert("x-forwarded-host", host);
        }
        head.headers.insert("x-forwarded-proto", self.proto.clone());
    }
}
