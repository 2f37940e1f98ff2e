//! Certificates that a proxy forwards (RFC 9440), and those that anybody else sends.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt};
use tower_resource_server::testing::TestCertificate;
use tower_resource_server::{RejectionKind, ResourceServer, SenderConstraint, TrustedProxies};
use tracing::Level;

use super::{Mtls, PROXY, STRANGER, from_peer, refused};
use crate::dpop::Client;
use crate::observability::Capture;
use crate::support::{bearer, get, published};

fn with_fields(
    mut request: Request<Full<Bytes>>,
    values: &[impl AsRef<[u8]>],
) -> Request<Full<Bytes>> {
    for value in values {
        let value = HeaderValue::from_bytes(value.as_ref()).expect("a field value");
        request.headers_mut().append("client-cert", value);
    }
    request
}

#[tokio::test]
async fn a_trusted_proxy_is_believed() {
    let mtls = Mtls::behind_proxy();
    let forwarded = mtls.certificate.forward(mtls.request());
    // R8705-6.5-1: the byte sequence of a proxy that is trusted counts …
    mtls.send(from_peer(forwarded, PROXY)).await.assert_ok();
    let other = TestCertificate::random().forward(mtls.request());
    // R8705-6.5-1: … and has to fit like any other certificate.
    let answer = mtls.send(from_peer(other, PROXY)).await;
    refused(&answer, RejectionKind::CertificateMismatch);
    let none = from_peer(mtls.request(), PROXY);
    // R8705-3-3: a client that showed the proxy no certificate.
    refused(&mtls.send(none).await, RejectionKind::MissingCertificate);
}

#[tokio::test]
async fn a_network_of_proxies_is_believed_in_either_form_of_address() {
    let mtls = Mtls::with(|builder| builder.client_cert_field(["192.0.2.0/24", "fd00::/8"]));
    let forwarded = || mtls.certificate.forward(mtls.request());
    let mut mapped = forwarded();
    let address = "::ffff:192.0.2.10".parse().expect("an address");
    mapped.extensions_mut().insert(tower_resource_server::PeerAddress::new(address));
    mtls.send(mapped).await.assert_ok();
    mtls.send(from_peer(forwarded(), PROXY)).await.assert_ok();
    let answer = mtls.send(from_peer(forwarded(), STRANGER)).await;
    refused(&answer, RejectionKind::MissingCertificate);
}

#[tokio::test]
async fn nobody_else_is() {
    let trusting = Mtls::behind_proxy();
    let indifferent = Mtls::new();
    let other_setting =
        Mtls::with(|builder| builder.trusted_proxies(TrustedProxies::forwarded(["192.0.2.10"])));
    for mtls in [&trusting, &indifferent, &other_setting] {
        let forwarded = mtls.certificate.forward(mtls.request());
        // R8705-6.5-1: without an address nobody vouches for the field, nor does a stranger.
        refused(&mtls.send(forwarded.clone()).await, RejectionKind::MissingCertificate);
        let answer = mtls.send(from_peer(forwarded, STRANGER)).await;
        // R9700-4.13-1: the very certificate that the token is bound to is ignored there.
        refused(&answer, RejectionKind::MissingCertificate);
    }
    for mtls in [indifferent, other_setting] {
        let forwarded = mtls.certificate.forward(mtls.request());
        // R9700-4.13-1: nor does the proxy itself count, where it was not named for this.
        let answer = mtls.send(from_peer(forwarded, PROXY)).await;
        refused(&answer, RejectionKind::MissingCertificate);
    }
}

#[tokio::test]
async fn one_source_counts_for_each_peer() {
    let mtls = Mtls::behind_proxy();
    let (own, other) = (&mtls.certificate, TestCertificate::random());
    let request = || mtls.request();
    // The proxy's own certificate is not the client's, whether or not the proxy sends the field.
    let answer = mtls.send(from_peer(own.attach(request()), PROXY)).await;
    refused(&answer, RejectionKind::MissingCertificate);
    let answer = mtls.send(from_peer(own.attach(other.forward(request())), PROXY)).await;
    refused(&answer, RejectionKind::CertificateMismatch);
    mtls.send(from_peer(other.attach(own.forward(request())), PROXY)).await.assert_ok();
    // Who comes directly cannot better its certificate with a field, nor spoil it.
    let answer = mtls.send(from_peer(other.attach(own.forward(request())), STRANGER)).await;
    refused(&answer, RejectionKind::CertificateMismatch);
    mtls.send(from_peer(own.attach(other.forward(request())), STRANGER)).await.assert_ok();
    mtls.send(own.attach(with_fields(request(), &["rubbish"]))).await.assert_ok();
}

