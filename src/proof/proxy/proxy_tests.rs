use std::net::IpAddr;

use http::Request;
use proptest::prelude::*;

use super::*;
use crate::proof::target::PublicUrl;

const PROXY: &str = "10.0.0.1";

/// The normal URI of `/r` for a server called `https://api.example.com/base` with proxies in
/// 10.0.0.0/8, or `None` when it is not known.
fn called(proxies: &TrustedProxies, peer: Option<&str>, fields: &[(&str, &str)]) -> Option<String> {
    let mut faults = Vec::new();
    let compiled = proxies.compile(false, &mut faults);
    assert_eq!(faults, []);
    let url = PublicUrl::new("https://api.example.com/base", Some(compiled)).expect("a base URL");
    let mut request = Request::new(());
    for (name, value) in fields {
        let name: http::HeaderName = name.parse().expect("a name");
        let value = http::HeaderValue::from_bytes(value.as_bytes()).expect("a value");
        request.headers_mut().append(name, value);
    }
    if let Some(peer) = peer {
        let ip: IpAddr = peer.parse().expect("an address");
        request.extensions_mut().insert(PeerAddress::new(ip));
    }
    let target = url.target(&RequestHead::of(&request), "/r");
    let known = ["https", "http"].into_iter().flat_map(|scheme| {
        ["api.example.com", "a.example", "b.example", "b.example:8443", "[::1]:8443"]
            .into_iter()
            .flat_map(move |host| {
                ["/base/r", "/r", "/p/r"].map(|p| format!("{scheme}://{host}{p}"))
            })
    });
    let mut found = known.filter(|htu| target.matches(htu).is_some());
    let uri = found.next();
    assert_eq!(found.next(), None, "a request has one URI");
    uri
}

fn forwarded(fields: &[&str]) -> Option<String> {
    let fields: Vec<_> = fields.iter().map(|value| ("forwarded", *value)).collect();
    called(&TrustedProxies::forwarded(["10.0.0.0/8"]), Some(PROXY), &fields)
}

fn x_forwarded(fields: &[(&str, &str)]) -> Option<String> {
    called(&TrustedProxies::x_forwarded(["10.0.0.0/8"]), Some(PROXY), fields)
}

const CONFIGURED: Option<&str> = Some("https://api.example.com/base/r");

