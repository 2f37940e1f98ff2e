//! Proofs over real connections: origin-form, absolute-form, HTTP/2.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tower::{Layer, service_fn};

use crate::dpop::DpopBed;

async fn served(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::from("served")))
}

async fn serve(bed: &DpopBed) -> SocketAddr {
    crate::servers::serve(bed.bed.server.authenticate().layer(service_fn(served))).await
}

/// The status of the answer to these lines, sent as they are.
async fn write(address: SocketAddr, lines: &[&str]) -> u16 {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = format!("{}\r\nConnection: close\r\n\r\n", lines.join("\r\n"));
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("text");
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    status.and_then(|status| status.parse().ok()).expect("a status")
}

/// The status of the answer over HTTP/2, under that `:scheme`, `:authority` and `:path`.
async fn call_http2(address: SocketAddr, bed: &DpopBed, path: &str, proof: &str) -> u16 {
    let mut builder = Client::builder(TokioExecutor::new());
    let client = builder.http2_only(true).build_http::<Full<Bytes>>();
    let request = Request::get(format!("http://{address}{path}"))
        .header("authorization", format!("DPoP {}", bed.token))
        .header("dpop", proof)
        .body(Full::default())
        .expect("a request");
    let response = client.request(request).await.expect("a response");
    assert_eq!(response.version(), Version::HTTP_2);
    response.status().as_u16()
}

#[tokio::test]
async fn every_form_of_a_target_gets_the_same_verdict() {
    let bed = DpopBed::recording();
    let address = serve(&bed).await;
    let authorization = format!("Authorization: DPoP {}", bed.token);
    let local = format!("http://{address}/r");
    for (htu, status) in [
        ("https://api.example.com/r", 200),
        ("https://api.example.com/r?a=1", 200),
        ("https://api.example.com/R", 401),
        ("https://api.example.com/", 401),
        ("https://evil.example/r", 401),
        (&*local, 401),
    ] {
        for request in [
            "GET /r?q=1 HTTP/1.1".to_owned(),
            format!("GET http://{address}/r?q=1 HTTP/1.1"),
            "GET http://evil.example/r HTTP/1.1".to_owned(),
            "GET https://api.example.com/r HTTP/1.1".to_owned(),
        ] {
            for host in ["api.example.com", "evil.example", "127.0.0.1"] {
                let proof = format!("DPoP: {}", bed.proof().claim("htu", htu).build());
                let lines = [&*request, &format!("Host: {host}"), &authorization, &proof];
                // R9449-4.3-9-7: HTTP/1.1 in both forms, and HTTP/2.
                assert_eq!(write(address, &lines).await, status, "{request} {host} {htu}");
            }
        }
        let proof = bed.proof().claim("htu", htu).build();
        assert_eq!(call_http2(address, &bed, "/r?q=1", &proof).await, status, "{htu}");
    }
}

#[tokio::test]
async fn the_asterisk_is_the_root() {
    let bed = DpopBed::recording();
    let address = serve(&bed).await;
    let authorization = format!("Authorization: DPoP {}", bed.token);
    for (htu, status) in [("https://api.example.com", 200), ("https://api.example.com/*", 401)] {
        let proof = bed.proof().claim("htm", "OPTIONS").claim("htu", htu).build();
        let proof = format!("DPoP: {proof}");
        let lines = ["OPTIONS * HTTP/1.1", "Host: api.example.com", &authorization, &proof];
        assert_eq!(write(address, &lines).await, status, "{htu}");
    }
}

#[tokio::test]
async fn names_have_no_case_and_proofs_do() {
    let bed = DpopBed::recording();
    let address = serve(&bed).await;
    let authorization = format!("Authorization: DPoP {}", bed.token);
    let start = ["GET /r HTTP/1.1", "Host: api.example.com", &authorization];
    // R9449-4.1-1
    for name in ["dpop", "DPOP", "DPoP", "dPoP"] {
        let proof = bed.proof().build();
        let line = format!("{name}: {proof}");
        assert_eq!(write(address, &[&start[..], &[&line]].concat()).await, 200, "{name}");
        let (upper, lower) = (proof.to_uppercase(), proof.to_lowercase());
        for other in [upper, lower] {
            let line = format!("{name}: {other}");
            assert_eq!(write(address, &[&start[..], &[&line]].concat()).await, 401, "{name}");
        }
    }
}

#[tokio::test]
async fn two_lines_are_two_proofs_whatever_their_case() {
    let bed = DpopBed::recording();
    let address = serve(&bed).await;
    let authorization = format!("Authorization: DPoP {}", bed.token);
    for (one, other) in [("DPoP", "dpop"), ("dpop", "dpop"), ("DPOP", "DPoP")] {
        let (first, second) = (bed.proof().build(), bed.proof().build());
        let lines = [
            "GET /r HTTP/1.1",
            "Host: api.example.com",
            &authorization,
            &format!("{one}: {first}"),
            &format!("{other}: {second}"),
        ];
        assert_eq!(write(address, &lines).await, 401);
    }
    assert_eq!(bed.ledger().asked(), 0);
}