/// Fields that are no certificate, given one that is, and what is wrong with them.
fn malformed(good: &str) -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let base64 = good.trim_matches(':');
    let pem = format!("-----BEGIN CERTIFICATE-----\t{base64}\t-----END CERTIFICATE-----");
    let escaped = format!("-----BEGIN%20CERTIFICATE-----%0A{base64}%0A");
    let inside = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t";
    let one = |value: &str| vec![value.as_bytes().to_vec()];
    let huge = format!(":{}:", "A".repeat(20_000));
    let (repeated, open) = ("it is there more than once", "it does not begin and end with a colon");
    let coded = "no base64 is between its colons";
    let empty = "it is empty";
    vec![
        (repeated, vec![good.into(), good.into()]),
        (repeated, vec![good.into(), Vec::new()]),
        (repeated, vec![Vec::new(), good.into()]),
        (coded, one(&format!("{good}, {good}"))),
        (open, one(&format!("{good},"))),
        ("it has parameters", one(&format!("{good};a=1"))),
        (open, one(&format!("\"{base64}\""))),
        (open, one(&format!("({good})"))),
        (open, one(&format!(":{base64}"))),
        (open, one(&format!("{base64}:"))),
        (open, one(base64)),
        (coded, one(&format!(":{}*:", &base64[1..]))),
        (coded, one(&format!(":{} {}:", &base64[..4], &base64[4..]))),
        (coded, one(&format!(":{}:", base64.replace(['+', '/'], "-") + "_"))),
        (coded, one(":A:")),
        ("nothing is between its colons", one("::")),
        (open, one(":")),
        (empty, one("")),
        (empty, one(" ")),
        (open, one("%s")),
        ("it is PEM", one(&pem)),
        ("it is PEM", one(&escaped)),
        ("its base64 is that of PEM, not of DER", one(&format!(":{inside}:"))),
        ("it is longer than 16 KiB", one(&huge)),
        (coded, vec![b":\xff\xfe:".to_vec()]),
        (open, vec![[good.as_bytes(), b"\xff"].concat()]),
    ]
}

const CERTIFICATE: &str = "tower_resource_server::certificate";

#[tokio::test]
async fn a_field_that_cannot_be_read_is_no_certificate() {
    let mtls = Mtls::behind_proxy();
    let good = mtls.certificate.field();
    let good = good.to_str().expect("visible ASCII");
    for (reason, values) in malformed(good) {
        let request = from_peer(with_fields(mtls.request(), &values), PROXY);
        let log = Capture::start();
        let answer = mtls.send(request).await;
        // R8705-6.5-1: two lines, a list, parameters, other encodings, nothing, too much.
        refused(&answer, RejectionKind::MalformedCertificate);
        assert!(!answer.text().contains("AAAA"), "nothing of it is echoed");
        let [told] = &log.of(CERTIFICATE)[..] else { panic!("{values:?}: one warning") };
        assert_eq!((told.level, told.get("reason")), (Level::WARN, Some(reason)), "{values:?}");
        assert_eq!(told.get("peer"), Some("192.0.2.10"));
        let said = format!("{:?}", log.all());
        assert!(!said.contains(&good[1..9]) && !said.contains("AAAA"), "nothing of it is logged");
    }
    let log = Capture::start();
    let answer = mtls.send(from_peer(with_fields(mtls.request(), &[good]), PROXY)).await;
    answer.assert_ok();
    assert!(log.of(CERTIFICATE).is_empty());
}

#[tokio::test]
async fn it_is_not_looked_at_where_no_token_asks_for_it() {
    let mtls = Mtls::behind_proxy();
    let rubbish = |request| from_peer(with_fields(request, &["rubbish"]), PROXY);
    let log = Capture::start();
    mtls.send(rubbish(bearer(&mtls.bed.token()))).await.assert_ok();
    mtls.send(rubbish(Client::new(&mtls.bed).request())).await.assert_ok();
    // A token that is refused anyway is refused for its own fault.
    let expired = mtls.bed.issuer.token().bound_to_certificate(mtls.certificate.client());
    let expired = expired.claim("exp", 1_000_000_000).build();
    let answer = mtls.send(rubbish(bearer(&expired))).await;
    refused(&answer, RejectionKind::ExpiredToken);
    assert!(log.of(CERTIFICATE).is_empty());
}

