//! The DPoP client, against the server that prints how to run it.

use std::process::{Command, Output};

use tower_resource_server::Algorithm;
use tower_resource_server::testing::{ProofBuilder, ProofFlaw, SigningKey};

use crate::support::{Server, document_at, has_curl, has_embedded_issuer, refuses, run, text};

fn call(arguments: &[String]) -> Option<Output> {
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    run("dpop_client", &arguments)
}

/// How often a line stands there that begins so.
fn count(shown: &str, start: &str) -> usize {
    shown.lines().filter(|line| line.starts_with(start)).count()
}

/// It goes all the way: accepted once, refused as a copy, refused without the proof.
fn goes_through(arguments: &[&str]) -> Option<String> {
    if !has_embedded_issuer() {
        return None;
    }
    let mut server = Server::start(arguments)?;
    let client = server.tour().client.expect("how to run the client");
    let output = call(&client)?;
    let (shown, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{shown}{errors}");
    assert!(shown.contains("\"binding\":\"dpop\""), "{shown}");
    assert!(shown.contains("\"sub\":\"client-1\""), "{shown}");
    assert_eq!(count(&shown, "< 200 OK"), 2, "the token and the call: {shown}");
    assert!(shown.contains("DPoP realm=\"example\", error=\"invalid_dpop_proof\""), "{shown}");
    assert!(!shown.contains("eyJ"), "tokens and proofs are not shown");
    server.stop();
    Some(shown)
}

#[test]
fn it_calls_the_server_and_its_copies_are_refused() {
    let Some(shown) = goes_through(&[]) else { return };
    assert_eq!(count(&shown, "< 401 "), 2, "{shown}");
    assert_eq!(count(&shown, "> dpop: "), 3, "{shown}");
    assert!(shown.contains("Bearer realm=\"example\", error=\"invalid_token\""), "{shown}");
}

#[test]
fn it_follows_a_nonce_once() {
    let Some(shown) = goes_through(&["--nonce"]) else { return };
    assert_eq!(shown.matches("error=\"use_dpop_nonce\"").count(), 1, "{shown}");
    assert_eq!(count(&shown, "< 401 "), 3, "{shown}");
    assert_eq!(count(&shown, "> dpop: "), 4, "{shown}");
}

#[test]
fn it_is_at_home_where_each_token_needs_a_proof() {
    for arguments in
        [&["--sender-constraint", "dpop"][..], &["--sender-constraint", "dpop", "--nonce"]]
    {
        let Some(shown) = goes_through(arguments) else { return };
        assert_eq!(count(&shown, "< www-authenticate: Bearer"), 0, "{shown}");
    }
}

#[test]
fn behind_a_proxy_it_is_told_the_public_url() {
    if !has_embedded_issuer() {
        return;
    }
    let renamed = ["--resource", "https://api.example.com/v1"];
    let prefixed =
        ["--resource", "https://api.example.com", "--base-url", "https://example.com/n/"];
    let gateway = [&prefixed[..], &["--upstream", "http://127.0.0.1:9"]].concat();
    for (example, arguments, url) in [
        ("axum", &renamed[..], "https://api.example.com/whoami"),
        ("axum", &prefixed, "https://example.com/n/whoami"),
        ("hyper", &gateway, "https://example.com/n/"),
    ] {
        let Some(mut server) = Server::start_example(example, arguments, &[]) else { return };
        let client = server.tour().client.expect("how to run the client");
        let [_, called, _, endpoint] = &client[..] else { panic!("two flags: {client:?}") };
        assert_eq!(called, url);
        assert!(endpoint.ends_with("/token"), "{endpoint}");
        server.stop();
    }
}

#[test]
fn it_fails_where_proofs_are_not_accepted() {
    if !has_embedded_issuer() {
        return;
    }
    let Some(mut server) = Server::start(&["--sender-constraint", "bearer"]) else { return };
    assert_eq!(server.tour().client, None, "nothing to run");
    let endpoint = token_endpoint(&server);
    let url = format!("{}/whoami", server.base);
    let arguments = ["--url", &url, "--token-endpoint", &endpoint];
    let Some(output) = run("dpop_client", &arguments) else { return };
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "error: the request was not accepted\n");
    assert_eq!(count(&text(&output.stdout), "< www-authenticate: DPoP"), 0);
    server.stop();
}

