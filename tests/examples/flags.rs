//! The common command line.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use tower_resource_server::testing::TestIssuer;

use crate::support::{
    Outside, Server, has_backend, has_curl, has_embedded_issuer, refuses, run, shell, text,
};

#[test]
fn an_issuer_outside_is_trusted_by_its_key_file() {
    if !has_backend() || !has_curl() {
        return;
    }
    let issuer = TestIssuer::new("https://as.example.com");
    let file = std::env::temp_dir().join(format!("trs-jwks-{}.json", std::process::id()));
    std::fs::write(&file, issuer.jwks_bytes()).expect("a temporary file");
    let file_name = file.to_str().expect("a UTF-8 path");
    let arguments =
        ["--issuer", "https://as.example.com", "--jwks", file_name, "--audience", "api"];
    let Some(server) = Server::start(&[&arguments[..], &["--envelope", "problem"]].concat()) else {
        return;
    };
    let token = issuer.token().audience("api").build();
    assert!(server.get("/whoami", Some(&token)).contains("\"sub\":\"user-1\""));
    let refused = server.get("/whoami", Some(&issuer.token().build()));
    assert!(refused.contains("application/problem+json") && refused.contains("#wrong-audience"));
    assert!(server.get("/optional", None).contains("{\"sub\":null}"));
    assert!(server.get("/public", None).starts_with("HTTP/1.1 200 "));
    server.stop();
    std::fs::remove_file(file).expect("the file is ours");
}

/// The tokens and the metadata are those that another server's own issuer has.
#[test]
fn an_issuer_outside_is_discovered() {
    if !has_embedded_issuer() || !has_curl() {
        return;
    }
    let Some(mut other) = Server::start(&[]) else { return };
    let (issuer, lines) = (other.issuer(), other.tour().lines);
    let arguments = ["--issuer", &issuer, "--audience", &other.base, "--allow-loopback"];
    let Some(server) = Server::start(&arguments) else { return };
    let (_, line) = lines.iter().find(|(comment, _)| comment.starts_with("200: who ")).expect("it");
    let answer = shell(&line.replace(&other.base, &server.base));
    assert!(answer.contains(&format!("\"iss\":\"{issuer}\"")), "{answer}");
    server.stop();
    other.stop();
}

/// An introspection endpoint that leaves `aud` out, as some servers do; and the requests to it.
fn without_audience() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/introspect", listener.local_addr().expect("bound"));
    let (tell, told) = channel();
    let answer = move |mut stream: TcpStream| {
        let body = r#"{"active":true,"sub":"user-1","client_id":"client-1"}"#;
        let length = body.len();
        let head = format!("content-type: application/json\r\ncontent-length: {length}\r\n");
        let _ = tell.send(whole_request(&mut stream));
        let _ = write!(stream, "HTTP/1.1 200 OK\r\n{head}connection: close\r\n\r\n{body}");
    };
    std::thread::spawn(move || listener.incoming().flatten().for_each(answer));
    (url, told)
}

/// Head and form, which may come one by one.
fn whole_request(stream: &mut TcpStream) -> String {
    let (mut request, mut bytes) = (String::new(), [0; 4096]);
    loop {
        let length = stream.read(&mut bytes).expect("a request");
        request += &text(&bytes[..length]);
        let form = request.split_once("\r\n\r\n").map(|(_, form)| form);
        let whole = form.is_some_and(|form| request.contains(&format!(": {}\r\n", form.len())));
        if length == 0 || whole {
            return request;
        }
    }
}

#[test]
fn lenient_goes_for_answers_on_tokens_too() {
    if !has_embedded_issuer() || !has_curl() {
        return;
    }
    let outside = Outside::new("lenient");
    let (endpoint, _requests) = without_audience();
    let asking = ["--introspection", &endpoint, "--client-id", "api", "--client-secret", "s"];
    for (profile, answered) in [("lenient", true), ("rfc9068", false)] {
        let rest = ["--profile", profile, "--allow-loopback"];
        let arguments = [&outside.flags()[..], &asking[..], &rest[..]].concat();
        let Some(server) = Server::start(&arguments) else { return };
        let answer = server.get("/whoami", Some("opaque-token"));
        assert_eq!(answer.contains("\"sub\":\"user-1\""), answered, "{profile}: {answer}");
        // A token that says whom it is for still has to name this server.
        let elsewhere = outside.issuer.token().audience("https://other.example.com").build();
        let refused = server.get("/whoami", Some(&elsewhere));
        assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
        server.stop();
    }
}

/// Of an issuer whose keys nobody knows.
#[test]
fn every_token_is_asked_about_and_needs_no_keys() {
    if !has_embedded_issuer() || !has_curl() {
        return;
    }
    let (endpoint, _requests) = without_audience();
    let issuer = TestIssuer::new("https://as.example.invalid");
    let asking = ["--introspection", &endpoint, "--client-id", "api", "--client-secret", "s"];
    let rest = ["--issuer", "https://as.example.invalid", "--profile", "lenient"];
    let all = ["--every-token", "--allow-loopback"];
    let Some(server) = Server::start(&[&asking[..], &rest, &all].concat()) else { return };
    let token = issuer.token().subject("somebody else").build();
    let answer = server.get("/whoami", Some(&token));
    assert!(answer.contains("\"sub\":\"user-1\""), "the answer counts: {answer}");
    server.stop();
}