#[test]
fn only_a_trusted_peer_is_heard() {
    let both = [
        ("forwarded", "proto=http;host=a.example"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", "b.example"),
        ("x-forwarded-prefix", "/p"),
    ];
    let one = TrustedProxies::forwarded(["10.0.0.0/8"]);
    let other = TrustedProxies::x_forwarded(["10.0.0.0/8"]);
    for proxies in [&one, &other] {
        for peer in [None, Some("11.0.0.1"), Some("::1"), Some("::ffff:11.0.0.1")] {
            assert_eq!(called(proxies, peer, &both).as_deref(), CONFIGURED, "{peer:?}");
            // Not even looked at.
            assert_eq!(called(proxies, peer, &[("forwarded", "?")]).as_deref(), CONFIGURED);
        }
    }
    for peer in [PROXY, "::ffff:10.0.0.1"] {
        let first = called(&one, Some(peer), &both);
        assert_eq!(first.as_deref(), Some("http://a.example/base/r"), "one family, not both");
        let second = called(&other, Some(peer), &both);
        assert_eq!(second.as_deref(), Some("http://b.example/p/r"), "one family, not both");
    }
}

#[test]
fn forwarded_is_read_back_to_the_first_stranger() {
    for (fields, uri) in [
        (&[][..], "https://api.example.com/base/r"),
        (&[""], "https://api.example.com/base/r"),
        (&["for=192.0.2.1"], "https://api.example.com/base/r"),
        (&["proto=http"], "http://api.example.com/base/r"),
        (&["host=a.example"], "https://a.example/base/r"),
        (
            &["FOR=192.0.2.1; Proto=HTTP ;hOsT=A.Example;by=_x;ext=\"y,;\""],
            "http://a.example/base/r",
        ),
        (&["for=192.0.2.1;host=\"b.example:8443\""], "https://b.example:8443/base/r"),
        (&["host=\"[::1]:8443\""], "https://[::1]:8443/base/r"),
        (&["host=\"a.ex\\ample\""], "https://a.example/base/r"),
        // A client's own element does not count, nor what it would fall back to.
        (&["host=a.example, for=192.0.2.1;host=b.example"], "https://b.example/base/r"),
        (&["host=a.example", "for=192.0.2.1;host=b.example"], "https://b.example/base/r"),
        (&["host=a.example;proto=http, for=192.0.2.1"], "https://api.example.com/base/r"),
        // The peer saw another trusted proxy.
        (
            &["for=192.0.2.1;host=a.example, for=10.0.0.2;host=b.example"],
            "https://a.example/base/r",
        ),
        (
            &["for=192.0.2.1;host=a.example", "for=10.0.0.2;host=b.example"],
            "https://a.example/base/r",
        ),
        (&["host=a.example, for=\"10.0.0.2:4711\""], "https://a.example/base/r"),
        (&["host=a.example, for=\"10.0.0.2:_x\""], "https://a.example/base/r"),
        (&["host=a.example, for=\"[::ffff:10.0.0.2]:80\""], "https://a.example/base/r"),
        (
            &["host=a.example, for=10.0.0.3;host=b.example, , for=10.0.0.2,"],
            "https://a.example/base/r",
        ),
        (&["for=10.0.0.9;host=a.example, for=10.0.0.2"], "https://a.example/base/r"),
        // It stops at whoever is hidden.
        (&["host=a.example, for=_hidden;host=b.example"], "https://b.example/base/r"),
        (&["host=a.example, for=unknown;host=b.example"], "https://b.example/base/r"),
        (&["host=a.example, for=\"10.0.0.2:\";host=b.example"], "https://b.example/base/r"),
        (&["host=a.example, for=\"[10.0.0.2]\";host=b.example"], "https://b.example/base/r"),
        (&["host=a.example, for=\"[::1\";host=b.example"], "https://b.example/base/r"),
        (&["host=a.example, host=b.example"], "https://b.example/base/r"),
        (&["host=a.example, ;"], "https://api.example.com/base/r"),
        (
            &["host=a.example, for=192.0.2.1;host=b.example, for=10.0.0.2"],
            "https://b.example/base/r",
        ),
    ] {
        assert_eq!(forwarded(fields).as_deref(), Some(uri), "{fields:?}");
    }
}

#[test]
fn what_cannot_be_read_is_not_taken_for_absent() {
    let long = vec!["for=10.0.0.2"; 33].join(",");
    for fields in [
        &["?"][..],
        &["host"],
        &["host="],
        &["=a.example"],
        &["host =a.example"],
        &["host= a.example"],
        &["host=a.example:8443"],
        &["host=\"a.example"],
        &["host=\"a.example\\\""],
        &["host=\"a.example\"x"],
        &["host=a.example;host=a.example"],
        &["for=10.0.0.2;for=10.0.0.2"],
        &["host=a.example for=192.0.2.1"],
        &["host=\u{fc}"],
        &["proto=ftp"],
        &["proto=\"\""],
        &["host=\"\""],
        &["host=\"u@a.example\""],
        &["host=\"a.example/r\""],
        &["host=\"a.example:x\""],
        // The broken part may be a client's: it harms nobody else.
        &["?, for=192.0.2.1;host=b.example"],
        &["\"", "for=192.0.2.1;host=b.example"],
        &["x=\", for=\"[2001:db8::1]\";host=b.example"],
        &[&long],
    ] {
        assert_eq!(forwarded(fields), None, "{fields:?}");
    }
    let longest = vec!["for=10.0.0.2"; 32].join(",");
    assert_eq!(forwarded(&[&longest]).as_deref(), CONFIGURED);
}

#[test]
fn x_forwarded_is_read_from_the_nearest_proxy() {
    let (proto, host, prefix) = ("x-forwarded-proto", "x-forwarded-host", "x-forwarded-prefix");
    for (fields, uri) in [
        (&[][..], "https://api.example.com/base/r"),
        (&[(proto, "http")], "http://api.example.com/base/r"),
        (&[(proto, "https, HTTP")], "http://api.example.com/base/r"),
        (&[(host, "a.example"), (host, "B.example:8443")], "https://b.example:8443/base/r"),
        (&[(host, "a.example,b.example")], "https://b.example/base/r"),
        (&[(host, "[::1]:8443")], "https://[::1]:8443/base/r"),
        (&[(prefix, "/x, /p/")], "https://api.example.com/p/r"),
        (&[(prefix, "/")], "https://api.example.com/r"),
        (&[("x-forwarded-port", "8443")], "https://api.example.com/base/r"),
    ] {
        assert_eq!(x_forwarded(fields).as_deref(), Some(uri), "{fields:?}");
    }
    for field in [
        (proto, ""),
        (proto, "wss"),
        (proto, "http,"),
        (host, ""),
        (host, "a b"),
        (host, "u@a.example"),
        (host, "a.example/p"),
        (host, "\u{fc}"),
        (prefix, ""),
        (prefix, "p"),
        (prefix, "/%zz"),
        (prefix, "/p?q"),
        (prefix, "/p\\"),
        (prefix, "https://a.example/p"),
    ] {
        assert_eq!(x_forwarded(&[field]), None, "{field:?}");
    }
}

#[test]
fn each_bad_address_is_a_fault_of_its_own() {
    let mut faults = Vec::new();
    TrustedProxies::forwarded(["10.0.0.1/8", "::1", "ingress", "10.0.0.0/64"])
        .compile(false, &mut faults);
    assert_eq!(faults.len(), 3);
    TrustedProxies::x_forwarded([""; 0]).compile(false, &mut faults);
    assert_eq!(faults.len(), 4);
    assert!(faults.iter().all(|fault| fault.setting() == "trusted_proxies"));
    assert!(faults.iter().any(|fault| fault.problem().contains("\"ingress\"")));
}

proptest! {
    #[test]
    fn any_field_is_survived(fields in proptest::collection::vec("[ -~\t]{0,40}", 0..4)) {
        let fields: Vec<_> = fields.iter().map(String::as_str).collect();
        let _ = forwarded(&fields);
        let pairs: Vec<_> = fields.iter().map(|value| ("x-forwarded-host", *value)).collect();
        let _ = x_forwarded(&pairs);
    }

    /// Whatever a client sends, it does not get past the element of the proxy in front of it.
    #[test]
    fn a_client_cannot_choose_the_host(
        sent in "(host=a\\.example|for=10\\.0\\.0\\.2|[;,\"\\\\= ]){0,8}",
    ) {
        for appended in
            ["for=192.0.2.1;host=b.example", "for=\"[2001:db8::1]\";host=\"b.example\""]
        {
            let uri = forwarded(&[&format!("{sent}, {appended}")]);
            prop_assert!(uri.is_none() || uri.as_deref() == Some("https://b.example/base/r"));
        }
    }
}
