//! Whose word is taken for the URI that a proof has to name (RFC 9449 §4.3, RFC 9700 §4.13).

use std::net::IpAddr;

use tower_resource_server::testing::TestIssuer;
use tower_resource_server::{PeerAddress, RejectionKind, TrustedProxies};

use crate::dpop::{DpopBed, with_proof};
use crate::support::{Answer, ISSUER, RESOURCE};

const PROXY: &str = "10.0.0.1";

/// A server that trusts proxies in 10.0.0.0/8, below a prefix that they take off.
struct Behind(DpopBed);

impl Behind {
    fn new(proxies: TrustedProxies) -> Self {
        Self(DpopBed::with(|builder| {
            builder.base_url("https://api.example.com/base").trusted_proxies(proxies)
        }))
    }

    fn forwarded() -> Self {
        Self::new(TrustedProxies::forwarded(["10.0.0.0/8", "fd00::/8"]))
    }

    fn x_forwarded() -> Self {
        Self::new(TrustedProxies::x_forwarded(["10.0.0.0/8", "fd00::/8"]))
    }

    /// The answer to `GET /r` from that peer with these fields and a proof for that URI.
    async fn ask(&self, peer: Option<&str>, fields: &[(&str, &str)], htu: &str) -> Answer {
        let bed = &self.0;
        let proof = bed.key.proof("GET", htu).token(&bed.token).clock(&bed.bed.clock);
        let mut request = with_proof(&proof.claim("htu", htu));
        for (name, value) in fields {
            let name: http::HeaderName = name.parse().expect("a name");
            let value = http::HeaderValue::from_bytes(value.as_bytes()).expect("a value");
            request.headers_mut().append(name, value);
        }
        if let Some(peer) = peer {
            let ip: IpAddr = peer.parse().expect("an address");
            request.extensions_mut().insert(PeerAddress::new(ip));
        }
        crate::support::send(bed.bed.server.authenticate(), request).await
    }

    /// Of all the URIs, the one that is accepted from that peer with these fields.
    async fn called(&self, peer: Option<&str>, fields: &[(&str, &str)]) -> Option<&'static str> {
        let mut found = None;
        for uri in URIS {
            let answer = self.ask(peer, fields, uri).await;
            if answer.handled {
                answer.assert_ok();
                assert_eq!(found, None, "a request has one URI: {fields:?}");
                found = Some(uri);
            } else {
                answer.assert_p401_of(RejectionKind::ProofUriMismatch);
            }
        }
        found
    }
}

const CONFIGURED: &str = "https://api.example.com/base/r";

const URIS: [&str; 12] = [
    CONFIGURED,
    "https://api.example.com/r",
    "http://api.example.com/base/r",
    "https://a.example/base/r",
    "http://a.example/base/r",
    "https://b.example/base/r",
    "https://b.example:8443/base/r",
    "https://[2001:db8::1]/base/r",
    "https://api.example.com/p/r",
    "https://a.example/p/r",
    "http://b.example/p/r",
    "https://evil.example/base/r",
];

const ALL_FIELDS: [(&str, &str); 5] = [
    ("forwarded", "proto=http;host=a.example"),
    ("x-forwarded-proto", "http"),
    ("x-forwarded-host", "b.example"),
    ("x-forwarded-prefix", "/p"),
    ("host", "evil.example"),
];

#[tokio::test]
async fn strangers_are_not_heard() {
    for server in [Behind::forwarded(), Behind::x_forwarded()] {
        // R9449-4.3-9-5: without an address nothing is trusted, and nobody but the listed.
        for peer in [None, Some("11.0.0.1"), Some("::1"), Some("::ffff:11.0.0.1")] {
            assert_eq!(server.called(peer, &ALL_FIELDS).await, Some(CONFIGURED), "{peer:?}");
            let broken = [("forwarded", "?"), ("x-forwarded-proto", "gopher")];
            assert_eq!(server.called(peer, &broken).await, Some(CONFIGURED), "{peer:?}");
            // What a client says of the peer is not the peer.
            let posing = [("x-forwarded-for", PROXY), ("x-real-ip", PROXY), ALL_FIELDS[2]];
            assert_eq!(server.called(peer, &posing).await, Some(CONFIGURED), "{peer:?}");
        }
    }
    let unconfigured = Behind(DpopBed::with(|builder| builder));
    let called = unconfigured.called(Some(PROXY), &ALL_FIELDS).await;
    // R9449-4.3-9-5: nor is Host.
    assert_eq!(called, Some("https://api.example.com/r"));
}

#[tokio::test]
async fn a_trusted_proxy_is_heard_in_one_family_of_fields() {
    for peer in [PROXY, "::ffff:10.0.0.1", "fd00::7"] {
        // R9449-4.3-9-5: trusted proxy data, and still not Host.
        let called = Behind::forwarded().called(Some(peer), &ALL_FIELDS).await;
        assert_eq!(called, Some("http://a.example/base/r"), "{peer}");
        let called = Behind::x_forwarded().called(Some(peer), &ALL_FIELDS).await;
        assert_eq!(called, Some("http://b.example/p/r"), "{peer}");
    }
}

