//! The tonic server and its client, by the lines that the server prints.

use std::process::Command;

use crate::support::{
    Outside, Server, TONIC_CLIENT, example, has_backend, has_curl, has_embedded_issuer, refuses,
    run, shell, text,
};
use crate::tour::CODES;

/// What a printed line gives: all that is said, and whether the call succeeded.
fn follow(line: &str) -> Option<(String, bool)> {
    let client = example("tonic_client")?;
    let line = match line.strip_prefix(TONIC_CLIENT) {
        Some(arguments) => format!("'{}' {arguments}", client.display()),
        None => line.to_owned(),
    };
    let output = Command::new("sh").args(["-c", &line]).output().expect("a shell");
    let code = output.status.code();
    assert!([Some(0), Some(1)].contains(&code), "{line}: {code:?} {}", text(&output.stderr));
    Some((text(&output.stdout), code == Some(0)))
}

/// Runs each printed line, and compares what it gives with what its comment says.
fn walk(arguments: &[&str], schemes: &[&str], lines: usize) {
    if !has_embedded_issuer() || !has_curl() {
        return;
    }
    let Some(mut server) = Server::start_example("tonic", arguments, &[]) else { return };
    let tour = server.tour().lines;
    assert_eq!(tour.len(), lines, "{tour:?}");
    for (comment, line) in &tour {
        let (status, said) = comment.split_once(": ").expect("a status");
        let Some((answer, succeeded)) = follow(line) else { return };
        let expected = if status == "200" { "HTTP/1.1 200 OK" } else { &format!("< {status}") };
        assert!(answer.contains(expected), "{comment}\n{answer}");
        assert_eq!(succeeded, ["200", "Ok (0)"].contains(&status), "{comment}\n{answer}");
        for code in CODES {
            // It asks for a nonce by the way.
            if code != "use_dpop_nonce" {
                let given = answer.contains(&format!("error=\"{code}\""));
                assert_eq!(said.contains(code), given, "{comment}\n{answer}");
            }
        }
        let offered = answer.lines().filter_map(|line| line.strip_prefix("< www-authenticate: "));
        let mut offered = offered.filter_map(|challenge| challenge.split(' ').next());
        assert!(offered.all(|scheme| schemes.contains(&scheme)), "{comment}\n{answer}");
        assert!(!answer.contains("eyJ"), "tokens and proofs are not shown: {answer}");
    }
    server.stop();
}

#[test]
fn each_printed_line_gives_what_its_comment_says() {
    walk(&[], &["Bearer", "DPoP"], 23);
}

#[test]
fn so_it_is_where_each_token_needs_a_proof() {
    walk(&["--sender-constraint", "dpop"], &["DPoP"], 17);
    walk(&["--sender-constraint", "dpop", "--nonce"], &["DPoP"], 17);
}

#[test]
fn so_it_is_where_proofs_are_not_accepted() {
    walk(&["--sender-constraint", "bearer"], &["Bearer"], 23);
}

/// Envelopes are for HTTP, and proofs for the public name.
#[test]
fn so_it_is_with_an_envelope_and_another_name() {
    walk(&["--envelope", "problem"], &["Bearer", "DPoP"], 23);
    walk(&["--resource", "https://api.example.com/v1"], &["Bearer", "DPoP"], 22);
}

/// RFC 9449 §9: once, and then with the nonce.
#[test]
fn the_client_follows_a_nonce() {
    if !has_embedded_issuer() {
        return;
    }
    let Some(mut server) = Server::start_example("tonic", &["--nonce"], &[]) else { return };
    let tour = server.tour().lines;
    let (_, line) = tour.iter().find(|(_, line)| line.contains("--dpop")).expect("one");
    let Some((answer, succeeded)) = follow(line) else { return };
    assert!(succeeded && answer.contains("\"binding\":\"dpop\""), "{answer}");
    assert_eq!(answer.matches("error=\"use_dpop_nonce\"").count(), 1, "{answer}");
    assert_eq!(answer.matches("> dpop: (a proof)").count(), 3, "{answer}");
    assert!(answer.contains("< dpop-nonce: (a nonce)"), "{answer}");
    server.stop();
}

fn call(server: &Server, arguments: &[&str]) -> Option<(String, Option<i32>)> {
    let output = run("tonic_client", &[&["--url", &*server.base], arguments].concat())?;
    assert_eq!(text(&output.stderr), "");
    Some((text(&output.stdout), output.status.code()))
}