#[test]
fn the_secret_is_sent_as_the_endpoint_wants_it() {
    if !has_embedded_issuer() || !has_curl() {
        return;
    }
    let outside = Outside::new("client-auth");
    let named = ["--client-id", "api"];
    for (flags, sent) in [
        (&named[..], "\r\nauthorization: Basic YXBpOnMxMjM=\r\n"),
        (&["--client-id", "api", "--client-auth", "basic"], "Basic YXBpOnMxMjM=\r\n"),
        (&["--client-id", "api", "--client-auth", "post"], "client_id=api&client_secret=s123"),
        (&["--client-auth", "bearer"], "\r\nauthorization: Bearer s123\r\n"),
    ] {
        let (endpoint, requests) = without_audience();
        let asking = ["--introspection", &endpoint, "--client-secret", "s123"];
        let rest = ["--profile", "lenient", "--allow-loopback"];
        let arguments = [&outside.flags()[..], &asking, flags, &rest].concat();
        let Some(server) = Server::start(&arguments) else { return };
        let answer = server.get("/whoami", Some("opaque-token"));
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        let request = requests.recv().expect("it was asked");
        assert!(request.contains(sent), "{flags:?}: {request}");
        assert_eq!(request.matches("s123").count() + request.matches("Basic").count(), 1);
        server.stop();
    }
}

#[test]
fn bad_flags_are_one_line_and_status_2() {
    let bad: [&[&str]; 21] = [
        &["--no-such-flag"],
        &["--listen", "nowhere"],
        &["--profile", "strict"],
        &["--profile", "keycloak"],
        &["--profile", "cognito", "--issuer", "https://as.example.com"],
        &["--envelope", "fancy"],
        &["--client-auth", "none"],
        &["--client-auth", "post"],
        &["--every-token"],
        &["--listen", "127.0.0.1:0", "--base-url", "nowhere"],
        &["--sender-constraint", "mtls"],
        &["--sender-constraint", "DPoP"],
        &["--sender-constraint"],
        &["--nonce=300"],
        &["--redis"],
        &["--jwks", "keys.json"],
        &["--issuer", "http://as.example.com"],
        &["--issuer", "as.example.com"],
        &["--issuer", "https://as.example.com", "--jwks", "/no/such/file"],
        &["--listen", "127.0.0.1:0", "--resource", "http://api.example.com"],
        &["stray"],
    ];
    for arguments in bad {
        let Some(_) = refuses("axum", arguments) else { return };
    }
}

const HERE: [&str; 2] = ["--listen", "127.0.0.1:0"];

#[test]
fn redis_wants_a_url_of_redis_and_does_not_repeat_it() {
    for url in ["http://:secret@127.0.0.1:1", "secret", "", "redis://:secret@host:port"] {
        let arguments = [&HERE[..], &["--redis", url]].concat();
        let Some(errors) = refuses("axum", &arguments) else { return };
        assert!(errors.contains("redis") && !errors.contains("secret"), "{errors}");
    }
}

#[test]
fn without_a_backend_it_says_what_to_enable() {
    if has_backend() {
        return;
    }
    let Some(output) = run("axum", &HERE) else { return };
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("enable the feature aws-lc-rs or rust-crypto"));
}

/// RFC 7662, with a secret that is on no command line.
#[test]
fn an_issuer_outside_is_asked_about_opaque_tokens() {
    if !has_embedded_issuer() || !has_curl() {
        return;
    }
    let Some(mut other) = Server::start(&[]) else { return };
    let (issuer, lines) = (other.issuer(), other.tour().lines);
    let endpoint = format!("{issuer}/introspect");
    let asking = ["--introspection", &endpoint, "--client-id", "example-api"];
    let trusted = ["--issuer", &issuer, "--audience", &other.base, "--allow-loopback"];
    let arguments = [&trusted[..], &asking].concat();
    let (_, line) = lines.iter().find(|(comment, _)| comment.contains("opaque")).expect("it");
    for (secret, status) in [("example-secret", "200"), ("another", "503")] {
        let Some(server) = Server::start_with(&arguments, &[("CLIENT_SECRET", secret)]) else {
            return;
        };
        let answer = shell(&line.replace(&other.base, &server.base));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        server.stop();
    }
    other.stop();
}

#[test]
fn introspection_wants_all_its_flags() {
    let flags = [
        ("--issuer", "https://as.example.com"),
        ("--introspection", "https://as.example.com/introspect"),
        ("--client-id", "api"),
        ("--client-secret", "hidden"),
    ];
    for lacking in flags {
        let given = flags.into_iter().filter(|flag| *flag != lacking);
        let arguments: Vec<_> = given.flat_map(|(flag, value)| [flag, value]).collect();
        let Some(errors) = refuses("axum", &[&HERE[..], &arguments].concat()) else { return };
        assert!(errors.contains(lacking.0) && !errors.contains("hidden"), "{errors}");
    }
    // An access token says itself who asks.
    let all: Vec<_> = flags.into_iter().flat_map(|(flag, value)| [flag, value]).collect();
    let bearer = ["--client-auth", "bearer"];
    let Some(errors) = refuses("axum", &[&HERE[..], &all, &bearer].concat()) else { return };
    assert!(errors.contains("--client-id") && !errors.contains("hidden"), "{errors}");
}
