//! The printed curl lines.

use crate::support::{Server, has_backend, has_curl, has_embedded_issuer, refuses, shell};

pub(crate) const CODES: [&str; 5] = [
    "insufficient_scope",
    "insufficient_user_authentication",
    "invalid_dpop_proof",
    "invalid_token",
    "use_dpop_nonce",
];

/// Runs each printed line, and compares what it gives with what its comment says: the status, the
/// error code or that there is none, and challenges of these schemes alone.
fn walk(arguments: &[&str], schemes: &[&str], at_least: usize) {
    if !has_embedded_issuer() || !has_curl() {
        return;
    }
    for (example, version) in [("axum", HTTP_1), ("hyper", HTTP_2)] {
        let Some(server) = Server::start_example(example, arguments, &[]) else { return };
        follow(server, version, schemes, at_least);
    }
}

/// How an answer begins, and with what curl asks for it.
type Version = (&'static str, &'static str);

const HTTP_1: Version = ("HTTP/1.1", "curl");
const HTTP_2: Version = ("HTTP/2", "curl --http2-prior-knowledge");

fn follow(mut server: Server, (version, curl): Version, schemes: &[&str], at_least: usize) {
    let tour = server.tour().lines;
    assert!(tour.len() >= at_least, "{tour:?}");
    for (comment, command) in &tour {
        let (status, said) = comment.split_once(':').expect("a status");
        let answer = shell(&command.replacen("curl", curl, 1));
        assert!(answer.starts_with(&format!("{version} {status} ")), "{comment}\n{answer}");
        for code in CODES {
            let (promised, given) =
                (said.contains(code), answer.contains(&format!("error=\"{code}\"")));
            assert_eq!(promised, given, "{comment}\n{answer}");
        }
        let offered: Vec<_> = answer
            .lines()
            .filter_map(|line| line.strip_prefix("www-authenticate: "))
            .filter_map(|challenge| challenge.split(' ').next())
            .collect();
        assert!(offered.iter().all(|scheme| schemes.contains(scheme)), "{comment}\n{answer}");
        assert_eq!(["401", "403"].contains(&status), !offered.is_empty(), "{comment}\n{answer}");
        let without_error = *status == *"401" && !CODES.iter().any(|code| said.contains(code));
        assert!(!without_error || offered == *schemes, "{comment}\n{answer}");
    }
    server.stop();
}

#[test]
fn each_printed_line_gives_what_its_comment_says() {
    walk(&[], &["Bearer", "DPoP"], 21);
}

#[test]
fn so_it_is_without_a_framework_over_http_1() {
    if !has_embedded_issuer() || !has_curl() {
        return;
    }
    let Some(server) = Server::start_example("hyper", &[], &[]) else { return };
    follow(server, HTTP_1, &["Bearer", "DPoP"], 21);
}

#[test]
fn so_it_is_with_nonces() {
    walk(&["--nonce"], &["Bearer", "DPoP"], 22);
}

#[test]
fn so_it_is_where_each_token_needs_a_proof() {
    walk(&["--sender-constraint", "dpop"], &["DPoP"], 21);
    walk(&["--sender-constraint", "dpop", "--nonce"], &["DPoP"], 22);
}

#[test]
fn so_it_is_where_proofs_are_not_accepted() {
    walk(&["--sender-constraint", "bearer"], &["Bearer"], 19);
    walk(&["--sender-constraint", "bearer", "--nonce"], &["Bearer"], 19);
}

/// Proofs name the server as clients know it, wherever it listens.
#[test]
fn so_it_is_behind_another_name() {
    walk(&["--resource", "https://api.example.com/v1"], &["Bearer", "DPoP"], 21);
}

/// Proofs name the whole URL, of which the server sees the end.
#[test]
fn so_it_is_behind_a_proxy_that_takes_a_prefix_off() {
    let public = "https://example.com/notes";
    walk(&["--resource", public, "--base-url", public], &["Bearer", "DPoP"], 21);
}

/// Its lines come with the certificates of two clients.
#[test]
fn so_it_is_where_tokens_are_bound_to_certificates() {
    if !has_backend() || !has_curl() {
        return;
    }
    let Some(server) = Server::start_example("mtls", &[], &[]) else { return };
    follow(server, HTTP_1, &["Bearer"], 10);
    refuses("mtls", &["--no-such-flag"]);
    refuses("mtls", &["--listen", "nowhere"]);
}