#[test]
fn an_outage_is_no_fault_of_the_token() {
    if !has_embedded_issuer() {
        return;
    }
    let nobody = "http://127.0.0.1:1";
    let flags = ["--issuer", nobody, "--allow-loopback"];
    let Some(server) = Server::start_example("tonic", &flags, &[]) else { return };
    let issuer = tower_resource_server::testing::TestIssuer::new(nobody);
    let token = issuer.token().audience(&*server.base).build();
    let Some((said, code)) = call(&server, &["--token", &token, "Whoami"]) else { return };
    assert!(said.contains("< Unavailable (14): "), "{said}");
    assert!(said.contains("< retry-after: ") && !said.contains("www-authenticate"), "{said}");
    assert_eq!(code, Some(1));
    server.stop();
}

/// A bad token is refused where none is needed, too.
#[test]
fn what_is_public_takes_no_bad_token() {
    if !has_backend() {
        return;
    }
    let outside = Outside::new("tonic-public");
    let Some(server) = Server::start_example("tonic", &outside.flags(), &[]) else { return };
    for method in ["Public", "Greet", "Whoami"] {
        let Some((said, code)) = call(&server, &["--token", "broken", method]) else { return };
        assert!(said.contains("< Unauthenticated (16): "), "{said}");
        assert_eq!(code, Some(1));
    }
    let good = outside.issuer.token().subject("zoë").build();
    let Some((said, code)) = call(&server, &["--token", &good, "Greet"]) else { return };
    assert!(said.contains("{\"sub\":\"zoë\"}"), "{said}");
    assert_eq!(code, Some(0));
    server.stop();
}

#[test]
fn the_document_is_served_over_either_version_and_nothing_else_is() {
    if !has_backend() || !has_curl() {
        return;
    }
    let outside = Outside::new("tonic-document");
    let Some(server) = Server::start_example("tonic", &outside.flags(), &[]) else { return };
    let curl = |arguments: &str| shell(&format!("curl -si {} {arguments}", server.base));
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        let path = format!("--request-target /.well-known/oauth-protected-resource {version}");
        assert!(curl(&path).contains("\"resource\":\"https://api.example.com\""));
        let refused = curl(version);
        assert!(
            refused.contains(" 401 ") && refused.contains("www-authenticate: Bearer"),
            "{refused}"
        );
    }
    server.stop();
}

#[test]
fn bad_flags_are_one_line_and_status_2() {
    let servers: [&[&str]; 4] =
        [&["--no-such-flag"], &["--listen", "nowhere"], &["--upstream", "http://a"], &["stray"]];
    for arguments in servers {
        let Some(_) = refuses("tonic", arguments) else { return };
    }
    let url = ["--url", "http://127.0.0.1:1"];
    let clients: [&[&str]; 15] = [
        &[],
        &["Whoami"],
        &["--url", "https://127.0.0.1:1", "Whoami"],
        &["--url", "/", "Whoami"],
        &url,
        &[url[0], url[1], "whoami"],
        &[url[0], url[1], "Whoami", "me"],
        &[url[0], url[1], "AddTool"],
        &[url[0], url[1], "AddTools"],
        &[url[0], url[1], "--no-such-flag", "Whoami"],
        &[url[0], url[1], "--dpop", "Whoami"],
        &[url[0], url[1], "--dpop", "--token", "x", "Whoami"],
        &[url[0], url[1], "--token-endpoint", url[1], "Whoami"],
        &[url[0], url[1], "--scope", "a", "Whoami"],
        &[url[0], url[1], "--dpop", "--token-endpoint", url[1], "--scope", "a&b", "Whoami"],
    ];
    for arguments in clients {
        let Some(_) = refuses("tonic_client", arguments) else { return };
    }
}

#[test]
fn the_client_says_in_one_line_why_it_could_not_call() {
    let nobody = "http://127.0.0.1:1";
    let cases: [&[&str]; 3] = [
        &["--url", nobody, "Whoami"],
        &["--url", nobody, "--dpop", "--token-endpoint", nobody, "Whoami"],
        &["--url", nobody, "--token", "line\nbreak", "Whoami"],
    ];
    for arguments in cases {
        let Some(output) = run("tonic_client", arguments) else { return };
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
        assert!(errors.starts_with("error: ") && !errors.contains("break"), "{errors}");
    }
}