#[tokio::test]
async fn padding_does_not_make_another_certificate() {
    let mtls = Mtls::behind_proxy();
    let field = mtls.certificate.field();
    let padded = field.to_str().expect("visible ASCII");
    let bare = format!(":{}:", padded.trim_matches(':').trim_end_matches('='));
    assert_ne!(bare, padded);
    // RFC 8941 §4.2.7: a parser should do without padding.
    for value in [bare.as_str(), padded, &format!(" {padded}")] {
        let request = from_peer(with_fields(mtls.request(), &[value]), PROXY);
        mtls.send(request).await.assert_ok();
    }
}

#[tokio::test]
async fn the_certificate_of_the_vector_can_be_forwarded() {
    let mtls = Mtls::behind_proxy();
    let cnf = serde_json::json!({ "x5t#S256": published("RFC8705-A", "x5t_S256") });
    let token = mtls.bed.issuer.token().claim("cnf", cnf).build();
    let line = format!(":{}:", published("RFC8705-A", "cert_der_base64"));
    let chain = HeaderValue::from_static("rubbish, which is not read");
    let mut request = from_peer(with_fields(bearer(&token), &[line]), PROXY);
    request.headers_mut().insert("client-cert-chain", chain);
    // R8705-6.5-1: the form of RFC 9440; the chain is not looked at.
    mtls.send(request).await.assert_ok();
}

/// The fields that the inner service gets to see.
async fn seen(server: &ResourceServer, request: Request<Full<Bytes>>) -> HeaderMap {
    let seen = Arc::new(Mutex::new(None));
    let tell = Arc::clone(&seen);
    let handler = tower::service_fn(move |request: Request<Full<Bytes>>| {
        *tell.lock().expect("no panic") = Some(request.headers().clone());
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
    });
    let guard = server.authenticate().optional();
    guard.layer(handler).oneshot(request).await.expect("infallible");
    seen.lock().expect("no panic").take().expect("the handler ran")
}

#[tokio::test]
async fn the_inner_service_sees_no_certificate_that_nobody_vouches_for() {
    let mtls = Mtls::behind_proxy();
    let chained = |request| {
        let mut request = mtls.certificate.forward(request);
        request.headers_mut().insert("client-cert-chain", mtls.certificate.field());
        request
    };
    let open = Mtls::new();
    for request in [get(&[]), bearer(&mtls.bed.token()), mtls.sound()] {
        for stranger in [chained(request.clone()), from_peer(chained(request.clone()), STRANGER)] {
            let mut twice = stranger;
            twice.headers_mut().append("client-cert", mtls.certificate.field());
            let fields = seen(&mtls.bed.server, twice).await;
            // R9700-4.13-1: further in, the field can only be a trusted proxy's.
            assert!(!fields.contains_key("client-cert"));
            assert!(!fields.contains_key("client-cert-chain"));
        }
        let fields = seen(&mtls.bed.server, from_peer(chained(request), PROXY)).await;
        assert!(fields.contains_key("client-cert") && fields.contains_key("client-cert-chain"));
    }
    // Without the setting the crate has no opinion.
    let fields = seen(&open.bed.server, from_peer(chained(get(&[])), STRANGER)).await;
    assert!(fields.contains_key("client-cert"));
}

#[test]
fn addresses_that_cannot_be_read_are_faults() {
    let bed = Mtls::new().bed;
    for addresses in [&[][..], &["localhost"], &["10.0.0.1/8"], &["10.0.0.0/33", ""]] {
        let builder = bed.issuer.resource_server("https://api.example.com");
        let error = builder.client_cert_field(addresses.iter().copied()).build();
        let error = error.expect_err("no addresses");
        assert_eq!(error.faults().len(), addresses.len().max(1), "{error}");
        assert!(error.faults().iter().all(|fault| fault.setting() == "client_cert_field"));
    }
    let builder = bed.issuer.resource_server("https://api.example.com");
    let builder = builder.client_cert_field(["nonsense"]).client_cert_field(["::1"]);
    builder.sender_constraint(SenderConstraint::MutualTls).build().expect("the last one counts");
}
