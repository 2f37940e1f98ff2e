//! The hyper server and its connections; its routes are those of the tour.

use crate::support::{Server, has_backend, refuses, run, text};
use crate::wire::Peer;

const HERE: [&str; 2] = ["--listen", "127.0.0.1:0"];

#[test]
fn bad_flags_are_one_line_and_status_2() {
    let bad: [&[&str]; 14] = [
        &["--no-such-flag"],
        &["--listen", "nowhere"],
        &["--profile", "strict"],
        &["--issuer", "as.example.com"],
        &["stray"],
        &["--upstream"],
        &["--upstream", "127.0.0.1:9000"],
        &["--upstream", "https://127.0.0.1:9000"],
        &["--upstream", "http://127.0.0.1:9000/path"],
        &["--upstream", "http://user:secret@127.0.0.1:9000"],
        &["--upstream-timeout", "soon"],
        &["--upstream-timeout", "0"],
        &["--upstream-timeout", "-1"],
        &["--upstream-timeout", "5"],
    ];
    for arguments in bad {
        let Some(errors) = refuses("hyper", arguments) else { return };
        assert!(!errors.contains("panicked"), "{errors}");
    }
    for example in ["axum", "mtls"] {
        let Some(_) = refuses(example, &["--upstream", "http://127.0.0.1:9000"]) else { return };
    }
}

#[test]
fn a_port_that_is_taken_is_one_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let Some(errors) = refuses("hyper", &["--listen", &address]) else { return };
    assert!(errors.contains("cannot listen"), "{errors}");
}

#[test]
fn its_help_has_the_common_flags_and_its_own() {
    let Some(output) = run("hyper", &["--help"]) else { return };
    let help = text(&output.stdout);
    assert!(output.status.success());
    assert!(
        help.contains("--sender-constraint WHICH") && help.contains("--upstream URL"),
        "{help}"
    );
}

#[test]
fn without_a_backend_it_says_what_to_enable() {
    if has_backend() {
        return;
    }
    let Some(output) = run("hyper", &HERE) else { return };
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("enable the feature aws-lc-rs or rust-crypto"));
}

/// Connections that have nothing under way hold nothing up: a client that has said nothing, one
/// that has said half of something, one between two requests.
#[test]
fn it_stops_at_once_where_nobody_waits() {
    if !has_backend() {
        return;
    }
    let outside = crate::support::Outside::new("idle");
    let Some(server) = Server::start_example("hyper", &outside.flags(), &[]) else { return };
    let (mut silent, mut half, mut idle) =
        (Peer::connect(&server.base), Peer::connect(&server.base), Peer::connect(&server.base));
    half.say("GET /public HT");
    idle.say("GET /public HTTP/1.1\r\nhost: here\r\n\r\n");
    let mut idle = idle.with_head();
    assert!(idle.head.starts_with("HTTP/1.1 200 "), "{}", idle.head);
    idle.hears("{\"public\":true}");
    server.stop();
    for peer in [&mut silent, &mut half, &mut idle] {
        assert_eq!(peer.rest(), "");
    }
}

/// Neither bytes that are no HTTP nor heads without end bring it down.
#[test]
fn nonsense_is_no_request() {
    if !has_backend() {
        return;
    }
    let outside = crate::support::Outside::new("nonsense");
    let Some(server) = Server::start_example("hyper", &outside.flags(), &[]) else { return };
    let long = format!("GET /whoami HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(1 << 20));
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let binary = format!("{preface}\0\0\u{1}\u{7f}\0\0\0\0\0nonsense");
    for nonsense in ["\0\u{1}\u{2}\r\n\r\n", "GET\r\n\r\n", &long, &binary] {
        let mut peer = Peer::connect(&server.base);
        peer.tries_to_say(nonsense);
        let answer = peer.rest();
        assert!(!answer.contains("200 OK"), "{answer}");
    }
    server.stop();
}