#[tokio::test]
async fn a_chain_is_read_back_to_the_first_stranger() {
    let server = Behind::forwarded();
    for (lines, uri) in [
        (&["for=192.0.2.1"][..], CONFIGURED),
        (&["for=192.0.2.1;host=a.example;proto=https"], "https://a.example/base/r"),
        // The client's own element counts for nothing.
        (&["host=evil.example, for=192.0.2.1;host=a.example"], "https://a.example/base/r"),
        (&["host=evil.example", "for=192.0.2.1;host=a.example"], "https://a.example/base/r"),
        (&["host=evil.example, for=192.0.2.1"], CONFIGURED),
        // Two proxies that are both trusted: what the outer one saw.
        (
            &["for=192.0.2.1;host=a.example, for=10.0.0.2;host=b.example"],
            "https://a.example/base/r",
        ),
        (
            &["host=evil.example", "for=192.0.2.1;host=a.example", "for=\"[fd00::2]:80\""],
            "https://a.example/base/r",
        ),
        (&["host=evil.example, for=_hidden;host=a.example"], "https://a.example/base/r"),
        (&["for=192.0.2.1;host=\"b.example:8443\""], "https://b.example:8443/base/r"),
        (&["host=\"[2001:DB8::1]:443\""], "https://[2001:db8::1]/base/r"),
    ] {
        let fields: Vec<_> = lines.iter().map(|line| ("forwarded", *line)).collect();
        assert_eq!(server.called(Some(PROXY), &fields).await, Some(uri), "{lines:?}");
    }
}

#[tokio::test]
async fn the_nearest_of_several_values_counts() {
    let server = Behind::x_forwarded();
    let (proto, host, prefix) = ("x-forwarded-proto", "x-forwarded-host", "x-forwarded-prefix");
    for (fields, uri) in [
        (&[][..], CONFIGURED),
        (&[(proto, "https, http")], "http://api.example.com/base/r"),
        (&[(host, "evil.example, a.example")], "https://a.example/base/r"),
        (&[(host, "evil.example"), (host, "b.example:8443")], "https://b.example:8443/base/r"),
        // The prefix that a proxy takes off.
        (&[(prefix, "/p/")], "https://api.example.com/p/r"),
        (&[(prefix, "/")], "https://api.example.com/r"),
        (&[(host, "a.example"), (prefix, "/x, /p")], "https://a.example/p/r"),
        (&[("x-forwarded-port", "8443"), ("x-forwarded-for", "192.0.2.1")], CONFIGURED),
    ] {
        assert_eq!(server.called(Some(PROXY), fields).await, Some(uri), "{fields:?}");
    }
}

#[tokio::test]
async fn fields_that_cannot_be_read_are_not_taken_for_absent() {
    let server = Behind::forwarded();
    let long = vec!["for=10.0.0.2"; 33].join(",");
    for value in [
        "?",
        "host=",
        "host=a.example:8443",
        "host=\"a.example",
        "host=a.example;host=a.example",
        "proto=gopher",
        "host=\"user@a.example\"",
        "host=\"a.example/r\"",
        "host=\u{fc}",
        &long,
    ] {
        assert_eq!(server.called(Some(PROXY), &[("forwarded", value)]).await, None, "{value}");
    }
    let server = Behind::x_forwarded();
    for field in [
        ("x-forwarded-proto", ""),
        ("x-forwarded-proto", "wss"),
        ("x-forwarded-host", "a.example/p"),
        ("x-forwarded-host", "user@a.example"),
        ("x-forwarded-host", "a.example, "),
        ("x-forwarded-host", "\u{fc}"),
        ("x-forwarded-prefix", "p"),
        ("x-forwarded-prefix", "/%zz"),
        ("x-forwarded-prefix", "https://a.example/p"),
    ] {
        assert_eq!(server.called(Some(PROXY), &[field]).await, None, "{field:?}");
    }
    // A broken part is no reason to refuse those who bring no proof.
    let request = crate::support::bearer(&server.0.bed.token());
    crate::support::send(server.0.bed.server.authenticate(), request).await.assert_ok();
}

#[tokio::test]
async fn each_public_name_has_proofs_of_its_own() {
    let server = Behind::x_forwarded();
    let names = ["api.example.com", "a.example", "b.example"];
    for called in names {
        for named in names {
            let htu = format!("https://{named}/base/r");
            let answer = server.ask(Some(PROXY), &[("x-forwarded-host", called)], &htu).await;
            // A proof that was made for one name is worth nothing under another.
            assert_eq!(answer.handled, called == named, "{called} {named}");
        }
    }
}

#[test]
fn addresses_that_cannot_be_read_are_faults() {
    let faults = |proxies: TrustedProxies| {
        let builder = TestIssuer::new(ISSUER).resource_server(RESOURCE).trusted_proxies(proxies);
        let error = builder.build().expect_err("a fault");
        error.faults().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let none = "trusted_proxies: no proxy is trusted; list the proxies' addresses, or leave the \
                setting out";
    assert_eq!(faults(TrustedProxies::forwarded([""; 0])), [none]);
    assert_eq!(faults(TrustedProxies::x_forwarded([""; 0])), [none]);
    let wrong = faults(TrustedProxies::x_forwarded(["::/129", "::1", "proxy", "10.0.0.0/4"]));
    assert_eq!(
        wrong,
        [
            "trusted_proxies: \"::/129\" has no such prefix length; use 0 to 32 for IPv4, 0 to 128 \
             for IPv6, in digits",
            "trusted_proxies: \"proxy\" is no address; write it like 10.0.0.7, ::1 or 10.0.0.0/8",
            "trusted_proxies: \"10.0.0.0/4\" has bits set beyond its prefix length; write the \
             first address of the network, such as 10.0.0.0/8, or one address alone",
        ]
    );
}
