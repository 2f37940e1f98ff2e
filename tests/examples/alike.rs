//! With and without a framework the answers are the same.

use crate::support::{Outside, Server, has_backend};
use crate::wire::Peer;

/// What a client goes by: the status, some fields, and the body.
#[derive(Debug, Eq, PartialEq)]
struct Answer {
    status: String,
    fields: Vec<String>,
    body: String,
}

const FIELDS: [&str; 5] =
    ["allow", "cache-control", "content-type", "dpop-nonce", "www-authenticate"];

fn ask(server: &mut Peer, method: &str, path: &str, token: Option<&str>) -> Answer {
    let authorization = token.map(|token| format!("authorization: Bearer {token}\r\n"));
    let authorization = authorization.unwrap_or_default();
    server
        .say(&format!("{method} {path} HTTP/1.1\r\nhost: api.example.com\r\n{authorization}\r\n"));
    server.hears_head();
    let (status, fields) = server.head.split_once("\r\n").expect("a status line");
    // axum lists the methods also where a layer refuses the token.
    let names = if status.contains(" 405 ") { &FIELDS[..] } else { &FIELDS[1..] };
    let known = |field: &&str| names.iter().any(|name| field.starts_with(&format!("{name}:")));
    let mut fields: Vec<_> = fields.lines().filter(known).map(str::to_owned).collect();
    fields.sort();
    let status = status.to_owned();
    let body = if method == "HEAD" { String::new() } else { server.hears_body() };
    Answer { status, fields, body }
}

#[test]
fn hyper_answers_as_axum_does() {
    if !has_backend() {
        return;
    }
    let outside = Outside::new("alike");
    let start = |name| Server::start_example(name, &outside.flags(), &[]);
    let (Some(axum), Some(hyper)) = (start("axum"), start("hyper")) else { return };
    let (mut to_axum, mut to_hyper) = (Peer::connect(&axum.base), Peer::connect(&hyper.base));
    let narrow = outside.issuer.token().scope("tools/read").build();
    let wide = outside.issuer.token().scope("tools/write reports/read admin audit tools/delete");
    let wide = wide.build();
    let paths = [
        "/public",
        "/whoami",
        "/optional",
        "/tools",
        "/admin",
        "/reports/7",
        "/reports/7/8",
        "/reports/",
        "/payments",
        "/handler-denied",
        "/nested/whoami",
        "/nested/tools",
        "/whoami/",
        "/no-such-path",
        "/.well-known/oauth-protected-resource",
    ];
    for path in paths {
        for method in ["GET", "HEAD", "POST", "DELETE", "OPTIONS"] {
            // In axum the layer of one method there is around what answers for the unknown ones.
            if path == "/tools" && ["DELETE", "OPTIONS"].contains(&method) {
                continue;
            }
            for token in [None, Some("broken"), Some(&*narrow), Some(&*wide)] {
                let here = ask(&mut to_hyper, method, path, token);
                let there = ask(&mut to_axum, method, path, token);
                assert_eq!(here, there, "{method} {path} {:?}", token.map(str::len));
            }
        }
    }
    axum.stop();
    hyper.stop();
}