#[test]
fn its_bad_flags_are_one_line_and_status_2() {
    let bad: [&[&str]; 6] = [
        &[],
        &["--url", "http://127.0.0.1:1/"],
        &["--token-endpoint", "http://127.0.0.1:1/token"],
        &["--url", "https://127.0.0.1:1/", "--token-endpoint", "http://127.0.0.1:1/token"],
        &["--url", "/whoami", "--token-endpoint", "http://127.0.0.1:1/token"],
        &["--scope", "a&b"],
    ];
    for arguments in bad {
        let Some(_) = refuses("dpop_client", arguments) else { return };
    }
}

#[test]
fn nobody_there_is_one_line() {
    let nobody = "http://127.0.0.1:1/";
    let arguments = ["--url", nobody, "--token-endpoint", nobody];
    let Some(output) = run("dpop_client", &arguments) else { return };
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr).lines().count(), 1, "{}", text(&output.stderr));
}

/// From the metadata of the issuer, as clients find it (RFC 8414).
fn token_endpoint(server: &Server) -> String {
    let document = format!("{}/.well-known/oauth-authorization-server", server.issuer());
    document_at(&document)["token_endpoint"].as_str().expect("a token endpoint").to_owned()
}

/// What the token endpoint answers to these proofs.
fn ask(endpoint: &str, proofs: &[ProofBuilder]) -> String {
    let mut curl = Command::new("curl");
    curl.args(["-si", endpoint, "-d", "grant_type=client_credentials&scope=tools%2Fread"]);
    for proof in proofs {
        curl.args(["-H", &format!("DPoP: {}", proof.build())]);
    }
    text(&curl.output().expect("curl runs").stdout)
}

/// RFC 9449 §5.
#[test]
fn the_embedded_issuer_binds_tokens_to_keys_that_are_proved() {
    if !has_embedded_issuer() {
        return;
    }
    let (true, Some(server)) = (has_curl(), Server::start(&[])) else { return };
    let endpoint = token_endpoint(&server);
    let key = SigningKey::generate(Algorithm::ES256);
    let proof = || key.proof("POST", &endpoint);
    let given = ask(&endpoint, &[proof()]);
    assert!(given.starts_with("HTTP/1.1 200 "), "{given}");
    assert!(given.contains("cache-control: no-store"), "{given}");
    assert!(given.contains("\"token_type\":\"DPoP\"") && given.contains("\"tools/read\""));

    let bad = [
        vec![],
        vec![proof(), proof()],
        vec![proof().header("typ", "jwt")],
        vec![proof().without_claim("jti")],
        vec![proof().claim("jti", "")],
        vec![key.proof("GET", &endpoint)],
        vec![key.proof("POST", &format!("{}/token", server.base))],
        vec![proof().signed_with(&SigningKey::generate(Algorithm::ES256))],
        vec![SigningKey::generate(Algorithm::ES384).proof("POST", &endpoint)],
        vec![proof().raw_payload("{")],
        vec![proof().flaw(ProofFlaw::IatOld)],
        vec![proof().flaw(ProofFlaw::IatAhead)],
        vec![proof().flaw(ProofFlaw::KeyPrivate)],
        vec![proof().flaw(ProofFlaw::KeyOffCurve)],
    ];
    for proofs in bad {
        let refused = ask(&endpoint, &proofs);
        assert!(refused.starts_with("HTTP/1.1 400 "), "{proofs:?}: {refused}");
        assert!(refused.contains("\"error\":\"invalid_dpop_proof\""), "{proofs:?}: {refused}");
    }
    server.stop();
}
